// What a block may not do whose caller is in Constrained Language Mode, as AppLocker and App Control make it.

using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ConstrainedLanguageTests
{
    // In processes of their own: a conversion that this one has made in Full Language Mode fails with other words.
    [Theory]
    [InlineData("$Data[$ComputerName] = [pscustomobject] @{ Ping = $true }", "ConversionSupportedOnlyToCoreTypes")]
    [InlineData("[IO.File]::Exists('/')", "MethodInvocationNotSupportedInConstrainedLanguage")]
    public void A_block_that_needs_other_types_gets_an_error_and_stores_nothing(string body, string errorId)
    {
        string[] lines = ChildProcess.Run(
            $$"""
            Import-Module $Manifest
            $ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'
            $data = Invoke-RustParallel -ComputerName a -ErrorAction SilentlyContinue -ErrorVariable problems -ScriptBlock { param($ComputerName) {{body}} }
            "[$($data["a"])]"
            $problems | ForEach-Object { $_.FullyQualifiedErrorId }
            """);
        Assert.Equal(["[]", errorId], lines);
    }
}
