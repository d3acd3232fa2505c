// The progress record of calls of more than a second.

using System;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ProgressTests : ModuleTest
{
    public ProgressTests() => Laboratory.Require();

    [Fact]
    public void A_call_under_a_second_shows_none()
    {
        Call call = Session.Run($"Invoke-RustParallel {Laboratory.Silent} -Count 3 -IntervalMilliseconds 250 -ReplyTimeoutMilliseconds 100");
        Assert.Empty(call.TimedProgress);
    }

    [Fact]
    public void Done_and_total_rate_and_time_left_are_shown_at_most_four_times_a_second()
    {
        Call call = Session.Run(
            $"Invoke-RustParallel 127.0.0.1, 127.0.0.2, 127.0.0.3, {Laboratory.Silent} -Count 11 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 200");
        Written<ProgressRecord>[] shown = call.TimedProgress.Where(written => written.Value.RecordType == ProgressRecordType.Processing).ToArray();

        // 2.2 s: at 1, 1.25, ... 2 s, fewer where this machine was late.
        Assert.InRange(shown.Length, 3, 5);
        Assert.True(shown[0].At >= TimeSpan.FromSeconds(1), $"the first came after {shown[0].At.TotalMilliseconds:N0} ms");
        for (int i = 1; i < shown.Length; i++)
        {
            // What was written late may be followed by one that is not.
            TimeSpan apart = shown[i].At - shown[i - 1].At;
            Assert.True(apart + call.Late >= TimeSpan.FromMilliseconds(240), $"{apart.TotalMilliseconds:N0} ms apart");
        }
        foreach (ProgressRecord record in shown.Select(written => written.Value))
        {
            Assert.Equal("Invoke-RustParallel", record.Activity);
            Assert.Matches(@"^3 of 4 hosts done, \d([.,]\d)? a second$", record.StatusDescription);
            Assert.Equal(75, record.PercentComplete);
            Assert.InRange(record.SecondsRemaining, 0, 2);
        }
    }

    [Fact]
    public void The_record_is_completed_at_the_end()
    {
        Call call = Session.Run($"Invoke-RustParallel {Laboratory.Silent} -Count 7 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 150");
        ProgressRecord last = call.TimedProgress.Last().Value;
        Assert.Equal(ProgressRecordType.Completed, last.RecordType);
        Assert.Single(call.TimedProgress, written => written.Value.RecordType == ProgressRecordType.Completed);
        Assert.Single(call.TimedProgress.Select(written => written.Value.ActivityId).Distinct());
    }
}
