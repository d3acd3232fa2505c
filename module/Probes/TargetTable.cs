// The targets that still have unanswered jobs. A target's slot is its user_data; it is free again when all its jobs are
// answered, so that the table is as large as what is open at a time. The thread that advances the run, but for AddOpenTo.

using System;
using System.Collections.Generic;

namespace RustRunspaces.Probes;

internal sealed class TargetTable
{
    private const int None = -1;

    // Place and Text change under it; what else an entry holds is the advancing thread's alone.
    private readonly object gate = new object();
    private Entry[] entries = new Entry[64];
    private int used;
    private int firstFree = None;

    internal ref Entry this[int slot] => ref entries[slot];

    /// <param name="place">How many targets came before it.</param>
    /// <param name="text">As it was given.</param>
    internal int Add(long place, string text)
    {
        lock (gate)
        {
            int slot = firstFree;
            if (slot != None)
            {
                firstFree = entries[slot].NextFree;
            }
            else
            {
                if (used == entries.Length)
                {
                    Array.Resize(ref entries, used * 2);
                }
                slot = used++;
            }
            entries[slot] = new Entry { Place = place, Text = text };
            return slot;
        }
    }

    internal void Remove(int slot)
    {
        lock (gate)
        {
            entries[slot] = new Entry { NextFree = firstFree };
            firstFree = slot;
        }
    }

    /// <summary>Adds the places and texts of all targets there are. Any thread.</summary>
    internal void AddOpenTo(List<KeyValuePair<long, string>> items)
    {
        lock (gate)
        {
            for (int slot = 0; slot < used; slot++)
            {
                if (entries[slot].Text is string text)
                {
                    items.Add(new KeyValuePair<long, string>(entries[slot].Place, text));
                }
            }
        }
    }

    internal struct Entry
    {
        /// <summary>How many targets came before it.</summary>
        internal long Place;

        /// <summary>What it is a part of; null for a whole target.</summary>
        internal DividedTarget? Divided;

        /// <summary>How many hosts of the whole target come before.</summary>
        internal long FirstHost;

        /// <summary>The target as it was given; null while the slot is free.</summary>
        internal string? Text;

        /// <summary>Its jobs are named by address.</summary>
        internal bool IsExpanded;

        internal int NextFree;

        internal long UnansweredJobs;

        internal long Hosts;

        internal long HostsNotStarted;

        /// <summary>Begun, but ended before they had a verdict.</summary>
        internal long HostsStopped;
    }
}
