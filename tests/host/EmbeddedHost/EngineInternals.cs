// What pwsh's own console reaches in the engine by friend access, and no public API offers.

using System;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;

namespace RustRunspaces.EmbeddedHost;

internal static class EngineInternals
{
    private const BindingFlags Internal = BindingFlags.Instance | BindingFlags.NonPublic;

    /// <summary>
    /// Makes <c>exit</c> in the script file that runs next reach the host; otherwise it would only
    /// end the file.
    /// </summary>
    public static void LetExitEndTheRun(Runspace runspace)
    {
        object context = typeof(Runspace).GetProperty("ExecutionContext", Internal)!.GetValue(runspace)!;
        context.GetType().GetProperty("ScriptCommandProcessorShouldRethrowExit", Internal)!
            .SetValue(context, true);
    }

    /// <summary>Makes Out-Default write this object to the error output.</summary>
    public static void MarkAsError(PSObject item)
    {
        PropertyInfo stream = typeof(PSObject).GetProperty("WriteStream", Internal)!;
        stream.SetValue(item, Enum.Parse(stream.PropertyType, "Error"));
    }
}
