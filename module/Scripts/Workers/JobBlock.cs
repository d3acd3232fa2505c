// What a worker runs for each job: a script block that belongs to no runspace, and the arguments it gets in their order. Made on
// the caller's pipeline thread, for a block keeps the language mode of the thread that made it; immutable, shared by all workers.

using System;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace RustRunspaces.Scripts.Workers;

internal sealed class JobBlock
{
    private readonly object?[] arguments;
    private readonly int[] itemPlaces;

    /// <param name="block">Bound to no session.</param>
    /// <param name="arguments">What is the same for every job.</param>
    /// <param name="itemPlaces">Where the host or item goes.</param>
    internal JobBlock(ScriptBlock block, object?[] arguments, params int[] itemPlaces)
    {
        Block = block;
        this.arguments = arguments;
        this.itemPlaces = itemPlaces;
    }

    internal ScriptBlock Block { get; }

    /// <summary>Where the block calls what the job is by the engine's binder; null where it is the job.</summary>
    internal IScriptExtent? CallsAt { get; set; }

    /// <summary>Which items this is for; null for all of them.</summary>
    internal Func<object?, bool>? Takes { get; set; }

    /// <summary>For the items that <see cref="Takes"/> leaves out.</summary>
    internal JobBlock? Otherwise { get; set; }

    /// <summary>The block for this item.</summary>
    internal JobBlock For(object? item) => Takes is null || Takes(item) ? this : Otherwise!;

    /// <summary>A new array for each job, which may keep it.</summary>
    internal object?[] ArgumentsFor(object? item)
    {
        if (arguments.Length == 0)
        {
            return arguments;
        }
        var copy = (object?[])arguments.Clone();
        foreach (int place in itemPlaces)
        {
            copy[place] = item;
        }
        return copy;
    }
}
