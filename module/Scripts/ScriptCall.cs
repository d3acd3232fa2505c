// One call with script jobs, checked and made ready: what runs, in which kind of runspace, within which limits. Made on the
// pipeline thread before the pool is opened; immutable, then read by all workers.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

/// <summary>What the caller asked for, as bound. Fields: the runtime would compile thirty accessors in the first call.</summary>
internal sealed class ScriptCallOptions
{
    /// <summary>-ComputerName was given: results go into $Data, and errors carry the host's name.</summary>
    internal bool IsHostForm;

    /// <summary>Null in the command forms.</summary>
    internal ScriptBlock? ScriptBlock;

    /// <summary>Null in the script forms.</summary>
    internal string? CommandName;

    /// <summary>-Parameters of the command; null where there are none.</summary>
    internal IDictionary? Parameters;

    internal string ParameterName = "ComputerName";

    internal object?[] ArgumentList = Array.Empty<object?>();

    internal ScriptBlock? InitializationScript;

    internal string[] Variables = Array.Empty<string>();

    internal string[] Functions = Array.Empty<string>();

    internal string[] ModuleNames = Array.Empty<string>();

    internal bool AsObject;

    /// <summary>Output leaves in the order of the input.</summary>
    internal bool IsOrdered;

    internal bool UseNewRunspace;

    internal int MaximumThreadCount = 32;

    /// <summary>0 means no limit.</summary>
    internal double JobTimeoutSeconds;

    /// <summary>From the run's begin; 0 means no limit.</summary>
    internal double MaximumWaitTimeSeconds;

    internal Apartment Apartment;
}

internal sealed class ScriptCall
{
    private ScriptCall(ScriptCallOptions options, ScriptText text, object?[] rest, CallerState caller, Hashtable data, InitialSessionState template, string? initialization)
    {
        Options = options;
        Text = text;
        Rest = rest;
        Caller = caller;
        Data = data;
        Template = template;
        Initialization = initialization;
    }

    internal ScriptCallOptions Options { get; }

    internal ScriptText Text { get; }

    /// <summary>For <see cref="ScriptText.ArgumentsFor"/>.</summary>
    internal object?[] Rest { get; }

    internal CallerState Caller { get; }

    /// <summary>The synchronized hashtable that jobs see as $Data.</summary>
    internal Hashtable Data { get; }

    internal InitialSessionState Template { get; }

    /// <summary>The text of -InitializationScript; null where there is none.</summary>
    internal string? Initialization { get; }

    /// <summary>What a job writes goes into its entry or record instead of the caller's output.</summary>
    internal bool KeepsOutput => Options.IsHostForm || Options.AsObject;

    /// <summary>A job's errors go into its record instead of the caller's error stream.</summary>
    internal bool KeepsErrors => Options.AsObject;

    /// <param name="cmdlet">The caller's command.</param>
    /// <param name="options">What it was asked.</param>
    /// <exception cref="CallRefusedException">The call cannot be done as asked.</exception>
    internal static ScriptCall Create(PSCmdlet cmdlet, ScriptCallOptions options)
    {
        Check(options);
        var caller = new CallerState(cmdlet);
        caller.AddFunctions(cmdlet, options.Functions);
        caller.AddModules(cmdlet, options.ModuleNames);
        object rest = options.ScriptBlock is null ? FixedParameters(options) : options.ArgumentList;
        ScriptText text = options.ScriptBlock is ScriptBlock block
            ? ScriptText.FromBlock(block)
            : ScriptText.FromCommand(NamedCommand.Find(cmdlet, caller, options.CommandName!, options.ParameterName, (Hashtable)rest), options.ParameterName);
        caller.AddUsing(cmdlet, text.Contents.Using);
        ScriptText? initialization = options.InitializationScript is null ? null : ScriptText.FromInitialization(options.InitializationScript);
        if (initialization is not null)
        {
            caller.AddUsing(cmdlet, initialization.Contents.Using);
        }
        if (text.Contents.HasFile || (initialization?.Contents.HasFile ?? false))
        {
            caller.AddScriptFile(options.ScriptBlock?.File ?? options.InitializationScript?.File);
        }
        caller.AddVariables(cmdlet, options.Variables);
        bool isLean = text.Contents.IsLean && initialization is null && caller.Functions.Count == 0 && caller.Modules.Count == 0;
        var data = Hashtable.Synchronized(new Hashtable(StringComparer.OrdinalIgnoreCase));
        InitialSessionState template = SessionTemplate.Make(caller, data, isLean, isLean && text.Contents.IsCore, cmdlet.MyInvocation.MyCommand.Name, cmdlet.GetType());
        object? Variable(string name) => name == "Data" ? data : caller.Variables.Last(variable => variable.Key == name).Value;
        return new ScriptCall(options, text, text.FixedArguments(Variable, rest), caller, data, template, initialization?.Text);
    }

    private static void Check(ScriptCallOptions options)
    {
        foreach (ScriptBlock? block in new[] { options.ScriptBlock, options.InitializationScript })
        {
            if (block is not null && ForeignBlocks.IsClosure(block))
            {
                throw new CallRefusedException(ScriptErrors.ClosureRefused(block));
            }
        }
        foreach (object? argument in options.ArgumentList)
        {
            if (ForeignBlocks.IsIn(argument))
            {
                throw new CallRefusedException(ScriptErrors.ScriptBlockRefused("-ArgumentList", argument));
            }
        }
        if (ForeignBlocks.IsIn(options.Parameters))
        {
            throw new CallRefusedException(ScriptErrors.ScriptBlockRefused("-Parameters", options.Parameters));
        }
        if (options.Apartment != Apartment.None && !SystemLoader.IsWindows)
        {
            throw new CallRefusedException(ScriptErrors.ApartmentNotSupported(options.Apartment));
        }
    }

    private static Hashtable FixedParameters(ScriptCallOptions options)
    {
        var parameters = new Hashtable(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry parameter in options.Parameters ?? new Hashtable())
        {
            parameters[parameter.Key] = parameter.Value;
        }
        return parameters.ContainsKey(options.ParameterName)
            ? throw new CallRefusedException(ScriptErrors.ParameterTwice(options.ParameterName))
            : parameters;
    }
}
