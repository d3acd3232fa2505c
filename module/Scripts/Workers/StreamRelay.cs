// Carries what jobs write from their workers to the pipeline thread, which alone may write it to the caller: one queue, so the
// order of a job's records is kept across its streams. A worker with 4,096 undelivered records waits.

using System;
using System.Collections.Concurrent;
using System.Management.Automation;
using System.Threading;

namespace RustRunspaces.Scripts.Workers;

internal enum StreamKind
{
    Output,
    Error,
    Warning,
    Verbose,
    Debug,
    Information,
    Progress,
}

/// <summary>One record of one stream of one job.</summary>
internal readonly struct StreamRecord
{
    internal StreamRecord(RelayAccount account, ScriptJob? job, StreamKind kind, object? value)
    {
        Account = account;
        Job = job;
        Kind = kind;
        Value = value;
    }

    internal RelayAccount Account { get; }

    /// <summary>Null for what a runspace writes while it is made ready.</summary>
    internal ScriptJob? Job { get; }

    internal StreamKind Kind { get; }

    internal object? Value { get; }
}

/// <summary>A state of a job's progress that came too soon after the one before it.</summary>
internal sealed class HeldProgress
{
    internal HeldProgress(ScriptJob job, ProgressRecord record)
    {
        Job = job;
        Record = record;
    }

    internal ScriptJob Job { get; }

    internal ProgressRecord Record { get; }
}

/// <summary>What one worker has written and the caller has not got yet.</summary>
internal sealed class RelayAccount
{
    private const int Capacity = 4096;

    // Waking the worker at the first free place would have both threads take turns for each record.
    private const int Resumed = Capacity / 2;

    private readonly object gate = new object();
    private int used;
    private bool isReleased;
    private long progressShown;
    private HeldProgress? heldProgress;

    /// <summary>The worker's number, from 1; 0 until it took its first job.</summary>
    internal int Worker { get; set; }

    /// <summary>The runspace that its jobs run in.</summary>
    internal Guid RunspaceId { get; set; }

    /// <summary>When its progress was shown last, of a Stopwatch. Set by the thread that delivers.</summary>
    internal long ProgressShown
    {
        get => Volatile.Read(ref progressShown);
        set => Volatile.Write(ref progressShown, value);
    }

    /// <summary>One more record; sleeps while the worker has more than it may have. Worker's thread.</summary>
    internal void Enter()
    {
        if (Interlocked.Increment(ref used) > Capacity)
        {
            WaitForRoom();
        }
    }

    /// <summary>So many more records, without waiting. Worker's thread.</summary>
    internal void Charge(int records) => Interlocked.Add(ref used, records);

    /// <summary>Sleeps while the worker has more than it may have. Worker's thread.</summary>
    internal void WaitForRoom()
    {
        if (Volatile.Read(ref used) <= Capacity)
        {
            return;
        }
        lock (gate)
        {
            while (!isReleased && Volatile.Read(ref used) > Capacity)
            {
                Monitor.Wait(gate);
            }
        }
    }

    /// <summary>Records were delivered or dropped. The thread that delivers.</summary>
    internal void Leave(int records = 1)
    {
        int left = Interlocked.Add(ref used, -records);
        if (left <= Resumed && left + records > Resumed)
        {
            lock (gate)
            {
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <summary>From now on the worker does not wait: it is to stop. Any thread.</summary>
    internal void Release()
    {
        lock (gate)
        {
            isReleased = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>The next job may wait again. Worker's thread.</summary>
    internal void Renew()
    {
        lock (gate)
        {
            isReleased = false;
        }
    }

    /// <summary>Keeps the newest state of the worker's progress until it is time to show it. Worker's thread.</summary>
    internal void HoldProgress(HeldProgress? progress) => Volatile.Write(ref heldProgress, progress);

    /// <summary>The state that was kept, if any; it is kept no longer. Any thread.</summary>
    internal HeldProgress? TakeProgress() => Volatile.Read(ref heldProgress) is null ? null : Interlocked.Exchange(ref heldProgress, null);
}

internal sealed class StreamRelay
{
    private readonly ConcurrentQueue<StreamRecord> queue = new ConcurrentQueue<StreamRecord>();
    private readonly Action wake;
    private int isAwake;
    private volatile bool isClosed;

    /// <param name="wake">Wakes the pipeline thread.</param>
    internal StreamRelay(Action wake)
    {
        this.wake = wake;
    }

    /// <summary>Queues a record. Worker's thread; may wait.</summary>
    internal void Add(RelayAccount account, ScriptJob? job, StreamKind kind, object? value)
    {
        if (isClosed || (job?.IsClosed ?? false))
        {
            return;
        }
        queue.Enqueue(new StreamRecord(account, job, kind, value));
        if (Interlocked.Exchange(ref isAwake, 1) == 0)
        {
            wake();
        }
        account.Enter();
    }

    /// <summary>Records that wait for delivery.</summary>
    internal int Count => queue.Count;

    /// <summary>To be called before the queue is emptied: what comes later wakes again. Pipeline thread.</summary>
    internal void BeginDelivery() => Interlocked.Exchange(ref isAwake, 0);

    /// <summary>The next record, the caller's to deliver: it counts until <see cref="RelayAccount.Leave"/>. Pipeline thread.</summary>
    internal bool TryTake(out StreamRecord record) => queue.TryDequeue(out record);

    /// <summary>Drops what there is and what comes. Any thread.</summary>
    internal void Close()
    {
        isClosed = true;
        while (TryTake(out StreamRecord record))
        {
            record.Account.Leave();
        }
    }
}
