// One pipeline in one session for the whole run: what goes there, what comes from there, when it was last heard, how it ended. What
// the transport calls only queues and wakes; nothing here waits for the other side, which may be stopped, cut off or gone. Any
// thread.

using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Threading;
using System.Threading.Tasks;

namespace RustRunspaces.Sites;

internal sealed class SiteLink
{
    // Ends the input, in the order of what is sent.
    private static readonly object EndOfInput = new object();

    private static readonly TimeSpan LongestAcknowledgement = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestRelease = TimeSpan.FromMilliseconds(200);

    private readonly Action wake;
    private readonly Runspace runspace;
    private readonly PowerShell pipeline = PowerShell.Create();
    private readonly PSDataCollection<PSObject> input = new PSDataCollection<PSObject>();
    private readonly PSDataCollection<PSObject> output = new PSDataCollection<PSObject>();
    private readonly ConcurrentQueue<PSObject?> received = new ConcurrentQueue<PSObject?>();
    private readonly ConcurrentQueue<object?> toSend = new ConcurrentQueue<object?>();
    private readonly TaskCompletionSource<bool> inputEnded = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
    private int isSending;
    private int hasBegunStop;
    private int isEnding;
    private int hasEnded;
    private long lastHeard = Stopwatch.GetTimestamp();

    /// <param name="session">The caller's; it stays open.</param>
    /// <param name="wake">Called after something came or the pipeline ended.</param>
    internal SiteLink(PSSession session, Action wake)
    {
        this.wake = wake;
        Session = session;
        runspace = session.Runspace;
    }

    internal PSSession Session { get; }

    /// <summary>The pipeline is over, or its session is: nothing more comes.</summary>
    internal bool HasEnded => Volatile.Read(ref hasEnded) != 0;

    /// <summary>Why it ended, as far as anybody said; null where nobody did.</summary>
    internal Exception? Reason { get; private set; }

    /// <summary>The same in words.</summary>
    internal string Problem => Reason?.Message ?? "its pipeline ended without a word";

    /// <summary>How the pipeline ended.</summary>
    internal PSInvocationState State { get; private set; }

    /// <summary>All that the pipeline wrote but its output.</summary>
    internal PSDataStreams Streams => pipeline.Streams;

    /// <summary>How long nothing has come.</summary>
    internal TimeSpan Silence =>
        TimeSpan.FromSeconds((Stopwatch.GetTimestamp() - Volatile.Read(ref lastHeard)) / (double)Stopwatch.Frequency);

    /// <summary>Begins the pipeline, on a thread that may wait for a session that takes nothing.</summary>
    /// <param name="prepare">Gives the pipeline its commands.</param>
    /// <param name="mayAsk">Questions are answered, with a refusal: without that nobody over there can ask any.</param>
    internal void Start(Action<PowerShell> prepare, bool mayAsk = false)
    {
        output.DataAdded += (_, _) => Receive();
        PSDataStreams streams = pipeline.Streams;
        streams.Error.DataAdded += (_, _) => Heard();
        streams.Warning.DataAdded += (_, _) => Heard();
        streams.Verbose.DataAdded += (_, _) => Heard();
        streams.Debug.DataAdded += (_, _) => Heard();
        streams.Information.DataAdded += (_, _) => Heard();
        pipeline.InvocationStateChanged += (_, change) => OnState(change.InvocationStateInfo);
        runspace.StateChanged += OnRunspaceState;
        Volatile.Write(ref lastHeard, Stopwatch.GetTimestamp());
        Interlocked.Exchange(ref isSending, 1);
        OnThread(() =>
        {
            try
            {
                // What has just ended there has said so before the engine lets go of it.
                SpinWait.SpinUntil(() => runspace.RunspaceAvailability != RunspaceAvailability.Busy, LongestRelease);
                if (runspace.RunspaceAvailability != RunspaceAvailability.Available)
                {
                    // The engine would queue the pipeline until whatever runs there has ended.
                    throw new InvalidOperationException(
                        runspace.RunspaceStateInfo.State == RunspaceState.Opened
                            ? "it is busy with another command"
                            : $"it is {runspace.RunspaceStateInfo.State}");
                }
                pipeline.Runspace = runspace;
                prepare(pipeline);
                pipeline.BeginInvoke(input, output, new PSInvocationSettings { Host = new SilentHost(mayAsk ? Heard : null) }, null, null);
            }
            catch (Exception error) when (error is InvalidOperationException or RuntimeException)
            {
                // The session is busy, closed or broken.
                End(PSInvocationState.Failed, error);
                return;
            }
            SendQueued();
        });
    }

    /// <summary>Sends something after all that was sent before.</summary>
    internal void Send(object? item)
    {
        toSend.Enqueue(item);
        if (Interlocked.CompareExchange(ref isSending, 1, 0) == 0)
        {
            OnThread(SendQueued);
        }
    }

    /// <summary>No more will be sent.</summary>
    internal void CompleteInput() => Send(EndOfInput);

    /// <summary>The next object that came; false where none waits.</summary>
    internal bool TryTake(out PSObject? item) => received.TryDequeue(out item);

    /// <summary>Asks the pipeline to stop, and waits for nothing.</summary>
    internal void BeginStop()
    {
        if (HasEnded || Interlocked.Exchange(ref hasBegunStop, 1) != 0)
        {
            return;
        }
        OnThread(() =>
        {
            try
            {
                pipeline.BeginStop(null, null);
            }
            catch (Exception error) when (error is InvalidOperationException or RuntimeException)
            {
                // It has ended meanwhile.
            }
        });
    }

    /// <summary>Nothing more is wanted of it. What has ended is disposed of; what has not is left alone when its input has ended.</summary>
    /// <returns>Done when nothing more is written to the session for it.</returns>
    internal Task Abandon()
    {
        runspace.StateChanged -= OnRunspaceState;
        if (!HasEnded)
        {
            // The engine ends an open input itself when the session is closed. Where that one's end is acknowledged in the same moment,
            // it fails at what it has let go of, and whoever closes the session waits for ever.
            CompleteInput();
            return inputEnded.Task;
        }
        if (State == PSInvocationState.NotStarted)
        {
            return Task.CompletedTask;
        }
        if (State != PSInvocationState.Stopped)
        {
            OnThread(pipeline.Dispose);
            return Task.CompletedTask;
        }
        // The beginning of one that was stopped as it began may be acknowledged later than its end. Of a pipeline that is disposed of
        // by then, the engine takes that for nonsense and breaks the session.
        Task.Delay(LongestAcknowledgement).ContinueWith(_ => OnThread(pipeline.Dispose), TaskScheduler.Default);
        return Task.CompletedTask;
    }

    private static void OnThread(Action action) => ThreadPool.QueueUserWorkItem(_ =>
    {
        try
        {
            action();
        }
        catch (Exception)
        {
            // What leaves a thread ends the process; whatever happens to a session shows in its state.
        }
    });

    private void SendQueued()
    {
        do
        {
            while (toSend.TryDequeue(out object? item))
            {
                try
                {
                    if (ReferenceEquals(item, EndOfInput))
                    {
                        input.Complete();
                    }
                    else
                    {
                        input.Add(item is null ? null! : PSObject.AsPSObject(item));
                    }
                }
                catch (Exception error) when (error is InvalidOperationException or RuntimeException)
                {
                    // The pipeline has ended: its state says so.
                }
                if (ReferenceEquals(item, EndOfInput))
                {
                    inputEnded.TrySetResult(true);
                }
            }
            Volatile.Write(ref isSending, 0);
        }
        while (!toSend.IsEmpty && Interlocked.CompareExchange(ref isSending, 1, 0) == 0);
    }

    private void Heard()
    {
        Volatile.Write(ref lastHeard, Stopwatch.GetTimestamp());
        wake();
    }

    private void Receive()
    {
        foreach (PSObject? item in output.ReadAll())
        {
            received.Enqueue(item);
        }
        Heard();
    }

    private void OnState(PSInvocationStateInfo info)
    {
        if (info.State is PSInvocationState.Completed or PSInvocationState.Failed or PSInvocationState.Stopped)
        {
            End(info.State, info.Reason);
        }
    }

    private void OnRunspaceState(object? sender, RunspaceStateEventArgs change)
    {
        if (change.RunspaceStateInfo.State is RunspaceState.Broken or RunspaceState.Closed)
        {
            End(PSInvocationState.NotStarted, change.RunspaceStateInfo.Reason);
        }
    }

    private void End(PSInvocationState state, Exception? reason)
    {
        if (Interlocked.Exchange(ref isEnding, 1) == 0)
        {
            Receive();
            State = state;
            Reason = reason ?? pipeline.Streams.Error.FirstOrDefault()?.Exception;
            Volatile.Write(ref hasEnded, 1);
        }
        wake();
    }
}
