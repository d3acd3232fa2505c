// $PSDefaultParameterValues of a worker's session: as it was when the session became ready, for every job. A job may change the
// table itself, not only the variable, and what it leaves there would decide what later jobs do. Worker's thread.

using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace RustRunspaces.Scripts.Workers;

internal sealed class ParameterDefaults
{
    private const string Name = "PSDefaultParameterValues";

    private readonly Hashtable table;
    private readonly DictionaryEntry[] entries;

    private ParameterDefaults(Hashtable table)
    {
        this.table = table;
        entries = table.Cast<DictionaryEntry>().ToArray();
    }

    /// <summary>What there is now; null where the variable holds no table.</summary>
    internal static ParameterDefaults? Of(PSVariableIntrinsics variables) =>
        variables.GetValue(Name) is Hashtable table ? new ParameterDefaults(table) : null;

    /// <summary>Gives the session a table of its own: one that -Variables brought is the caller's, and every worker's.</summary>
    internal static void Separate(PSVariableIntrinsics variables)
    {
        if (variables.GetValue(Name) is Hashtable table)
        {
            variables.Set(Name, new DefaultParameterDictionary(table));
        }
    }

    /// <summary>Allocates nothing where nothing was changed.</summary>
    internal void Restore()
    {
        if (IsUnchanged())
        {
            return;
        }
        table.Clear();
        foreach (DictionaryEntry entry in entries)
        {
            table.Add(entry.Key, entry.Value);
        }
    }

    private bool IsUnchanged()
    {
        if (table.Count != entries.Length)
        {
            return false;
        }
        foreach (DictionaryEntry entry in entries)
        {
            if (!ReferenceEquals(table[entry.Key], entry.Value))
            {
                return false;
            }
        }
        return true;
    }
}
