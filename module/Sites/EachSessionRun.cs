// A script block once on each session. The far side needs nothing of this module; limits are kept here, whatever it does, and where
// it may have a lease it ends there when this side is gone. The thread that advances the run, but for Cancel, Figures and OpenItems.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Remoting;
using System.Management.Automation.Runspaces;
using System.Threading;
using RustRunspaces.Background;
using RustRunspaces.Native;
using RustRunspaces.Output;

namespace RustRunspaces.Sites;

internal sealed class EachSessionRun : IRun
{
    private const long CallItself = -1;

    // What an endpoint says that takes no script text.
    private const string ScriptsRefused = "ScriptsNotAllowed";

    // Of what is left over when the run ends.
    private static readonly TimeSpan LongestEnd = TimeSpan.FromMilliseconds(800);

    private readonly SessionBlock block;
    private readonly SessionLease lease = new SessionLease();
    private readonly ISink sink;
    private readonly bool asObject;
    private readonly double jobSeconds;
    private readonly double limitSeconds;
    private readonly AutoResetEvent signal = new AutoResetEvent(false);
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly WorkerProgress progress;
    private readonly Job[] jobs;
    private readonly Hashtable data = Hashtable.Synchronized(new Hashtable(StringComparer.OrdinalIgnoreCase));
    private int started;
    private bool isDisposed;
    private bool isLimitReached;
    private volatile bool isCancelled;

    internal EachSessionRun(SessionBlock block, IReadOnlyList<PSSession> sessions, bool asObject, double jobSeconds, double limitSeconds, ISink sink)
    {
        this.block = block;
        this.sink = sink;
        this.asObject = asObject;
        this.jobSeconds = jobSeconds;
        this.limitSeconds = limitSeconds;
        progress = new WorkerProgress(sink, ProgressReporter.ActivityId);
        string[] names = Site.NamesOf(sessions);
        jobs = sessions.Select((session, place) => new Job(place, names[place], LinkTo(session))).ToArray();
    }

    /// <inheritdoc/>
    public RunFigures Figures
    {
        get
        {
            int unfinished = jobs.Count(job => job.IsCutOff);
            return new RunFigures(jobs.Length, jobs.Count(job => job.IsOver) - unfinished, unfinished, TimeSpan.MaxValue);
        }
    }

    /// <inheritdoc/>
    public double? LimitReached => isLimitReached ? limitSeconds : null;

    /// <inheritdoc/>
    public bool IsComplete => started == jobs.Length && jobs.All(job => job.IsOver);

    /// <inheritdoc/>
    public bool IsBatchFull => false;

    /// <summary>None of this process: what is sent, others send.</summary>
    public PoolCounts? Counts => null;

    /// <summary>None of this process: what hangs, hangs elsewhere.</summary>
    public int Abandoned => 0;

    /// <inheritdoc/>
    public IReadOnlyList<object?> OpenItems() => jobs.Where(job => !job.IsOver || job.IsCutOff).Select(job => (object?)job.Name).ToArray();

    /// <summary>None: no worker of this process is busy with any.</summary>
    public IReadOnlyList<RunningItem> RunningItems() => Array.Empty<RunningItem>();

    /// <summary>The next session: its block begins at once.</summary>
    public void Add(object? item)
    {
        Job job = jobs[started++];
        job.Begin();
        job.Link.CompleteInput();
        job.Link.Start(pipeline => block.AddTo(pipeline, lease), mayAsk: true);
    }

    /// <inheritdoc/>
    public bool Submit() => true;

    /// <inheritdoc/>
    public void CloseInput()
    {
    }

    /// <inheritdoc/>
    public void Wait(ulong milliseconds)
    {
        if (IsComplete)
        {
            return;
        }
        double wait = milliseconds;
        double now = clock.Elapsed.TotalSeconds;
        if (limitSeconds > 0)
        {
            wait = Math.Min(wait, (limitSeconds - now) * 1000);
        }
        if (jobSeconds > 0)
        {
            foreach (Job job in jobs.Where(job => !job.IsOver && job.HasBegun))
            {
                wait = Math.Min(wait, (jobSeconds - job.Elapsed.TotalSeconds) * 1000);
            }
        }
        signal.WaitOne((int)Math.Min(Math.Max(0, Math.Ceiling(wait)), int.MaxValue));
    }

    /// <inheritdoc/>
    public void Deliver()
    {
        bool isLimitOver = limitSeconds > 0 && clock.Elapsed.TotalSeconds >= limitSeconds;
        foreach (Job job in jobs)
        {
            if (job.IsOver || !job.HasBegun)
            {
                continue;
            }
            // First whether it has ended: what it wrote before is in the queues by then.
            bool hasEnded = job.Link.HasEnded;
            Relay(job);
            if (hasEnded && IsTextRefused(job))
            {
                job.Link.Abandon();
                job.Link = LinkTo(job.Link.Session);
                job.Link.CompleteInput();
                job.HasCommands = true;
                job.Link.Start(block.AddCommandsTo);
            }
            else if (hasEnded)
            {
                End(job);
            }
            else if (job.IsLeased && job.Link.Silence > FarLink.Lease)
            {
                End(job, JobStatus.Lost, SiteErrors.Lost(job.Name, SiteErrors.Silence));
            }
            else if (isCancelled || isLimitOver)
            {
                isLimitReached |= !isCancelled;
                End(job, JobStatus.Stopped, null);
            }
            else if (jobSeconds > 0 && job.Elapsed.TotalSeconds >= jobSeconds)
            {
                End(job, JobStatus.TimedOut, ScriptErrors.JobTimedOut(job.Name, jobSeconds));
            }
        }
    }

    /// <summary>Of each session the newest state of progress.</summary>
    public void Show()
    {
        foreach (Job job in jobs.Where(job => job.Progress is not null))
        {
            sink.Attribute(job.Place);
            progress.Show(job.Place + 1, job.Progress!);
            job.Progress = null;
        }
        sink.Attribute(CallItself);
    }

    /// <inheritdoc/>
    public void Complete()
    {
        sink.Attribute(CallItself);
        if (!asObject)
        {
            sink.WriteObject(data);
        }
        if (isLimitReached)
        {
            sink.WriteError(ScriptErrors.MaximumWaitReached(limitSeconds, OpenItems().ToArray()));
        }
    }

    /// <inheritdoc/>
    public void Cancel()
    {
        isCancelled = true;
        foreach (Job job in jobs)
        {
            job.Link.BeginStop();
        }
        signal.Set();
    }

    /// <summary>Stops what still runs and waits a moment, so that the sessions can be used again; what hangs is left alone.</summary>
    public void Dispose()
    {
        if (isDisposed)
        {
            return;
        }
        isDisposed = true;
        var end = Stopwatch.StartNew();
        foreach (Job job in jobs)
        {
            if (job.HasBegun)
            {
                job.Link.BeginStop();
            }
        }
        while (jobs.Any(job => job.HasBegun && !job.Link.HasEnded) && end.Elapsed < LongestEnd)
        {
            TimeSpan left = LongestEnd - end.Elapsed;
            signal.WaitOne(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
        foreach (Job job in jobs)
        {
            job.Link.Abandon();
        }
    }

    /// <summary>Everything that came meanwhile, stream by stream.</summary>
    private void Relay(Job job)
    {
        sink.Attribute(job.Place);
        PSDataStreams streams = job.Link.Streams;
        // Before the output, in which the lease's last word came before whatever error is here and is the block's.
        var errors = new Queue<ErrorRecord>(streams.Error.ReadAll());
        while (job.Link.TryTake(out PSObject? item))
        {
            if (!job.HasMark && lease.IsMark(item, out bool isLeased))
            {
                job.HasMark = true;
                job.IsLeased = isLeased;
                continue;
            }
            job.Output.Add(item);
        }
        if (!job.HasMark && !job.IsLeaseRefused && errors.Count > 0)
        {
            job.IsLeaseRefused = true;
            errors.Dequeue();
        }
        foreach (ErrorRecord plain in errors)
        {
            ErrorRecord error = WithOrigin(plain, job);
            job.Errors.Add(error);
            if (!asObject)
            {
                sink.WriteJobError(error);
            }
        }
        foreach (WarningRecord record in streams.Warning.ReadAll())
        {
            sink.WriteWarning(record.Message);
        }
        foreach (VerboseRecord record in streams.Verbose.ReadAll())
        {
            sink.WriteVerbose(record.Message);
        }
        foreach (DebugRecord record in streams.Debug.ReadAll())
        {
            sink.WriteDebug(record.Message);
        }
        foreach (InformationRecord record in streams.Information.ReadAll())
        {
            sink.WriteInformation(record);
        }
        job.Progress = streams.Progress.ReadAll().LastOrDefault() ?? job.Progress;
        sink.Attribute(CallItself);
    }

    /// <summary>Nothing of it has run, since its endpoint takes no text; and it can do without.</summary>
    private bool IsTextRefused(Job job) =>
        block.HasOtherForm && job.IsLeaseRefused && !job.HasCommands
        && job.Link.Reason is RemoteException { ErrorRecord.FullyQualifiedErrorId: ScriptsRefused };

    private SiteLink LinkTo(PSSession session) => new SiteLink(session, () => signal.Set());

    /// <summary>Its pipeline is over: to its end, by an error of the block's, or because the session is gone.</summary>
    private void End(Job job)
    {
        switch (job.Link.State)
        {
            case PSInvocationState.Completed:
                End(job, JobStatus.Completed, null);
                break;
            case PSInvocationState.Failed when job.Link.Reason is RemoteException thrown:
                End(job, JobStatus.Failed, ScriptErrors.FromException(thrown));
                break;
            default:
                // An end without a word is a lost session, too.
                End(job, JobStatus.Lost, SiteErrors.Lost(job.Name, job.Link.Problem));
                break;
        }
    }

    private void End(Job job, JobStatus status, ErrorRecord? error)
    {
        job.End(status);
        if (status != JobStatus.Completed)
        {
            job.Link.BeginStop();
        }
        if (error is not null)
        {
            error = WithOrigin(error, job);
            job.Errors.Add(error);
        }
        sink.Attribute(job.Place);
        job.Progress = null;
        progress.End(job.Place + 1);
        object? output = job.Output.Count switch
        {
            0 => null,
            1 => job.Output[0],
            _ => job.Output.ToArray(),
        };
        if (asObject)
        {
            sink.WriteObject(new HostJobRecord(job.Name, status, output, job.Errors.ToArray(), DateTime.Now, job.Elapsed, job.Place + 1) { ObservedFrom = job.Name });
        }
        else
        {
            if (error is not null)
            {
                sink.WriteError(error);
            }
            if (status == JobStatus.Completed || job.Output.Count > 0)
            {
                data[job.Name] = output;
            }
        }
        ItemOutcome outcome = status == JobStatus.Completed ? ItemOutcome.Completed
            : status.IsUnfinished() ? ItemOutcome.Stopped
            : ItemOutcome.Failed;
        sink.EndItem(job.Place, outcome, error);
        sink.Attribute(CallItself);
    }

    private static ErrorRecord WithOrigin(ErrorRecord error, Job job) =>
        error as RemotingErrorRecord ?? new RemotingErrorRecord(error, new OriginInfo(job.Name, job.Link.Session.InstanceId));

    private sealed class Job
    {
        private readonly Stopwatch clock = new Stopwatch();

        internal Job(int place, string name, SiteLink link)
        {
            Place = place;
            Name = name;
            Link = link;
        }

        internal int Place { get; }

        internal string Name { get; }

        internal SiteLink Link { get; set; }

        /// <summary>What came before the block has run; all that follows is the block's.</summary>
        internal bool HasMark { get; set; }

        /// <summary>The far side asks for a sign of life, and ends without one.</summary>
        internal bool IsLeased { get; set; }

        /// <summary>What comes before the block was not run, which was an error.</summary>
        internal bool IsLeaseRefused { get; set; }

        /// <summary>It runs as commands, not as text.</summary>
        internal bool HasCommands { get; set; }

        internal List<PSObject?> Output { get; } = new List<PSObject?>();

        internal List<ErrorRecord> Errors { get; } = new List<ErrorRecord>();

        /// <summary>The newest state that is not shown yet.</summary>
        internal ProgressRecord? Progress { get; set; }

        internal bool HasBegun { get; private set; }

        internal bool IsOver { get; private set; }

        /// <summary>Ended by a stop or the maximum wait.</summary>
        internal bool IsCutOff { get; private set; }

        internal TimeSpan Elapsed => clock.Elapsed;

        internal void Begin()
        {
            HasBegun = true;
            clock.Start();
        }

        internal void End(JobStatus status)
        {
            IsOver = true;
            IsCutOff = status.IsUnfinished();
            clock.Stop();
        }
    }
}
