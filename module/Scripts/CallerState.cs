// What the caller's session gives to the runspaces of its jobs: place, culture, language mode, streams, and the variables,
// functions and modules that were asked for. Read once, on the pipeline thread; immutable, then read by all workers.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using System.Threading;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts;

internal sealed class CallerState
{
    // Not for a pattern to bring along: the session's own, and what decides which streams a worker writes.
    private static readonly HashSet<string> SessionVariables = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "_", "args", "ConfirmPreference", "ConsoleFileName", "DebugPreference", "Error", "ErrorView", "ExecutionContext", "foreach",
        "HOME", "Host", "InformationPreference", "input", "LASTEXITCODE", "Matches", "MyInvocation", "NestedPromptLevel", "null",
        "OutputEncoding", "PID", "PROFILE", "ProgressPreference", "PSBoundParameters", "PSCmdlet", "PSCommandPath", "PSCulture",
        "PSDefaultParameterValues", "PSEdition", "PSHOME", "PSItem", "PSScriptRoot", "PSSessionApplicationName",
        "PSSessionConfigurationName", "PSSessionOption", "PSStyle", "PSUICulture", "PSVersionTable", "PWD", "ShellId", "StackTrace",
        "switch", "this", "VerbosePreference", "WarningPreference", "WhatIfPreference", "true", "false", "?", "^", "$",
    };

    private readonly List<KeyValuePair<string, object?>> variables = new List<KeyValuePair<string, object?>>();
    private readonly List<KeyValuePair<string, string>> functions = new List<KeyValuePair<string, string>>();
    private readonly List<string> modules = new List<string>();

    internal CallerState(PSCmdlet cmdlet)
    {
        Host = cmdlet.Host;
        LanguageMode = cmdlet.SessionState.LanguageMode;
        PathInfo location = cmdlet.SessionState.Path.CurrentLocation;
        Location = location.Path;
        FileSystemLocation = cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath;
        Culture = Thread.CurrentThread.CurrentCulture;
        UICulture = Thread.CurrentThread.CurrentUICulture;
        Verbose = Wants(cmdlet, "Verbose", "VerbosePreference");
        Debug = Wants(cmdlet, "Debug", "DebugPreference");
    }

    internal PSHost Host { get; }

    internal PSLanguageMode LanguageMode { get; }

    /// <summary>The caller's location; its drive may exist in the caller's session only.</summary>
    internal string Location { get; }

    /// <summary>Where to go if <see cref="Location"/> cannot be reached.</summary>
    internal string FileSystemLocation { get; }

    internal CultureInfo Culture { get; }

    internal CultureInfo UICulture { get; }

    /// <summary>The caller would show or collect verbose records.</summary>
    internal bool Verbose { get; }

    /// <summary>The caller would show or collect debug records.</summary>
    internal bool Debug { get; }

    internal IReadOnlyList<KeyValuePair<string, object?>> Variables => variables;

    /// <summary>Names and definitions.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Functions => functions;

    /// <summary>Names or paths, as Import-Module takes them.</summary>
    internal IReadOnlyList<string> Modules => modules;

    /// <summary>The values of a block's $using:, read in the caller's scope.</summary>
    internal void AddUsing(PSCmdlet cmdlet, IEnumerable<string> paths)
    {
        foreach (string path in paths)
        {
            // Another drive's items are no PSVariable; of a variable that is set to $null there is one.
            PSVariable? variable = cmdlet.SessionState.PSVariable.Get(path);
            object? value = variable is null ? cmdlet.SessionState.PSVariable.GetValue(path) : variable.Value;
            if (variable is null && value is null)
            {
                throw new CallRefusedException(ScriptErrors.UsingNotSet(path));
            }
            AddVariable(ScriptText.UsingName(path), value, "$using:" + path);
        }
    }

    /// <summary>$PSScriptRoot and $PSCommandPath of the file that the block stands in.</summary>
    internal void AddScriptFile(string? file)
    {
        variables.Add(new KeyValuePair<string, object?>(ScriptText.ScriptRootName, string.IsNullOrEmpty(file) ? "" : Path.GetDirectoryName(file)));
        variables.Add(new KeyValuePair<string, object?>(ScriptText.CommandPathName, file ?? ""));
    }

    /// <summary>-Variables.</summary>
    internal void AddVariables(PSCmdlet cmdlet, IEnumerable<string> names)
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
                    && !ForeignBlocks.IsIn(variable.Value);
                if (isMeant)
                {
                    variables.Add(new KeyValuePair<string, object?>(variable.Name, variable.Value));
                }
            }
        }
    }

    /// <summary>-Functions. A pattern means functions of the session, not of its modules.</summary>
    internal void AddFunctions(PSCmdlet cmdlet, IEnumerable<string> names)
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
        if (ForeignBlocks.IsClosure(function.ScriptBlock))
        {
            throw new CallRefusedException(ScriptErrors.ClosureRefused(function));
        }
        functions.Add(new KeyValuePair<string, string>(function.Name, Definition(function)));
    }

    /// <summary>-ModuleNames: names, paths, and patterns of modules that the caller has imported.</summary>
    internal void AddModules(PSCmdlet cmdlet, IEnumerable<string> names)
    {
        PSModuleInfo[]? imported = null;
        foreach (string name in names)
        {
            if (name.IndexOfAny(new[] { '/', '\\' }) >= 0)
            {
                modules.Add(cmdlet.GetUnresolvedProviderPathFromPSPath(name));
                continue;
            }
            imported ??= ImportedModules(cmdlet);
            var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase);
            string[] found = imported.Where(module => pattern.IsMatch(module.Name)).Select(ImportName).ToArray();
            bool isPattern = WildcardPattern.ContainsWildcardCharacters(name);
            modules.AddRange(found.Length > 0 || isPattern ? found : new[] { name });
        }
    }

    /// <summary>A module of the caller's, from where the caller has it.</summary>
    /// <returns>It comes along; one without a file cannot.</returns>
    internal bool AddModule(PSModuleInfo module)
    {
        string name = ImportName(module);
        if (modules.Contains(name))
        {
            return true;
        }
        if (!File.Exists(name))
        {
            return false;
        }
        modules.Add(name);
        return true;
    }

    /// <summary>The module is among those of -ModuleNames.</summary>
    internal bool HasModule(PSModuleInfo module) => modules.Contains(ImportName(module));

    /// <summary>A constant cannot be set twice, and these are there already.</summary>
    private static bool IsInEverySession(PSVariable variable) =>
        SessionVariables.Contains(variable.Name)
        && ((variable.Options & ScopedItemOptions.Constant) != 0 || variable.Name.Equals("null", StringComparison.OrdinalIgnoreCase));

    /// <summary>A session state entry makes a function of any definition; what makes a filter is the block its statements are in.</summary>
    private static string Definition(FunctionInfo function)
    {
        string text = function.Definition;
        ScriptBlockAst? body = function is FilterInfo ? Parser.ParseInput(text, out _, out _) : null;
        if (body?.EndBlock is null || !body.EndBlock.Unnamed)
        {
            return text;
        }
        int start = body.ParamBlock?.Extent.EndOffset ?? 0;
        return text.Substring(0, start) + " process {" + text.Substring(start) + "\n}";
    }

    private static PSModuleInfo[] ImportedModules(PSCmdlet cmdlet)
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

    private static bool Wants(PSCmdlet cmdlet, string parameter, string preference)
    {
        if (cmdlet.MyInvocation.BoundParameters.TryGetValue(parameter, out object given))
        {
            return given is SwitchParameter asked && asked.IsPresent;
        }
        object? value = cmdlet.GetVariableValue(preference);
        return LanguagePrimitives.TryConvertTo(value, out ActionPreference chosen)
            && chosen is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore);
    }

    private void AddVariable(string name, object? value, string place)
    {
        if (ForeignBlocks.IsIn(value))
        {
            throw new CallRefusedException(ScriptErrors.ScriptBlockRefused(place, value));
        }
        variables.Add(new KeyValuePair<string, object?>(name, value));
    }
}
