// A run: what one call does to its hosts or items, whichever form of the cmdlet asked for it. One thread adds, submits, waits
// and delivers: the pipeline thread, or a background job's own.

using System;
using System.Collections.Generic;
using RustRunspaces.Native;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

internal interface IRun : IDisposable
{
    /// <summary>How far it is. Any thread.</summary>
    RunFigures Figures { get; }

    /// <summary>The maximum wait in seconds if it has ended something; else null.</summary>
    double? LimitReached { get; }

    /// <summary>Everything has been delivered and no more will come.</summary>
    bool IsComplete { get; }

    bool IsBatchFull { get; }

    /// <summary>What its pool has counted on the way; null where that says nothing.</summary>
    PoolCounts? Counts { get; }

    /// <summary>Threads that did not come back; known after Dispose.</summary>
    int Abandoned { get; }

    /// <summary>Every host or item that is not done, in the order they came: ended before it was, or still open. Any thread.</summary>
    IReadOnlyList<object?> OpenItems();

    /// <summary>Those that workers are busy with just now. Any thread.</summary>
    IReadOnlyList<RunningItem> RunningItems();

    /// <summary>Puts a host or item into the batch; <see cref="Submit"/> sends it. The batch must not be full.</summary>
    void Add(object? item);

    /// <summary>Sends what is left of the batch.</summary>
    /// <returns>False: as much is open as may be. Wait, deliver, and call again.</returns>
    bool Submit();

    /// <summary>No more will be added.</summary>
    void CloseInput();

    /// <summary>Sleeps until there is something to deliver, the run was cancelled, or the time has passed.</summary>
    void Wait(ulong milliseconds);

    /// <summary>Delivers what there is; never sleeps.</summary>
    void Deliver();

    /// <summary>To be called at each moment of the rhythm: what is shown of a run while it works.</summary>
    void Show();

    /// <summary>To be called once, when the run is complete: the hashtable, and what is to be said about all.</summary>
    /// <exception cref="CallRefusedException">Nothing could be done.</exception>
    void Complete();

    /// <summary>Ends everything and wakes the one that waits. Any thread.</summary>
    void Cancel();
}
