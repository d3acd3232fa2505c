// Invoke-RustParallel: binds parameters, gives targets to the engine, writes what comes back. The engine decides everything
// about hosts, attempts and time. All methods but StopProcessing run on the pipeline thread, which alone may write.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Commands;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Probes;
using RustRunspaces.Results;

namespace RustRunspaces;

/// <summary>Does one piece of work over many computers.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "RustParallel", DefaultParameterSetName = ItemScriptSet)]
[OutputType(typeof(object), typeof(Hashtable), typeof(HostJobRecord), typeof(ItemJobRecord), typeof(RustParallelJob), typeof(HostResult), typeof(HostStatistics), typeof(TcpHostResult), typeof(TcpHostStatistics))]
public sealed partial class InvokeRustParallelCommand : PSCmdlet, IDisposable
{
    private static readonly string?[] OneNull = { null };

    private IResults results = null!;
    private CallReport report = null!;
    private volatile ProbeRun? run;
    private volatile ScriptCommand? script;
    private List<string>? jobTargets;

    /// <summary>Opens the pool: from here on the maximum wait counts.</summary>
    protected override void BeginProcessing() => Guard(() =>
    {
        if (ParameterSetName != ProbeSet)
        {
            script = new ScriptCommand(this, GetScriptOptions(), AsJob);
            return;
        }
        ProbeSettings settings = GetSettings();
        if (AsJob)
        {
            jobTargets = new List<string>();
            return;
        }
        report = new CallReport(this, MyInvocation.MyCommand.Name, settings, MaximumWaitTimeSeconds);
        report.Started();
        run = new ProbeRun(
            settings,
            MillisecondsLeft(),
            (target, reason) => WriteError(Errors.Rejected(target, reason, settings.AddressFamily)));
        results = AsObject ? new StreamedResults(WriteObject) : new HashtableResults(() => run.HostsKnown);
    });

    /// <summary>Everything that came is on its way when this returns; what has finished meanwhile is written.</summary>
    protected override void ProcessRecord() => Guard(() =>
    {
        if (script is ScriptCommand current)
        {
            AddTo(current);
            return;
        }
        foreach (string? target in ComputerName ?? OneNull)
        {
            if (InvalidItem.TryGet(target, out object? item))
            {
                WriteError(Errors.InvalidItem(item, ComputerNameTransformationAttribute.PropertyNames));
                continue;
            }
            if (jobTargets is not null)
            {
                jobTargets.Add(target!);
                continue;
            }
            run!.Add(target!);
            if (run.IsBatchFull)
            {
                Submit(run);
            }
        }
        if (jobTargets is null)
        {
            Submit(run!);
        }
    });

    /// <summary>Waits for the rest, then writes the hashtable.</summary>
    protected override void EndProcessing() => Guard(() =>
    {
        if (script is not null)
        {
            script.End();
            return;
        }
        if (jobTargets is not null)
        {
            WriteObject(RustParallelJob.Start(this, new ProbeWork(GetSettings(), jobTargets, MaximumWaitTimeSeconds, AsObject)));
            return;
        }
        ProbeRun current = run!;
        current.CloseInput();
        report.InputEnded(current);
        while (!current.IsComplete)
        {
            WaitAndCollect(current);
        }
        report.Finished(current);
        report.Close(current);
        if (results is HashtableResults table)
        {
            WriteObject(table.ToHashtable());
        }
        report.Ended();
    });

    /// <summary>Wakes the pipeline thread, which then leaves. Runs on another thread.</summary>
    protected override void StopProcessing()
    {
        run?.Cancel();
        script?.Cancel();
    }

    /// <summary>Closes the pool on every way out, also where a command downstream ended the pipeline.</summary>
    public void Dispose()
    {
        run?.Dispose();
        script?.Dispose();
    }

    private void Submit(ProbeRun current)
    {
        while (!current.Submit(results))
        {
            WaitAndCollect(current);
        }
        report.HostsKnown(current.HostsKnown);
        current.Collect(results);
        report.Moment(current);
    }

    private void WaitAndCollect(ProbeRun current)
    {
        if (Stopping)
        {
            throw new PipelineStoppedException();
        }
        current.Wait(report.MillisecondsToNextMoment);
        if (Stopping)
        {
            throw new PipelineStoppedException();
        }
        current.Collect(results);
        report.Moment(current);
    }

    /// <summary>A host of the script forms has its name as its key; with -ScriptBlock whatever is piped is an item.</summary>
    private void AddTo(ScriptCommand current)
    {
        if (!IsHostForm)
        {
            current.Add(InputObject);
        }
        else
        {
            foreach (string? host in ComputerName ?? OneNull)
            {
                if (InvalidItem.TryGet(host, out object? item))
                {
                    WriteError(Errors.InvalidItem(item, ComputerNameTransformationAttribute.PropertyNames));
                }
                else if (host!.Length == 0)
                {
                    WriteError(Errors.InvalidItem(host, ComputerNameTransformationAttribute.PropertyNames));
                }
                else
                {
                    current.Add(host);
                }
            }
        }
        current.Flush();
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
            ReplyTimeoutMilliseconds = Given(nameof(ReplyTimeoutMilliseconds)) ? ReplyTimeoutMilliseconds : isTcp ? 2500 : 1000,
            IntervalMilliseconds = IntervalMilliseconds,
            BufferSize = BufferSize,
            MaxHops = MaxHops,
            AddressFamily = IPv4 ? 4 : IPv6 ? 6 : 0,
            Statistics = Statistics,
            ResolveName = ResolveName,
            PacketsPerSecond = PacketsPerSecond,
        };
    }

    /// <summary>What is left of the maximum wait for the pool; 0 means no limit.</summary>
    private ulong MillisecondsLeft() =>
        MaximumWaitTimeSeconds == 0
            ? 0
            : (ulong)Math.Max(1, Math.Ceiling((MaximumWaitTimeSeconds * 1000) - report.Elapsed.TotalMilliseconds));

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
