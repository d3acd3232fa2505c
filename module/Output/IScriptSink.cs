// Where a run writes: the caller's command, or a background job. Every method is called on the thread that advances the run.

using System.Management.Automation;

namespace RustRunspaces.Output;

internal interface IScriptSink
{
    void WriteObject(object? value);

    /// <summary>An error of the call's.</summary>
    void WriteError(ErrorRecord error);

    /// <summary>An error of a job's own: its id and position are the job's.</summary>
    void WriteJobError(ErrorRecord error);

    void WriteWarning(string message);

    void WriteVerbose(string message);

    /// <summary>A verbose line about the call itself.</summary>
    void WriteLine(string message);

    void WriteDebug(string message);

    void WriteInformation(InformationRecord record);

    void WriteProgress(ProgressRecord record);
}
