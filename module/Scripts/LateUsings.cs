// Variables of $using: that get their value with each item: those of a -PipelineVariable upstream. Their values travel beside the
// items, in the same order. Taken on the pipeline thread, handed out on the thread that runs.

using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts;

internal sealed class LateUsings
{
    private readonly Func<object?>[] readers;
    private readonly ConcurrentQueue<object?[]> taken = new ConcurrentQueue<object?[]>();

    /// <param name="late">Keys that the engine looks for, and what reads their values where the caller is.</param>
    internal LateUsings(IReadOnlyList<KeyValuePair<string, Func<object?>>> late)
    {
        Keys = late.Select(value => value.Key).ToArray();
        readers = late.Select(value => value.Value).ToArray();
    }

    internal string[] Keys { get; }

    /// <summary>
    /// What commands before this one in its pipeline set for each of their outputs; nothing where the engine does not tell. Not all are
    /// $null when a call begins: a command that writes in its begin block has written by then.
    /// </summary>
    internal static HashSet<string> Upstream(PSCmdlet cmdlet)
    {
        static object? Get(object? from, string name) => EngineMembers.Property(from?.GetType(), name)?.GetValue(from);
        IEnumerable<object?> runtimes = Get(Get(cmdlet.CommandRuntime, "PipelineProcessor"), "Commands") is IEnumerable commands
            ? commands.Cast<object>().Select(command => Get(command, "CommandRuntime")).TakeWhile(runtime => !ReferenceEquals(runtime, cmdlet.CommandRuntime))
            : Enumerable.Empty<object?>();
        return new HashSet<string>(runtimes.Select(runtime => Get(runtime, "PipelineVariable")).OfType<string>(), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Remembers the values that belong to the item which has just come.</summary>
    internal void Take() => Put(readers.Select(read => read()).ToArray());

    /// <summary>The same, read elsewhere.</summary>
    internal void Put(object?[] values) => taken.Enqueue(values);

    /// <summary>The values of the next item.</summary>
    internal object?[] Next() => taken.TryDequeue(out object?[] values) ? values : new object?[readers.Length];
}
