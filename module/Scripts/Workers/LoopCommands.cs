// Chooses the command of workers' pipelines, and starts it. Worker's thread.

using System;
using System.Management.Automation;
using System.Runtime.CompilerServices;

namespace RustRunspaces.Scripts.Workers;

internal static class LoopCommands
{
    /// <summary>The engine's name of the parameter that carries the values of $using: to a script.</summary>
    internal const string UsingParameter = "--%";

    private const string Name = "Invoke-RustParallelWorker";

    // The call has nothing that a job could see, not even a variable.
    private const string Start = "& $args[0] -Drain $args[1] -ScriptBlock $args[2]";

    private static readonly Lazy<CmdletInfo> Derived = new Lazy<CmdletInfo>(FromInvokeCommand);

    /// <summary>Take the way by a script everywhere.</summary>
    internal static bool UsesScript { get; set; }

    /// <summary>Adds what runs the jobs of a worker, until there are no more.</summary>
    internal static void AddTo(PowerShell pipeline, WorkerDrain drain, WorkerSetup setup)
    {
        CmdletInfo command = UsesScript ? FromScript() : Derived.Value;
        // In a scope of its own, whose parameters $using: finds.
        pipeline.AddScript(Start, useLocalScope: true)
            .AddArgument(command)
            .AddArgument(drain)
            .AddArgument(setup.Block.Block)
            .AddParameter(UsingParameter, setup.Caller.Usings);
    }

    private static CmdletInfo FromInvokeCommand()
    {
        try
        {
            return FromClass();
        }
        catch (TypeLoadException)
        {
            return FromScript();
        }
    }

    // An engine whose class is sealed or gone fails where this is compiled, so not in the caller.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CmdletInfo FromClass() => new CmdletInfo(Name, typeof(WorkerLoopCommand));

    private static CmdletInfo FromScript() => new CmdletInfo(Name, typeof(ScriptLoopCommand));
}
