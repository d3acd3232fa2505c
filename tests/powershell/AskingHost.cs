// A host with a user interface that nobody sits before: it fails where it is asked, as a service's would.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using System.Security;

namespace RustRunspaces.PowerShellTests;

internal sealed class AskingHost : PSHost
{
    public override string Name => "Asking host";

    public override Version Version { get; } = new(1, 0);

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;

    public override PSHostUserInterface UI { get; } = new Nobody();

    /// <summary>A runspace with the module in such a host.</summary>
    internal static Runspace OpenRunspace()
    {
        Runspace runspace = RunspaceFactory.CreateRunspace(new AskingHost(), Session.NewState());
        runspace.Open();
        return runspace;
    }

    public override void EnterNestedPrompt() => throw Asked();

    public override void ExitNestedPrompt()
    {
    }

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }

    public override void SetShouldExit(int exitCode)
    {
    }

    private static InvalidOperationException Asked() => new("The host was asked");

    private sealed class Nobody : PSHostUserInterface
    {
        public override PSHostRawUserInterface RawUI => null!;

        public override string ReadLine() => throw Asked();

        public override SecureString ReadLineAsSecureString() => throw Asked();

        public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) => throw Asked();

        public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) => throw Asked();

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw Asked();

        public override PSCredential PromptForCredential(
            string caption,
            string message,
            string userName,
            string targetName,
            PSCredentialTypes allowedCredentialTypes,
            PSCredentialUIOptions options) => throw Asked();

        public override void Write(string value)
        {
        }

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
        {
        }

        public override void WriteLine(string value)
        {
        }

        public override void WriteErrorLine(string value)
        {
        }

        public override void WriteDebugLine(string message)
        {
        }

        public override void WriteProgress(long sourceId, ProgressRecord record)
        {
        }

        public override void WriteVerboseLine(string message)
        {
        }

        public override void WriteWarningLine(string message)
        {
        }
    }
}
