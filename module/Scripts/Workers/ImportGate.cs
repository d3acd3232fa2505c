// Which imports of modules may run at the same time. The engine's caches of modules are the process's, and imports that fill them at
// a time miss commands without a word: so the first import of a module in the process runs alone. Later ones find the caches filled
// and run side by side. Nobody waits for an import longer than it may reasonably take, and none waits for the one that it is part of:
// a module that calls Invoke-RustParallel while it is imported has a gate of its own for that. Any thread.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;

namespace RustRunspaces.Scripts.Workers;

internal sealed class ImportGate
{
    // From the beginning of the import that is waited for: one that hangs holds up nobody after that.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private static readonly ImportGate Outermost = new ImportGate();

    // Names and paths that were imported once. Guarded by itself.
    private static readonly HashSet<string> Known = new HashSet<string>(StringComparer.Ordinal);

    // The gate for calls made by the import that runs on this thread.
    [ThreadStatic]
    private static ImportGate? inside;

    private readonly object waiting = new object();

    // Guarded by the object above: whose import runs, and since when.
    private object? holder;
    private Stopwatch held = new Stopwatch();

    /// <summary>The gate for a call made on this thread.</summary>
    internal static ImportGate Current => inside ?? Outermost;

    /// <summary>Runs an import when it may.</summary>
    /// <param name="module">Its name or path.</param>
    /// <param name="import">Does it; throws where it fails.</param>
    internal void Import(string module, Action import)
    {
        var place = new object();
        if (!Enter(place, module))
        {
            import();
            return;
        }
        ImportGate? outer = inside;
        inside = new ImportGate();
        try
        {
            import();
            Remember(module);
        }
        finally
        {
            inside = outer;
            Leave(place);
        }
    }

    private static bool IsKnown(string module)
    {
        lock (Known)
        {
            return Known.Contains(module);
        }
    }

    private static void Remember(string module)
    {
        lock (Known)
        {
            Known.Add(module);
        }
    }

    /// <summary>Waits for the import that runs, at most until its time is over; then that one counts as gone.</summary>
    /// <returns>False: the module was imported before, so there is nothing to be alone for.</returns>
    private bool Enter(object place, string module)
    {
        lock (waiting)
        {
            while (true)
            {
                if (IsKnown(module))
                {
                    return false;
                }
                TimeSpan left = holder is null ? TimeSpan.Zero : Longest - held.Elapsed;
                if (left <= TimeSpan.Zero)
                {
                    holder = place;
                    held = Stopwatch.StartNew();
                    return true;
                }
                Monitor.Wait(waiting, left);
            }
        }
    }

    private void Leave(object place)
    {
        lock (waiting)
        {
            if (ReferenceEquals(holder, place))
            {
                holder = null;
                Monitor.PulseAll(waiting);
            }
        }
    }
}
