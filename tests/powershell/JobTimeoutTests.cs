// -JobTimeoutSeconds: how soon after it the call ends.

using System;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class JobTimeoutTests : ModuleTest
{
    [Theory]
    [InlineData("Start-Sleep 30")]
    [InlineData("[Threading.Thread]::Sleep(4000)")]
    public void The_call_ends_within_250_ms_of_its_only_jobs_limit(string stuck)
    {
        Session.Run("1 | Invoke-RustParallel { 1 }"); // what the first call loads is not the limit's
        MachineDelay.Repeat(() =>
        {
            Call call = Session.RunWithErrors($"1 | Invoke-RustParallel {{ {stuck} }} -JobTimeoutSeconds 0.4");
            Assert.True(call.Duration >= TimeSpan.FromSeconds(0.4), $"ended after {call.Duration.TotalMilliseconds:N0} ms");
            MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(0.4) + EndLimit, call.Late);
        });
    }
}
