// One call with script jobs, checked and made ready: what runs, in which kind of runspace, within which limits. Made on the
// pipeline thread before the pool is opened; immutable, then read by all workers.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
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
    private ScriptCall(ScriptCallOptions options, Hashtable? data, CallerFunctions functions, WorkerSetup setup)
    {
        Options = options;
        Data = data;
        Functions = functions;
        Setup = setup;
    }

    internal ScriptCallOptions Options { get; }

    /// <summary>The synchronized hashtable that jobs of the host form see as $Data; null in the item form.</summary>
    internal Hashtable? Data { get; }

    internal CallerFunctions Functions { get; }

    internal WorkerSetup Setup { get; }

    /// <summary>Values that come with each item; null where there are none.</summary>
    internal LateUsings? Late { get; private set; }

    /// <summary>Jobs were given objects whose code runs in the caller's session: the caller's thread has to let it. Any thread.</summary>
    internal bool HasForeignCode { get; private set; }

    /// <summary>The first object with code of the call: what to say of it; null for any other.</summary>
    /// <param name="place">Where it was found, as the subject of a sentence.</param>
    /// <param name="value">The object.</param>
    /// <param name="isThorough">Look at its members, too, which takes a few microseconds.</param>
    internal string? WarningOf(string place, object? value, bool isThorough = true)
    {
        if (HasForeignCode || ForeignCode.Find(value, isThorough) is not string type)
        {
            return null;
        }
        HasForeignCode = true;
        return ForeignCode.Warning(place, type);
    }

    /// <summary>A job waits for the caller's thread to run code of an object's: what to say of it if nothing was said before.</summary>
    internal string? WarningOfWaiting()
    {
        bool isKnown = HasForeignCode;
        HasForeignCode = true;
        return isKnown ? null : ForeignCode.Warning();
    }

    /// <summary>What the caller probably did not mean.</summary>
    internal IReadOnlyList<string> Warnings { get; private set; } = Array.Empty<string>();

    /// <param name="cmdlet">The call's cmdlet.</param>
    /// <param name="options">What it was asked.</param>
    /// <exception cref="CallRefusedException">The call cannot be done as asked.</exception>
    /// <param name="brought">What was read where the caller is, on the far side of a call over sessions; else null.</param>
    internal static ScriptCall Create(PSCmdlet cmdlet, ScriptCallOptions options, BroughtAlong? brought = null)
    {
        Check(cmdlet, options);
        var caller = new CallerState(cmdlet);
        var functions = new CallerFunctions();
        var imports = new CallerImports(cmdlet, caller, functions);
        brought?.AddTo(caller, functions);
        imports.AddFunctions(options.Functions);
        imports.AddModules(options.ModuleNames);
        Hashtable? data = options.IsHostForm ? Hashtable.Synchronized(new Hashtable(StringComparer.OrdinalIgnoreCase)) : null;
        IScriptExtent position = options.ScriptBlock?.Ast.Extent ?? PositionOf(cmdlet.MyInvocation);
        BlockContents contents = options.ScriptBlock is ScriptBlock given ? BlockReader.Read(given) : new BlockContents { IsLean = false };
        JobBlock block = options.ScriptBlock is ScriptBlock written
            ? JobBlocks.FromBlock(written, contents, data, options.ArgumentList)
            : FromCommand(cmdlet, imports, position, options);
        IReadOnlyList<KeyValuePair<string, Func<object?>>> late = brought is null
            ? UsingValues.Read(cmdlet, contents.Usings, caller.Usings)
            : brought.LateKeys.Select(key => new KeyValuePair<string, Func<object?>>(key, () => null)).ToArray();
        if (brought is null && options.InitializationScript is ScriptBlock initialization)
        {
            UsingValues.Read(cmdlet, BlockReader.Read(initialization).Usings, caller.Usings);
        }
        imports.AddVariables(options.Variables);
        bool isLean = contents.IsLean && options.InitializationScript is null && functions.Count == 0 && caller.Modules.Count == 0;
        // Jobs call by the same cmdlet; in another session it stands beside the one that runs here.
        string cmdletName = brought is null ? cmdlet.MyInvocation.MyCommand.Name : SessionTemplate.CmdletName;
        Type cmdletType = brought is null
            ? cmdlet.GetType()
            : cmdlet.MyInvocation.MyCommand.Module.ExportedCmdlets[SessionTemplate.CmdletName].ImplementingType;
        InitialSessionState template = SessionTemplate.Make(caller, data, isLean, isLean && contents.IsCore, cmdletName, cmdletType);
        var setup = new WorkerSetup(
            caller,
            template,
            block,
            options.InitializationScript is null ? null : JobBlocks.Initialization(options.InitializationScript),
            position)
        {
            Definitions = functions.Definitions(),
            FunctionBlocks = functions.Blocks,
            KeepsOutput = options.IsHostForm || options.AsObject,
            KeepsErrors = options.AsObject,
            IsOrdered = options.IsOrdered,
            UseNewRunspace = options.UseNewRunspace,
            LateKeys = late.Select(variable => variable.Key).ToArray(),
            ChangesSession = !options.UseNewRunspace && (!contents.IsLean || contents.NamesScope),
        };
        var call = new ScriptCall(options, data, functions, setup)
        {
            Late = late.Count == 0 ? null : new LateUsings(late),
        };
        call.Warnings = call.FindWarnings(contents);
        return call;
    }

    private static JobBlock FromCommand(PSCmdlet cmdlet, CallerImports imports, IScriptExtent position, ScriptCallOptions options)
    {
        Hashtable parameters = FixedParameters(options);
        string command = NamedCommand.Find(cmdlet, imports, options.CommandName!, options.ParameterName, parameters, out Func<string, ParameterForm> formOf);
        return JobBlocks.FromCommand(position, command, options.ParameterName, parameters, formOf);
    }

    /// <summary>From the beginning of the call to the end of its line: the engine keeps the exact end to itself.</summary>
    private static ScriptExtent PositionOf(InvocationInfo call)
    {
        string line = call.Line ?? "";
        // A program's call stands in no line: then all of this is nothing.
        int start = Math.Max(1, call.OffsetInLine);
        return new ScriptExtent(
            new ScriptPosition(call.ScriptName, call.ScriptLineNumber, start, line),
            new ScriptPosition(call.ScriptName, call.ScriptLineNumber, Math.Max(start, line.TrimEnd().Length + 1), line));
    }

    private string[] FindWarnings(BlockContents contents)
    {
        CallerState caller = Setup.Caller;
        IEnumerable<string?> foreign = caller.Usings.Values.Cast<object?>().Select(value => WarningOf("A value of $using:", value))
            .Concat(caller.Variables.Select(variable => WarningOf("$" + variable.Key, variable.Value)))
            .Concat(Options.ArgumentList.Select(value => WarningOf("A value of -ArgumentList", value)))
            .Concat((Options.Parameters?.Values.Cast<object?>() ?? Enumerable.Empty<object?>()).Select(value => WarningOf("A value of -Parameters", value)));
        return foreign.Concat(new[] { DataWarning(caller, contents, Data) }).OfType<string>().ToArray();
    }

    private string? DataWarning(CallerState caller, BlockContents contents, Hashtable? data)
    {
        bool brings = caller.Variables.Exists(variable => variable.Key.Equals(SessionTemplate.DataVariable, StringComparison.OrdinalIgnoreCase));
        if (data is not null && brings)
        {
            return "-Variables names Data, but with -ComputerName $Data is the table of results in every job: give the caller's variable another name";
        }
        return data is null && contents.HasDataEntries && !brings
            && !(Options.InitializationScript is ScriptBlock initialization && BlockReader.Read(initialization).OwnsData)
            ? "The block uses entries of $Data, which does not exist for items: use -ComputerName to get a table of results"
            : null;
    }

    private static void Check(PSCmdlet cmdlet, ScriptCallOptions options)
    {
        foreach (ScriptBlock? block in new[] { options.ScriptBlock, options.InitializationScript })
        {
            if (block is not null && Closures.Lost(cmdlet, block) is string lost)
            {
                throw new CallRefusedException(ScriptErrors.ClosureRefused(block, lost));
            }
        }
        foreach (object? argument in options.ArgumentList)
        {
            if (ForeignBlocks.Is(argument))
            {
                throw new CallRefusedException(ScriptErrors.ScriptBlockRefused("-ArgumentList", argument));
            }
        }
        foreach (object? value in options.Parameters?.Values ?? Array.Empty<object?>())
        {
            if (ForeignBlocks.Is(value))
            {
                throw new CallRefusedException(ScriptErrors.ScriptBlockRefused("-Parameters", options.Parameters));
            }
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
