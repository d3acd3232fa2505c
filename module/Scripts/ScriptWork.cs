// A call with script jobs as a background job's work: the items are there, and one thread brings all of them to their end.

using System.Collections.Generic;
using RustRunspaces.Background;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts;

internal sealed class ScriptWork : IBackgroundWork
{
    private readonly ScriptCall call;
    private readonly IReadOnlyList<object?> items;
    private readonly object gate = new object();
    private ScriptRun? run;
    private bool isCancelled;

    /// <param name="call">What to run; its limits count from the run's begin.</param>
    /// <param name="items">The hosts or items, complete.</param>
    internal ScriptWork(ScriptCall call, IReadOnlyList<object?> items)
    {
        this.call = call;
        this.items = items;
    }

    public long Known => items.Count;

    public long Finished => Read(current => current.Finished - current.Unfinished, 0);

    public IReadOnlyList<object?> Unfinished => Read(current => current.OpenItems(), items);

    public void Run(IScriptSink sink)
    {
        using (var started = new ScriptRun(call, sink))
        {
            Begin(started);
            foreach (object? item in items)
            {
                started.Add(item);
                if (started.IsBatchFull)
                {
                    Submit(started);
                }
            }
            Submit(started);
            started.CloseInput();
            while (!started.IsComplete)
            {
                WaitAndDeliver(started);
            }
            started.Complete();
        }
    }

    public void Cancel()
    {
        lock (gate)
        {
            isCancelled = true;
            run?.Cancel();
        }
    }

    private static void Submit(ScriptRun started)
    {
        while (!started.Submit())
        {
            WaitAndDeliver(started);
        }
    }

    private static void WaitAndDeliver(ScriptRun started)
    {
        started.Wait(ulong.MaxValue);
        started.Deliver();
    }

    private void Begin(ScriptRun started)
    {
        lock (gate)
        {
            run = started;
            if (isCancelled)
            {
                started.Cancel();
            }
        }
    }

    private T Read<T>(System.Func<ScriptRun, T> read, T before)
    {
        lock (gate)
        {
            return run is null ? before : read(run);
        }
    }
}
