// The command of -CommandName: found as the caller would find it, brought along if the runspaces of jobs do not have it, refused
// before anything runs if it cannot work there. Pipeline thread.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using RustRunspaces.Output;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

/// <summary>How a command gets a parameter and its value.</summary>
internal enum ParameterForm
{
    /// <summary>By the engine's binder.</summary>
    Bound,

    /// <summary>A program: as -Name:value.</summary>
    OneText,

    /// <summary>A function that takes anything: as -Name and the value.</summary>
    TwoTexts,
}

internal static class NamedCommand
{
    /// <param name="cmdlet">The call's cmdlet.</param>
    /// <param name="caller">Brings what has to come along; functions and modules that were asked for are there.</param>
    /// <param name="name">Of the command.</param>
    /// <param name="itemParameter">What the host or item is bound to.</param>
    /// <param name="parameters">The fixed ones.</param>
    /// <param name="formOf">How the command gets a parameter.</param>
    /// <returns>What a job calls: a name that means this very command there, or a path.</returns>
    /// <exception cref="CallRefusedException">There is no such command, or jobs cannot call it.</exception>
    internal static string Find(PSCmdlet cmdlet, CallerImports caller, string name, string itemParameter, Hashtable parameters, out Func<string, ParameterForm> formOf)
    {
        CommandInfo command = Resolve(cmdlet, name);
        string found = Bring(cmdlet, caller, command);
        Check(cmdlet, command, itemParameter, parameters);
        formOf = parameter => FormOf(command, parameter);
        return found;
    }

    private static CommandInfo Resolve(PSCmdlet cmdlet, string name)
    {
        CommandInfo command = cmdlet.InvokeCommand.GetCommand(name, CommandTypes.All)
            ?? throw new CallRefusedException(ScriptErrors.CommandNotFound(name));
        while (command is AliasInfo alias)
        {
            // An alias does not load the module of its command, a name does.
            command = alias.ResolvedCommand
                ?? cmdlet.InvokeCommand.GetCommand(alias.Definition, CommandTypes.All)
                ?? throw new CallRefusedException(ScriptErrors.CommandNotFound(name));
        }
        return command;
    }

    private static string Bring(PSCmdlet cmdlet, CallerImports caller, CommandInfo command)
    {
        switch (command)
        {
            case ExternalScriptInfo script:
                return script.Path;
            case ApplicationInfo program:
                return program.Path;
            case CmdletInfo own when own.ImplementingType == cmdlet.GetType():
                return cmdlet.MyInvocation.MyCommand.Name;
            case CmdletInfo common when SessionTemplate.HasCmdlet(common):
                return Qualified(common.ModuleName, common.Name);
            case FunctionInfo function when function.Module is null || Closures.IsNameless(function.ScriptBlock.Module):
                caller.AddFunction(function);
                return function.Name;
            case FunctionInfo function when caller.Functions.Contains(function.Name):
                return function.Name;
        }
        if (command.Module is not PSModuleInfo module)
        {
            return command.Name;
        }
        if (!module.ExportedCommands.ContainsKey(command.Name))
        {
            // A module may define for all what it does not export; whoever brings it along knows.
            return caller.HasModule(module)
                ? command.Name
                : throw new CallRefusedException(ScriptErrors.CommandCannotTravel(command.Name, module.Name, "does not export it"));
        }
        if (!caller.AddModule(module))
        {
            throw new CallRefusedException(ScriptErrors.CommandCannotTravel(command.Name, module.Name, "was not imported from a file"));
        }
        return Qualified(module.Name, NameInModule(command));
    }

    private static string Qualified(string module, string name) => module.Length == 0 ? name : module + "\\" + name;

    /// <summary>The caller may have imported the module with a prefix, jobs do not.</summary>
    private static string NameInModule(CommandInfo command) => command switch
    {
        FunctionInfo { ScriptBlock.Ast: FunctionDefinitionAst definition } => definition.Name.Substring(definition.Name.IndexOf(':') + 1),
        CmdletInfo cmdlet when cmdlet.ImplementingType.GetCustomAttributes(typeof(CmdletAttribute), inherit: false).FirstOrDefault() is CmdletAttribute declared => $"{declared.VerbName}-{declared.NounName}",
        _ => command.Name,
    };

    /// <summary>Refuses what every job would fail with. What only running the command can tell is left to the jobs.</summary>
    private static void Check(PSCmdlet cmdlet, CommandInfo command, string itemParameter, Hashtable parameters)
    {
        if (!CommandParameters.MayHave(cmdlet, command, itemParameter))
        {
            throw new CallRefusedException(ScriptErrors.ItemParameterNotFound(command.Name, itemParameter));
        }
        string? unknown = parameters.Keys.Cast<object>().Select(key => key.ToString()).FirstOrDefault(parameter => !CommandParameters.MayHave(cmdlet, command, parameter));
        if (unknown is not null)
        {
            throw new CallRefusedException(ScriptErrors.ParameterNotFound(command.Name, unknown));
        }
    }

    private static ParameterForm FormOf(CommandInfo command, string parameter)
    {
        try
        {
            return command switch
            {
                CmdletInfo => ParameterForm.Bound,
                ApplicationInfo => ParameterForm.OneText,
                _ => CommandParameters.IsAmong(command.Parameters.Values, parameter) ? ParameterForm.Bound : ParameterForm.TwoTexts,
            };
        }
        catch (Exception error) when (error is RuntimeException or IOException)
        {
            return ParameterForm.Bound;
        }
    }
}
