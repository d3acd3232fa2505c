// One run of script jobs: gives job numbers to the engine, runs its callbacks, and brings what jobs wrote, and how they ended, to
// the sink in order. Decides nothing about time, order or workers. One thread adds, waits and delivers (the pipeline thread, or a
// background job's); Cancel may come from any thread, Run and Stop come from the engine's.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Remoting;
using System.Management.Automation.Runspaces;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

internal sealed class ScriptRun : ICallHost, IDisposable
{
    // Input waits beyond that: a fast producer would fill the memory with jobs that nobody has begun.
    private const int MaximumOpen = 65_536;

    private const int BatchSize = 256;
    private const long UnixEpochTicks = 621_355_968_000_000_000;
    private const long NanosecondsPerTick = 100;

    private readonly ScriptCall call;
    private readonly IScriptSink sink;
    private readonly Pool pool;
    private readonly StreamRelay relay;
    private readonly JobTable jobs = new JobTable();
    // By worker. Keys are objects: for those the runtime has a compiled dictionary at hand.
    private readonly ConcurrentDictionary<object, WorkerDrain> drains = new ConcurrentDictionary<object, WorkerDrain>();
    private readonly CompletionBuffer completions = new CompletionBuffer();
    private readonly CollectorPauses pauses = new CollectorPauses();
    private readonly WorkerProgress progress;
    private readonly ulong[] batch = new ulong[BatchSize];
    private readonly List<KeyValuePair<long, object?>> unfinished = new List<KeyValuePair<long, object?>>();
    private int batched;
    private int submitted;
    private bool isInputClosed;
    private bool isDisposed;
    private long outputNotKept;
    private volatile ErrorRecord? failure;

    /// <summary>Opens the pool: from here on the maximum wait counts.</summary>
    internal ScriptRun(ScriptCall call, IScriptSink sink)
    {
        this.call = call;
        this.sink = sink;
        progress = new WorkerProgress(sink, call.Options.ProgressActivityId);
        ScriptCallOptions options = call.Options;
        relay = new StreamRelay(() => pool?.Wake());
        pool = Pool.Open(
            this,
            new CallLimits(
                options.MaximumThreadCount,
                (ulong)Math.Ceiling(options.JobTimeoutSeconds * 1000),
                options.RunLimitMilliseconds,
                options.Apartment));
        if (call.Warning is string warning)
        {
            sink.WriteWarning(warning);
        }
    }

    /// <summary>Jobs added so far.</summary>
    internal long Known { get; private set; }

    /// <summary>Jobs that ended, in whatever way, and were delivered.</summary>
    internal long Finished { get; private set; }

    /// <summary>Jobs that were ended before they were done, or never begun.</summary>
    internal int Unfinished => unfinished.Count;

    /// <summary>Every host or item that is not done, in the order they came: ended before it was, or still open. Any thread.</summary>
    internal object?[] OpenItems()
    {
        lock (unfinished)
        {
            var items = new List<KeyValuePair<long, object?>>(unfinished);
            jobs.AddItemsTo(items);
            return items.OrderBy(item => item.Key).Select(item => item.Value).ToArray();
        }
    }

    /// <summary>The maximum wait has ended jobs.</summary>
    internal bool HasReachedLimit => Unfinished > 0 && (pool.Count().Flags & PoolCounts.FlagRunLimitReached) != 0;

    /// <summary>Every job has been delivered and no more will come.</summary>
    internal bool IsComplete => isInputClosed && Finished == Known;

    /// <summary>Workers that did not come back; known after Dispose.</summary>
    internal int Abandoned { get; private set; }

    internal bool IsBatchFull => batched == BatchSize;

    /// <summary>Puts a job into the batch; <see cref="Submit"/> sends it. The batch must not be full.</summary>
    internal void Add(object? item)
    {
        if (!call.Options.IsHostForm && ForeignBlocks.Is(item))
        {
            sink.WriteError(ScriptErrors.ScriptBlockRefused("The item", item));
            return;
        }
        batch[batched++] = jobs.Add(new ScriptJob(item, Known));
        Known++;
    }

    /// <summary>Sends what is left of the batch.</summary>
    /// <returns>False: as much is open as may be. Wait, deliver, and call again.</returns>
    internal bool Submit()
    {
        if (submitted < batched && Known - Finished > MaximumOpen)
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
                        End(batch[submitted], JobStatus.NotStarted, DateTime.Now, TimeSpan.Zero, 0, null);
                    }
                    break;
            }
        }
        batched = 0;
        submitted = 0;
        return true;
    }

    /// <summary>No more jobs will be added.</summary>
    internal void CloseInput()
    {
        pool.CloseInput();
        isInputClosed = true;
    }

    /// <summary>Sleeps until there is something to deliver, the run was cancelled, or the time has passed.</summary>
    internal void Wait(ulong milliseconds) => pool.Poll(milliseconds);

    /// <summary>Delivers what there is; never sleeps. What a job wrote comes before its end.</summary>
    internal void Deliver()
    {
        do
        {
            relay.BeginDelivery();
            pool.Collect(completions);
            // By now everything that the collected jobs wrote is in the queue; what comes later may wait for the next time.
            for (int left = relay.Count; left > 0 && relay.TryTake(out StreamRecord record); left--)
            {
                Deliver(record);
            }
            for (int i = 0; i < completions.Count; i++)
            {
                End(completions[i]);
            }
        }
        while (completions.Count == CompletionBuffer.Capacity);
    }

    /// <summary>To be called once, when the run is complete: the hashtable, and what is to be said about all jobs.</summary>
    /// <exception cref="CallRefusedException">No job could run.</exception>
    internal void Complete()
    {
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
        if (HasReachedLimit)
        {
            sink.WriteError(ScriptErrors.MaximumWaitReached(call.Options.MaximumWaitTimeSeconds, OpenItems()));
        }
    }

    /// <summary>Ends every job and wakes the one that waits. Any thread.</summary>
    internal void Cancel() => pool.Cancel();

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

    private void Deliver(in StreamRecord record)
    {
        if (record.Job is not null && record.Job.IsClosed)
        {
            return;
        }
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

    private static void Mark(object marked, string name, object? item)
    {
        PSMemberInfoCollection<PSPropertyInfo> properties = PSObject.AsPSObject(marked).Properties;
        properties.Remove(name);
        properties.Add(new PSNoteProperty(name, item));
    }

    private void End(in Completion completion)
    {
        DateTime finished = new DateTime(UnixEpochTicks + (completion.FinishedUnixNanoseconds / NanosecondsPerTick), DateTimeKind.Utc).ToLocalTime();
        End(
            completion.UserData,
            (JobStatus)completion.Outcome,
            finished,
            TimeSpan.FromTicks((long)completion.DurationNanoseconds / NanosecondsPerTick),
            (int)completion.Worker,
            completions.Read(completion.DetailOffset, completion.DetailLength));
    }

    private void End(ulong number, JobStatus status, DateTime finished, TimeSpan duration, int worker, string? detail)
    {
        ScriptJob job = jobs.Remove(number);
        job.Close();
        Finished++;
        if (worker != 0)
        {
            progress.End(worker);
        }
        ErrorRecord? error = null;
        if (status == JobStatus.TimedOut)
        {
            error = ScriptErrors.JobTimedOut(job.Item, call.Options.JobTimeoutSeconds);
        }
        else if (status is JobStatus.Failed or JobStatus.Lost && !job.HasEnded)
        {
            error = ScriptErrors.JobFailed(job.Item, detail);
        }
        else if (status.IsUnfinished())
        {
            lock (unfinished)
            {
                unfinished.Add(new KeyValuePair<long, object?>(job.Place, job.Item));
            }
        }
        if (call.Options.AsObject)
        {
            sink.WriteObject(ToRecord(job, status, error, finished, duration, worker));
            return;
        }
        if (call.Options.IsHostForm && status == JobStatus.Completed)
        {
            SetEntry(job);
        }
        if (error is not null)
        {
            sink.WriteError(WithOrigin(error, job, Guid.Empty));
        }
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

    private JobRecord ToRecord(ScriptJob job, JobStatus status, ErrorRecord? error, DateTime finished, TimeSpan duration, int worker)
    {
        ErrorRecord[] errors = job.Errors;
        if (error is not null)
        {
            Array.Resize(ref errors, errors.Length + 1);
            errors[errors.Length - 1] = error;
        }
        if (!call.Options.IsHostForm)
        {
            return new ItemJobRecord(job.Item, status, job.Output, errors, finished, duration, worker);
        }
        var host = (string)job.Item!;
        object? output = job.OutputCount == 0 ? call.Data![host] : job.Output;
        return new HostJobRecord(host, status, output, errors, finished, duration, worker);
    }
}
