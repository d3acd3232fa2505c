// Takes what a worker's pipelines write out of the engine's collections and puts it where it belongs: into the job, or on its way
// to the pipeline thread. Worker's thread; a job's own threads may write, too.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Language;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts.Workers;

internal sealed class WorkerStreams
{
    // Of those that a job begins and never ends.
    private const int MostActivities = 16;

    private readonly StreamRelay relay;
    private readonly bool keepsOutput;
    private readonly bool keepsErrors;
    private readonly Action<InformationRecord> expect;
    private ScriptJob? shown;
    // Of the present job, and not over; the newest is the last.
    private readonly List<ProgressRecord> activities = new List<ProgressRecord>();
    private long nextProgress;

    /// <param name="relay">To the pipeline thread.</param>
    /// <param name="keepsOutput">Output stays in the job.</param>
    /// <param name="keepsErrors">Errors stay in the job.</param>
    /// <param name="expect">Told of an information record: the engine will show it to the host, too.</param>
    internal WorkerStreams(StreamRelay relay, bool keepsOutput, bool keepsErrors, Action<InformationRecord> expect)
    {
        this.relay = relay;
        this.keepsOutput = keepsOutput;
        this.keepsErrors = keepsErrors;
        this.expect = expect;
    }

    internal RelayAccount Account { get; } = new RelayAccount();

    /// <summary>Whose records these are; null while the runspace is made ready.</summary>
    internal ScriptJob? Job { get; set; }

    /// <summary>Where the job is called by the engine's binder; null where it is not.</summary>
    internal IScriptExtent? CallsAt { get; set; }

    /// <summary>What comes without a job is dropped.</summary>
    internal bool IsMuted { get; set; }

    /// <summary>What comes without a job is dropped but for errors.</summary>
    internal bool IsRepeated { get; set; }

    /// <summary>Takes over all streams of a pipeline but its output.</summary>
    internal void Attach(PowerShell powerShell)
    {
        PSDataStreams streams = powerShell.Streams;
        streams.Error.DataAdded += (sender, _) =>
        {
            ErrorRecord error = Take<ErrorRecord>(sender);
            if (IsOfCall(error))
            {
                Fail(error);
            }
            else
            {
                WriteError(error);
            }
        };
        streams.Warning.DataAdded += (sender, _) => Relay(StreamKind.Warning, Take<WarningRecord>(sender).Message);
        streams.Verbose.DataAdded += (sender, _) => Relay(StreamKind.Verbose, Take<VerboseRecord>(sender).Message);
        streams.Debug.DataAdded += (sender, _) => Relay(StreamKind.Debug, Take<DebugRecord>(sender).Message);
        streams.Information.DataAdded += (sender, _) =>
        {
            InformationRecord record = Take<InformationRecord>(sender);
            expect(record);
            Relay(StreamKind.Information, record);
        };
        streams.Progress.DataAdded += (sender, _) => WriteProgress(Take<ProgressRecord>(sender));
    }

    /// <summary>A collection for a pipeline's output that hands everything on.</summary>
    internal PSDataCollection<PSObject> Output()
    {
        var output = new PSDataCollection<PSObject>();
        output.DataAdded += (sender, _) =>
        {
            PSObject value = Take<PSObject>(sender);
            if (!keepsOutput)
            {
                Relay(StreamKind.Output, value);
            }
            else
            {
                // A script that begins has no entry or record for it.
                Job?.AddOutput(value);
            }
        };
        return output;
    }

    private void WriteError(ErrorRecord error)
    {
        if (keepsErrors && Job is ScriptJob job)
        {
            job.AddError(error);
        }
        else
        {
            Relay(StreamKind.Error, error);
        }
    }

    /// <summary>An error that ends the job.</summary>
    internal void Fail(ErrorRecord error)
    {
        if (Job is ScriptJob job)
        {
            job.Failure = error;
        }
        WriteError(error);
    }

    internal void WriteInformation(InformationRecord record) => Relay(StreamKind.Information, record);

    /// <summary>The job has ended: if its progress is shown, its last state is, too.</summary>
    internal void EndProgress()
    {
        if (Job is not null && ReferenceEquals(shown, Job) && Account.TakeProgress() is HeldProgress last)
        {
            Relay(StreamKind.Progress, last.Record);
        }
        shown = null;
        lock (activities)
        {
            activities.Clear();
        }
    }

    /// <summary>What the worker's only line shows after this record: where an activity is over, another one that is not.</summary>
    private ProgressRecord Newest(ProgressRecord record)
    {
        lock (activities)
        {
            activities.RemoveAll(activity => activity.ActivityId == record.ActivityId);
            if (record.RecordType != ProgressRecordType.Completed)
            {
                activities.Add(record);
                if (activities.Count > MostActivities)
                {
                    activities.RemoveAt(0);
                }
            }
            return activities.Count > 0 ? activities[activities.Count - 1] : record;
        }
    }

    private void WriteProgress(ProgressRecord record)
    {
        if (Job is not ScriptJob job)
        {
            return;
        }
        record = Newest(record);
        long now = Stopwatch.GetTimestamp();
        // Nobody reads more than four states a second, and each would wake the pipeline thread. Those between are taken from the
        // account in the rhythm of the call.
        if (now < Math.Max(nextProgress, Account.ProgressShown + Rhythm.Timestamps) && record.RecordType != ProgressRecordType.Completed)
        {
            Account.HoldProgress(new HeldProgress(job, record));
            return;
        }
        Account.HoldProgress(null);
        nextProgress = now + Rhythm.Timestamps;
        shown = job;
        Relay(StreamKind.Progress, record);
    }

    private void Relay(StreamKind kind, object? value)
    {
        if (Job is not null || (!IsMuted && (!IsRepeated || kind == StreamKind.Error)))
        {
            relay.Add(Account, Job, kind, value);
        }
    }

    /// <summary>Arguments that do not bind: the engine goes on behind the call, but the job has not run.</summary>
    private bool IsOfCall(ErrorRecord error) =>
        error is { Exception: ParameterBindingException, InvocationInfo: InvocationInfo invocation } && CallsAt is IScriptExtent call
        && invocation.ScriptLineNumber == call.StartLineNumber && invocation.OffsetInLine == call.StartColumnNumber
        && (invocation.ScriptName ?? "") == (call.File ?? "") && invocation.Line == call.StartScriptPosition.Line;

    private static T Take<T>(object collection)
    {
        var records = (PSDataCollection<T>)collection;
        T record = records[0];
        records.RemoveAt(0);
        return record;
    }
}
