// What a call says about itself while it runs: verbose lines and progress. Owns the call's clock and the rhythm of four times a
// second; there is no timer: whoever advances the run sleeps at most until the next moment. The thread that advances the run.

using System;
using RustRunspaces.Native;

namespace RustRunspaces.Output;

/// <summary>How far a run is. Hosts, or items: what the caller counts in.</summary>
internal readonly struct RunFigures
{
    internal RunFigures(long known, long finished, long unfinished, TimeSpan longest)
    {
        Known = known;
        Finished = finished;
        Unfinished = unfinished;
        Longest = longest;
    }

    /// <summary>Known so far.</summary>
    internal long Known { get; }

    /// <summary>Those of them that are done.</summary>
    internal long Finished { get; }

    /// <summary>Those of them that were ended before they were done, or never begun.</summary>
    internal long Unfinished { get; }

    /// <summary>What those known take at the longest; <see cref="TimeSpan.MaxValue"/> where that cannot be said.</summary>
    internal TimeSpan Longest { get; }
}

internal sealed class CallReport
{
    private readonly Rhythm rhythm = new Rhythm();
    private readonly Action<string> writeLine;
    private readonly VerboseLines lines;
    private readonly ProgressReporter? progress;
    private bool hasWaited;

    /// <param name="writeLine">Where the lines go.</param>
    /// <param name="progress">Null where nobody watches.</param>
    internal CallReport(Action<string> writeLine, ProgressReporter? progress)
    {
        this.writeLine = writeLine;
        this.progress = progress;
        lines = new VerboseLines(writeLine);
    }

    /// <summary>Since the call began.</summary>
    internal TimeSpan Elapsed => rhythm.Elapsed;

    /// <summary>How long the one who advances the run may sleep.</summary>
    internal ulong MillisecondsToNextMoment => rhythm.MillisecondsToNext;

    internal void Started() => lines.Started();

    /// <summary>Whether it is time to <see cref="Say"/> how far the run is.</summary>
    internal bool IsMoment => rhythm.HasCome;

    /// <summary>Says how far the run is; the next moment is an interval away.</summary>
    internal void Say(in RunFigures figures)
    {
        rhythm.Restart();
        if (figures.Unfinished > 0)
        {
            return; // the maximum wait is over: nothing is waited for
        }
        if (!hasWaited && figures.Known > 0 && figures.Longest != TimeSpan.MaxValue)
        {
            lines.Longest(figures.Longest, figures.Known);
        }
        hasWaited = true;
        lines.Waiting(figures.Known, figures.Finished, Elapsed);
        progress?.Update(figures, Elapsed);
    }

    /// <summary>All input is there: says how far the run is at once, if it has not yet.</summary>
    internal void InputEnded(in RunFigures figures)
    {
        if (!hasWaited)
        {
            Say(figures);
        }
    }

    /// <summary>Everything is delivered.</summary>
    /// <param name="figures">The last ones.</param>
    /// <param name="limitSeconds">The maximum wait that was reached; null where none was.</param>
    internal void Finished(in RunFigures figures, double? limitSeconds)
    {
        progress?.Complete();
        if (limitSeconds is double seconds)
        {
            lines.TimedOut(figures.Finished, seconds, Elapsed);
        }
        else if (figures.Unfinished == 0)
        {
            lines.AllFinished(figures.Finished);
        }
    }

    /// <summary>Closes the run between its two lines.</summary>
    /// <param name="close">Returns how many threads have not come back.</param>
    /// <param name="counts">What the run's pool has counted; null where that says nothing.</param>
    internal void Close(Func<int> close, PoolCounts? counts)
    {
        if (counts is PoolCounts told)
        {
            lines.OnTheWay(told);
        }
        lines.Closing();
        TimeSpan before = Elapsed;
        int abandoned = close();
        lines.Closed(Elapsed - before);
        if (abandoned > 0)
        {
            writeLine($"{abandoned} threads sit in code that cannot be stopped and were left behind.");
        }
    }

    internal void Ended() => lines.Ended(Elapsed);
}
