// How long garbage collections have kept all threads of the process stopped: a worker that does nothing meanwhile is not waiting.
// Any thread.

using System;
using System.Diagnostics;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts.Workers;

internal sealed class CollectorPauses
{
    // Exact where the runtime tells it (.NET 7 and later).
    private readonly Func<TimeSpan>? totalPause =
        (Func<TimeSpan>?)EngineMembers.Method(typeof(GC), "GetTotalPauseDuration")?.CreateDelegate(typeof(Func<TimeSpan>));

    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly object gate = new object();
    private int collections;
    private TimeSpan asked;
    private TimeSpan total;

    /// <summary>Nanoseconds so far.</summary>
    internal ulong Nanoseconds => 100 * (ulong)(totalPause is null ? Estimate() : totalPause()).Ticks;

    // Elsewhere all the time since the last question counts as stopped if there was a collection that may take longer than from
    // one question to the next: any but those of the youngest objects.
    private TimeSpan Estimate()
    {
        lock (gate)
        {
            int now = GC.CollectionCount(1);
            TimeSpan elapsed = watch.Elapsed;
            if (now != collections)
            {
                total += elapsed - asked;
            }
            collections = now;
            asked = elapsed;
            return total;
        }
    }
}
