// The user interface of a worker's host. The engine shows here what it has already put into a stream: that is dropped. What a
// job writes here itself becomes an information record, as Write-Host's. Worker's thread.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts.Workers;

internal sealed class WorkerUserInterface : PSHostUserInterface, IHostUISupportsMultipleChoiceSelection
{
    private static readonly char[] LineBreaks = { '\r', '\n' };

    private readonly IJobDialog dialog;
    private string? shown;

    internal WorkerUserInterface(PSHostRawUserInterface? raw, IJobDialog dialog)
    {
        this.dialog = dialog;
        RawUI = raw is null ? null! : new WorkerRawUserInterface(raw, this);
    }

    /// <inheritdoc/>
    public override PSHostRawUserInterface RawUI { get; }

    /// <summary>A record went into the information stream; the engine shows it next, in this text.</summary>
    internal void Expect(InformationRecord record) =>
        shown = record.MessageData is HostInformationMessage message ? message.Message : record.ToString();

    /// <summary>Ends the job that asked.</summary>
    internal void Refuse(string what)
    {
        dialog.Refused(ScriptErrors.JobCannotAsk(what));
        // No try block of the job's catches it, and the engine's front of the host lets it through: PipelineStoppedException it
        // swallows, and the statements after the question went on with an answer that nobody gave.
        throw new TerminateException();
    }

    /// <inheritdoc/>
    public override void Write(string value) => Show(null, null, value, noNewLine: true);

    /// <inheritdoc/>
    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) =>
        Show(foregroundColor, backgroundColor, value, noNewLine: true);

    /// <inheritdoc/>
    public override void WriteLine(string value) => Show(null, null, value, noNewLine: false);

    /// <inheritdoc/>
    public override void WriteLine(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) =>
        Show(foregroundColor, backgroundColor, value, noNewLine: false);

    /// <inheritdoc/>
    public override void WriteErrorLine(string value) => Show(null, null, value, noNewLine: false);

    // These have been relayed as records before the engine comes here.

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

    /// <inheritdoc/>
    public override string ReadLine() => Asked<string>("ReadLine");

    /// <inheritdoc/>
    public override SecureString ReadLineAsSecureString() => Asked<SecureString>("ReadLineAsSecureString");

    /// <inheritdoc/>
    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) =>
        Asked<Dictionary<string, PSObject>>(Question(caption, message, descriptions.Select(field => field.Name)));

    /// <inheritdoc/>
    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) =>
        Asked<int>(Question(caption, message));

    /// <summary>Several choices. Without it the engine would write the question line by line, and then read a line.</summary>
    public Collection<int> PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, IEnumerable<int> defaultChoices) =>
        Asked<Collection<int>>(Question(caption, message));

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        Asked<PSCredential>(Question(caption, message));

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(
        string caption,
        string message,
        string userName,
        string targetName,
        PSCredentialTypes allowedCredentialTypes,
        PSCredentialUIOptions options) => Asked<PSCredential>(Question(caption, message));

    /// <summary>What a person would have read, as one line. Read-Host has its question as the only field's name.</summary>
    private static string Question(string caption, string message, IEnumerable<string>? fields = null)
    {
        string text = (string.IsNullOrWhiteSpace(message) ? caption ?? "" : message).Trim();
        string question = $"{text} {string.Join(", ", fields ?? Enumerable.Empty<string>())}".Trim();
        return question.Length == 0 ? "a prompt" : string.Join(" ", question.Split(LineBreaks, StringSplitOptions.RemoveEmptyEntries));
    }

    private T Asked<T>(string what)
    {
        Refuse(what);
        return default!;
    }

    private void Show(ConsoleColor? foreground, ConsoleColor? background, string value, bool noNewLine)
    {
        string? expected = shown;
        shown = null;
        if (expected is not null && string.Equals(expected, value, StringComparison.Ordinal))
        {
            return;
        }
        dialog.Wrote(new HostInformationMessage
        {
            Message = value,
            ForegroundColor = foreground,
            BackgroundColor = background,
            NoNewLine = noNewLine,
        });
    }
}
