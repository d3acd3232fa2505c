// The parameters of Invoke-RustParallel that take its work to other computers, and the runs that do it there. What they mean to
// users stands in the help.

using System;
using System.Collections;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using RustRunspaces.Background;
using RustRunspaces.Output;
using RustRunspaces.Probes;
using RustRunspaces.Scripts;
using RustRunspaces.Sites;

namespace RustRunspaces;

public sealed partial class InvokeRustParallelCommand
{
    private const string EachSessionSet = "EachSession";
    private const string EachSessionCommandSet = "EachSessionCommand";

    /// <summary>Open sessions (New-PSSession) that share the hosts, or do all of it each.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    [Parameter(ParameterSetName = EachSessionSet)]
    [Parameter(ParameterSetName = EachSessionCommandSet)]
    [ValidateNotNullOrEmpty]
    public PSSession[]? Session { get; set; }

    /// <summary>Each session does all of it, instead of a share.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [Parameter(Mandatory = true, ParameterSetName = EachSessionSet)]
    [Parameter(Mandatory = true, ParameterSetName = EachSessionCommandSet)]
    // With hosts and a block or command only to be refused in words: else the binder says that it cannot tell what is meant.
    [Parameter(DontShow = true, ParameterSetName = HostScriptSet)]
    [Parameter(DontShow = true, ParameterSetName = HostCommandSet)]
    public SwitchParameter FromEach { get; set; }

    /// <summary>Jobs of a lost session run again in another one.</summary>
    [Parameter(ParameterSetName = HostScriptSet)]
    [Parameter(ParameterSetName = ItemScriptSet)]
    [Parameter(ParameterSetName = HostCommandSet)]
    [Parameter(ParameterSetName = ItemCommandSet)]
    public SwitchParameter RetryLost { get; set; }

    private Func<ISink, IRun> OpenSites(ScriptCall call, PSSession[] sessions)
    {
        bool retriesLost = RetryLost;
        return sink => new SiteScriptRun(call, sessions, retriesLost, sink);
    }

    private Func<ISink, IRun> OpenSites(ProbeSettings settings, PSSession[] sessions)
    {
        bool isFromEach = FromEach;
        return sink => isFromEach ? new EachProbeRun(settings, sessions, sink) : new SiteProbeRun(settings, sessions, sink);
    }

    private bool IsEachSession => ParameterSetName is EachSessionSet or EachSessionCommandSet;

    private Func<ISink, IRun> PrepareEachSession()
    {
        PSSession[] sessions = Session!;
        SessionBlock block;
        if (ScriptBlock is null)
        {
            block = new SessionBlock(CommandName!, Parameters);
        }
        else
        {
            var usings = new Hashtable(StringComparer.Ordinal);
            UsingValues.Read(this, BlockReader.Read(ScriptBlock).Usings, usings);
            block = new SessionBlock(ScriptBlock, ArgumentList ?? Array.Empty<object?>(), usings);
        }
        bool asObject = AsObject;
        double jobSeconds = JobTimeoutSeconds;
        double limitSeconds = MaximumWaitTimeSeconds;
        return sink => new EachSessionRun(block, sessions, asObject, jobSeconds, limitSeconds, sink);
    }

    private void CheckSession()
    {
        // One that is named twice is taken once: it can do one thing at a time.
        Session = Session?.GroupBy(session => session.InstanceId).Select(group => group.First()).ToArray();
        if (Session is null && (FromEach || RetryLost))
        {
            ThrowTerminatingError(SiteErrors.NeedsSession(FromEach ? nameof(FromEach) : nameof(RetryLost)));
        }
        if (!FromEach || (ScriptBlock ?? (object?)CommandName) is null)
        {
            return;
        }
        if (MyInvocation.ExpectingInput)
        {
            ThrowTerminatingError(SiteErrors.TakesNoInput());
        }
        if (!IsEachSession)
        {
            ThrowTerminatingError(SiteErrors.TakesNoHosts());
        }
    }
}
