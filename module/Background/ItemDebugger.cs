// The debugger of a child job: that of the runspace in which its item runs, for Debug-Job. Listens from the moment it is given a
// parent, so that a stop that came before is not lost. Any thread.

using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Host;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

internal sealed class ItemDebugger : Debugger
{
    private readonly Debugger inner;
    private readonly string name;
    private volatile bool isListening;

    /// <param name="inner">The runspace's.</param>
    /// <param name="name">The child job's, for the prompt.</param>
    internal ItemDebugger(Debugger inner, string name)
    {
        this.inner = inner;
        this.name = name;
    }

    /// <inheritdoc/>
    public override bool InBreakpoint => inner.InBreakpoint;

    /// <inheritdoc/>
    public override DebuggerCommandResults ProcessCommand(PSCommand command, PSDataCollection<PSObject> output)
    {
        if (!command.Commands[0].CommandText.Trim().Equals("prompt", System.StringComparison.OrdinalIgnoreCase))
        {
            return inner.ProcessCommand(command, output);
        }
        var prompt = new PSCommand();
        prompt.AddScript("\"[DBG]: [$($args[0])]: PS $($ExecutionContext.SessionState.Path.CurrentLocation)>> \"").AddArgument(name);
        inner.ProcessCommand(prompt, output);
        return new DebuggerCommandResults(null, true);
    }

    /// <inheritdoc/>
    public override void SetDebuggerAction(DebuggerResumeAction resumeAction) => inner.SetDebuggerAction(resumeAction);

    /// <inheritdoc/>
    public override void StopProcessCommand() => inner.StopProcessCommand();

    /// <inheritdoc/>
    public override DebuggerStopEventArgs GetDebuggerStopArgs() => inner.GetDebuggerStopArgs();

    /// <inheritdoc/>
    public override void SetDebugMode(DebugModes mode)
    {
        inner.SetDebugMode(mode);
        base.SetDebugMode(mode);
    }

    /// <inheritdoc/>
    public override IEnumerable<CallStackFrame> GetCallStack() => inner.GetCallStack();

    /// <inheritdoc/>
    public override void SetDebuggerStepMode(bool enabled) => inner.SetDebuggerStepMode(enabled);

    /// <inheritdoc/>
    public override void SetParent(Debugger parent, IEnumerable<Breakpoint> breakPoints, DebuggerResumeAction? startAction, PSHost host, PathInfo path)
    {
        if (!isListening)
        {
            isListening = true;
            inner.DebuggerStop += OnStop;
            inner.BreakpointUpdated += OnBreakpoint;
        }
        // Somebody who debugs a job wants to see its next statement, unless it stands at one.
        if (!inner.InBreakpoint)
        {
            inner.SetDebuggerStepMode(true);
        }
        ReleaseStop();
    }

    /// <summary>
    /// The engine keeps a stop until somebody listens, and has to be told so. It asks first and begins to wait later, so that what it
    /// is told between is lost: to be called again and again. Internal in every version; without it the person who debugs continues
    /// a job that waits already by Debug-Runspace.
    /// </summary>
    internal void ReleaseStop()
    {
        if (isListening)
        {
            EngineMembers.Method(typeof(Debugger), "ReleaseSavedDebugStop")?.Invoke(inner, null);
        }
    }

    /// <summary>The item has ended: the runspace is another one's now.</summary>
    internal void End()
    {
        if (isListening)
        {
            isListening = false;
            inner.DebuggerStop -= OnStop;
            inner.BreakpointUpdated -= OnBreakpoint;
        }
    }

    private void OnStop(object sender, DebuggerStopEventArgs stop) => RaiseDebuggerStopEvent(stop);

    private void OnBreakpoint(object sender, BreakpointUpdatedEventArgs update) => RaiseBreakpointUpdatedEvent(update);
}
