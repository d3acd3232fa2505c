// -AsJob: a call in the background, for Get-Job, Wait-Job, Receive-Job, Stop-Job and Remove-Job. It runs on a thread of its own,
// which writes into the job's collections; each of them keeps its order. Child jobs, one for each host or item, are made when
// somebody asks for them; until then they cost nothing but their state.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using System.Threading;
using RustRunspaces.Background;
using RustRunspaces.Output;

namespace RustRunspaces;

/// <summary>A call of Invoke-RustParallel that runs in the background.</summary>
public sealed class RustParallelJob : Job, IJobDebugger
{
    // A stopped call returns within 250 ms unless hosts or items sit in native code; then it is given up.
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(2);

    private const int Reminders = 40;

    private readonly Func<ISink, IRun> open;
    private readonly IReadOnlyList<object?> items;
    private readonly BackgroundSink sink;
    private readonly object gate = new object();
    private IRun? run;
    private int itemsAdded;
    private bool isStopping;
    private bool isOver;

    private RustParallelJob(string command, Func<ISink, IRun> open, IReadOnlyList<object?> items, BackgroundPreferences preferences)
        : base(command)
    {
        this.open = open;
        this.items = items;
        sink = new BackgroundSink(this, items, preferences);
        PSJobTypeName = nameof(RustParallelJob);
    }

    /// <inheritdoc/>
    public override string Location => "PowerShell";

    /// <inheritdoc/>
    public override string StatusMessage => string.Format(
        CultureInfo.CurrentCulture, "{0:N0} of {1:N0} finished", Read(current => current.Figures.Finished), Math.Max(items.Count, Read(current => current.Figures.Known)));

    /// <inheritdoc/>
    public override bool HasMoreData => HasRecords(this) || sink.AnyChild(HasRecords);

    /// <summary>Hosts or items that are not finished: while the job runs those still to come, then those that never will be.</summary>
    public object?[] Unfinished
    {
        get
        {
            lock (gate)
            {
                IEnumerable<object?> begun = run is null ? Enumerable.Empty<object?>() : run.OpenItems();
                return begun.Concat(items.Skip(itemsAdded)).ToArray();
            }
        }
    }

    /// <summary>A job for each host or item, with what it wrote and how it ended. Made at the first question.</summary>
    public new IList<Job> ChildJobs
    {
        get
        {
            if (sink.MakeChildren(base.ChildJobs))
            {
                sink.ShowRunning(Read(current => current.RunningItems()) ?? Array.Empty<RunningItem>());
            }
            return base.ChildJobs;
        }
    }

    /// <summary>
    /// Null: what can be debugged are the child jobs, where the engine looks for a job that has no debugger of its own. They are
    /// made by this question.
    /// </summary>
    Debugger? IJobDebugger.Debugger
    {
        get
        {
            _ = ChildJobs;
            return null;
        }
    }

    /// <summary>Whether nobody debugs the job; the engine sets it.</summary>
    public bool IsAsync { get; set; } = true;

    /// <inheritdoc/>
    public override void StopJob()
    {
        if (!BeginStop())
        {
            return;
        }
        Finished.WaitOne(LongestStop);
        End(JobState.Stopped, null);
    }

    /// <summary>Puts a job into the caller's session and begins its work.</summary>
    /// <param name="cmdlet">The call's cmdlet.</param>
    /// <param name="command">What people shall see as the job's command.</param>
    /// <param name="open">Opens the run: on the job's thread, where its limits begin to count.</param>
    /// <param name="items">The hosts or items, complete.</param>
    internal static RustParallelJob Start(PSCmdlet cmdlet, string command, Func<ISink, IRun> open, IReadOnlyList<object?> items)
    {
        var job = new RustParallelJob(command, open, items, new BackgroundPreferences(cmdlet));
        cmdlet.JobRepository.Add(job);
        job.SetJobState(JobState.Running);
        new Thread(job.RunToEnd) { IsBackground = true, Name = "Invoke-RustParallel -AsJob" }.Start();
        return job;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            StopJob();
        }
        base.Dispose(disposing);
    }

    private static bool HasRecords(Job job) =>
        job.Output.Count + job.Error.Count + job.Warning.Count + job.Verbose.Count + job.Debug.Count + job.Information.Count + job.Progress.Count > 0;

    private void RunToEnd()
    {
        JobState state = JobState.Failed;
        Exception? reason;
        try
        {
            RunItems();
            reason = sink.Failure();
            state = reason is null ? JobState.Completed : JobState.Failed;
        }
        catch (CallRefusedException error)
        {
            sink.AddError(error.Record);
            reason = error.Record.Exception;
        }
        catch (Exception error)
        {
            // What leaves a thread ends the process; a job has a place for it.
            sink.AddError(ScriptErrors.FromException(error));
            reason = error;
        }
        lock (gate)
        {
            if (isStopping)
            {
                state = JobState.Stopped;
                reason = null;
            }
        }
        End(state, reason);
        Remind();
    }

    /// <summary>
    /// Debug-Job lets an item go on, and only then begins to wait for the job's end, which may have been before: so a job that was
    /// debugged says for a while that it has ended.
    /// </summary>
    private void Remind()
    {
        for (int times = 0; times < Reminders && sink.AnyChild(child => child.WasDebugged); times++)
        {
            Thread.Sleep(Rhythm.Interval);
            SetEnd(JobStateInfo.State, JobStateInfo.Reason);
        }
    }

    private void RunItems()
    {
        using (IRun opened = open(sink))
        {
            lock (gate)
            {
                run = opened;
                if (isStopping)
                {
                    opened.Cancel();
                }
            }
            // Nobody watches: what would be lines and progress is told by StatusMessage. A stopped run ends by itself, so there is
            // nothing to throw.
            var report = new CallReport(writeLine: _ => { }, progress: null);
            var loop = new RunLoop(opened, report, sink.ShowRunning, throwIfStopping: () => { });
            foreach (object? item in items)
            {
                loop.Add(item);
                itemsAdded++;
            }
            loop.Finish();
        }
    }

    private bool BeginStop()
    {
        lock (gate)
        {
            if (isStopping || isOver)
            {
                return false;
            }
            isStopping = true;
        }
        SetJobState(JobState.Stopping);
        lock (gate)
        {
            run?.Cancel();
        }
        return true;
    }

    private void End(JobState state, Exception? reason)
    {
        lock (gate)
        {
            if (isOver)
            {
                return;
            }
            isOver = true;
        }
        // Outside the gate: whoever waits for the job is told on this thread, and may stop or remove it at once.
        sink.Complete();
        SetEnd(state, reason);
    }

    private void SetEnd(JobState state, Exception? reason)
    {
        try
        {
            BackgroundEnd.Set(this, state, reason, SetJobState);
        }
        catch (ObjectDisposedException)
        {
            // The job was removed meanwhile.
        }
    }

    private T? Read<T>(Func<IRun, T> read)
    {
        lock (gate)
        {
            return run is null ? default : read(run);
        }
    }
}
