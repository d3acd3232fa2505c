// Where a run writes: the cmdlet's caller, or a background job. Every method is called on the thread that advances the run.

using System.Management.Automation;

namespace RustRunspaces.Output;

/// <summary>How a host or item ended, as a background job sees it.</summary>
internal enum ItemOutcome
{
    /// <summary>To its end, whatever it wrote.</summary>
    Completed,

    /// <summary>By an error.</summary>
    Failed,

    /// <summary>By a stop or the maximum wait, or it was never begun.</summary>
    Stopped,
}

internal interface ISink
{
    /// <summary>What is written from here on belongs to the host or item with so many before it; -1: to the call.</summary>
    void Attribute(long place);

    /// <summary>A host or item has ended, and everything of it is written.</summary>
    /// <param name="place">How many came before it.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="error">What ended it; null where nothing did or nobody said.</param>
    void EndItem(long place, ItemOutcome outcome, ErrorRecord? error);

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
