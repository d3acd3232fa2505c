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
using RustRunspaces.Background;
using RustRunspaces.Output;

namespace RustRunspaces.Sites;

internal sealed class EachSessionRun : SessionRun
{
    // What an endpoint says that takes no script text.
    private const string ScriptsRefused = "ScriptsNotAllowed";

    private readonly SessionBlock block;
    private readonly SessionLease lease = new SessionLease();
    private readonly bool asObject;
    private readonly double jobSeconds;
    private readonly WorkerProgress progress;
    private readonly Job[] jobs;
    private readonly Hashtable data = Hashtable.Synchronized(new Hashtable(StringComparer.OrdinalIgnoreCase));
    private int started;

    internal EachSessionRun(SessionBlock block, IReadOnlyList<PSSession> sessions, bool asObject, double jobSeconds, double limitSeconds, ISink sink)
        : base(sink, limitSeconds)
    {
        this.block = block;
        this.asObject = asObject;
        this.jobSeconds = jobSeconds;
        progress = new WorkerProgress(sink, ProgressReporter.ActivityId);
        string[] names = Site.NamesOf(sessions);
        jobs = sessions.Select((session, place) => new Job(place, names[place], LinkTo(session))).ToArray();
    }

    /// <inheritdoc/>
    public override RunFigures Figures
    {
        get
        {
            int unfinished = jobs.Count(job => job.IsCutOff);
            return new RunFigures(jobs.Length, jobs.Count(job => job.IsOver) - unfinished, unfinished, TimeSpan.MaxValue);
        }
    }

    /// <inheritdoc/>
    public override bool IsComplete => started == jobs.Length && jobs.All(job => job.IsOver);

    private protected override IEnumerable<SiteLink> Links => jobs.Where(job => job.HasBegun).Select(job => job.Link);

    /// <inheritdoc/>
    public override IReadOnlyList<object?> OpenItems() => jobs.Where(job => !job.IsOver || job.IsCutOff).Select(job => (object?)job.Name).ToArray();

    /// <summary>The next session: its block begins at once.</summary>
    public override void Add(object? item)
    {
        Job job = jobs[started++];
        job.Begin();
        job.Link.CompleteInput();
        job.Link.Start(pipeline => block.AddTo(pipeline, lease), mayAsk: true);
    }

    /// <inheritdoc/>
    public override bool Submit() => true;

    /// <inheritdoc/>
    public override void CloseInput()
    {
    }

    /// <inheritdoc/>
    public override void Deliver()
    {
        bool isLimitOver = IsLimitOver;
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
                job.Lease = LeaseState.None;
                job.Link.Start(block.AddCommandsTo);
            }
            else if (hasEnded)
            {
                End(job);
            }
            else if (job.Lease == LeaseState.Kept && job.Link.Silence > FarLink.Lease)
            {
                End(job, JobStatus.Lost, SiteErrors.Lost(job.Name, SiteErrors.Silence));
            }
            else if (IsCancelled || isLimitOver)
            {
                IsLimitReached |= !IsCancelled;
                End(job, JobStatus.Stopped, null);
            }
            else if (jobSeconds > 0 && job.Elapsed.TotalSeconds >= jobSeconds)
            {
                End(job, JobStatus.TimedOut, ScriptErrors.JobTimedOut(job.Name, jobSeconds));
            }
        }
    }

    /// <summary>Of each session the newest state of progress.</summary>
    public override void Show()
    {
        foreach (Job job in jobs.Where(job => job.Progress is not null))
        {
            Sink.Attribute(job.Place);
            progress.Show(job.Place + 1, job.Progress!);
            job.Progress = null;
        }
        Sink.Attribute(CallItself);
    }

    /// <inheritdoc/>
    public override void Complete()
    {
        Sink.Attribute(CallItself);
        if (!asObject)
        {
            Sink.WriteObject(data);
        }
        if (IsLimitReached)
        {
            Sink.WriteError(ScriptErrors.MaximumWaitReached(LimitSeconds, OpenItems().ToArray()));
        }
    }

    /// <summary>Of the job whose time is over first.</summary>
    private protected override double SecondsToDeadline() => jobSeconds > 0
        ? jobs.Where(job => !job.IsOver && job.HasBegun).Select(job => jobSeconds - job.Elapsed.TotalSeconds).DefaultIfEmpty(double.MaxValue).Min()
        : double.MaxValue;

    /// <summary>Everything that came meanwhile, stream by stream.</summary>
    private void Relay(Job job)
    {
        Sink.Attribute(job.Place);
        PSDataStreams streams = job.Link.Streams;
        // Before the output, in which the lease's last word came before whatever error is here and is the block's.
        var errors = new Queue<ErrorRecord>(streams.Error.ReadAll());
        while (job.Link.TryTake(out PSObject? item))
        {
            if (job.Lease == LeaseState.Unknown && lease.IsMark(item, out bool isKept))
            {
                job.Lease = isKept ? LeaseState.Kept : LeaseState.None;
                continue;
            }
            job.Output.Add(item);
        }
        if (job.Lease == LeaseState.Unknown && errors.Count > 0)
        {
            job.Lease = LeaseState.Refused;
            errors.Dequeue();
        }
        foreach (ErrorRecord plain in errors)
        {
            ErrorRecord error = WithOrigin(plain, job);
            job.Errors.Add(error);
            if (!asObject)
            {
                Sink.WriteJobError(error);
            }
        }
        foreach (WarningRecord record in streams.Warning.ReadAll())
        {
            Sink.WriteWarning(record.Message);
        }
        foreach (VerboseRecord record in streams.Verbose.ReadAll())
        {
            Sink.WriteVerbose(record.Message);
        }
        foreach (DebugRecord record in streams.Debug.ReadAll())
        {
            Sink.WriteDebug(record.Message);
        }
        foreach (InformationRecord record in streams.Information.ReadAll())
        {
            Sink.WriteInformation(record);
        }
        job.Progress = streams.Progress.ReadAll().LastOrDefault() ?? job.Progress;
        Sink.Attribute(CallItself);
    }

    /// <summary>Nothing of it has run, since its endpoint takes no text; and it can do without.</summary>
    private bool IsTextRefused(Job job) =>
        block.HasOtherForm && job.Lease == LeaseState.Refused
        && job.Link.Reason is RemoteException { ErrorRecord.FullyQualifiedErrorId: ScriptsRefused };

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
        Sink.Attribute(job.Place);
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
            Sink.WriteObject(new HostJobRecord(job.Name, status, output, job.Errors.ToArray(), DateTime.Now, job.Elapsed, job.Place + 1) { ObservedFrom = job.Name });
        }
        else
        {
            if (error is not null)
            {
                Sink.WriteError(error);
            }
            if (status == JobStatus.Completed || job.Output.Count > 0)
            {
                data[job.Name] = output;
            }
        }
        ItemOutcome outcome = status == JobStatus.Completed ? ItemOutcome.Completed
            : status.IsUnfinished() ? ItemOutcome.Stopped
            : ItemOutcome.Failed;
        Sink.EndItem(job.Place, outcome, error);
        Sink.Attribute(CallItself);
    }

    private static ErrorRecord WithOrigin(ErrorRecord error, Job job) =>
        error as RemotingErrorRecord ?? new RemotingErrorRecord(error, new OriginInfo(job.Name, job.Link.Session.InstanceId));

    private enum LeaseState
    {
        /// <summary>Nothing has been heard of it.</summary>
        Unknown,

        /// <summary>The far side asks for a sign of life, and ends without one.</summary>
        Kept,

        /// <summary>What comes before the block found that there can be none.</summary>
        None,

        /// <summary>What comes before the block was not run, which was an error.</summary>
        Refused,
    }

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

        internal LeaseState Lease { get; set; }

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
