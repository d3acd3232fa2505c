// What every worker of a call needs to know. Made on the pipeline thread before the pool is opened; immutable, then read by all
// workers.

using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace RustRunspaces.Scripts.Workers;

internal sealed class WorkerSetup
{
    internal WorkerSetup(CallerState caller, InitialSessionState template, JobBlock block, ScriptBlock? initialization, IScriptExtent position)
    {
        Caller = caller;
        Template = template;
        Block = block;
        Initialization = initialization;
        Position = position;
    }

    private int runspaces;

    internal CallerState Caller { get; }

    internal InitialSessionState Template { get; }

    internal JobBlock Block { get; }

    /// <summary>-InitializationScript; null where there is none.</summary>
    internal ScriptBlock? Initialization { get; }

    /// <summary>The caller's code that jobs and their errors name as the place they were called from.</summary>
    internal IScriptExtent Position { get; }

    /// <summary>Where imports of modules wait for each other: that of the thread the call is made on.</summary>
    internal ImportGate Imports { get; } = ImportGate.Current;

    /// <summary>Defines functions of the caller's where it is dot-sourced; null where there are none.</summary>
    internal ScriptBlock? Definitions { get; set; }

    /// <summary>Further functions of the caller's, by name.</summary>
    internal IReadOnlyDictionary<string, ScriptBlock> FunctionBlocks { get; set; } = new Dictionary<string, ScriptBlock>();

    /// <summary>What a job writes goes into its entry or record instead of the caller's output.</summary>
    internal bool KeepsOutput { get; set; }

    /// <summary>A job's errors go into its record instead of the caller's error stream.</summary>
    internal bool KeepsErrors { get; set; }

    /// <summary>Keys of $using: whose values come with each job.</summary>
    internal string[] LateKeys { get; set; } = System.Array.Empty<string>();

    /// <summary>A job may change what its session has for all: it calls commands that may, or names a scope.</summary>
    internal bool ChangesSession { get; set; }

    /// <summary>A job's turn to leave may come later than its end.</summary>
    internal bool IsOrdered { get; set; }

    /// <summary>Counts the runspaces of the call, from 1. Any thread.</summary>
    internal int NextRunspace() => System.Threading.Interlocked.Increment(ref runspaces);

    /// <summary>A runspace runs one job.</summary>
    internal bool UseNewRunspace { get; set; }
}
