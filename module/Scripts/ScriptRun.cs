// A run of script jobs: gives job numbers to the engine, runs its callbacks, and brings what jobs wrote, and how they ended, to
// the sink in order. Decides nothing about time or workers. One thread adds, waits and delivers (the pipeline thread, or a
// background job's); Cancel, Figures and OpenItems may come from any thread, Run and Stop come from the engine's.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Remoting;
using System.Management.Automation.Runspaces;
using RustRunspaces.Background;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

internal sealed class ScriptRun : ICallHost, IRun
{
    // Input waits beyond that: a fast producer would fill the memory with jobs that nobody has begun.
    private const int MaximumOpen = 65_536;

    private const int BatchSize = 256;

    // Items of one pipeline are mostly of one kind.
    private const int LooksAtItems = 256;

    private const long CallItself = -1;

    private const long UnixEpochTicks = 621_355_968_000_000_000;
    private const long NanosecondsPerTick = 100;

    private readonly ScriptCall call;
    private readonly ISink sink;
    private readonly Pool pool;
    private readonly StreamRelay relay;
    private readonly JobTable jobs = new JobTable();
    // By worker. Keys are objects: for those the runtime has a compiled dictionary at hand.
    private readonly ConcurrentDictionary<object, WorkerDrain> drains = new ConcurrentDictionary<object, WorkerDrain>();
    private readonly CompletionBuffer completions = new CompletionBuffer();
    private readonly CollectorPauses pauses = new CollectorPauses();
    private readonly WorkerProgress progress;
    private readonly JobOrder? order;
    private readonly ulong[] batch = new ulong[BatchSize];
    private readonly List<KeyValuePair<long, object?>> unfinished = new List<KeyValuePair<long, object?>>();
    private int batched;
    private int submitted;
    private bool isInputClosed;
    private bool isDisposed;
    private long added;
    private long known;
    private long ended;
    private long delivered;
    private long outputNotKept;
    private volatile ErrorRecord? failure;

    /// <summary>Opens the pool: from here on the maximum wait counts.</summary>
    internal ScriptRun(ScriptCall call, ISink sink)
    {
        this.call = call;
        this.sink = sink;
        progress = new WorkerProgress(sink, ProgressReporter.ActivityId);
        order = call.Options.IsOrdered ? new JobOrder(Deliver, Conclude) : null;
        ScriptCallOptions options = call.Options;
        relay = new StreamRelay(() => pool?.Wake());
        pool = Pool.Open(
            this,
            new CallLimits(
                options.MaximumThreadCount,
                (ulong)Math.Ceiling(options.JobTimeoutSeconds * 1000),
                (ulong)Math.Ceiling(options.MaximumWaitTimeSeconds * 1000),
                options.Apartment));
        foreach (string warning in call.Warnings)
        {
            sink.WriteWarning(warning);
        }
    }

    /// <inheritdoc/>
    public RunFigures Figures
    {
        get
        {
            long cutOff;
            lock (unfinished)
            {
                cutOff = unfinished.Count;
            }
            return new RunFigures(known, ended - cutOff, cutOff, TimeSpan.MaxValue);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<object?> OpenItems()
    {
        lock (unfinished)
        {
            var items = new List<KeyValuePair<long, object?>>(unfinished);
            jobs.AddItemsTo(items);
            return items.OrderBy(item => item.Key).Select(item => item.Value).ToArray();
        }
    }

    /// <inheritdoc/>
    public double? LimitReached => Figures.Unfinished > 0 && pool.HasReachedLimit ? call.Options.MaximumWaitTimeSeconds : null;

    /// <inheritdoc/>
    public bool IsComplete => isInputClosed && delivered == known;

    /// <inheritdoc/>
    public int Abandoned { get; private set; }

    /// <summary>Null: nothing of a network's happens on the way.</summary>
    public PoolCounts? Counts => null;

    /// <inheritdoc/>
    public bool IsBatchFull => batched == BatchSize;

    /// <inheritdoc/>
    public IReadOnlyList<RunningItem> RunningItems()
    {
        var running = new List<RunningItem>();
        foreach (WorkerDrain drain in drains.Values)
        {
            drain.AddRunningTo(running);
        }
        return running;
    }

    /// <inheritdoc/>
    public void Add(object? item)
    {
        object?[]? late = call.Late?.Next();
        if (!call.Options.IsHostForm && ForeignBlocks.Is(item))
        {
            ErrorRecord refusal = ScriptErrors.ScriptBlockRefused("The item", item);
            sink.Attribute(added);
            sink.WriteError(refusal);
            sink.EndItem(added, ItemOutcome.Failed, refusal);
            order?.Skip(added);
            added++;
            return;
        }
        if (call.WarningOf("An item", item, added < LooksAtItems) is string warning)
        {
            sink.Attribute(added);
            sink.WriteWarning(warning);
        }
        batch[batched++] = jobs.Add(new ScriptJob(item, added++) { Late = late });
        known++;
    }

    /// <inheritdoc/>
    public bool Submit()
    {
        if (submitted < batched && known - delivered > MaximumOpen)
        {
            return false;
        }
        while (submitted < batched)
        {
            switch (pool.SubmitCalls(batch, batched, ref submitted))
            {
                case NativeStatus.Again:
                    return false;
                case NativeStatus.Closed:
                    for (; submitted < batched; submitted++)
                    {
                        End(new EndedJob(jobs.Remove(batch[submitted]), JobStatus.NotStarted, DateTime.Now, TimeSpan.Zero, 0, null));
                    }
                    break;
            }
        }
        batched = 0;
        submitted = 0;
        return true;
    }

    /// <inheritdoc/>
    public void CloseInput()
    {
        pool.CloseInput();
        isInputClosed = true;
    }

    /// <inheritdoc/>
    public void Wait(ulong milliseconds) => pool.Poll(milliseconds);

    /// <summary>Delivers what there is; never sleeps. What a job wrote comes before its end.</summary>
    public void Deliver()
    {
        do
        {
            relay.BeginDelivery();
            pool.Collect(completions);
            // By now everything that the collected jobs wrote is in the queue; what comes later may wait for the next time.
            for (int left = relay.Count; left > 0 && relay.TryTake(out StreamRecord record); left--)
            {
                Take(record);
            }
            for (int i = 0; i < completions.Count; i++)
            {
                Take(completions[i]);
            }
        }
        while (completions.Count == CompletionBuffer.Capacity);
    }

    /// <summary>The progress of workers that came too fast to be shown at once.</summary>
    public void Show()
    {
        long now = Stopwatch.GetTimestamp();
        foreach (WorkerDrain drain in drains.Values)
        {
            RelayAccount account = drain.Account;
            if (!IsComplete && now - account.ProgressShown < Rhythm.Timestamps)
            {
                continue;
            }
            if (account.TakeProgress() is HeldProgress held)
            {
                account.ProgressShown = now;
                progress.Show(account.Worker, held.Record);
                if (held.Job.IsClosed)
                {
                    progress.End(account.Worker);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Complete()
    {
        sink.Attribute(CallItself);
        if (failure is ErrorRecord record)
        {
            throw new CallRefusedException(record);
        }
        if (call.Options.IsHostForm && !call.Options.AsObject)
        {
            sink.WriteObject(call.Data);
        }
        if (outputNotKept > 0)
        {
            sink.WriteLine($"{outputNotKept} objects were not kept: their hosts already had an entry in $Data.");
        }
        if (LimitReached is double seconds)
        {
            sink.WriteError(ScriptErrors.MaximumWaitReached(seconds, OpenItems().ToArray()));
        }
    }

    /// <inheritdoc/>
    public void Cancel() => pool.Cancel();

    /// <summary>Makes the present or the next <see cref="Wait"/> return. Any thread.</summary>
    internal void Wake() => pool.Wake();

    /// <summary>Why no job can run; null while they can. Any thread.</summary>
    internal ErrorRecord? Failure => failure;

    /// <summary>Ends the run in bounded time, whatever its jobs do.</summary>
    public void Dispose()
    {
        if (isDisposed)
        {
            return;
        }
        isDisposed = true;
        relay.Close();
        pool.Cancel();
        foreach (WorkerDrain drain in drains.Values)
        {
            drain.StopPreparing();
        }
        Abandoned = pool.Close();
        foreach (WorkerDrain drain in drains.Values)
        {
            drain.Abandon();
        }
        completions.Dispose();
    }

    void ICallHost.Run(Worker worker)
    {
        var drain = new WorkerDrain(call.Setup, jobs, relay, worker, Fail);
        drains[worker.Handle] = drain;
        try
        {
            drain.Run();
        }
        finally
        {
            drains.TryRemove(worker.Handle, out _);
        }
    }

    void ICallHost.Stop(ulong worker, ulong number)
    {
        if (drains.TryGetValue(worker, out WorkerDrain drain))
        {
            drain.Stop(number);
        }
    }

    ulong ICallHost.PausedNanoseconds() => pauses.Nanoseconds;

    /// <summary>A runspace cannot be made ready: no other one could be, either. Worker's thread.</summary>
    private void Fail(ErrorRecord record)
    {
        failure ??= record;
        pool.Cancel();
    }

    /// <summary>Output of a job that is not first in order waits for those before it.</summary>
    private void Take(in StreamRecord record)
    {
        if (record.Job is not null && record.Job.IsClosed)
        {
            record.Account.Leave();
        }
        else if (record.Kind != StreamKind.Output || order is null || !order.Holds(record))
        {
            Deliver(record);
        }
    }

    private void Deliver(StreamRecord record)
    {
        record.Account.Leave();
        sink.Attribute(record.Job?.Place ?? CallItself);
        switch (record.Kind)
        {
            case StreamKind.Output:
                sink.WriteObject(record.Value);
                break;
            case StreamKind.Error:
                sink.WriteJobError(WithOrigin((ErrorRecord)record.Value!, record.Job, record.Account.RunspaceId));
                break;
            case StreamKind.Warning:
                sink.WriteWarning((string)record.Value!);
                break;
            case StreamKind.Verbose:
                sink.WriteVerbose((string)record.Value!);
                break;
            case StreamKind.Debug:
                sink.WriteDebug((string)record.Value!);
                break;
            case StreamKind.Information:
                sink.WriteInformation((InformationRecord)record.Value!);
                break;
            case StreamKind.Progress:
                record.Account.ProgressShown = Stopwatch.GetTimestamp();
                progress.Show(record.Account.Worker, (ProgressRecord)record.Value!);
                break;
        }
    }

    /// <summary>Which host or item an error belongs to, without touching what the job put into it.</summary>
    private ErrorRecord WithOrigin(ErrorRecord error, ScriptJob? job, Guid runspaceId)
    {
        if (job is null)
        {
            return error;
        }
        // The engine gives a catch block a copy of the record, which has lost whose it is, but with the same exception.
        if (call.Options.IsHostForm)
        {
            Mark(error.Exception, "PSComputerName", job.Item);
            return new RemotingErrorRecord(error, new OriginInfo((string?)job.Item, runspaceId));
        }
        Mark(error.Exception, "InputObject", job.Item);
        Mark(error, "InputObject", job.Item);
        return error;
    }

    /// <summary>A property that says whose something is.</summary>
    internal static void Mark(object marked, string name, object? item)
    {
        PSMemberInfoCollection<PSPropertyInfo> properties = PSObject.AsPSObject(marked).Properties;
        properties.Remove(name);
        properties.Add(new PSNoteProperty(name, item));
    }

    private void Take(in Completion completion)
    {
        DateTime finished = new DateTime(UnixEpochTicks + (completion.FinishedUnixNanoseconds / NanosecondsPerTick), DateTimeKind.Utc).ToLocalTime();
        var job = new EndedJob(
            jobs.Remove(completion.UserData),
            (JobStatus)completion.Outcome,
            finished,
            TimeSpan.FromTicks((long)completion.DurationNanoseconds / NanosecondsPerTick),
            (int)completion.Worker,
            completions.Read(completion.DetailOffset, completion.DetailLength));
        if (job.Worker != 0)
        {
            progress.End(job.Worker);
        }
        End(job);
    }

    /// <summary>From here on nothing of the job's gets in. What is said of its end may wait for the jobs before it.</summary>
    private void End(EndedJob job)
    {
        job.Job.Close();
        ended++;
        if (job.Status.IsUnfinished())
        {
            lock (unfinished)
            {
                unfinished.Add(new KeyValuePair<long, object?>(job.Job.Place, job.Job.Item));
            }
        }
        if (order is null)
        {
            Conclude(job);
        }
        else
        {
            order.End(job);
        }
    }

    private void Conclude(EndedJob ended)
    {
        ScriptJob job = ended.Job;
        delivered++;
        job.Account?.Leave(job.Charge);
        ErrorRecord? error = null;
        if (ended.Status == JobStatus.TimedOut)
        {
            error = ScriptErrors.JobTimedOut(job.Item, call.Options.JobTimeoutSeconds);
        }
        else if (ended.Status == JobStatus.Failed && !job.HasEnded)
        {
            error = ScriptErrors.JobFailed(job.Item, ended.Detail);
        }
        sink.Attribute(job.Place);
        if (call.Options.AsObject)
        {
            sink.WriteObject(ToRecord(ended, error));
        }
        else if (error is not null)
        {
            sink.WriteError(WithOrigin(error, job, Guid.Empty));
        }
        else if (call.Options.IsHostForm && ended.Status == JobStatus.Completed)
        {
            SetEntry(job);
        }
        ItemOutcome outcome = ended.Status.IsUnfinished() ? ItemOutcome.Stopped
            : ended.Status == JobStatus.Completed ? ItemOutcome.Completed
            : ItemOutcome.Failed;
        sink.EndItem(job.Place, outcome, error ?? job.Failure);
    }

    /// <summary>What the block set itself stands; else its output is its entry.</summary>
    private void SetEntry(ScriptJob job)
    {
        if (call.Data!.ContainsKey(job.Item))
        {
            outputNotKept += job.OutputCount;
        }
        else
        {
            call.Data[job.Item] = job.Output;
        }
    }

    private JobRecord ToRecord(EndedJob ended, ErrorRecord? error)
    {
        ScriptJob job = ended.Job;
        ErrorRecord[] errors = job.Errors;
        if (error is not null)
        {
            Array.Resize(ref errors, errors.Length + 1);
            errors[errors.Length - 1] = error;
        }
        if (!call.Options.IsHostForm)
        {
            return new ItemJobRecord(job.Item, ended.Status, job.Output, errors, ended.Finished, ended.Duration, ended.Worker);
        }
        var host = (string)job.Item!;
        object? output = job.OutputCount == 0 ? call.Data![host] : job.Output;
        return new HostJobRecord(host, ended.Status, output, errors, ended.Finished, ended.Duration, ended.Worker);
    }
}
