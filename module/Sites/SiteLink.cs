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
using RustRunspaces.Output;

namespace RustRunspaces.Sites;

internal sealed class SiteLink
{
    // Ends the input, in the order of what is sent.
    private static readonly object EndOfInput = new object();

    private static readonly TimeSpan LongestAcknowledgement = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestBeginning = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestRelease = TimeSpan.FromSeconds(1);

    private readonly Action wake;
    private readonly Runspace runspace;
    private readonly PowerShell pipeline = PowerShell.Create();
    private readonly PSDataCollection<PSObject> input = new PSDataCollection<PSObject>();
    private readonly PSDataCollection<PSObject> output = new PSDataCollection<PSObject>();
    private readonly ConcurrentQueue<PSObject?> received = new ConcurrentQueue<PSObject?>();
    private readonly ConcurrentQueue<object?> toSend = new ConcurrentQueue<object?>();
    private readonly TaskCompletionSource<bool> firstWord = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> inputEnded = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
    private int isSending;
    private int hasBegunStop;
    private int isEnding;
    private int hasEnded;
    private int lettingGo;
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
    internal string Problem => Reason?.Message
        ?? (runspace.RunspaceStateInfo.State is RunspaceState.Closing or RunspaceState.Closed ? "it was closed" : "its pipeline ended without a word");

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
                // What has just ended there has said so before the engine lets go of it; what has just been stopped is about to end.
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

    /// <summary>
    /// Asks the pipeline to stop, and waits for nothing. A stop that overtakes the beginning is acknowledged over there, and then the
    /// pipeline runs all the same, until its lease ends it, with whatever comes next waiting behind it. So one that has said nothing
    /// yet is told that it has no input, which lets a far side without work end, and is stopped at its first word, or a moment later.
    /// </summary>
    internal void BeginStop()
    {
        if (HasEnded || Interlocked.Exchange(ref hasBegunStop, 1) != 0)
        {
            return;
        }
        CompleteInput();
        Task.WhenAny(firstWord.Task, Task.Delay(LongestBeginning)).ContinueWith(
            _ =>
            {
                if (!HasEnded)
                {
                    pipeline.BeginStop(null, null);
                }
            },
            TaskScheduler.Default);
    }

    /// <summary>Nothing more is wanted of it. It is let go of when it has ended; what has not is left alone when its input has.</summary>
    /// <returns>Done when nothing more is written to the session for it.</returns>
    internal Task Abandon()
    {
        Task written = Task.CompletedTask;
        if (!HasEnded)
        {
            CompleteInput();
            written = inputEnded.Task;
            Task.Delay(LongestAcknowledgement).ContinueWith(_ => EndStopTimer(), TaskScheduler.Default);
        }
        LetGo();
        return written;
    }

    /// <summary>Once by whoever wants nothing more of the pipeline, once by its end.</summary>
    private void LetGo()
    {
        if (Interlocked.Increment(ref lettingGo) != 2 || State == PSInvocationState.NotStarted)
        {
            return;
        }
        // The beginning of one that was stopped as it began may be acknowledged later than its end. Of a pipeline that is disposed of
        // by then, the engine takes that for nonsense and breaks the session.
        Task.Delay(State == PSInvocationState.Stopped ? LongestAcknowledgement : TimeSpan.Zero).ContinueWith(
            _ =>
            {
                runspace.StateChanged -= OnRunspaceState;
                pipeline.Dispose();
            },
            TaskScheduler.Default);
    }

    /// <summary>
    /// A stop that nobody acknowledges has a timer of the engine's. A minute later it ends the pipeline on this side only: a far side
    /// that goes on after that breaks the session by its acknowledgements. Of a session that is gone it finds nothing to write to
    /// any more, and its exception ends the process.
    /// </summary>
    private void EndStopTimer()
    {
        static object? Get(object? from, string name) => EngineMembers.Property(from?.GetType(), name)?.GetValue(from);
        object? transport = Get(Get(Get(pipeline, "RemotePowerShell"), "DataStructureHandler"), "TransportManager");
        EngineMembers.Method(transport?.GetType(), "StopSignalTimerAndDecrementOperations")?.Invoke(transport, null);
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
                if (ReferenceEquals(item, EndOfInput))
                {
                    EndInput();
                    continue;
                }
                try
                {
                    input.Add(item is null ? null! : PSObject.AsPSObject(item));
                }
                catch (Exception error) when (error is InvalidOperationException or RuntimeException)
                {
                    // The pipeline or its input has ended.
                }
            }
            Volatile.Write(ref isSending, 0);
        }
        while (!toSend.IsEmpty && Interlocked.CompareExchange(ref isSending, 1, 0) == 0);
    }

    private void EndInput()
    {
        try
        {
            input.Complete();
        }
        catch (Exception error) when (error is InvalidOperationException or RuntimeException)
        {
            // The pipeline has ended: its state says so.
        }
        inputEnded.TrySetResult(true);
    }

    private void Heard()
    {
        Volatile.Write(ref lastHeard, Stopwatch.GetTimestamp());
        firstWord.TrySetResult(true);
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
        switch (change.RunspaceStateInfo.State)
        {
            case RunspaceState.Closing:
                // Before whoever closes it goes on, which is the thread that says so. The engine ends an open input itself then. Where
                // the pipeline's end is acknowledged in the same moment, it fails at what it has let go of, and the closing never ends.
                EndInput();
                break;
            case RunspaceState.Broken:
            case RunspaceState.Closed:
                runspace.StateChanged -= OnRunspaceState;
                End(PSInvocationState.NotStarted, change.RunspaceStateInfo.Reason);
                OnThread(EndStopTimer);
                break;
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
            LetGo();
        }
        wake();
    }
}
