// The targets that still have unanswered jobs. A target's slot is its user_data; it is free again when all its jobs are
// answered, so that the table is as large as what is open at a time. Pipeline thread.

using System;

namespace RustRunspaces.Probes;

internal sealed class TargetTable
{
    private const int None = -1;

    private Entry[] entries = new Entry[64];
    private int used;
    private int firstFree = None;

    internal ref Entry this[int slot] => ref entries[slot];

    internal int Add(string text)
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
        entries[slot] = new Entry { Text = text };
        return slot;
    }

    internal void Remove(int slot)
    {
        entries[slot] = new Entry { NextFree = firstFree };
        firstFree = slot;
    }

    internal struct Entry
    {
        /// <summary>The target as it was given; null while the slot is free.</summary>
        internal string? Text;

        /// <summary>Its jobs are named by address.</summary>
        internal bool IsExpanded;

        internal int NextFree;

        internal long UnansweredJobs;

        internal long Hosts;

        internal long HostsNotStarted;
    }
}
