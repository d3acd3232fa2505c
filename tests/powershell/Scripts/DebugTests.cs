// -Debug in a host that can ask: it shows the debug messages of jobs and asks for nothing.

using System.Linq;
using System.Management.Automation.Runspaces;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class DebugTests : ScriptTest
{
    [Theory]
    [InlineData("'o'")]
    [InlineData("Write-Debug 'd'; 'o'")]
    [InlineData("Write-Warning 'w'; 'o'")]
    [InlineData("Write-Verbose 'v' -Verbose; 'o'")]
    [InlineData("Write-Error 'e'; 'o'")]
    public void A_call_with_Debug_asks_for_nothing(string block)
    {
        using Runspace runspace = AskingHost.OpenRunspace();
        Call call = new Call(runspace, $"1 | Invoke-RustParallel {{ {block} }} -Debug").Wait();
        Assert.Null(call.Failure);
        Assert.Equal(["o"], Lines(call));
    }

    [Fact]
    public void A_probe_with_Debug_asks_for_nothing()
    {
        using Runspace runspace = AskingHost.OpenRunspace();
        Call call = new Call(runspace, "Invoke-RustParallel 127.0.0.1 -Debug -TcpPort 1").Wait();
        Assert.Null(call.Failure);
        Assert.Single(call.Table);
    }

    [Fact]
    public void Debug_alone_writes_no_lines_about_the_call()
    {
        using Runspace runspace = AskingHost.OpenRunspace();
        Assert.Empty(new Call(runspace, "1 | Invoke-RustParallel { 1 } -Debug").Wait().Verbose);
    }

    [Theory]
    [InlineData("", "-Debug -Verbose")]
    [InlineData("$VerbosePreference = 'Continue'; ", "-Debug")]
    [InlineData("$VerbosePreference = 'Continue'; ", "")]
    public void Lines_about_the_call_come_where_they_are_asked_for(string before, string argument)
    {
        using Runspace runspace = AskingHost.OpenRunspace();
        Call call = new Call(runspace, $"{before}1 | Invoke-RustParallel {{ Write-Verbose 'v' }} {argument}").Wait();
        Assert.Null(call.Failure);
        Assert.Contains("v", call.Verbose);
        Assert.Contains("All threads finished.", call.Verbose);
    }

    [Fact]
    public void What_jobs_write_is_shown_with_Debug()
    {
        using Runspace runspace = AskingHost.OpenRunspace();
        Call call = new Call(
            runspace,
            "1 | Invoke-RustParallel { Write-Debug 'd'; Write-Warning 'w'; Write-Verbose 'v' -Verbose } -Debug 3>&1 4>&1 5>&1 | ForEach-Object { \"$_\" }").Wait();
        Assert.Equal(["d", "w", "v"], Lines(call));
    }
}
