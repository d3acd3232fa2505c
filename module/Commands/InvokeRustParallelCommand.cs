// Invoke-RustParallel: binds parameters, opens the run that its form asks for, gives hosts or items to the loop that drives it, or
// to a background job. All methods but StopProcessing run on the pipeline thread, which alone may write.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Background;
using RustRunspaces.Commands;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Probes;
using RustRunspaces.Scripts;

namespace RustRunspaces;

/// <summary>Does one piece of work over many computers.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "RustParallel", DefaultParameterSetName = ItemScriptSet)]
[OutputType(typeof(object), typeof(Hashtable), typeof(HostJobRecord), typeof(ItemJobRecord), typeof(RustParallelJob), typeof(HostResult), typeof(HostStatistics), typeof(TcpHostResult), typeof(TcpHostStatistics), typeof(HostReach))]
public sealed partial class InvokeRustParallelCommand : PSCmdlet, IDisposable
{
    private static readonly string?[] OneNull = { null };

    // The event by which the engine has another thread wait for this one, to run a block of this session.
    private const string CodeAwaited = "PowerShell.OnScriptBlockInvoke";

    private static readonly ScriptBlock OneStatement = ScriptBlock.Create("foreach ($_ in 1) { }");

    private Func<ISink, IRun> open = null!;
    private RunLoop loop = null!;
    private List<object?>? jobItems;
    private CallerDebugger? debugger;
    private CallerStreams streams = null!;
    private ScriptCall? scripts;
    private LateUsings? late;
    private int blankLines;
    private volatile IRun? run;

    /// <summary>Checks the call and opens its pool: from here on the maximum wait counts.</summary>
    protected override void BeginProcessing() => Guard(() =>
    {
        if (Ordered && !AsObject && !IsItemForm)
        {
            ThrowTerminatingError(Errors.NothingToOrder());
        }
        CheckSession();
        streams = new CallerStreams(this);
        var report = new CallReport(
            streams.WriteLine,
            new ProgressReporter(WriteProgress, MyInvocation.MyCommand.Name, IsItemForm ? "items" : "hosts"));
        if (!AsJob)
        {
            report.Started();
        }
        open = ParameterSetName == ProbeSet ? PrepareProbes() : IsEachSession ? PrepareEachSession() : PrepareScripts();
        if (AsJob)
        {
            jobItems = new List<object?>();
            return;
        }
        debugger = new CallerDebugger();
        run = open(streams);
        loop = new RunLoop(run, report, debugger.Attach, ThrowIfStopping);
    });

    /// <summary>Everything that came is on its way when this returns; what has finished meanwhile is written.</summary>
    protected override void ProcessRecord() => Guard(() =>
    {
        if (IsEachSession)
        {
            foreach (string session in Sites.Site.NamesOf(Session!))
            {
                Add(session);
            }
        }
        else if (IsItemForm)
        {
            Add(InputObject);
        }
        else
        {
            foreach (string? host in ComputerName ?? OneNull)
            {
                AddHost(host);
            }
        }
        if (jobItems is null)
        {
            loop.Flush();
        }
    });

    /// <summary>Waits for the rest, then writes the hashtable; or writes the background job.</summary>
    protected override void EndProcessing() => Guard(() =>
    {
        if (blankLines > 0)
        {
            streams.WriteLine($"{blankLines} empty lines were skipped, which name no host.");
        }
        if (jobItems is null)
        {
            loop.Finish();
        }
        else
        {
            WriteObject(RustParallelJob.Start(this, ScriptBlock?.ToString() ?? CommandName ?? MyInvocation.Line, open, jobItems));
        }
    });

    /// <summary>Wakes the pipeline thread, which then leaves. Runs on another thread.</summary>
    protected override void StopProcessing() => run?.Cancel();

    /// <summary>Closes the pool on every way out, also where a command downstream ended the pipeline.</summary>
    public void Dispose()
    {
        run?.Dispose();
        debugger?.Detach();
    }

    private Func<ISink, IRun> PrepareProbes()
    {
        ProbeSettings settings = GetSettings();
        if (Session is not null)
        {
            return OpenSites(settings, Session);
        }
        return sink => new ProbeRun(settings, sink);
    }

    private Func<ISink, IRun> PrepareScripts()
    {
        ScriptCall call = ScriptCall.Create(this, GetScriptOptions());
        late = call.Late;
        if (Session is not null)
        {
            return OpenSites(call, Session);
        }
        scripts = call;
        return sink => new ScriptRun(call, sink);
    }

    private void ThrowIfStopping()
    {
        if (Stopping)
        {
            throw new PipelineStoppedException();
        }
        if (scripts is null)
        {
            return;
        }
        if (Events.GetEventSubscribers(CodeAwaited).Any() && scripts.WarningOfWaiting() is string warning)
        {
            streams.WriteWarning(warning);
        }
        if (scripts.HasForeignCode)
        {
            // The engine has jobs wait until this thread runs a statement: code of the caller's objects runs then, on it.
            InvokeCommand.InvokeScript(true, OneStatement, null, null);
            loop.LongestWait = 5;
        }
    }

    private void AddHost(string? host)
    {
        if (InvalidItem.TryGet(host, out object? item))
        {
            WriteError(Errors.InvalidItem(item, ComputerNameTransformationAttribute.PropertyNames));
        }
        else if (host!.Trim() is { Length: > 0 } name)
        {
            // Not the line of a file, whose end or margin is no part of the name.
            Add(name);
        }
        else
        {
            blankLines++;
        }
    }

    private void Add(object? item)
    {
        late?.Take();
        if (jobItems is null)
        {
            loop.Add(item);
        }
        else
        {
            jobItems.Add(item);
        }
    }

    private ProbeSettings GetSettings()
    {
        if (IPv4 && IPv6)
        {
            ThrowTerminatingError(Errors.AddressFamilyConflict());
        }
        bool isTcp = TcpPort is not null;
        bool Given(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);
        return new ProbeSettings
        {
            Ports = (TcpPort ?? Array.Empty<int>()).Distinct().Select(port => (ushort)port).ToArray(),
            Count = Given(nameof(Count)) ? Count : isTcp ? 1 : 4,
            ReplyTimeoutMilliseconds = ReplyTimeoutMilliseconds,
            IntervalMilliseconds = IntervalMilliseconds,
            BufferSize = BufferSize,
            MaxHops = MaxHops,
            AddressFamily = IPv4 ? 4 : IPv6 ? 6 : 0,
            Statistics = Statistics,
            ResolveName = ResolveName,
            PacketsPerSecond = PacketsPerSecond,
            MaximumWaitSeconds = MaximumWaitTimeSeconds,
            AsObject = AsObject,
            IsOrdered = Ordered,
        };
    }

    private void Guard(Action body)
    {
        try
        {
            body();
        }
        catch (NativeException error)
        {
            ThrowTerminatingError(Errors.From(error));
        }
        catch (CallRefusedException error)
        {
            ThrowTerminatingError(error.Record);
        }
        catch (LibraryException error)
        {
            ThrowTerminatingError(Errors.From(error));
        }
    }
}
