// Where the run of a background job writes: into the job's collections, and from the moment somebody asked for child jobs, what
// belongs to one host or item into its own. Knows how each ended. The job's thread, but for MakeChildren and AnyChild.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

internal sealed class BackgroundSink : ISink
{
    private const long CallItself = -1;

    private readonly RustParallelJob job;
    private readonly IReadOnlyList<object?> items;
    private readonly BackgroundPreferences preferences;
    private readonly object gate = new object();
    private readonly ItemStates states = new ItemStates();
    private readonly AttributedStream<PSObject> output;
    private readonly AttributedStream<ErrorRecord> error;
    private readonly AttributedStream<WarningRecord> warning;
    private readonly AttributedStream<VerboseRecord> verbose;
    private readonly AttributedStream<DebugRecord> debug;
    private readonly AttributedStream<InformationRecord> information;
    private readonly AttributedStream<ProgressRecord> progress;
    private RustParallelChildJob[]? children;
    private long place = CallItself;
    private Exception? callError;

    /// <param name="job">Whose collections these are.</param>
    /// <param name="items">Its hosts or items.</param>
    /// <param name="preferences">Of its caller.</param>
    internal BackgroundSink(RustParallelJob job, IReadOnlyList<object?> items, BackgroundPreferences preferences)
    {
        this.job = job;
        this.items = items;
        this.preferences = preferences;
        output = new AttributedStream<PSObject>(job.Output);
        error = new AttributedStream<ErrorRecord>(job.Error);
        warning = new AttributedStream<WarningRecord>(job.Warning);
        verbose = new AttributedStream<VerboseRecord>(job.Verbose);
        debug = new AttributedStream<DebugRecord>(job.Debug);
        information = new AttributedStream<InformationRecord>(job.Information);
        progress = new AttributedStream<ProgressRecord>(job.Progress);
    }

    public void Attribute(long place) => this.place = place;

    public void EndItem(long place, ItemOutcome outcome, ErrorRecord? error)
    {
        RustParallelChildJob? child;
        lock (gate)
        {
            states.Add(place, outcome, error, items[(int)place]);
            child = children?[(int)place];
        }
        // Outside the gate: whoever waits for it is told on this thread.
        child?.End(outcome, error?.Exception);
    }

    public void WriteObject(object? value) => Add(output, child => child.Output, value is null ? null! : PSObject.AsPSObject(value));

    /// <summary>As the cmdlet would: the first error ends the call, or errors are nowhere, or they are written.</summary>
    public void WriteError(ErrorRecord record)
    {
        if (preferences.Error == ActionPreference.Stop && !NativeErrors.IsOne(record))
        {
            throw new CallRefusedException(record);
        }
        if (place == CallItself)
        {
            callError ??= record.Exception;
        }
        if (!CallerStreams.IsSilent(preferences.Error))
        {
            AddError(record);
        }
    }

    public void WriteJobError(ErrorRecord record) => WriteError(record);

    public void WriteWarning(string message)
    {
        if (CallerStreams.IsSilent(preferences.Warning))
        {
            return;
        }
        Add(warning, child => child.Warning, new WarningRecord(message));
        if (preferences.Warning == ActionPreference.Stop)
        {
            throw new CallRefusedException(ScriptErrors.StoppedByPreference("warning", "-WarningAction or $WarningPreference", message));
        }
    }

    public void WriteVerbose(string message) => Add(verbose, child => child.Verbose, new VerboseRecord(message));

    public void WriteLine(string message)
    {
        if (!CallerStreams.IsSilent(preferences.Verbose))
        {
            WriteVerbose(message);
        }
    }

    public void WriteDebug(string message) => Add(debug, child => child.Debug, new DebugRecord(message));

    public void WriteInformation(InformationRecord record)
    {
        if (preferences.Information != ActionPreference.Ignore)
        {
            Add(information, child => child.Information, record);
        }
    }

    public void WriteProgress(ProgressRecord record)
    {
        if (!CallerStreams.IsSilent(preferences.Progress))
        {
            Add(progress, child => child.Progress, record);
        }
    }

    /// <summary>An error, whatever the caller wants of errors.</summary>
    internal void AddError(ErrorRecord record) => Add(error, child => child.Error, record);

    /// <summary>
    /// Why the job has failed: how many hosts or items were ended by an error, and the first; else an error of the call itself;
    /// null where there is neither.
    /// </summary>
    internal Exception? Failure()
    {
        lock (gate)
        {
            return states.Failure() ?? callError;
        }
    }

    /// <summary>No more will be written.</summary>
    internal void Complete()
    {
        output.Records.Complete();
        error.Records.Complete();
        warning.Records.Complete();
        verbose.Records.Complete();
        debug.Records.Complete();
        information.Records.Complete();
        progress.Records.Complete();
        foreach (RustParallelChildJob child in Children())
        {
            // Those that the run never came to.
            child.End(ItemOutcome.Stopped, null);
        }
    }

    internal bool AnyChild(Func<RustParallelChildJob, bool> condition) => Children().Any(condition);

    /// <summary>Once: a child job for each host or item, with what there is of it so far. Any thread.</summary>
    /// <returns>They are made just now.</returns>
    internal bool MakeChildren(IList<Job> list)
    {
        lock (gate)
        {
            if (children is not null)
            {
                return false;
            }
            children = items.Select(item => new RustParallelChildJob(job, item)).ToArray();
            output.Distribute(place => children[place].Output);
            error.Distribute(place => children[place].Error);
            warning.Distribute(place => children[place].Warning);
            verbose.Distribute(place => children[place].Verbose);
            debug.Distribute(place => children[place].Debug);
            information.Distribute(place => children[place].Information);
            progress.Distribute(place => children[place].Progress);
            for (int place = 0; place < children.Length; place++)
            {
                list.Add(children[place]);
                if (states.TryGet(place, out ItemOutcome outcome))
                {
                    children[place].End(outcome, states.ErrorOf(place));
                }
                else if (BackgroundEnd.IsFinal(job.JobStateInfo.State))
                {
                    children[place].End(ItemOutcome.Stopped, null);
                }
            }
            return true;
        }
    }

    /// <summary>Workers are busy with these. Any thread.</summary>
    internal void ShowRunning(IReadOnlyList<RunningItem> running)
    {
        RustParallelChildJob[] made = Children();
        if (made.Length == 0)
        {
            return;
        }
        foreach (RunningItem item in running)
        {
            made[(int)item.Place].Begin(item.Runspace);
        }
    }

    private RustParallelChildJob[] Children()
    {
        lock (gate)
        {
            return children ?? Array.Empty<RustParallelChildJob>();
        }
    }

    private void Add<T>(AttributedStream<T> stream, Func<Job, PSDataCollection<T>> ofChild, T record)
    {
        lock (gate)
        {
            try
            {
                if (children is not null && place != CallItself)
                {
                    ofChild(children[(int)place]).Add(record);
                }
                else
                {
                    stream.Add(record, place);
                }
            }
            catch (InvalidOperationException)
            {
                // The job was given up or removed meanwhile: its streams are closed.
            }
        }
    }
}
