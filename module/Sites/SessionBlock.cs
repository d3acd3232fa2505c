// What runs on each session, as Invoke-Command would send it: the text of a block, with a lease before it; or, where no text is taken,
// the commands that the block consists of, if it consists of commands. Any thread, but for the constructor.

using System.Collections;
using System.Management.Automation;

namespace RustRunspaces.Sites;

internal sealed class SessionBlock
{
    // The name of the engine's own parameter for the values of $using:.
    private const string UsingParameter = "--%";

    private readonly string text;
    private readonly object?[] arguments;
    private readonly Hashtable usings;
    private readonly PSCommand? commands;

    /// <summary>On the caller's pipeline thread: the engine looks up what the block uses.</summary>
    internal SessionBlock(ScriptBlock block, object?[] arguments, Hashtable usings)
    {
        text = block.ToString();
        this.arguments = arguments;
        this.usings = usings;
        try
        {
            using PowerShell pipeline = block.GetPowerShell(true, arguments);
            commands = pipeline.Commands.Clone();
        }
        catch (RuntimeException)
        {
            // It has more than commands with their arguments.
        }
    }

    /// <summary>It can do without script text.</summary>
    internal bool HasCommands => commands is not null;

    internal void AddTo(PowerShell pipeline, SessionLease lease)
    {
        lease.AddTo(pipeline);
        pipeline.AddScript(text);
        foreach (object? argument in arguments)
        {
            pipeline.AddArgument(argument);
        }
        if (usings.Count > 0)
        {
            pipeline.AddParameter(UsingParameter, usings);
        }
    }

    internal void AddCommandsTo(PowerShell pipeline) => pipeline.Commands = commands!.Clone();
}
