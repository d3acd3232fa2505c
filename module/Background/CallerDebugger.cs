// Brings a job that stops in its debugger (Wait-Debugger, a breakpoint) to the debugger of the caller's session, where its host
// shows it. The engine keeps such a stop until somebody listens, so looking at each moment of the rhythm is early enough. Pipeline
// thread; the stop itself is handled on the worker's.

using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

internal sealed class CallerDebugger
{
    private const string Namespace = "System.Management.Automation.Internal.";

    // Public in every engine but not in the reference assembly; without them a job waits for Debug-Runspace, as it does elsewhere.
    private readonly Type? information = EngineMembers.Type(Namespace + "PSStandaloneMonitorRunspaceInfo");
    private readonly MethodInfo? start = Monitoring("StartMonitoringRunspace");
    private readonly MethodInfo? end = Monitoring("EndMonitoringRunspace");

    // Whether somebody listens: else the stop would be over at once, and Debug-Runspace could not come to it.
    private readonly PropertyInfo? isListening = EngineMembers.Property(typeof(Debugger), "IsDebugHandlerSubscribed");

    private readonly Debugger? debugger = Runspace.DefaultRunspace?.Debugger;
    private readonly Dictionary<Guid, Runspace> attached = new Dictionary<Guid, Runspace>();

    /// <summary>Takes on a job that has stopped; one at a time, since a person can look at one.</summary>
    internal void Attach(IReadOnlyList<RunningItem> running)
    {
        if (debugger is null || information is null || start is null)
        {
            return;
        }
        foreach (RunningItem item in running)
        {
            if (item.Runspace.Debugger is { InBreakpoint: true } && attached.ContainsKey(item.Runspace.InstanceId))
            {
                return;
            }
        }
        foreach (RunningItem item in running)
        {
            if (item.Runspace.Debugger is { InBreakpoint: true } && !Equals(isListening?.GetValue(debugger), false))
            {
                attached.Add(item.Runspace.InstanceId, item.Runspace);
                Invoke(start, item.Runspace);
                return;
            }
        }
    }

    /// <summary>The call is over: its runspaces are the caller's debugger's no more.</summary>
    internal void Detach()
    {
        foreach (Runspace runspace in attached.Values)
        {
            Invoke(end, runspace);
        }
        attached.Clear();
    }

    private static MethodInfo? Monitoring(string name) => EngineMembers.Method(EngineMembers.Type(Namespace + "DebuggerUtils"), name);

    private void Invoke(MethodInfo? method, Runspace runspace) =>
        method?.Invoke(null, new[] { debugger, Activator.CreateInstance(information!, runspace) });
}
