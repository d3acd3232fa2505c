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
        "_", "?", "^", "$", "args", "Error", "input", "MyInvocation", "PSBoundParameters", "PWD", "StackTrace",
        "this", "PSItem", "foreach", "switch", "null", "true", "false", "PSCmdlet", "PSCommandPath", "PSScriptRoot",
    };

    private readonly SessionState state;
    private readonly IDictionary<string, PSVariable>? table;
    private readonly Dictionary<string, Remembered> before;
    private readonly int countBefore;

    /// <summary>Remembers what there is now.</summary>
    internal GlobalVariables(SessionState state)
    {
        this.state = state;
        table = TableOf(state);
        before = All().ToDictionary(
            variable => variable.Name,
            variable => new Remembered(variable),
            StringComparer.OrdinalIgnoreCase);
        countBefore = table?.Count ?? 0;
    }

    /// <summary>Removes what is new, brings back what is gone, and sets what has changed.</summary>
    internal void Restore()
    {
        foreach (Remembered variable in before.Values)
        {
            variable.Restore();
        }
        if (table is null || table.Count != countBefore || before.Values.Any(variable => !IsThere(variable.Variable)))
        {
            RestoreNames();
        }
    }

    private bool IsThere(PSVariable variable) => table!.TryGetValue(variable.Name, out PSVariable now) && ReferenceEquals(now, variable);

    private void RestoreNames()
    {
        Dictionary<string, PSVariable> now = All().ToDictionary(variable => variable.Name, StringComparer.OrdinalIgnoreCase);
        foreach (PSVariable variable in now.Values.Where(variable => !before.ContainsKey(variable.Name)))
        {
            Remove(variable);
        }
        foreach (KeyValuePair<string, Remembered> variable in before)
        {
            bool isThere = now.TryGetValue(variable.Key, out PSVariable current);
            if (isThere && ReferenceEquals(current, variable.Value.Variable))
            {
                continue;
            }
            if (isThere)
            {
                Remove(current);
            }
            Add(variable.Value.Variable);
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
        catch (Exception error) when (error is SessionStateUnauthorizedAccessException or ProviderInvocationException)
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
        try
        {
            state.PSVariable.Set(variable);
        }
        catch (SessionStateUnauthorizedAccessException)
        {
            // A constant stands in its place, which the provider cannot remove.
        }
    }

    /// <summary>The engine's own table: not public, but without it each look costs a hundred times as much.</summary>
    private static IDictionary<string, PSVariable>? TableOf(SessionState state)
    {
        object? session = EngineMembers.Property(typeof(SessionState), "Internal")?.GetValue(state);
        object? scope = EngineMembers.Property(session?.GetType(), "GlobalScope")?.GetValue(session);
        return EngineMembers.Property(scope?.GetType(), "Variables")?.GetValue(scope) as IDictionary<string, PSVariable>;
    }

    /// <summary>One variable: what it holds, and what may be put into it.</summary>
    private sealed class Remembered
    {
        private readonly object? value;
        private readonly ScopedItemOptions options;
        private readonly Attribute[] attributes;

        internal Remembered(PSVariable variable)
        {
            Variable = variable;
            value = variable.Value;
            options = variable.Options;
            attributes = variable.Attributes.ToArray();
        }

        /// <summary>The one that belongs into the session; another one after <see cref="Restore"/> where the old one is spoiled.</summary>
        internal PSVariable Variable { get; private set; }

        internal void Restore()
        {
            // Not those that the engine computes: each read would make an object.
            if (Variable.GetType() != typeof(PSVariable))
            {
                return;
            }
            bool isSpoiled = Variable.Options != options || !HasItsAttributes();
            if (!isSpoiled && ReferenceEquals(Variable.Value, value))
            {
                return;
            }
            if (!isSpoiled && (options & (ScopedItemOptions.Constant | ScopedItemOptions.ReadOnly)) == 0)
            {
                Variable.Value = value;
                return;
            }
            // A variable does not get rid of what a job made it: read-only, or of one type.
            var fresh = new PSVariable(Variable.Name, value, options);
            foreach (Attribute attribute in attributes)
            {
                fresh.Attributes.Add(attribute);
            }
            Variable = fresh;
        }

        private bool HasItsAttributes()
        {
            if (Variable.Attributes.Count != attributes.Length)
            {
                return false;
            }
            for (int i = 0; i < attributes.Length; i++)
            {
                if (!ReferenceEquals(Variable.Attributes[i], attributes[i]))
                {
                    return false;
                }
            }
            return true;
        }
    }
}
