// What a call says about itself while it runs: verbose lines, progress, the warnings about its maximum wait. Owns the call's
// clock and the rhythm; there is no timer: the caller sleeps at most until the next moment. Pipeline thread.

using System;
using System.Diagnostics;
using System.Management.Automation;

namespace RustRunspaces;

internal sealed class CallReport
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly CallerStreams streams;
    private readonly VerboseLines lines;
    private readonly ProgressReporter progress;
    private readonly ProbeSettings settings;
    private readonly double maximumWaitSeconds;
    private TimeSpan nextMoment = Interval;
    private bool hasWaited;
    private bool hasWarned;

    /// <param name="cmdlet">Writes.</param>
    /// <param name="activity">The command's name.</param>
    /// <param name="settings">Say how long hosts take at the longest.</param>
    /// <param name="maximumWaitSeconds">0 means no limit.</param>
    internal CallReport(PSCmdlet cmdlet, string activity, ProbeSettings settings, double maximumWaitSeconds)
    {
        streams = new CallerStreams(cmdlet);
        this.settings = settings;
        this.maximumWaitSeconds = maximumWaitSeconds;
        lines = new VerboseLines(streams.WriteLine);
        progress = new ProgressReporter(cmdlet.WriteProgress, activity);
    }

    /// <summary>Since the call began.</summary>
    internal TimeSpan Elapsed => clock.Elapsed;

    /// <summary>How long the caller may sleep.</summary>
    internal ulong MillisecondsToNextMoment => (ulong)Math.Max(0, Math.Ceiling((nextMoment - clock.Elapsed).TotalMilliseconds));

    internal void Started() => lines.Started();

    /// <summary>More hosts are known: warns once when they take longer than the maximum wait.</summary>
    internal void HostsKnown(long hosts)
    {
        if (hasWarned || maximumWaitSeconds == 0)
        {
            return;
        }
        TimeSpan longest = settings.LongestDuration(hosts);
        if (longest.TotalSeconds > maximumWaitSeconds)
        {
            hasWarned = true;
            double needed = Math.Ceiling((longest + Elapsed).TotalSeconds);
            streams.WriteWarning(
                $"Probing {Hosts(hosts)} may take {longest.TotalSeconds:0.###} seconds, longer than the maximum wait of {maximumWaitSeconds} seconds: use -MaximumWaitTimeSeconds {needed} to let all of them finish");
        }
    }

    /// <summary>Says how far the run is, when a moment of the rhythm has come.</summary>
    internal void Moment(ProbeRun run)
    {
        if (clock.Elapsed >= nextMoment)
        {
            Say(run);
        }
    }

    /// <summary>All input is there: says how far the run is at once, if it has not yet.</summary>
    internal void InputEnded(ProbeRun run)
    {
        if (!hasWaited)
        {
            Say(run);
        }
    }

    /// <summary>Everything is collected.</summary>
    internal void Finished(ProbeRun run)
    {
        progress.Complete();
        if (run.Unfinished.Count == 0)
        {
            lines.AllFinished(run.HostsFinished);
            return;
        }
        lines.TimedOut(run.HostsFinished, maximumWaitSeconds, Elapsed);
        streams.WriteWarning(
            $"The maximum wait of {maximumWaitSeconds} seconds was reached before {Hosts(run.Unfinished.Count)} could be finished: {run.Unfinished}");
    }

    /// <summary>Closes the run between its two lines.</summary>
    internal void Close(ProbeRun run)
    {
        lines.OnTheWay(run.Count());
        lines.Closing();
        TimeSpan before = Elapsed;
        run.Dispose();
        lines.Closed(Elapsed - before);
    }

    internal void Ended() => lines.Ended(Elapsed);

    private static string Hosts(long count) => count == 1 ? "1 host" : $"{count} hosts";

    private void Say(ProbeRun run)
    {
        if (run.Unfinished.Count > 0)
        {
            return; // the maximum wait is over: nothing is waited for
        }
        TimeSpan elapsed = Elapsed;
        TimeSpan longest = settings.LongestDuration(run.HostsKnown);
        if (!hasWaited && run.HostsKnown > 0)
        {
            lines.Longest(longest, run.HostsKnown);
        }
        hasWaited = true;
        lines.Waiting(run.HostsKnown, run.HostsFinished, elapsed);
        progress.Update(run.HostsKnown, run.HostsFinished, elapsed, longest);
        nextMoment = elapsed + Interval;
    }
}
