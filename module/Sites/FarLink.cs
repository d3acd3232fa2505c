// The far side's end of the link: reads what the near side sends on a thread of its own, for a command that waits for input writes
// nothing meanwhile, and keeps the lease: when the near side has said nothing for too long, the work ends by itself. The far side's
// pipeline thread writes; the reading thread and a timer only queue, count and wake.

using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Management.Automation;
using System.Threading;

namespace RustRunspaces.Sites;

internal sealed class FarLink : IDisposable
{
    /// <summary>Without a sign of life for so long, the other side is taken for gone.</summary>
    internal static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>How often the far side writes when it has nothing to say.</summary>
    internal static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LeaseCheck = TimeSpan.FromSeconds(1);

    private readonly Action<byte[]> write;
    private readonly IEnumerator source;
    private readonly ConcurrentQueue<byte[]> received = new ConcurrentQueue<byte[]>();
    private readonly Timer timer;
    private readonly Stopwatch sinceWritten = Stopwatch.StartNew();
    private long lastHeard = Stopwatch.GetTimestamp();
    private volatile Action? wake;
    private volatile Action? cancel;
    private volatile bool isInputEnded;
    private volatile bool isCancelled;

    /// <param name="source">Enumerates what the near side sends.</param>
    /// <param name="write">Writes to the near side; may wait as long as the connection takes nothing.</param>
    internal FarLink(object source, Action<byte[]> write)
    {
        this.write = write;
        object value = source is PSObject wrapped ? wrapped.BaseObject : source;
        this.source = value as IEnumerator
            ?? (value as IEnumerable)?.GetEnumerator()
            ?? throw new ArgumentException("-Source enumerates nothing");
        timer = new Timer(_ => CheckLease(), null, LeaseCheck, LeaseCheck);
        new Thread(Read) { IsBackground = true, Name = "Invoke-RustParallelSite input" }.Start();
    }

    /// <summary>The near side sends no more, and everything it sent was taken.</summary>
    internal bool IsInputEnded => isInputEnded && received.IsEmpty;

    /// <summary>The lease is over, or the pipeline is being stopped.</summary>
    internal bool IsCancelled => isCancelled;

    /// <summary>Something should be written, so that the near side knows that this one lives.</summary>
    internal bool IsSignDue => sinceWritten.Elapsed >= SignOfLife;

    /// <summary>What to call when something came, and when the work must end.</summary>
    internal void Attach(Action wake, Action cancel)
    {
        this.cancel = cancel;
        this.wake = wake;
        if (isCancelled)
        {
            cancel();
        }
        wake();
    }

    /// <summary>Hands on the messages of a kind that have come; what else came, a sign of life, is dropped.</summary>
    internal void TakeAll(MessageKind kind, Action<MessageReader> take)
    {
        while (received.TryDequeue(out byte[] bytes))
        {
            var message = new MessageReader(bytes);
            if (message.Kind == kind)
            {
                take(message);
            }
        }
    }

    internal void Write(byte[] message)
    {
        sinceWritten.Restart();
        write(message);
    }

    /// <summary>Ends the work. Any thread.</summary>
    internal void Cancel()
    {
        isCancelled = true;
        cancel?.Invoke();
        wake?.Invoke();
    }

    public void Dispose()
    {
        timer.Dispose();
        wake = null;
        cancel = null;
    }

    private void Read()
    {
        try
        {
            while (source.MoveNext())
            {
                Volatile.Write(ref lastHeard, Stopwatch.GetTimestamp());
                object? item = source.Current is PSObject wrapped ? wrapped.BaseObject : source.Current;
                if (item is byte[] message)
                {
                    received.Enqueue(message);
                    wake?.Invoke();
                }
            }
        }
        catch (Exception)
        {
            // The pipeline has ended under the enumeration: so has the input.
        }
        isInputEnded = true;
        wake?.Invoke();
    }

    private void CheckLease()
    {
        double silence = (Stopwatch.GetTimestamp() - Volatile.Read(ref lastHeard)) / (double)Stopwatch.Frequency;
        if (!isInputEnded && silence > Lease.TotalSeconds)
        {
            Cancel();
        }
    }
}
