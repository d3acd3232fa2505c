// Brings along what was asked for: reads variables, functions and modules of the caller's session into what its jobs' runspaces
// are given. Pipeline thread.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.IO;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Output;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

internal sealed class CallerImports
{
    // Not for a pattern to bring along: the session's own, and what decides which streams a worker writes.
    internal static readonly HashSet<string> SessionVariables = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "_", "args", "ConfirmPreference", "ConsoleFileName", "DebugPreference", "Error", "ErrorView", "ExecutionContext", "foreach",
        "HOME", "Host", "InformationPreference", "input", "LASTEXITCODE", "Matches", "MyInvocation", "NestedPromptLevel", "null",
        "OutputEncoding", "PID", "PROFILE", "ProgressPreference", "PSBoundParameters", "PSCmdlet", "PSCommandPath", "PSCulture",
        "PSDefaultParameterValues", "PSEdition", "PSHOME", "PSItem", "PSScriptRoot", "PSSessionApplicationName",
        "PSSessionConfigurationName", "PSSessionOption", "PSStyle", "PSUICulture", "PSVersionTable", "PWD", "ShellId", "StackTrace",
        "switch", "this", "VerbosePreference", "WarningPreference", "WhatIfPreference", "true", "false", "?", "^", "$",
    };

    private readonly PSCmdlet cmdlet;
    private readonly CallerState caller;

    /// <param name="cmdlet">The call's cmdlet.</param>
    /// <param name="caller">Gets variables and modules that come along.</param>
    /// <param name="functions">Gets functions.</param>
    internal CallerImports(PSCmdlet cmdlet, CallerState caller, CallerFunctions functions)
    {
        this.cmdlet = cmdlet;
        this.caller = caller;
        Functions = functions;
    }

    internal CallerFunctions Functions { get; }

    /// <summary>-Variables.</summary>
    internal void AddVariables(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            if (!WildcardPattern.ContainsWildcardCharacters(name))
            {
                PSVariable variable = cmdlet.SessionState.PSVariable.Get(WildcardPattern.Unescape(name))
                    ?? throw new CallRefusedException(ScriptErrors.VariableNotFound(name));
                if (!IsInEverySession(variable))
                {
                    // The caller may change its table of default parameters while the workers copy it.
                    object? value = variable.Value is DefaultParameterDictionary table ? new DefaultParameterDictionary(table) : variable.Value;
                    AddVariable(variable.Name, value, "$" + variable.Name);
                }
                continue;
            }
            var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase);
            foreach (PSVariable variable in cmdlet.SessionState.InvokeProvider.ChildItem.Get("Variable:", recurse: false).Select(item => item.BaseObject).OfType<PSVariable>())
            {
                const ScopedItemOptions fixedOptions = ScopedItemOptions.Constant | ScopedItemOptions.ReadOnly;
                bool isMeant = pattern.IsMatch(variable.Name)
                    && !SessionVariables.Contains(variable.Name)
                    && (variable.Options & fixedOptions) == 0
                    && !ForeignBlocks.Is(variable.Value);
                if (isMeant)
                {
                    caller.Variables.Add(new KeyValuePair<string, object?>(variable.Name, variable.Value));
                }
            }
        }
    }

    /// <summary>-Functions. A pattern means functions of the session, not of its modules.</summary>
    internal void AddFunctions(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            bool isPattern = WildcardPattern.ContainsWildcardCharacters(name);
            CommandInfo[] found = cmdlet.InvokeCommand.GetCommands(isPattern ? name : WildcardPattern.Unescape(name), CommandTypes.Function | CommandTypes.Filter, isPattern)
                .Where(command => !isPattern || command.Module is null)
                .ToArray();
            if (found.Length == 0 && !isPattern)
            {
                throw new CallRefusedException(ScriptErrors.FunctionNotFound(name));
            }
            foreach (FunctionInfo function in found.OfType<FunctionInfo>())
            {
                AddFunction(function);
            }
        }
    }

    /// <summary>A function of the caller's that its jobs call by name.</summary>
    internal void AddFunction(FunctionInfo function)
    {
        if (Closures.Lost(cmdlet, function.ScriptBlock) is string lost)
        {
            throw new CallRefusedException(ScriptErrors.ClosureRefused(function, lost));
        }
        Functions.Add(function.Name, function.ScriptBlock);
    }

    /// <summary>-ModuleNames: names, paths, and patterns of modules that the caller has imported.</summary>
    internal void AddModules(IEnumerable<string> names)
    {
        PSModuleInfo[]? imported = null;
        foreach (string name in names)
        {
            if (name.IndexOfAny(new[] { '/', '\\' }) >= 0)
            {
                caller.Modules.Add(cmdlet.GetUnresolvedProviderPathFromPSPath(name));
                continue;
            }
            imported ??= ImportedModules();
            var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase);
            string[] found = imported.Where(module => pattern.IsMatch(module.Name)).Select(ImportName).ToArray();
            bool isPattern = WildcardPattern.ContainsWildcardCharacters(name);
            caller.Modules.AddRange(found.Length > 0 || isPattern ? found : new[] { name });
        }
    }

    /// <summary>A module of the caller's, from where the caller has it.</summary>
    /// <returns>It comes along; one without a file cannot.</returns>
    internal bool AddModule(PSModuleInfo module)
    {
        string name = ImportName(module);
        if (caller.Modules.Contains(name))
        {
            return true;
        }
        if (!File.Exists(name))
        {
            return false;
        }
        caller.Modules.Add(name);
        return true;
    }

    /// <summary>The module is among those of -ModuleNames.</summary>
    internal bool HasModule(PSModuleInfo module) => caller.Modules.Contains(ImportName(module));

    /// <summary>A constant cannot be set twice, and these are there already.</summary>
    private static bool IsInEverySession(PSVariable variable) =>
        SessionVariables.Contains(variable.Name)
        && ((variable.Options & ScopedItemOptions.Constant) != 0 || variable.Name.Equals("null", StringComparison.OrdinalIgnoreCase));

    private PSModuleInfo[] ImportedModules()
    {
        Collection<PSObject> modules = cmdlet.InvokeCommand.InvokeScript(
            false, ScriptBlock.Create("Microsoft.PowerShell.Core\\Get-Module"), null, null);
        return modules.Select(module => module.BaseObject).OfType<PSModuleInfo>().ToArray();
    }

    /// <summary>The very module that the caller has; a dynamic one and the engine's own have no file.</summary>
    private static string ImportName(PSModuleInfo module)
    {
        string manifest = Path.Combine(module.ModuleBase ?? "", module.Name + ".psd1");
        return File.Exists(manifest) ? manifest : File.Exists(module.Path) ? module.Path : module.Name;
    }

    private void AddVariable(string name, object? value, string place)
    {
        if (ForeignBlocks.Is(value))
        {
            throw new CallRefusedException(ScriptErrors.ScriptBlockRefused(place, value));
        }
        caller.Variables.Add(new KeyValuePair<string, object?>(name, value));
    }
}
