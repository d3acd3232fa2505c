// Variables of $using: that get their value with each item: those of a -PipelineVariable upstream, which are $null when the call
// begins. Their values travel beside the items, in the same order. Taken on the pipeline thread, handed out on the thread that runs.

using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace RustRunspaces.Scripts;

internal sealed class LateUsings
{
    private readonly PSVariableIntrinsics variables;
    private readonly string[] names;
    private readonly ConcurrentQueue<object?[]> taken = new ConcurrentQueue<object?[]>();

    /// <param name="variables">Of the caller.</param>
    /// <param name="late">Keys that the engine looks for, and names.</param>
    internal LateUsings(PSVariableIntrinsics variables, IReadOnlyList<KeyValuePair<string, string>> late)
    {
        this.variables = variables;
        Keys = late.Select(variable => variable.Key).ToArray();
        names = late.Select(variable => variable.Value).ToArray();
    }

    internal string[] Keys { get; }

    /// <summary>Remembers the values that belong to the item which has just come.</summary>
    internal void Take() => Put(names.Select(name => variables.GetValue(name)).ToArray());

    /// <summary>The same, read elsewhere.</summary>
    internal void Put(object?[] values) => taken.Enqueue(values);

    /// <summary>The values of the next item.</summary>
    internal object?[] Next() => taken.TryDequeue(out object?[] values) ? values : new object?[names.Length];
}
