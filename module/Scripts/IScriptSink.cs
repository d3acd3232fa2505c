// Where a run writes: the caller's command, or a background job. Every method is called on the thread that advances the run.

using System.Management.Automation;

namespace RustRunspaces.Scripts;

internal interface IScriptSink
{
    void WriteObject(object? value);

    void WriteError(ErrorRecord error);

    void WriteWarning(string message);

    void WriteVerbose(string message);

    void WriteDebug(string message);

    void WriteInformation(InformationRecord record);

    void WriteProgress(ProgressRecord record);
}
