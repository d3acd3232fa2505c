// A script that runs: what it has written to each stream, and when. The pipeline has a thread of
// its own; records arrive on it and are read by the test at any time.

using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Threading;

namespace RustRunspaces.PowerShellTests;

/// <summary>Something written to a stream.</summary>
/// <param name="Value">The record, or the object written to output.</param>
/// <param name="At">When it was written, from the start of the script.</param>
internal sealed record Written<T>(T Value, TimeSpan At);

internal sealed class Call
{
    // No test takes nearly as long: a call that hangs shall fail its test, not hang the run.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly Stopwatch clock = new();
    private readonly PowerShell shell = PowerShell.Create();
    private readonly ConcurrentQueue<Written<PSObject>> output = new();
    private readonly ConcurrentQueue<Written<ErrorRecord>> errors = new();
    private readonly ConcurrentQueue<Written<WarningRecord>> warnings = new();
    private readonly ConcurrentQueue<Written<VerboseRecord>> verbose = new();
    private readonly ConcurrentQueue<Written<ProgressRecord>> progress = new();
    private readonly IAsyncResult running;
    private readonly long startDelay = MachineDelay.Total;
    private bool hasEnded;

    public Call(Runspace runspace, string script)
    {
        shell.Runspace = runspace;
        shell.AddScript(script);
        var input = new PSDataCollection<PSObject>();
        input.Complete();
        var written = new PSDataCollection<PSObject>();
        Record(written, output);
        Record(shell.Streams.Error, errors);
        Record(shell.Streams.Warning, warnings);
        Record(shell.Streams.Verbose, verbose);
        Record(shell.Streams.Progress, progress);
        clock.Start();
        running = shell.BeginInvoke(input, written);
    }

    /// <summary>The exception that ended the script.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>From start to end.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>How late this machine was meanwhile, see <see cref="MachineDelay"/>.</summary>
    public TimeSpan Late { get; private set; }

    public IEnumerable<PSObject> Output => output.Select(written => written.Value);

    public IReadOnlyCollection<Written<PSObject>> TimedOutput => output;

    public IEnumerable<ErrorRecord> Errors => errors.Select(written => written.Value);

    public IEnumerable<string> Warnings => warnings.Select(written => written.Value.Message);

    public IReadOnlyCollection<Written<WarningRecord>> TimedWarnings => warnings;

    public IEnumerable<string> Verbose => verbose.Select(written => written.Value.Message);

    public IReadOnlyCollection<Written<VerboseRecord>> TimedVerbose => verbose;

    public IReadOnlyCollection<Written<ProgressRecord>> TimedProgress => progress;

    /// <summary>The only object written, which is a hashtable.</summary>
    public Hashtable Table => (Hashtable)Output.Single().BaseObject;

    /// <summary>The error's id without the command's name.</summary>
    public static string Id(ErrorRecord error) => error.FullyQualifiedErrorId.Split(',')[0];

    /// <summary>Waits for the end.</summary>
    public Call Wait()
    {
        if (hasEnded)
        {
            return this;
        }
        bool inTime = running.AsyncWaitHandle.WaitOne(Longest);
        Duration = clock.Elapsed;
        Late = MachineDelay.Since(startDelay);
        if (!inTime)
        {
            shell.BeginStop(null, null);
            throw new TimeoutException($"The script has not ended after {Longest.TotalSeconds} seconds");
        }
        hasEnded = true;
        try
        {
            shell.EndInvoke(running);
        }
        catch (Exception failure) when (failure is RuntimeException)
        {
            Failure = failure;
        }
        shell.Dispose();
        return this;
    }

    /// <summary>Waits until the condition holds; the script goes on.</summary>
    public Call WaitUntil(Func<Call, bool> condition)
    {
        if (!SpinWait.SpinUntil(() => condition(this) || running.IsCompleted, Longest) || !condition(this))
        {
            throw new TimeoutException("The script did not do what was waited for");
        }
        return this;
    }

    /// <summary>What Ctrl+C does.</summary>
    /// <returns>How long it took, and how late the machine was meanwhile.</returns>
    public (TimeSpan Took, TimeSpan Late) Stop()
    {
        long delay = MachineDelay.Total;
        TimeSpan before = clock.Elapsed;
        shell.Stop();
        TimeSpan took = clock.Elapsed - before;
        return (took, MachineDelay.Since(delay));
    }

    private void Record<T>(PSDataCollection<T> stream, ConcurrentQueue<Written<T>> records) =>
        stream.DataAdded += (_, added) => records.Enqueue(new Written<T>(stream[added.Index], clock.Elapsed));
}
