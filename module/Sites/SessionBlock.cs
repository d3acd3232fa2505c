// What runs on each session, as Invoke-Command would send it: the text of a block, or commands where no text is taken and it consists
// of such; or a command. A lease stands before it. Any thread, but for the constructors.

using System;
using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Sites;

internal sealed class SessionBlock
{
    private readonly string? text;
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
            commands = pipeline.Commands;
        }
        catch (RuntimeException)
        {
            // It has more than commands with their arguments.
        }
    }

    /// <param name="command">Looked up over there.</param>
    /// <param name="parameters">Of the command; null for none.</param>
    internal SessionBlock(string command, IDictionary? parameters)
    {
        arguments = Array.Empty<object?>();
        usings = new Hashtable();
        using PowerShell pipeline = PowerShell.Create();
        commands = pipeline.AddCommand(command).AddParameters(parameters ?? usings).Commands;
    }

    /// <summary>There are commands to run in place of a text that was refused.</summary>
    internal bool HasOtherForm => text is not null && commands is not null;

    internal void AddTo(PowerShell pipeline, SessionLease lease)
    {
        lease.AddTo(pipeline);
        if (text is null)
        {
            AddCommandsTo(pipeline);
            return;
        }
        pipeline.AddScript(text);
        foreach (object? argument in arguments)
        {
            pipeline.AddArgument(argument);
        }
        if (usings.Count > 0)
        {
            pipeline.AddParameter(LoopCommands.UsingParameter, usings);
        }
    }

    internal void AddCommandsTo(PowerShell pipeline)
    {
        foreach (Command command in commands!.Commands)
        {
            pipeline.Commands.AddCommand(command);
        }
    }
}
