// Where results go: into one hashtable, or to the caller at once. Pipeline thread.

using System;
using System.Collections;

namespace RustRunspaces.Results;

internal interface IResults
{
    /// <summary>A host with a verdict.</summary>
    void Add(HostResult result);

    /// <summary>A host that was begun and has none, or a target expression that was never begun.</summary>
    void AddUnfinished(HostResult result);
}

/// <summary>The default: host to result, finished ones only. Equal hosts are one entry, the last one's.</summary>
internal sealed class HashtableResults : IResults
{
    // From here on the table grows by itself: the hosts may not come before the maximum wait.
    private const long LargestFirstCapacity = 1 << 20;

    private readonly Func<long> hostsKnown;
    private Hashtable? table;

    /// <param name="hostsKnown">How many hosts are known when the first result comes.</param>
    internal HashtableResults(Func<long> hostsKnown)
    {
        this.hostsKnown = hostsKnown;
    }

    public void Add(HostResult result)
    {
        table ??= new Hashtable((int)Math.Min(hostsKnown(), LargestFirstCapacity), StringComparer.OrdinalIgnoreCase);
        table[result.ComputerName] = result;
    }

    public void AddUnfinished(HostResult result)
    {
    }

    internal Hashtable ToHashtable() =>
        Hashtable.Synchronized(table ?? new Hashtable(StringComparer.OrdinalIgnoreCase));
}

/// <summary>-AsObject: each row the moment it is there.</summary>
internal sealed class StreamedResults : IResults
{
    private readonly Action<object> write;

    internal StreamedResults(Action<object> write)
    {
        this.write = write;
    }

    public void Add(HostResult result) => write(result);

    public void AddUnfinished(HostResult result) => write(result);
}
