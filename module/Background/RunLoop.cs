// The one loop that drives a run, in the foreground and in the background: hands hosts or items over as they come, delivers what
// has finished, keeps the rhythm of what the call says about itself. The pipeline thread, or a background job's.

using System;
using System.Collections.Generic;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

internal sealed class RunLoop
{
    private readonly IRun run;
    private readonly CallReport report;
    private readonly Action<IReadOnlyList<RunningItem>> watch;
    private readonly Action throwIfStopping;

    /// <param name="run">What to drive.</param>
    /// <param name="report">Of the same call.</param>
    /// <param name="watch">Told at each moment of the rhythm what workers are busy with.</param>
    /// <param name="throwIfStopping">Leaves the loop where the caller's pipeline is being stopped.</param>
    internal RunLoop(IRun run, CallReport report, Action<IReadOnlyList<RunningItem>> watch, Action throwIfStopping)
    {
        this.run = run;
        this.report = report;
        this.watch = watch;
        this.throwIfStopping = throwIfStopping;
    }

    /// <summary>Milliseconds that a wait may take: fewer where something else needs the thread, too.</summary>
    internal ulong LongestWait { get; set; } = ulong.MaxValue;

    /// <summary>One more host or item.</summary>
    internal void Add(object? item)
    {
        run.Add(item);
        if (run.IsBatchFull)
        {
            Submit();
        }
    }

    /// <summary>What was added is on its way when this returns; what has finished meanwhile is written.</summary>
    internal void Flush()
    {
        Submit();
        run.Deliver();
        Moment();
    }

    /// <summary>Waits for the rest, then writes what is to be said about all.</summary>
    /// <exception cref="CallRefusedException">Nothing could be done.</exception>
    internal void Finish()
    {
        Flush();
        run.CloseInput();
        report.InputEnded(run.Figures);
        while (!run.IsComplete)
        {
            WaitAndDeliver();
        }
        run.Show();
        report.Finished(run.Figures, run.LimitReached);
        run.Complete();
        report.Close(Close, run.Counts);
        report.Ended();
    }

    private int Close()
    {
        run.Dispose();
        return run.Abandoned;
    }

    private void Submit()
    {
        while (!run.Submit())
        {
            WaitAndDeliver();
        }
    }

    private void WaitAndDeliver()
    {
        throwIfStopping();
        run.Wait(Math.Min(LongestWait, report.MillisecondsToNextMoment));
        throwIfStopping();
        run.Deliver();
        Moment();
    }

    private void Moment()
    {
        if (report.IsMoment)
        {
            run.Show();
            watch(run.RunningItems());
            report.Say(run.Figures);
        }
    }
}
