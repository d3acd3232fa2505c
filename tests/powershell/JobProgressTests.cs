// The rhythm of the verbose lines of calls with script jobs.

using System;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class JobProgressTests : ModuleTest
{
    [Fact]
    public void The_wait_is_told_every_250_milliseconds()
    {
        Call call = Session.Run("1 | Invoke-RustParallel { Start-Sleep -Milliseconds 900 } -Verbose");
        TimeSpan[] told = call.TimedVerbose
            .Where(line => line.Value.Message.StartsWith("Waiting for", StringComparison.Ordinal)).Select(line => line.At).ToArray();
        // At 0, 250, 500 and 750 ms; a late line delays those after it, and the job begins when its runspace is open.
        Assert.InRange(told.Length, 3 - (int)Math.Ceiling(call.Late.TotalSeconds / 0.25), 6 + (int)Math.Ceiling(call.Late.TotalSeconds / 0.25));
        for (int i = 1; i < told.Length; i++)
        {
            Assert.True(told[i] - told[i - 1] + call.Late >= TimeSpan.FromMilliseconds(240), $"{told[i]} follows {told[i - 1]}");
        }
    }
}
