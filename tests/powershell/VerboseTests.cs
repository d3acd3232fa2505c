// -Verbose: the rhythm of its lines.

using System;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class VerboseTests : ModuleTest
{
    [Fact]
    public void The_wait_is_told_at_once_and_then_every_250_milliseconds()
    {
        Laboratory.Require();
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Run(
                $"Invoke-RustParallel {Laboratory.Silent} -Count 7 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 150 -Verbose");
            Written<System.Management.Automation.VerboseRecord>[] waits =
                call.TimedVerbose.Where(line => line.Value.Message.StartsWith("Waiting for 1 threads", StringComparison.Ordinal)).ToArray();
            double[] waited = waits.Select(wait => Seconds(wait.Value.Message)).ToArray();
            // 6 x 200 + 150 ms: at 0, 250, ... 1,250 ms. A late line delays those after it, so fewer may fit in.
            Assert.InRange(waited.Length, 6 - (int)Math.Ceiling(call.Late.TotalSeconds / 0.25), 6);
            MachineDelay.AssertWithin(TimeSpan.FromSeconds(waited[0]), TimeSpan.Zero, call.Late);
            for (int i = 1; i < waited.Length; i++)
            {
                Assert.True(waited[i] - waited[i - 1] >= 0.249, $"{waited[i]} follows {waited[i - 1]}");
                MachineDelay.AssertWithin(TimeSpan.FromSeconds(waited[i] - waited[i - 1]), TimeSpan.FromMilliseconds(250), call.Late);
                // The lines are written when they say.
                MachineDelay.AssertWithin(
                    ((waits[i].At - waits[0].At) - TimeSpan.FromSeconds(waited[i] - waited[0])).Duration(), TimeSpan.Zero, call.Late);
            }
        });
    }

    private static double Seconds(string waitingLine) =>
        double.Parse(Regex.Match(waitingLine, @"Waited for (\S+) seconds").Groups[1].Value, CultureInfo.CurrentCulture);
}
