// -Debug in a host that can ask: nothing is asked.

using System.Management.Automation.Runspaces;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class DebugTests : ModuleTest
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
}
