// The user interface of a pipeline in another session that keeps a lease: refuses whatever asks, at once, and says that something
// asked; what is written to it comes in the pipeline's streams, too, and is dropped here. Any thread.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace RustRunspaces.Sites;

internal sealed class SilentUserInterface : PSHostUserInterface
{
    private readonly Action asked;

    internal SilentUserInterface(Action asked) => this.asked = asked;

    /// <summary>None: text over there is as wide as without a console.</summary>
    public override PSHostRawUserInterface RawUI => null!;

    /// <inheritdoc/>
    public override string ReadLine() => throw Refuse();

    /// <inheritdoc/>
    public override SecureString ReadLineAsSecureString() => throw Refuse();

    /// <inheritdoc/>
    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) => throw Refuse();

    /// <inheritdoc/>
    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) => throw Refuse();

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw Refuse();

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) => throw Refuse();

    /// <inheritdoc/>
    public override void Write(string value)
    {
    }

    /// <inheritdoc/>
    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
    {
    }

    /// <inheritdoc/>
    public override void WriteLine(string value)
    {
    }

    /// <inheritdoc/>
    public override void WriteErrorLine(string value)
    {
    }

    /// <inheritdoc/>
    public override void WriteDebugLine(string message)
    {
    }

    /// <inheritdoc/>
    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
    }

    /// <inheritdoc/>
    public override void WriteVerboseLine(string message)
    {
    }

    /// <inheritdoc/>
    public override void WriteWarningLine(string message)
    {
    }

    private NotSupportedException Refuse()
    {
        asked();
        return new NotSupportedException("A block that runs in a session has nobody to ask");
    }
}
