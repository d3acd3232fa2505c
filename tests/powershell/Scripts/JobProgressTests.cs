// Progress and verbose lines of calls with script jobs: the call's own, and those of its jobs below it.

using System;
using System.Linq;
using System.Management.Automation;
using System.Text.RegularExpressions;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class JobProgressTests : ScriptTest
{
    [Fact]
    public void The_progress_of_each_worker_has_its_own_id_below_the_commands()
    {
        using var barrier = new System.Threading.Barrier(3);
        Call call = Session.Run(
            "1..3 | Invoke-RustParallel { $null = ($using:barrier).SignalAndWait(20000); Write-Progress -Activity \"a$_\" -Status s -PercentComplete 40 } -ThrottleLimit 3",
            ("barrier", barrier));
        ProgressRecord[] shown = call.TimedProgress.Select(written => written.Value).Where(record => record.Activity.StartsWith('a')).ToArray();
        Assert.Equal(3, shown.Select(record => record.ActivityId).Distinct().Count());
        Assert.All(shown, record => Assert.NotEqual(record.ParentActivityId, record.ActivityId));
        Assert.Single(shown.Select(record => record.ParentActivityId).Distinct());
        Assert.All(shown.Where(record => record.RecordType == ProgressRecordType.Processing), record => Assert.Equal(40, record.PercentComplete));
    }

    [Fact]
    public void At_most_four_records_a_second_come_of_a_worker()
    {
        Call call = Session.Run("1 | Invoke-RustParallel { for ($i = 0; $i -lt 300; $i++) { Write-Progress -Activity a -Status $i; if ($i % 10 -eq 0) { Start-Sleep -Milliseconds 10 } } }");
        int shown = call.TimedProgress.Count(written => written.Value.Activity == "a" && written.Value.RecordType == ProgressRecordType.Processing);
        Assert.InRange(shown, 1, 1 + (int)(4 * call.Duration.TotalSeconds));
    }

    [Theory]
    [InlineData("Write-Progress -Activity a -Status s")]
    [InlineData("Write-Progress -Activity a -Status s; throw 'no'")]
    [InlineData("Write-Progress -Activity a -Status s; Start-Sleep 30")]
    [InlineData("Write-Progress -Activity a -Status s; Write-Progress -Activity a -Completed")]
    public void It_is_completed_once_when_the_job_ends(string block)
    {
        Call call = Session.RunWithErrors($"1 | Invoke-RustParallel {{ {block} }} -JobTimeoutSeconds 0.4");
        ProgressRecord[] shown = call.TimedProgress.Select(written => written.Value).Where(record => record.Activity == "a").ToArray();
        Assert.Single(shown, record => record.RecordType == ProgressRecordType.Completed);
        Assert.Single(shown.Select(record => record.ActivityId).Distinct());
    }

    [Fact]
    public void The_call_shows_its_own_progress_after_a_second()
    {
        Call call = Session.Run("1..4 | Invoke-RustParallel { if ($_ -eq 4) { Start-Sleep -Milliseconds 1500 } } -ThrottleLimit 4");
        ProgressRecord first = call.TimedProgress.First().Value;
        Assert.Equal("Invoke-RustParallel", first.Activity);
        Assert.Equal(75, first.PercentComplete);
        Assert.True(call.TimedProgress.First().At >= TimeSpan.FromSeconds(1));
        Assert.Equal(ProgressRecordType.Completed, call.TimedProgress.Last().Value.RecordType);
    }

    [Fact]
    public void A_short_call_shows_none() => Assert.Empty(Session.Run("1..4 | Invoke-RustParallel { $_ }").TimedProgress);

    [Fact]
    public void Verbose_lines_are_those_of_the_probe_form()
    {
        string[] lines = Session.Run("1..3 | Invoke-RustParallel { $_ } -Verbose").Verbose.ToArray();
        string[] expected =
        [
            "Script started", "^Waiting for [123] threads to finish", "^[123] threads have finished", "^All threads finished",
            "^Closing runspace pool", "^Closing the runspace pool took", "Script finished", "^Total minutes elapsed",
        ];
        int position = 0;
        foreach (string pattern in expected)
        {
            position = Array.FindIndex(lines, position, line => Regex.IsMatch(line, pattern));
            Assert.True(position >= 0, $"'{pattern}' does not follow in:\n{string.Join('\n', lines)}");
        }
    }

    [Fact]
    public void The_maximum_wait_is_told_in_the_words_of_the_template()
    {
        Call call = Session.RunWithErrors("1, 2 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } } -ThrottleLimit 2 -TimeoutSeconds 0.4 -Verbose");
        Assert.Contains(call.Verbose, line => Regex.IsMatch(line, @"^Timeout of 0[.,]4 seconds reached\. Waited 0[.,][4-9]"));
    }

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
