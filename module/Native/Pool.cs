// A pool of the engine in C# terms: the functions of the header, one method each; failures are exceptions.
// Cancel may be called from any thread, everything else from the pipeline thread.

using System;

namespace RustRunspaces.Native;

/// <summary>An open pool for probes.</summary>
internal sealed unsafe partial class Pool : IDisposable
{
    private readonly Library library;
    private readonly PoolHandle handle;

    private Pool(Library library, PoolHandle handle)
    {
        this.library = library;
        this.handle = handle;
    }

    /// <param name="packetsPerSecond">0 means unlimited.</param>
    /// <param name="runLimitMilliseconds">From now until the pool cancels itself; 0 means no limit.</param>
    internal static Pool Open(uint packetsPerSecond, ulong runLimitMilliseconds)
    {
        Library library = Library.Get();
        var options = new PoolOptions
        {
            StructSize = PoolOptions.Size,
            PacketsPerSecond = packetsPerSecond,
            RunLimitMilliseconds = runLimitMilliseconds,
        };
        ulong pool;
        library.Check(library.PoolOpen(&options, &pool));
        return new Pool(library, new PoolHandle(library, pool));
    }

    /// <summary>Submits what is left of the batch and moves its <see cref="TargetBatch.Taken"/>.</summary>
    /// <returns>Ok: all taken. Again: collect, then submit the rest. Closed: the pool takes no more.</returns>
    internal NativeStatus SubmitProbes(ProbeOptions options, ushort[] ports, TargetBatch batch)
    {
        nuint taken = 0;
        int status;
        fixed (ushort* portsPinned = ports)
        fixed (Target* targets = batch.Targets)
        fixed (byte* text = batch.Text)
        {
            options.StructSize = ProbeOptions.Size;
            options.PortCount = (uint)ports.Length;
            options.Ports = portsPinned;
            status = library.PoolSubmitProbes(
                handle.Value,
                &options,
                targets + batch.Taken,
                (nuint)(batch.Count - batch.Taken),
                Target.Size,
                text,
                (nuint)batch.TextLength,
                &taken);
        }
        batch.Taken += (int)taken;
        return library.Check(status);
    }

    internal void CloseInput() => library.Check(library.PoolCloseInput(handle.Value));

    /// <summary>Sleeps until there is something to collect, somebody cancels, or the time has passed.</summary>
    /// <returns>Ok, Timeout, or Closed when everything has been collected and no more will come.</returns>
    internal NativeStatus Poll(ulong timeoutMilliseconds) =>
        library.Check(library.PoolPoll(handle.Value, timeoutMilliseconds, null));

    /// <summary>The run limit has ended the pool's jobs.</summary>
    internal bool HasReachedLimit => (Count().Flags & PoolCounts.FlagRunLimitReached) != 0;

    /// <summary>What the pool has counted so far; never sleeps.</summary>
    internal PoolCounts Count()
    {
        var counts = new PoolCounts { StructSize = PoolCounts.Size };
        library.Check(library.PoolPoll(handle.Value, 0, &counts));
        return counts;
    }

    /// <summary>Fills the buffer with finished completions; never sleeps.</summary>
    internal void Collect(CompletionBuffer buffer)
    {
        while (true)
        {
            nuint count;
            nuint textLength;
            int status = library.PoolCollect(
                handle.Value,
                buffer.Completions,
                CompletionBuffer.Capacity,
                Completion.Size,
                buffer.Text,
                (nuint)buffer.TextCapacity,
                &count,
                &textLength);
            if (status == (int)NativeStatus.BufferTooSmall)
            {
                buffer.GrowText(checked((int)textLength));
                continue;
            }
            library.Check(status);
            buffer.Count = (int)count;
            return;
        }
    }

    /// <summary>Ends every unfinished job and wakes the poller; harmless after the pool was closed.</summary>
    internal void Cancel() => library.PoolCancel(handle.Value);

    public void Dispose() => handle.Dispose();
}
