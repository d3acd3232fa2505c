// Variables of $using: that get their value with each item: those of a -PipelineVariable upstream, which are $null when the call
// begins. Their values travel beside the items, in the same order. Taken on the pipeline thread, handed out on the thread that runs.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;

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

    /// <summary>Remembers the values that belong to the item which has just come.</summary>
    internal void Take() => Put(readers.Select(read => read()).ToArray());

    /// <summary>The same, read elsewhere.</summary>
    internal void Put(object?[] values) => taken.Enqueue(values);

    /// <summary>The values of the next item.</summary>
    internal object?[] Next() => taken.TryDequeue(out object?[] values) ? values : new object?[readers.Length];
}
