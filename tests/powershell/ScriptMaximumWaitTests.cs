// -MaximumWaitTimeSeconds over script jobs: how soon after it the call returns.

using System;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ScriptMaximumWaitTests : ModuleTest
{
    [Theory]
    [InlineData("Start-Sleep 30")]
    [InlineData(EmptyLoop)]
    [InlineData(LoopWithCall)]
    [InlineData("[Threading.Thread]::Sleep(4000)")]
    public void The_call_returns_within_250_ms_of_the_limit(string stuck)
    {
        RequireStop(stuck);
        Session.Run("1..4 | Invoke-RustParallel { 1 }"); // what the first call loads is not the limit's
        MachineDelay.Repeat(() =>
        {
            Call call = Session.RunWithErrors($"1..4 | Invoke-RustParallel {{ {stuck} }} -TimeoutSeconds 0.5 -ThrottleLimit 4");
            Assert.True(call.Duration >= TimeSpan.FromSeconds(0.5), $"returned after {call.Duration.TotalMilliseconds:N0} ms");
            MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(0.5) + EndLimit, call.Late);
        });
    }
}
