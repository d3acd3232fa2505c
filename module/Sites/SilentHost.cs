// The host of a pipeline in another session. With the caller's, warnings and what is written to the host would come twice; with
// none of its own user interface, whatever asks a question there fails at once instead of waiting for an answer. Any thread.

using System;
using System.Globalization;
using System.Management.Automation.Host;

namespace RustRunspaces.Sites;

internal sealed class SilentHost : PSHost
{
    private readonly PSHostUserInterface? ui;

    private static readonly Version OwnVersion = typeof(SilentHost).Assembly.GetName().Version ?? new Version(0, 0);

    /// <param name="asked">Called when something asks; null for no user interface.</param>
    internal SilentHost(Action? asked) => ui = asked is null ? null : new SilentUserInterface(asked);

    /// <inheritdoc/>
    public override string Name => "RustRunspaces";

    /// <inheritdoc/>
    public override Version Version => OwnVersion;

    /// <inheritdoc/>
    public override Guid InstanceId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    /// <inheritdoc/>
    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    /// <inheritdoc/>
    public override PSHostUserInterface UI => ui!;

    /// <inheritdoc/>
    public override void EnterNestedPrompt() => throw new NotSupportedException("a session has no prompt of its own");

    /// <inheritdoc/>
    public override void ExitNestedPrompt() => throw new NotSupportedException("a session has no prompt of its own");

    /// <inheritdoc/>
    public override void NotifyBeginApplication()
    {
    }

    /// <inheritdoc/>
    public override void NotifyEndApplication()
    {
    }

    /// <inheritdoc/>
    public override void SetShouldExit(int exitCode)
    {
    }
}
