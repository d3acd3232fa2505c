// When echo requests are sent: within milliseconds. What else the echo parameters do is tested by
// tests/module/Echo.Tests.ps1.

using System;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class EchoTests : ModuleTest
{
    [Fact]
    public void Attempts_are_an_interval_apart_and_the_last_waits_its_reply_timeout()
    {
        Laboratory.Require();
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Run(
                $"Invoke-RustParallel {Laboratory.Silent} -Count 3 -IntervalMilliseconds 300 -ReplyTimeoutMilliseconds 100 -AsObject");
            var shortest = TimeSpan.FromMilliseconds((2 * 300) + 100);
            Assert.True(call.Duration >= shortest, $"took {call.Duration.TotalMilliseconds:N0} ms");
            MachineDelay.AssertWithin(call.Duration, shortest + TimeSpan.FromMilliseconds(250), call.Late);
        });
    }
}
