// -Verbose: the lines of the runspace template, in its wording, order and rhythm.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class VerboseTests : ModuleTest
{
    private const string Time = @"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]";

    public VerboseTests() => Laboratory.RequireEcho();

    [Fact]
    public void The_lines_of_a_short_call_are_those_of_the_template()
    {
        string[] lines = Session.Run("Invoke-RustParallel 127.0.0.1, 127.0.0.2, 127.0.0.3 -Verbose").Verbose.ToArray();
        AssertLines(
            lines,
            $@"^{Time} Script started\.$",
            @"^Expected to take \d+[.,]\d{3} seconds at the longest for the 3 hosts known so far\.$",
            @"^Waiting for 3 threads to finish\. Waited for 0[.,]\d{3} seconds\.$",
            @"^3 threads have finished\.$",
            @"^All threads finished\.$",
            @"^Closing runspace pool\.$",
            @"^Closing the runspace pool took \d+[.,]\d{3} seconds\.$",
            $@"^{Time} Script finished\.$",
            @"^Total minutes elapsed: 0[.,]\d{5}$");
    }

    [Fact]
    public void What_finishes_is_counted_between_the_waits()
    {
        Laboratory.Require();
        string[] lines = Session.Run(
            $"Invoke-RustParallel 127.0.0.1, 127.0.0.2, {Laboratory.Silent}, {Laboratory.Silent2} -Count 3 -IntervalMilliseconds 150 -ReplyTimeoutMilliseconds 100 -Verbose")
            .Verbose.ToArray();
        AssertLines(
            lines,
            "Script started",
            "^Expected to take",
            "^Waiting for 4 threads to finish",
            "^2 threads have finished.$",
            "^Waiting for 2 threads to finish",
            "^2 threads have finished.$",
            "^All threads finished.$",
            "^Closing runspace pool.$",
            "^Closing the runspace pool took",
            "Script finished",
            "^Total minutes elapsed");
    }

    [Fact]
    public void The_wait_is_told_at_once_and_then_every_250_milliseconds()
    {
        Laboratory.Require();
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
    }

    [Fact]
    public void The_rhythm_begins_while_input_still_comes()
    {
        Laboratory.Require();
        string[] lines = Session.Run(
            $$"""
            & {
                '{{Laboratory.Silent}}'; Start-Sleep -Milliseconds 300
                '127.0.0.1'; Start-Sleep -Milliseconds 300
                '127.0.0.2'; Write-Verbose 'Input ends.' -Verbose
            } | Invoke-RustParallel -Count 11 -IntervalMilliseconds 100 -ReplyTimeoutMilliseconds 100 -Verbose
            """).Verbose.ToArray();
        int waits = lines.TakeWhile(line => line != "Input ends.").Count(line => line.StartsWith("Waiting for", StringComparison.Ordinal));
        Assert.Equal(2, waits);
    }

    [Fact]
    public void The_last_lines_tell_the_true_duration()
    {
        Laboratory.Require();
        Call call = Session.Run(
            $"Invoke-RustParallel {Laboratory.Silent} -Count 3 -IntervalMilliseconds 250 -ReplyTimeoutMilliseconds 100 -Verbose");
        string last = call.Verbose.Last();
        double seconds = 60 * double.Parse(last["Total minutes elapsed: ".Length..], CultureInfo.CurrentCulture);
        Assert.InRange(seconds, 0.599, call.Duration.TotalSeconds);
    }

    [Theory]
    [InlineData("-Count 2 -IntervalMilliseconds 300 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 10", 3, 1.1)] // 3 x 2 / 10 + 0.3 + 0.2
    [InlineData("-Count 2 -IntervalMilliseconds 300 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 0", 3, 0.5)]
    [InlineData("-Count 1 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1000", 100, 0.3)]
    [InlineData("-TcpPort 1 -Count 2 -IntervalMilliseconds 300 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1", 3, 0.5)]
    public void The_expected_duration_is_that_of_silent_hosts(string arguments, int hosts, double seconds)
    {
        Call call = Session.Run($"Invoke-RustParallel 127.0.0.1-{hosts} {arguments} -Verbose");
        Assert.Contains(
            $"Expected to take {seconds:N3} seconds at the longest for the {hosts} hosts known so far.",
            call.Verbose);
    }

    [Fact]
    public void The_maximum_wait_is_told_in_the_words_of_the_template()
    {
        Laboratory.Require();
        string[] lines = Session.RunWithErrors(
            $"Invoke-RustParallel 127.0.0.1, {Laboratory.Silent} -Count 50 -ReplyTimeoutMilliseconds 200 -MaximumWaitTimeSeconds 0.4 -Verbose")
            .Verbose.ToArray();
        AssertLines(
            lines,
            "Script started",
            "^Expected to take",
            "^Waiting for 2 threads to finish",
            "^1 threads have finished.$",
            "^Waiting for 1 threads to finish",
            @"^Timeout of 0[.,]4 seconds reached\. Waited 0[.,][4-9]\d* seconds\.$",
            "^Closing runspace pool.$",
            "^Closing the runspace pool took",
            "Script finished",
            "^Total minutes elapsed");
    }

    [Fact]
    public void Nothing_untrue_is_said()
    {
        string[] lines = Session.Run("Invoke-RustParallel 127.0.0.1 -Verbose").Verbose.ToArray();
        Assert.DoesNotContain(lines, line => line.Contains("EndInvoke", StringComparison.Ordinal) || line.Contains("ispos", StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_is_said_unasked() => Assert.Empty(Session.Run("Invoke-RustParallel 127.0.0.1").Verbose);

    [Fact]
    public void A_call_without_hosts_says_that_it_began_and_ended()
    {
        string[] lines = Session.Run("@() | Invoke-RustParallel -Verbose").Verbose.ToArray();
        Assert.Matches("Script started", lines[0]);
        Assert.Contains("All threads finished.", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("Waiting", StringComparison.Ordinal));
        Assert.Matches("^Total minutes elapsed", lines[^1]);
    }

    private static double Seconds(string waitingLine) =>
        double.Parse(Regex.Match(waitingLine, @"Waited for (\S+) seconds").Groups[1].Value, CultureInfo.CurrentCulture);

    private static void AssertLines(IEnumerable<string> all, params string[] patterns)
    {
        // What a busy machine did to the call is not what these tests are about.
        string[] lines = all.Where(line => !line.StartsWith("On the way: ", StringComparison.Ordinal)).ToArray();
        Assert.True(lines.Length == patterns.Length, string.Join('\n', lines));
        for (int i = 0; i < patterns.Length; i++)
        {
            Assert.Matches(patterns[i], lines[i]);
        }
    }
}
