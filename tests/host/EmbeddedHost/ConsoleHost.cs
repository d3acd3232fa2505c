// The PSHost of this console: identity, cultures, exit code. Used on the pipeline thread.

using System;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Reflection;

namespace RustRunspaces.EmbeddedHost;

internal sealed class ConsoleHost : PSHost
{
    private readonly ConsoleUserInterface _userInterface = new();

    /// <summary>The code given to <c>exit</c>, or null when the script did not call it.</summary>
    public int? ExitCode { get; private set; }

    public override string Name => "EmbeddedHost";

    public override Version Version { get; } = Assembly.GetExecutingAssembly().GetName().Version!;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override CultureInfo CurrentCulture { get; } = CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture { get; } = CultureInfo.CurrentUICulture;

    public override PSHostUserInterface UI => _userInterface;

    public void CompleteProgress() => _userInterface.ClearProgress();

    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;

    public override void EnterNestedPrompt() =>
        throw new PSNotSupportedException("This console has no nested prompt");

    public override void ExitNestedPrompt() =>
        throw new PSNotSupportedException("This console has no nested prompt");

    // Native commands inherit the console as it is: there is no state to save.
    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }
}
