// Finds script blocks where they must not be: a block runs in the runspace that made it, so a job that calls one deadlocks or
// crashes the process. Any thread.

using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;

namespace RustRunspaces.Scripts;

internal static class ForeignBlocks
{
    /// <summary>Whether the value is a script block, or an array or dictionary that holds one.</summary>
    internal static bool IsIn(object? value)
    {
        object? plain = Unwrapped(value);
        switch (plain)
        {
            case null:
            case string:
                return false;
            case ScriptBlock:
                return true;
            case IDictionary dictionary:
                return AnyOf(dictionary.Values);
            case object[] array:
                return AnyOf(array);
            case List<object> list:
                return AnyOf(list);
            case ArrayList list:
                return AnyOf(list);
            default:
                return false;
        }
    }

    /// <summary>Whether the block carries variables of its maker's (GetNewClosure binds it to a module that it makes).</summary>
    internal static bool IsClosure(ScriptBlock block) =>
        block.Module is PSModuleInfo module && module.Name.StartsWith("__DynamicModule_", System.StringComparison.Ordinal);

    private static bool AnyOf(ICollection values)
    {
        foreach (object? value in values)
        {
            if (Unwrapped(value) is ScriptBlock)
            {
                return true;
            }
        }
        return false;
    }

    private static object? Unwrapped(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;
}
