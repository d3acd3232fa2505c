// Carries what jobs write from their workers to the pipeline thread, which alone may write it to the caller: one queue, so the
// order of a job's records is kept across its streams. A worker with 4,096 undelivered records waits.

using System;
using System.Collections.Concurrent;
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

/// <summary>What one worker has in the queue.</summary>
internal sealed class RelayAccount
{
    private const int Capacity = 4096;

    // Waking the worker at the first free place would have both threads take turns for each record.
    private const int Resumed = Capacity / 2;

    private readonly object gate = new object();
    private int used;
    private bool isReleased;

    /// <summary>The worker's number, from 1; 0 until it took its first job.</summary>
    internal int Worker { get; set; }

    /// <summary>The runspace that its jobs run in.</summary>
    internal Guid RunspaceId { get; set; }

    /// <summary>Sleeps while the worker has as much as it may have. Worker's thread.</summary>
    internal void Enter()
    {
        if (Interlocked.Increment(ref used) <= Capacity)
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

    /// <summary>A record was delivered or dropped. Pipeline thread.</summary>
    internal void Leave()
    {
        if (Interlocked.Decrement(ref used) == Resumed)
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

    /// <summary>The next record, the caller's to deliver; its worker may write another one. Pipeline thread.</summary>
    internal bool TryTake(out StreamRecord record)
    {
        if (!queue.TryDequeue(out record))
        {
            return false;
        }
        record.Account.Leave();
        return true;
    }

    /// <summary>Drops what there is and what comes. Any thread.</summary>
    internal void Close()
    {
        isClosed = true;
        while (TryTake(out _))
        {
        }
    }
}
