// Proposals for parameters that name something of the caller's session: commands, functions, modules. What the engine itself would
// propose. Pipeline thread, in the caller's runspace.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace RustRunspaces;

/// <summary>Commands of any kind.</summary>
public sealed class CommandNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        CompletionCompleters.CompleteCommand(wordToComplete);
}

/// <summary>Functions and filters.</summary>
public sealed class FunctionNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        CompletionCompleters.CompleteCommand(wordToComplete, null, CommandTypes.Function | CommandTypes.Filter);
}

/// <summary>Modules that are imported, then those that could be.</summary>
public sealed class ModuleNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Find(wordToComplete, isInstalled: false)
            .Concat(Find(wordToComplete, isInstalled: true))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(name => new CompletionResult(
                name.Any(char.IsWhiteSpace) ? $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'" : name,
                name,
                CompletionResultType.ParameterValue,
                name))
            .ToArray();

    private static string[] Find(string word, bool isInstalled)
    {
        using (PowerShell shell = PowerShell.Create(RunspaceMode.CurrentRunspace))
        {
            shell.AddCommand("Microsoft.PowerShell.Core\\Get-Module").AddParameter("Name", word.Trim('\'', '"') + "*");
            if (isInstalled)
            {
                shell.AddParameter("ListAvailable");
            }
            return shell.Invoke<PSModuleInfo>().Select(module => module.Name).OrderBy(name => name, StringComparer.OrdinalIgnoreCase).ToArray();
        }
    }
}
