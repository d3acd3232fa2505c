// One stream of a background job, and which host or item each record belongs to that nobody has received yet. Whoever receives
// takes records from the front, so the last attributions are those of the records that are left. Guarded by its owner.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace RustRunspaces.Background;

internal sealed class AttributedStream<T>
{
    // Attributions of received records that may be left over before they are dropped.
    private const int Slack = 1024;

    private readonly List<int> places = new List<int>();

    internal AttributedStream(PSDataCollection<T> records)
    {
        Records = records;
    }

    internal PSDataCollection<T> Records { get; }

    internal void Add(T record, long place)
    {
        Records.Add(record);
        places.Add((int)place);
        int received = places.Count - Records.Count;
        if (received > Records.Count + Slack)
        {
            places.RemoveRange(0, received);
        }
    }

    /// <summary>Moves each record that belongs to a host or item into its own collection, in order.</summary>
    internal void Distribute(Func<int, PSDataCollection<T>> of)
    {
        T[] records = Records.ToArray();
        int received = places.Count - records.Length;
        for (int i = 0; i < records.Length; i++)
        {
            if (places[received + i] >= 0)
            {
                of(places[received + i]).Add(records[i]);
            }
        }
        // From the end: each removal moves only what is behind it.
        for (int i = records.Length - 1; i >= 0; i--)
        {
            if (places[received + i] >= 0)
            {
                Records.RemoveAt(i);
            }
        }
        places.Clear();
        places.AddRange(Enumerable.Repeat(-1, Records.Count));
    }
}
