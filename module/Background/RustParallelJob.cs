// -AsJob: a call in the background, for Get-Job, Wait-Job, Receive-Job, Stop-Job and Remove-Job. It runs on a thread of its own,
// which writes into the job's collections; each of them keeps its order.

using System;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using System.Threading;
using RustRunspaces.Background;
using RustRunspaces.Output;

namespace RustRunspaces;

/// <summary>A call of Invoke-RustParallel that runs in the background.</summary>
public sealed class RustParallelJob : Job, IScriptSink
{
    // A stopped call returns within 250 ms unless its jobs sit in native code; then it is given up.
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(2);

    private readonly IBackgroundWork work;
    private readonly ActionPreference errorAction;
    private readonly object gate = new object();
    private bool isStopping;
    private bool isOver;

    private RustParallelJob(string command, IBackgroundWork work, ActionPreference errorAction) : base(command)
    {
        this.work = work;
        this.errorAction = errorAction;
        PSJobTypeName = "RustParallelJob";
    }

    /// <inheritdoc/>
    public override string Location => "PowerShell";

    /// <inheritdoc/>
    public override string StatusMessage =>
        string.Format(CultureInfo.CurrentCulture, "{0:N0} of {1:N0} finished", work.Finished, work.Known);

    /// <inheritdoc/>
    public override bool HasMoreData =>
        Output.Count + Error.Count + Warning.Count + Verbose.Count + Debug.Count + Information.Count + Progress.Count > 0;

    /// <summary>Hosts or items that are not finished: while the job runs those still to come, then those that never will be.</summary>
    public object?[] Unfinished => work.Unfinished.ToArray();

    /// <inheritdoc/>
    public override void StopJob()
    {
        if (!BeginStop())
        {
            return;
        }
        Finished.WaitOne(LongestStop);
        End(JobState.Stopped);
    }

    void IScriptSink.WriteObject(object? value) => Add(Output, value is null ? null! : PSObject.AsPSObject(value));

    void IScriptSink.WriteError(ErrorRecord error) => AddError(error);

    void IScriptSink.WriteJobError(ErrorRecord error) => AddError(error);

    void IScriptSink.WriteWarning(string message) => Add(Warning, new WarningRecord(message));

    void IScriptSink.WriteVerbose(string message) => Add(Verbose, new VerboseRecord(message));

    void IScriptSink.WriteLine(string message) => Add(Verbose, new VerboseRecord(message));

    void IScriptSink.WriteDebug(string message) => Add(Debug, new DebugRecord(message));

    void IScriptSink.WriteInformation(InformationRecord record) => Add(Information, record);

    void IScriptSink.WriteProgress(ProgressRecord record) => Add(Progress, record);

    /// <summary>Puts a job into the caller's session and begins its work.</summary>
    internal static RustParallelJob Start(PSCmdlet cmdlet, IBackgroundWork work)
    {
        ActionPreference errorAction = CallerStreams.Preference(cmdlet, "ErrorAction", "ErrorActionPreference");
        var job = new RustParallelJob(cmdlet.MyInvocation.Line, work, errorAction);
        cmdlet.JobRepository.Add(job);
        job.SetJobState(JobState.Running);
        new Thread(job.RunWork) { IsBackground = true, Name = "Invoke-RustParallel -AsJob" }.Start();
        return job;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            StopJob();
        }
        base.Dispose(disposing);
    }

    private static void Add<T>(PSDataCollection<T> stream, T record)
    {
        try
        {
            stream.Add(record);
        }
        catch (InvalidOperationException)
        {
            // The job was given up or removed meanwhile: its streams are closed.
        }
    }

    /// <summary>As the caller's command would: the first error ends the call, or errors are nowhere, or they are written.</summary>
    private void AddError(ErrorRecord error)
    {
        if (errorAction == ActionPreference.Stop)
        {
            throw new CallRefusedException(error);
        }
        if (!CallerStreams.IsSilent(errorAction))
        {
            Add(Error, error);
        }
    }

    private void RunWork()
    {
        JobState state = JobState.Completed;
        try
        {
            work.Run(this);
        }
        catch (CallRefusedException error)
        {
            Add(Error, error.Record);
            state = JobState.Failed;
        }
        catch (Exception error)
        {
            // What leaves a thread ends the process; a job has a place for it.
            Add(Error, ScriptErrors.FromException(error));
            state = JobState.Failed;
        }
        lock (gate)
        {
            state = isStopping ? JobState.Stopped : state;
        }
        End(state);
    }

    private bool BeginStop()
    {
        lock (gate)
        {
            if (isStopping || isOver)
            {
                return false;
            }
            isStopping = true;
        }
        SetJobState(JobState.Stopping);
        work.Cancel();
        return true;
    }

    private void End(JobState state)
    {
        lock (gate)
        {
            if (isOver)
            {
                return;
            }
            isOver = true;
        }
        // Outside the gate: whoever waits for the job is told on this thread, and may stop or remove it at once.
        Output.Complete();
        Error.Complete();
        Warning.Complete();
        Verbose.Complete();
        Debug.Complete();
        Information.Complete();
        Progress.Complete();
        try
        {
            SetJobState(state);
        }
        catch (ObjectDisposedException)
        {
            // The job was removed meanwhile.
        }
    }
}
