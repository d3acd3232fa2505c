// The session state that a call's runspaces are opened from. Made once per call on the pipeline thread; opening copies it, so
// any number of workers may open at a time.
//
// Opening costs 8-10 ms of processor time, of which types and formats are half. A block that can neither import a module nor
// format anything ("lean") shares one type table between its runspaces and has no formats, which halves that. Any other block
// has tables of its own: importing a module changes them, and a shared table refuses that.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts.Workers;

internal static class SessionTemplate
{
    internal const string CmdletName = "Invoke-RustParallel";

    internal const string DataVariable = "Data";

    // The cmdlet once more, under a name that no function of a job's hides: for calls by its full name.
    private const string OwnCmdletName = "Invoke-RustRunspacesRustParallel";

    private const string ModuleQualifier = "RustRunspaces\\";

    private static readonly Lazy<InitialSessionState> Console = new Lazy<InitialSessionState>(MakeConsole);
    private static readonly Lazy<InitialSessionState> Core = new Lazy<InitialSessionState>(InitialSessionState.CreateDefault2);
    private static readonly Lazy<string?> Views = new Lazy<string?>(FindViews);
    private static readonly Lazy<TypeTable> SharedTypes = new Lazy<TypeTable>(TypeTable.LoadDefaultTypeFiles);

    /// <param name="caller">What comes along.</param>
    /// <param name="data">The hashtable that jobs see as $Data; null where there is none.</param>
    /// <param name="isLean">Nothing that runs in the runspaces can import a module or format output.</param>
    /// <param name="isCore">Nor does it call any command of a module: those of the console need not be found first.</param>
    /// <param name="cmdletName">The name by which the caller used the cmdlet, so that calls nest.</param>
    /// <param name="cmdletType">Its class.</param>
    internal static InitialSessionState Make(CallerState caller, Hashtable? data, bool isLean, bool isCore, string cmdletName, Type cmdletType)
    {
        InitialSessionState state = (isCore ? Core : Console).Value.Clone();
        if (isLean)
        {
            state.Formats.Clear();
            state.Types.Clear();
            state.Types.Add(new SessionStateTypeEntry(SharedTypes.Value));
        }
        else if (Views.Value is string views)
        {
            // Results of this module look the same in a job.
            state.Formats.Add(new SessionStateFormatEntry(views));
        }
        // As in a console the modules of its cmdlets can be imported, which the engine refuses while it has them for snap-ins.
        (EngineMembers.Property(typeof(InitialSessionState), "ImportedSnapins")?.GetValue(state) as IDictionary)?.Clear();
        state.LanguageMode = caller.LanguageMode;
        state.ThreadOptions = PSThreadOptions.UseCurrentThread;
        state.ThrowOnRunspaceOpenError = false;
        // The caller's name may be one with a prefix.
        foreach (string name in new[] { cmdletName, CmdletName, OwnCmdletName }.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            state.Commands.Add(new SessionStateCmdletEntry(name, cmdletType, null));
        }
        // A worker has not imported the module, and importing it would cost more than opening the runspace.
        foreach (string name in new[] { cmdletName, CmdletName }.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            state.Commands.Add(new SessionStateAliasEntry(ModuleQualifier + name, OwnCmdletName));
        }
        Set(state, "ErrorActionPreference", ActionPreference.Continue);
        Set(state, "WarningPreference", ActionPreference.Continue);
        Set(state, "InformationPreference", ActionPreference.Continue);
        Set(state, "ProgressPreference", ActionPreference.Continue);
        Set(state, "VerbosePreference", caller.Verbose ? ActionPreference.Continue : ActionPreference.SilentlyContinue);
        Set(state, "DebugPreference", caller.Debug ? ActionPreference.Continue : ActionPreference.SilentlyContinue);
        foreach (KeyValuePair<string, object?> variable in caller.Variables)
        {
            Set(state, variable.Key, variable.Value);
        }
        if (data is not null)
        {
            Set(state, DataVariable, data);
        }
        return state;
    }

    /// <summary>The cmdlet is in every session made here.</summary>
    internal static bool HasCmdlet(CmdletInfo cmdlet) => Console.Value.Commands[cmdlet.Name]
        .OfType<SessionStateCmdletEntry>()
        .Any(entry => entry.ImplementingType == cmdlet.ImplementingType);

    /// <summary>The module's file of formats; null where the assembly is alone.</summary>
    private static string? FindViews()
    {
        string file = Path.ChangeExtension(typeof(SessionTemplate).Assembly.Location, ".format.ps1xml") ?? "";
        return File.Exists(file) ? file : null;
    }

    private static void Set(InitialSessionState state, string name, object? value)
    {
        state.Variables.Remove(name, typeof(SessionStateVariableEntry));
        state.Variables.Add(new SessionStateVariableEntry(name, value, ""));
    }

    /// <summary>CreateDefault has every cmdlet of a console at once; it fails where the console's assemblies are not installed.</summary>
    private static InitialSessionState MakeConsole()
    {
        try
        {
            return InitialSessionState.CreateDefault();
        }
        catch (Exception error) when (error is RuntimeException or IOException)
        {
            return InitialSessionState.CreateDefault2();
        }
    }
}
