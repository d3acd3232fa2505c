// Chooses the cmdlet of workers' pipelines, and starts it. Worker's thread.

using System;
using System.Collections;
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

    // Engines of PowerShell 7 up to here were tried by the module's tests.
    private static readonly Version LastTried = new Version(7, 6);

    private static readonly Lazy<CmdletInfo> Derived = new Lazy<CmdletInfo>(FromInvokeCommand);

    /// <summary>Take the way by a script everywhere.</summary>
    internal static bool UsesScript { get; set; }

    /// <summary>A statement's error goes on, and what is thrown arrives. In words of constrained language.</summary>
    internal static string Trial { get; set; } = "param($seen) [int] 'x'; $seen[0] = 1; throw 'x'";

    /// <summary>The way by Invoke-Command's class has to show first that it does what it is needed for.</summary>
    internal static bool NeedsTrial { get; set; } = !IsTried(typeof(PSObject).Assembly.GetName().Version);

    /// <summary>Adds what runs the jobs of a worker, until there are no more.</summary>
    internal static void AddTo(PowerShell pipeline, WorkerDrain drain, ScriptBlock block, IDictionary usings)
    {
        CmdletInfo command = UsesScript ? FromScript() : Derived.Value;
        if (usings.Count == 0)
        {
            pipeline.AddCommand(command).AddParameter(nameof(WorkerLoopCommand.Drain), drain).AddParameter(nameof(WorkerLoopCommand.ScriptBlock), block);
            return;
        }
        // In the global scope, whose parameters $using: finds from everywhere, also from methods of classes.
        pipeline.AddScript(Start, useLocalScope: false)
            .AddArgument(command)
            .AddArgument(drain)
            .AddArgument(block)
            .AddParameter(UsingParameter, usings);
    }

    /// <summary>Whether blocks run as they must. What the trial writes is to be dropped.</summary>
    internal static bool Behaves(IBlockRunner runner)
    {
        if (!NeedsTrial || runner is ScriptLoopCommand)
        {
            return true;
        }
        var seen = new object[1];
        bool hasThrown = false;
        try
        {
            runner.Run(ScriptBlock.Create(Trial), new object?[] { seen });
        }
        catch (PipelineStoppedException)
        {
            throw;
        }
        catch (RuntimeException error)
        {
            hasThrown = error.Message == "x";
        }
        catch (Exception)
        {
            // Of another kind than a block's own: this engine has another way.
        }
        UsesScript = seen[0] is null || !hasThrown;
        NeedsTrial = UsesScript;
        return !UsesScript;
    }

    private static bool IsTried(Version engine) => engine.Major >= 7 && new Version(engine.Major, engine.Minor) <= LastTried;

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
