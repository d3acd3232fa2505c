// How soon a call returns when -MaximumWaitTimeSeconds have passed. What it returns is tested by
// tests/module/MaximumWait.Tests.ps1.

using System;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class MaximumWaitTests : ModuleTest
{
    public MaximumWaitTests() => Laboratory.Require();

    [Theory]
    [InlineData("-Count 100 -ReplyTimeoutMilliseconds 200")]
    [InlineData("-TcpPort 1 -Count 100 -ReplyTimeoutMilliseconds 200")]
    [InlineData("-Count 100 -ReplyTimeoutMilliseconds 200 -AsObject")]
    [InlineData("-Count 100 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1")]
    public void The_call_returns_within_250_ms_of_the_limit(string arguments)
    {
        Session.Run("Invoke-RustParallel 127.0.0.1"); // what the first call loads is not the limit's
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Run($"Invoke-RustParallel {Laboratory.SilentNetwork.Replace("/16", "/22")} {arguments} -MaximumWaitTimeSeconds 0.5");
            Assert.True(call.Duration >= TimeSpan.FromSeconds(0.5), $"returned after {call.Duration.TotalMilliseconds:N0} ms");
            MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(0.5 + 0.25), call.Late);
        });
    }
}
