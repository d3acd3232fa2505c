// A caller in Constrained Language Mode, as AppLocker and App Control make it: what docs/install.md
// says of it.

using System;
using System.Collections;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ConstrainedLanguageTests : ModuleTest
{
    [Fact]
    public void Probes_work()
    {
        Constrain();
        using var open = new OpenPort();
        PSObject result = Session.Run("Invoke-RustParallel 127.0.0.1 -TcpPort $port -AsObject", ("port", open.Number)).Output.Single();
        Assert.Equal("Success", Property<string>(result, "Status"));
    }

    [Fact]
    public void A_block_that_stores_a_hashtable_works_and_is_constrained_too()
    {
        Constrain();
        var data = (Hashtable)Session.Run(
            """
            Invoke-RustParallel -ComputerName a, b -ScriptBlock {
                param($ComputerName)
                $Data[$ComputerName] = @{ Ping = $true; TimeFinished = [DateTime]::Now; Mode = "$($ExecutionContext.SessionState.LanguageMode)" }
            }
            """).Output.Single().BaseObject;
        Assert.Equal(2, data.Count);
        var entry = (Hashtable)PSObject.AsPSObject(data["b"]!).BaseObject;
        Assert.Equal(true, entry["Ping"]);
        Assert.Equal("ConstrainedLanguage", entry["Mode"]);
        Assert.True(DateTime.Now - (DateTime)entry["TimeFinished"]! < TimeSpan.FromMinutes(1), "the time is now");
    }

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

    private void Constrain() => Session.Runspace.SessionStateProxy.LanguageMode = PSLanguageMode.ConstrainedLanguage;
}
