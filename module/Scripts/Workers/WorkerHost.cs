// The host of a worker's runspace. It reads what it is from the caller's host, shows nothing itself, and cannot ask: what jobs
// write reaches the caller through their streams only, where it can be redirected and silenced. Worker's thread.

using System;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;

namespace RustRunspaces.Scripts.Workers;

internal sealed class WorkerHost : PSHost
{
    private readonly PSHost caller;
    private readonly CallerState state;
    private readonly WorkerUserInterface userInterface;

    internal WorkerHost(CallerState state, IJobDialog dialog)
    {
        this.state = state;
        caller = state.Host;
        userInterface = new WorkerUserInterface(caller.UI?.RawUI, dialog);
    }

    /// <inheritdoc/>
    public override string Name => caller.Name;

    /// <inheritdoc/>
    public override Version Version => caller.Version;

    /// <inheritdoc/>
    public override Guid InstanceId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public override CultureInfo CurrentCulture => state.Culture;

    /// <inheritdoc/>
    public override CultureInfo CurrentUICulture => state.UICulture;

    /// <inheritdoc/>
    public override PSObject PrivateData => caller.PrivateData;

    /// <inheritdoc/>
    public override PSHostUserInterface UI => userInterface;

    internal WorkerUserInterface UserInterface => userInterface;

    /// <inheritdoc/>
    public override void EnterNestedPrompt() => userInterface.Refuse("EnterNestedPrompt");

    /// <inheritdoc/>
    public override void ExitNestedPrompt()
    {
    }

    /// <inheritdoc/>
    public override void NotifyBeginApplication()
    {
    }

    /// <inheritdoc/>
    public override void NotifyEndApplication()
    {
    }

    /// <summary>A job's `exit` ends the job, never the caller.</summary>
    public override void SetShouldExit(int exitCode)
    {
    }
}

/// <summary>What the host has to tell the worker.</summary>
internal interface IJobDialog
{
    /// <summary>The job asked: it has failed, and ends now.</summary>
    void Refused(ErrorRecord error);

    /// <summary>The job wrote to its host directly, not by a cmdlet.</summary>
    void Wrote(HostInformationMessage message);
}
