// Finds script blocks where they must not be: a block runs in the session that made it, so a job that calls one deadlocks or
// crashes the process. Any thread.

using System;
using System.Management.Automation;

namespace RustRunspaces.Scripts;

internal static class ForeignBlocks
{
    /// <summary>Whether the value is a script block. What a collection or an object holds is its owner's business.</summary>
    internal static bool Is(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value) is ScriptBlock;

    /// <summary>
    /// Whether the block carries variables of its maker's. GetNewClosure binds it to a module that it makes; the blocks of a module
    /// without a name, and of an event's action, are bound to one that looks the same, but is their caller's own.
    /// </summary>
    internal static bool IsClosure(ScriptBlock block, PSModuleInfo? caller) =>
        IsNameless(block.Module) && !IsSame(block.Module, caller);

    /// <summary>The same for a function, which a module without a name may export to its caller.</summary>
    internal static bool IsClosure(FunctionInfo function, PSModuleInfo? caller) =>
        IsClosure(function.ScriptBlock, caller) && !function.ScriptBlock.Module.ExportedFunctions.ContainsKey(function.Name);

    /// <summary>A module that only the session that made it can know.</summary>
    internal static bool IsNameless(PSModuleInfo? module) =>
        module is not null && module.Name.StartsWith("__DynamicModule_", StringComparison.Ordinal);

    private static bool IsSame(PSModuleInfo one, PSModuleInfo? other) => other is not null && one.Name == other.Name;
}
