// The script forms of the command, for its cmdlet class: takes hosts or items as they come, keeps the rhythm of verbose lines and
// progress, and writes what the run delivers. Pipeline thread, but for Cancel.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Management.Automation;
using RustRunspaces.Output;
using RustRunspaces.Scripts;

namespace RustRunspaces.Commands;

internal sealed class ScriptCommand : IScriptSink, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly PSCmdlet cmdlet;
    private readonly ScriptCallOptions options;
    private readonly CallerStreams streams;
    private readonly VerboseLines lines;
    private readonly ProgressReporter progress;
    private readonly ScriptCall call;
    private readonly List<object?>? jobItems;
    private readonly ScriptRun? run;
    private TimeSpan nextMoment = Interval;
    private bool hasWaited;

    /// <summary>Checks the call and opens its pool: from here on the maximum wait counts.</summary>
    /// <param name="cmdlet">Writes.</param>
    /// <param name="options">What it was asked.</param>
    /// <param name="asJob">Collect the items for a background job instead of running them.</param>
    /// <exception cref="CallRefusedException">The call cannot be done as asked.</exception>
    internal ScriptCommand(PSCmdlet cmdlet, ScriptCallOptions options, bool asJob)
    {
        this.cmdlet = cmdlet;
        this.options = options;
        streams = new CallerStreams(cmdlet);
        lines = new VerboseLines(streams.WriteLine);
        progress = new ProgressReporter(cmdlet.WriteProgress, cmdlet.MyInvocation.MyCommand.Name);
        if (asJob)
        {
            call = ScriptCall.Create(cmdlet, options);
            jobItems = new List<object?>();
            return;
        }
        lines.Started();
        call = ScriptCall.Create(cmdlet, options);
        run = new ScriptRun(call, this);
    }

    /// <summary>One more host or item; what has finished meanwhile is written.</summary>
    internal void Add(object? item)
    {
        if (run is null)
        {
            jobItems!.Add(item);
            return;
        }
        run.Add(item);
        if (run.IsBatchFull)
        {
            Submit(run);
        }
    }

    /// <summary>What was added is on its way when this returns.</summary>
    internal void Flush()
    {
        if (run is not null)
        {
            Submit(run);
            run.Deliver();
            Moment(run);
        }
    }

    /// <summary>Waits for the rest, then writes what is to be said about all; or writes the background job.</summary>
    /// <exception cref="CallRefusedException">No job could run.</exception>
    internal void End()
    {
        if (run is null)
        {
            cmdlet.WriteObject(RustParallelJob.Start(cmdlet, new ScriptWork(call, jobItems!)));
            return;
        }
        Flush();
        run.CloseInput();
        if (!hasWaited)
        {
            Say(run);
        }
        while (!run.IsComplete)
        {
            WaitAndDeliver(run);
        }
        progress.Complete();
        if (run.Unfinished == 0)
        {
            lines.AllFinished(run.Finished);
        }
        else if (run.HasReachedLimit)
        {
            lines.TimedOut(run.Finished - run.Unfinished, options.MaximumWaitTimeSeconds, clock.Elapsed);
        }
        run.Complete();
        Close(run);
        lines.Ended(clock.Elapsed);
    }

    /// <summary>Wakes the pipeline thread, which then leaves. Another thread.</summary>
    internal void Cancel() => run?.Cancel();

    /// <summary>Ends what still runs, on every way out.</summary>
    public void Dispose() => run?.Dispose();

    void IScriptSink.WriteObject(object? value) => cmdlet.WriteObject(value);

    void IScriptSink.WriteError(ErrorRecord error) => cmdlet.WriteError(error);

    void IScriptSink.WriteJobError(ErrorRecord error) => streams.WriteJobError(error);

    void IScriptSink.WriteWarning(string message) => streams.WriteWarning(message);

    void IScriptSink.WriteVerbose(string message) => streams.WriteVerbose(message);

    void IScriptSink.WriteLine(string message) => streams.WriteLine(message);

    void IScriptSink.WriteDebug(string message) => streams.WriteDebug(message);

    void IScriptSink.WriteInformation(InformationRecord record) => cmdlet.WriteInformation(record);

    void IScriptSink.WriteProgress(ProgressRecord record) => cmdlet.WriteProgress(record);

    private void Submit(ScriptRun current)
    {
        while (!current.Submit())
        {
            WaitAndDeliver(current);
        }
    }

    private void WaitAndDeliver(ScriptRun current)
    {
        ThrowIfStopping();
        current.Wait((ulong)Math.Max(0, Math.Ceiling((nextMoment - clock.Elapsed).TotalMilliseconds)));
        ThrowIfStopping();
        current.Deliver();
        Moment(current);
    }

    private void ThrowIfStopping()
    {
        if (cmdlet.Stopping)
        {
            throw new PipelineStoppedException();
        }
    }

    private void Moment(ScriptRun current)
    {
        if (clock.Elapsed >= nextMoment)
        {
            Say(current);
        }
    }

    private void Say(ScriptRun current)
    {
        TimeSpan elapsed = clock.Elapsed;
        hasWaited = true;
        lines.Waiting(current.Known, current.Finished, elapsed);
        progress.Update(current.Known, current.Finished, elapsed, TimeSpan.MaxValue);
        nextMoment = elapsed + Interval;
    }

    /// <summary>Closes the run between its two lines.</summary>
    private void Close(ScriptRun current)
    {
        lines.Closing();
        TimeSpan before = clock.Elapsed;
        current.Dispose();
        lines.Closed(clock.Elapsed - before);
        if (current.Abandoned > 0)
        {
            streams.WriteLine($"{current.Abandoned} threads sit in code that cannot be stopped and were left behind.");
        }
    }
}
