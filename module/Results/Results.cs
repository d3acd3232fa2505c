// Where the results of hosts go: into one hashtable, or to the caller at once, or to the caller in the order of the input. The
// thread that advances the run.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using RustRunspaces.Output;

namespace RustRunspaces.Results;

/// <summary>Where a result belongs in the order of the input.</summary>
internal readonly struct ResultPlace
{
    /// <summary>After every host of the target.</summary>
    internal const long TargetEnd = long.MaxValue;

    internal ResultPlace(long target, long host)
    {
        Target = target;
        Host = host;
    }

    /// <summary>How many targets came before.</summary>
    internal long Target { get; }

    /// <summary>How many hosts of the same target come before.</summary>
    internal long Host { get; }
}

internal interface IResults
{
    /// <summary>A host with a verdict.</summary>
    void Add(in ResultPlace place, HostResult result);

    /// <summary>A host that was begun and has none, or a target expression that was never begun.</summary>
    void AddUnfinished(in ResultPlace place, HostResult result);

    /// <summary>All results of a target are there, or it has none.</summary>
    void Close(long target);
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

    public void Add(in ResultPlace place, HostResult result)
    {
        table ??= new Hashtable((int)Math.Min(hostsKnown(), LargestFirstCapacity), StringComparer.OrdinalIgnoreCase);
        table[result.ComputerName] = result;
    }

    public void AddUnfinished(in ResultPlace place, HostResult result)
    {
    }

    public void Close(long target)
    {
    }

    internal Hashtable ToHashtable() =>
        Hashtable.Synchronized(table ?? new Hashtable(StringComparer.OrdinalIgnoreCase));
}

/// <summary>-AsObject: each row the moment it is there.</summary>
internal sealed class StreamedResults : IResults
{
    private readonly ISink sink;

    internal StreamedResults(ISink sink)
    {
        this.sink = sink;
    }

    public void Add(in ResultPlace place, HostResult result)
    {
        sink.Attribute(place.Target);
        sink.WriteObject(result);
    }

    public void AddUnfinished(in ResultPlace place, HostResult result) => Add(place, result);

    public void Close(long target)
    {
    }
}

/// <summary>-AsObject -Ordered: each row when all before it are written.</summary>
internal sealed class OrderedResults : IResults
{
    private readonly ISink sink;
    private readonly Dictionary<long, Target> targets = new Dictionary<long, Target>();
    private long front;

    internal OrderedResults(ISink sink)
    {
        this.sink = sink;
    }

    /// <summary>Rows that wait for others.</summary>
    internal int Held { get; private set; }

    public void Add(in ResultPlace place, HostResult result)
    {
        Target target = Get(place.Target);
        if (place.Target == front && place.Host == target.Next)
        {
            Write(result);
            target.Next++;
            Advance();
            return;
        }
        target.Rows.Add(place.Host, result);
        Held++;
    }

    public void AddUnfinished(in ResultPlace place, HostResult result) => Add(place, result);

    public void Close(long target)
    {
        Get(target).IsClosed = true;
        Advance();
    }

    private Target Get(long number)
    {
        if (!targets.TryGetValue(number, out Target? target))
        {
            target = new Target();
            targets.Add(number, target);
        }
        return target;
    }

    private void Write(HostResult result)
    {
        sink.Attribute(front);
        sink.WriteObject(result);
    }

    private void Advance()
    {
        while (targets.TryGetValue(front, out Target? target))
        {
            WriteNext(target);
            if (!target.IsClosed)
            {
                return;
            }
            // What was never begun leaves gaps.
            foreach (KeyValuePair<long, HostResult> row in target.Rows.OrderBy(row => row.Key))
            {
                Write(row.Value);
            }
            Held -= target.Rows.Count;
            targets.Remove(front++);
        }
    }

    /// <summary>The held rows that follow the last one written.</summary>
    private void WriteNext(Target target)
    {
        while (target.Rows.Count > 0 && target.Rows.TryGetValue(target.Next, out HostResult? row))
        {
            target.Rows.Remove(target.Next++);
            Held--;
            Write(row);
        }
    }

    private sealed class Target
    {
        internal readonly Dictionary<long, HostResult> Rows = new Dictionary<long, HostResult>();
        internal long Next;
        internal bool IsClosed;
    }
}
