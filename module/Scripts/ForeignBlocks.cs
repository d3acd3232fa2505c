// Finds script blocks where they must not be: a block runs in the session that made it, so a job that calls one deadlocks or
// crashes the process. Any thread.

using System;
using System.Management.Automation;

namespace RustRunspaces.Scripts;

internal static class ForeignBlocks
{
    /// <summary>Whether the value is a script block. What a collection or an object holds is its owner's business.</summary>
    internal static bool Is(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value) is ScriptBlock;
}
