// Writes every stream to the console the way pwsh does: errors to standard error, all else to
// standard output, progress as one line on a terminal only. Called from any thread that runs a
// pipeline with this host, so every write holds the lock.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace RustRunspaces.EmbeddedHost;

internal sealed class ConsoleUserInterface : PSHostUserInterface
{
    private readonly object _lock = new();
    private readonly ConsoleRawUserInterface _rawUserInterface = new();
    private bool _progressShown;

    public override PSHostRawUserInterface RawUI => _rawUserInterface;

    public override bool SupportsVirtualTerminal =>
        !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("NO_COLOR") is null
        && Environment.GetEnvironmentVariable("TERM") != "dumb";

    public override void Write(string value)
    {
        lock (_lock)
        {
            ClearProgress();
            Console.Out.Write(Plain(value));
        }
    }

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
    {
        lock (_lock)
        {
            ClearProgress();
            if (!SupportsVirtualTerminal)
            {
                Console.Out.Write(Plain(value));
                return;
            }
            Console.ForegroundColor = foregroundColor;
            Console.Out.Write(Plain(value));
            Console.ResetColor();
        }
    }

    public override void WriteLine(string value)
    {
        lock (_lock)
        {
            ClearProgress();
            Console.Out.WriteLine(Plain(value));
        }
    }

    public override void WriteErrorLine(string value)
    {
        lock (_lock)
        {
            ClearProgress();
            Console.Out.Flush();
            Console.Error.WriteLine(GetOutputString(value, supportsVirtualTerminal: false));
        }
    }

    public override void WriteVerboseLine(string message) => WriteLine("VERBOSE: " + message);

    public override void WriteDebugLine(string message) => WriteLine("DEBUG: " + message);

    public override void WriteWarningLine(string message) => WriteLine("WARNING: " + message);

    // A notice of the record; the engine writes what is to be seen of it by WriteLine.
    public override void WriteInformation(InformationRecord record)
    {
    }

    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
        if (Console.IsErrorRedirected)
        {
            return;
        }
        lock (_lock)
        {
            ClearProgress();
            if (record.RecordType == ProgressRecordType.Completed)
            {
                return;
            }
            string percent = record.PercentComplete >= 0 ? $" {record.PercentComplete}%" : "";
            string line = $"{record.Activity}: {record.StatusDescription}{percent}";
            int width = Math.Max(_rawUserInterface.BufferSize.Width - 1, 1);
            Console.Error.Write(line.Length > width ? line.Substring(0, width) : line);
            _progressShown = true;
        }
    }

    public void ClearProgress()
    {
        lock (_lock)
        {
            if (_progressShown)
            {
                Console.Error.Write("\r\u001b[K");
                _progressShown = false;
            }
        }
    }

    public override string ReadLine() =>
        Console.In.ReadLine() ?? throw new HostException("The input has ended");

    public override Dictionary<string, PSObject> Prompt(
        string caption, string message, Collection<FieldDescription> descriptions)
    {
        var answers = new Dictionary<string, PSObject>();
        WriteLine(caption);
        WriteLine(message);
        foreach (FieldDescription description in descriptions)
        {
            Write(description.Name + ": ");
            answers[description.Name] = PSObject.AsPSObject(ReadLine());
        }
        return answers;
    }

    public override SecureString ReadLineAsSecureString() => throw NoHiddenInput();

    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName) => throw NoHiddenInput();

    public override PSCredential PromptForCredential(
        string caption,
        string message,
        string userName,
        string targetName,
        PSCredentialTypes allowedCredentialTypes,
        PSCredentialUIOptions options) => throw NoHiddenInput();

    public override int PromptForChoice(
        string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) =>
        throw new HostException("This console cannot offer choices; say -Confirm:$false");

    /// <summary>The text without the formatter's colours where the output cannot show them.</summary>
    private string Plain(string value) => GetOutputString(value, SupportsVirtualTerminal);

    private static HostException NoHiddenInput() => new("This console cannot read hidden input");
}
