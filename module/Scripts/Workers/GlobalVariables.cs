// The global variables of a worker's session: what they were when the session became ready, and back to that between jobs. Script
// scope is the global one in a job, so this is the state that jobs leave behind without meaning to. Worker's thread.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts.Workers;

internal sealed class GlobalVariables
{
    // The engine's own: it changes them all the time, or they are put back elsewhere.
    private static readonly HashSet<string> EngineVariables = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "_", "?", "^", "$", "args", "Error", "input", "LASTEXITCODE", "MyInvocation", "PSBoundParameters", "PWD", "StackTrace",
        "this", "PSItem", "foreach", "switch", "null", "true", "false", "PSCmdlet", "PSCommandPath", "PSScriptRoot",
    };

    private readonly SessionState state;
    private readonly IDictionary<string, PSVariable>? table;
    private readonly Dictionary<string, KeyValuePair<PSVariable, object?>> before;
    private readonly int countBefore;

    /// <summary>Remembers what there is now.</summary>
    internal GlobalVariables(SessionState state)
    {
        this.state = state;
        table = TableOf(state);
        before = All().ToDictionary(
            variable => variable.Name,
            variable => new KeyValuePair<PSVariable, object?>(variable, variable.Value),
            StringComparer.OrdinalIgnoreCase);
        countBefore = table?.Count ?? 0;
    }

    /// <summary>Removes what is new, brings back what is gone, and sets what has changed.</summary>
    internal void Restore()
    {
        foreach (KeyValuePair<PSVariable, object?> variable in before.Values)
        {
            // Not those that the engine computes: each read would make an object.
            if (variable.Key.GetType() == typeof(PSVariable) && !ReferenceEquals(variable.Key.Value, variable.Value) && IsWritable(variable.Key))
            {
                variable.Key.Value = variable.Value;
            }
        }
        if (table is null || table.Count != countBefore || before.Any(variable => !IsThere(variable.Key, variable.Value.Key)))
        {
            RestoreNames();
        }
    }

    private static bool IsWritable(PSVariable variable) => (variable.Options & (ScopedItemOptions.Constant | ScopedItemOptions.ReadOnly)) == 0;

    private bool IsThere(string name, PSVariable variable) => table!.TryGetValue(name, out PSVariable now) && ReferenceEquals(now, variable);

    private void RestoreNames()
    {
        Dictionary<string, PSVariable> now = All().ToDictionary(variable => variable.Name, StringComparer.OrdinalIgnoreCase);
        foreach (PSVariable variable in now.Values.Where(variable => !before.ContainsKey(variable.Name)))
        {
            Remove(variable);
        }
        foreach (KeyValuePair<string, KeyValuePair<PSVariable, object?>> variable in before)
        {
            bool isThere = now.TryGetValue(variable.Key, out PSVariable current);
            if (isThere && ReferenceEquals(current, variable.Value.Key))
            {
                continue;
            }
            if (isThere)
            {
                Remove(current);
            }
            Add(variable.Value.Key);
        }
    }

    private IEnumerable<PSVariable> All()
    {
        IEnumerable<PSVariable> variables = table is not null
            ? table.Values.ToArray()
            : state.InvokeProvider.ChildItem.Get("Microsoft.PowerShell.Core\\Variable::", recurse: false).Select(item => item.BaseObject).OfType<PSVariable>().ToArray();
        return variables.Where(variable => !EngineVariables.Contains(variable.Name));
    }

    private void Remove(PSVariable variable)
    {
        if (table is not null)
        {
            table.Remove(variable.Name);
            return;
        }
        try
        {
            // A read-only one only by force; a constant stays.
            state.InvokeProvider.Item.Remove(new[] { "Microsoft.PowerShell.Core\\Variable::" + WildcardPattern.Escape(variable.Name) }, false, true, true);
        }
        catch (SessionStateUnauthorizedAccessException)
        {
        }
    }

    private void Add(PSVariable variable)
    {
        if (table is not null)
        {
            table[variable.Name] = variable;
            return;
        }
        state.PSVariable.Set(variable);
    }

    /// <summary>The engine's own table: not public, but without it each look costs a hundred times as much.</summary>
    private static IDictionary<string, PSVariable>? TableOf(SessionState state)
    {
        object? session = EngineMembers.Property(typeof(SessionState), "Internal")?.GetValue(state);
        object? scope = EngineMembers.Property(session?.GetType(), "GlobalScope")?.GetValue(session);
        return EngineMembers.Property(scope?.GetType(), "Variables")?.GetValue(scope) as IDictionary<string, PSVariable>;
    }
}
