// The parameters of Invoke-RustParallel's script and command forms. What they mean to users stands in the help.

using System;
using System.Collections;
using System.Management.Automation;
using RustRunspaces.Native;
using RustRunspaces.Scripts;

namespace RustRunspaces;

public sealed partial class InvokeRustParallelCommand
{
    private const string HostScriptSet = "HostScript";
    private const string ItemScriptSet = "ItemScript";
    private const string HostCommandSet = "HostCommand";
    private const string ItemCommandSet = "ItemCommand";

    /// <summary>Items: with -ScriptBlock or -CommandName whatever is piped.</summary>
    [Parameter(ValueFromPipeline = true, ParameterSetName = ItemScriptSet)]
    [Parameter(ValueFromPipeline = true, ParameterSetName = ItemCommandSet)]
    [AllowNull]
    public object? InputObject { get; set; }

    /// <summary>What to run for each host or item.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = HostScriptSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ItemScriptSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = EachSessionSet)]
    [Alias("Parallel")]
    public ScriptBlock? ScriptBlock { get; set; }

    /// <summary>The command to run for each host or item.</summary>
    [Parameter(Mandatory = true, ParameterSetName = HostCommandSet)]
    [Parameter(Mandatory = true, ParameterSetName = ItemCommandSet)]
    [Parameter(Mandatory = true, ParameterSetName = EachSessionCommandSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(CommandNameCompleter))]
    public string? CommandName { get; set; }

    /// <summary>Parameters of the command that are the same for every host or item.</summary>
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [Parameter(ParameterSetName = EachSessionCommandSet)]
    [Alias("Parameter")]
    public IDictionary? Parameters { get; set; }

    /// <summary>The parameter of the command that the host or item is bound to.</summary>
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [ValidateNotNullOrEmpty]
    [ValidatePattern(@"^\w+$")]
    public string ParameterName { get; set; } = "ComputerName";

    /// <summary>Arguments of the block after the host or item.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = EachSessionSet)]
    [Alias("Args")]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[]? ArgumentList { get; set; }

    /// <summary>Script jobs at a time.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [Alias("ThrottleLimit")]
    [ValidateRange(1, 1024)]
    public int MaximumThreadCount { get; set; } = 32;

    /// <summary>How long each job may take; 0 means no limit.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [Parameter(ParameterSetName = EachSessionSet)]
    [Parameter(ParameterSetName = EachSessionCommandSet)]
    [ValidateRange(0.0, 2_147_483.0)]
    public double JobTimeoutSeconds { get; set; }

    /// <summary>Runs once in each runspace before its first job.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    public ScriptBlock? InitializationScript { get; set; }

    /// <summary>Variables of the caller that jobs see; wildcards.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [Alias("Variable")]
    [ValidateNotNullOrEmpty]
    public string[] Variables { get; set; } = Array.Empty<string>();

    /// <summary>Functions of the caller that jobs can call; wildcards.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [Alias("Function")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FunctionNameCompleter))]
    public string[] Functions { get; set; } = Array.Empty<string>();

    /// <summary>Modules that are imported into each runspace; names, paths, wildcards.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [Alias("ModuleName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModuleNameCompleter))]
    public string[] ModuleNames { get; set; } = Array.Empty<string>();

    /// <summary>A fresh runspace for each job.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    public SwitchParameter UseNewRunspace { get; set; }

    /// <summary>The COM apartment of the jobs' threads; Windows only.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [ValidateSet("STA", "MTA")]
    public string? ApartmentState { get; set; }

    /// <summary>Run in the background.</summary>
    [Parameter]
    public SwitchParameter AsJob { get; set; }

    private bool IsHostForm => ParameterSetName is HostScriptSet or HostCommandSet;

    private bool IsItemForm => ParameterSetName is ItemScriptSet or ItemCommandSet;

    private ScriptCallOptions GetScriptOptions()
    {
        // Without hosts the input may come for hours, so there is no limit then unless one was asked for.
        bool isLimited = IsHostForm || MyInvocation.BoundParameters.ContainsKey(nameof(MaximumWaitTimeSeconds));
        double seconds = isLimited ? MaximumWaitTimeSeconds : 0;
        return new ScriptCallOptions
        {
            IsHostForm = IsHostForm,
            ScriptBlock = ScriptBlock,
            CommandName = CommandName,
            Parameters = Parameters,
            ParameterName = ParameterName,
            ArgumentList = ArgumentList ?? Array.Empty<object?>(),
            InitializationScript = InitializationScript,
            Variables = Variables,
            Functions = Functions,
            ModuleNames = ModuleNames,
            AsObject = AsObject,
            IsOrdered = Ordered,
            UseNewRunspace = UseNewRunspace,
            MaximumThreadCount = MaximumThreadCount,
            JobTimeoutSeconds = JobTimeoutSeconds,
            MaximumWaitTimeSeconds = seconds,
            Apartment = ApartmentState switch
            {
                "STA" => Apartment.SingleThreaded,
                "MTA" => Apartment.MultiThreaded,
                // As in the article that the host form follows, and as in ForEach-Object -Parallel, which the item
                // form follows: there WaitHandle.WaitAll takes several handles, which an STA refuses.
                _ => !SystemLoader.IsWindows ? Apartment.None : IsHostForm ? Apartment.SingleThreaded : Apartment.MultiThreaded,
            },
        };
    }
}
