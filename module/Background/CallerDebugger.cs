// Brings a job that stops in its debugger (Wait-Debugger, a breakpoint) to the debugger of the caller's session, where its host
// shows it. The engine keeps such a stop until somebody listens, so looking at each moment of the rhythm is early enough. Pipeline
// thread; the stop itself is handled on the worker's.

using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;

namespace RustRunspaces.Background;

internal sealed class CallerDebugger
{
    // Public in every engine but not in the reference assembly; without them a job waits for Debug-Runspace, as it does elsewhere.
    private static readonly Type? Information = Engine("System.Management.Automation.Internal.PSStandaloneMonitorRunspaceInfo");
    private static readonly MethodInfo? Start = Monitoring("StartMonitoringRunspace");
    private static readonly MethodInfo? End = Monitoring("EndMonitoringRunspace");

    // Whether somebody listens: else the stop would be over at once, and Debug-Runspace could not come to it.
    private static readonly PropertyInfo? IsListening = typeof(Debugger).GetProperty("IsDebugHandlerSubscribed", BindingFlags.Instance | BindingFlags.NonPublic);

    private readonly Debugger? debugger = Runspace.DefaultRunspace?.Debugger;
    private readonly Dictionary<Guid, Runspace> attached = new Dictionary<Guid, Runspace>();

    /// <summary>Takes on a job that has stopped; one at a time, since a person can look at one.</summary>
    internal void Attach(IReadOnlyList<RunningItem> running)
    {
        if (debugger is null || Information is null || Start is null)
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
            if (item.Runspace.Debugger is { InBreakpoint: true } && !Equals(IsListening?.GetValue(debugger), false))
            {
                attached.Add(item.Runspace.InstanceId, item.Runspace);
                Invoke(Start, item.Runspace);
                return;
            }
        }
    }

    /// <summary>The call is over: its runspaces are the caller's debugger's no more.</summary>
    internal void Detach()
    {
        foreach (Runspace runspace in attached.Values)
        {
            Invoke(End, runspace);
        }
        attached.Clear();
    }

    private static Type? Engine(string name) => typeof(PSObject).Assembly.GetType(name);

    private static MethodInfo? Monitoring(string name) =>
        Engine("System.Management.Automation.Internal.DebuggerUtils")?.GetMethod(name, BindingFlags.Public | BindingFlags.Static);

    private void Invoke(MethodInfo? method, Runspace runspace) =>
        method?.Invoke(null, new[] { debugger, Activator.CreateInstance(Information!, runspace) });
}
