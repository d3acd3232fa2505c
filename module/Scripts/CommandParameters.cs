// Which parameters a command has, as far as that can be known before it runs. Pipeline thread.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace RustRunspaces.Scripts;

internal static class CommandParameters
{
    // Commands that ask the provider of their path for further parameters, as Get-Item and Split-Path.
    private const string ProviderCommand = "Microsoft.PowerShell.Commands.CoreCommandBase";

    /// <summary>False only where the command has no such parameter, whatever it is given.</summary>
    /// <param name="cmdlet">The call's cmdlet.</param>
    /// <param name="command">The command in question.</param>
    /// <param name="name">A name, an alias, or the beginning of one.</param>
    internal static bool MayHave(PSCmdlet cmdlet, CommandInfo command, string name)
    {
        if (command is not (CmdletInfo or FunctionInfo or ExternalScriptInfo))
        {
            return true; // a program
        }
        try
        {
            // A function that is no advanced one has no common parameters, and takes whatever else it is given in $args.
            if (!command.Parameters.ContainsKey("OutBuffer") || IsAmong(command.Parameters.Values, name) || TakesAnything(command))
            {
                return true;
            }
            return command switch
            {
                CmdletInfo own when !typeof(IDynamicParameters).IsAssignableFrom(own.ImplementingType) => false,
                // Its parameters depend on the provider alone, so those of all providers are all.
                CmdletInfo own when IsOfProviders(own.ImplementingType) => AtEachProvider(cmdlet, own).Any(known => IsAmong(known.Parameters.Values, name)),
                CmdletInfo => true,
                FunctionInfo function => HasDynamicParameters(function.ScriptBlock),
                _ => HasDynamicParameters(((ExternalScriptInfo)command).ScriptBlock),
            };
        }
        catch (Exception error) when (error is RuntimeException or IOException)
        {
            // A script that does not parse, or a parameter whose type is not loaded yet: the job says what it is.
            return true;
        }
    }

    /// <summary>A name, an alias, or the beginning of one.</summary>
    internal static bool IsAmong(ICollection<ParameterMetadata> parameters, string name) => parameters.Any(parameter =>
        parameter.Name.StartsWith(name, StringComparison.OrdinalIgnoreCase)
        || parameter.Aliases.Any(alias => alias.StartsWith(name, StringComparison.OrdinalIgnoreCase)));

    private static bool TakesAnything(CommandInfo command) => command.Parameters.Values
        .SelectMany(parameter => parameter.Attributes)
        .OfType<ParameterAttribute>()
        .Any(attribute => attribute.ValueFromRemainingArguments);

    private static bool IsOfProviders(Type? command)
    {
        while (command is not null && command.FullName != ProviderCommand)
        {
            command = command.BaseType;
        }
        return command is not null;
    }

    /// <summary>The command as it is with a path of each provider: it stands first.</summary>
    private static IEnumerable<CommandInfo> AtEachProvider(PSCmdlet cmdlet, CmdletInfo command)
    {
        string name = command.ModuleName.Length == 0 ? command.Name : command.ModuleName + "\\" + command.Name;
        return cmdlet.SessionState.Drive.GetAll()
            .GroupBy(drive => drive.Provider.Name)
            .Select(drives => cmdlet.InvokeCommand.GetCommand(name, CommandTypes.Cmdlet, new object[] { drives.First().Name + ":" + Path.DirectorySeparatorChar }) ?? command);
    }

    private static bool HasDynamicParameters(ScriptBlock block) =>
        (block.Ast is FunctionDefinitionAst function ? function.Body : block.Ast as ScriptBlockAst)?.DynamicParamBlock is not null;
}
