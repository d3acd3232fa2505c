// The life of one worker: a runspace, a pipeline in it, and job after job in that. A job that is stopped ends its pipeline; the
// next one begins in the same runspace. Worker's thread, but for Stop and StopPreparing, which come from the engine's threads.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using System.Threading;
using RustRunspaces.Background;
using RustRunspaces.Native;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts.Workers;

internal sealed class WorkerDrain : IJobDialog
{
    private const int AbandonedStackSize = 256 * 1024;

    // A pipeline learns within milliseconds that it is to stop.
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(1);

    private readonly WorkerSetup setup;
    private readonly JobTable jobs;
    private readonly Worker worker;
    private readonly WorkerHost host;
    private readonly WorkerStreams streams;
    private readonly Action<ErrorRecord> fail;
    private readonly object gate = new object();
    private readonly ManualResetEventSlim stopSeen = new ManualResetEventSlim();

    // The worker's own where a job brings values along.
    private readonly Hashtable usings;

    // Guarded by the gate: another thread asks the job to stop.
    private PowerShell? pipeline;
    private WorkerSession? session;
    private ulong currentNumber;
    private bool isStopping;
    private bool isClosing;

    private ScriptJob? current;
    private bool isOver;
    private bool hasAsked;
    private bool hasStoppedItself;

    /// <param name="setup">What to run.</param>
    /// <param name="jobs">Jobs by number.</param>
    /// <param name="relay">To the pipeline thread.</param>
    /// <param name="worker">The engine's worker.</param>
    /// <param name="fail">Ends the call: no job can run here.</param>
    internal WorkerDrain(WorkerSetup setup, JobTable jobs, StreamRelay relay, Worker worker, Action<ErrorRecord> fail)
    {
        this.setup = setup;
        this.jobs = jobs;
        this.worker = worker;
        this.fail = fail;
        usings = setup.LateKeys.Length == 0 ? setup.Caller.Usings : (Hashtable)setup.Caller.Usings.Clone();
        host = new WorkerHost(setup.Caller, this);
        streams = new WorkerStreams(relay, setup.KeepsOutput, setup.KeepsErrors, host.UserInterface.Expect);
    }

    /// <summary>What the worker has written and the caller has not got.</summary>
    internal RelayAccount Account => streams.Account;

    /// <summary>Returns when there are no more jobs, or the worker was given up.</summary>
    internal void Run()
    {
        try
        {
            while (!isOver)
            {
                using (WorkerSession opened = WorkerSession.Open(setup, host, streams, Created, worker.Opened))
                {
                    do
                    {
                        RunPipeline(opened);
                    }
                    while (!isOver && !setup.UseNewRunspace && opened.Runspace.RunspaceStateInfo.State == RunspaceState.Opened);
                }
            }
        }
        catch (CallRefusedException error)
        {
            fail(error.Record);
        }
    }

    /// <summary>Ends the job if it is still the worker's. Does not block.</summary>
    internal void Stop(ulong number)
    {
        lock (gate)
        {
            if (current is not null && currentNumber == number && !isStopping)
            {
                isStopping = true;
                streams.Account.Release();
                PipelineStop.Begin(pipeline!);
            }
        }
    }

    /// <summary>What the worker is busy with, if anything. Any thread.</summary>
    internal void AddRunningTo(List<RunningItem> running)
    {
        lock (gate)
        {
            if (current is not null && session is not null)
            {
                running.Add(new RunningItem(current.Place, session.Runspace));
            }
        }
    }

    /// <summary>The call is over: modules and scripts that make a runspace ready need not end. Does not block.</summary>
    internal void StopPreparing()
    {
        Account.Release();
        lock (gate)
        {
            isClosing = true;
            session?.StopPreparing();
        }
    }

    /// <summary>
    /// The worker did not come back. Its runspace begins to close, on a thread that may wait for it as long as it takes: a session
    /// that ends waits for every runspace that is still open, and so would the process.
    /// </summary>
    internal void Abandon()
    {
        WorkerSession? left;
        lock (gate)
        {
            left = session;
        }
        if (left is not null)
        {
            new Thread(() => CloseAbandoned(left), AbandonedStackSize) { IsBackground = true, Name = "Abandoned worker" }.Start();
        }
    }

    /// <summary>The loop inside the worker's pipeline.</summary>
    internal void RunJobs(IBlockRunner runner)
    {
        streams.IsMuted = true;
        bool behaves = LoopCommands.Behaves(runner);
        streams.IsMuted = false;
        if (!behaves)
        {
            return; // the next pipeline takes the other way
        }
        SessionState state = runner.SessionState;
        if (state.PSVariable.GetValue("MyInvocation") is InvocationInfo)
        {
            // Else Write-Error in a job, and $MyInvocation, would show the script that started this loop.
            state.PSVariable.Set("MyInvocation", InvocationInfo.Create(null, setup.Position));
        }
        do
        {
            Account.WaitForRoom();
            if (!worker.Next(out ulong number, out int workerNumber))
            {
                isOver = true;
                return;
            }
            streams.Account.Worker = workerNumber;
            ScriptJob job = jobs.Get(number);
            lock (gate)
            {
                currentNumber = number;
                current = job;
            }
            streams.Job = job;
            hasAsked = false;
            hasStoppedItself = false;
            bool isEnded = EndJob(RunJob(runner, state, job));
            if (isEnded || hasAsked || hasStoppedItself)
            {
                throw new PipelineStoppedException();
            }
        }
        while (!isOver && !setup.UseNewRunspace && !runner.Stopping);
    }

    /// <summary>The pipeline knows that it is to stop, and everything in it. The stop's thread.</summary>
    internal void StopSeen() => stopSeen.Set();

    void IJobDialog.Refused(ErrorRecord error)
    {
        if (current is null)
        {
            session!.Refused(error);
        }
        else
        {
            streams.Fail(error);
        }
        hasAsked = true;
        StopAndWait();
    }

    void IJobDialog.Wrote(HostInformationMessage message)
    {
        var record = new InformationRecord(message, host.Name);
        record.Tags.Add("PSHOST");
        streams.WriteInformation(record);
    }

    private static void CloseAbandoned(WorkerSession left)
    {
        try
        {
            left.Dispose();
        }
        catch (Exception)
        {
            // The worker is opening or closing it just now, and comes back by itself; what leaves a thread ends the process.
        }
    }

    /// <summary>
    /// A job that asked shall not go on, whatever stands between its question and its block: most of what catches the exception that
    /// ends it leaves a pipeline that is stopping.
    /// </summary>
    private void StopAndWait()
    {
        PowerShell? running;
        lock (gate)
        {
            running = current is null ? null : pipeline;
        }
        if (running is not null)
        {
            stopSeen.Reset();
            PipelineStop.Begin(running);
            stopSeen.Wait(LongestStop);
        }
    }

    private void Created(WorkerSession created)
    {
        lock (gate)
        {
            session = created;
            streams.Account.RunspaceId = created.Runspace.InstanceId;
            if (isClosing)
            {
                created.StopPreparing();
            }
        }
    }

    private void RunPipeline(WorkerSession opened)
    {
        using (PowerShell powerShell = PowerShell.Create())
        using (PSDataCollection<PSObject> output = streams.Output())
        {
            powerShell.Runspace = opened.Runspace;
            LoopCommands.AddTo(powerShell, this, setup.Block.Block, usings);
            streams.Attach(powerShell);
            lock (gate)
            {
                pipeline = powerShell;
            }
            ErrorRecord? failure = null;
            try
            {
                powerShell.Invoke<PSObject, PSObject>(null, output, null);
            }
            catch (PipelineStoppedException)
            {
                // The job was stopped: its time was up, or the call is over.
            }
            catch (Exception error) when (error is RuntimeException or InvalidRunspaceStateException)
            {
                failure = ScriptErrors.FromException(error);
            }
            if (current is not null)
            {
                if (failure is not null)
                {
                    streams.Fail(failure);
                }
                EndJob(failure is null ? JobStatus.Stopped : JobStatus.Failed);
            }
            else if (failure is not null)
            {
                throw new CallRefusedException(ScriptErrors.RunspaceNotOpened(failure.Exception));
            }
        }
    }

    private JobStatus RunJob(IBlockRunner runner, SessionState state, ScriptJob job)
    {
        try
        {
            session!.Reset(state, job.Item);
            for (int i = 0; i < setup.LateKeys.Length; i++)
            {
                usings[setup.LateKeys[i]] = job.Late![i];
            }
            JobBlock block = setup.Block.For(job.Item);
            streams.CallsAt = block.CallsAt;
            runner.Run(block.Block, block.ArgumentsFor(job.Item));
        }
        catch (PipelineStoppedException) when (hasAsked)
        {
        }
        catch (PipelineStoppedException) when (IsStopping())
        {
            throw;
        }
        catch (PipelineStoppedException error)
        {
            // Nobody asked it to: it threw this, or closed its own runspace. The pipeline may be of no use to the next job.
            hasStoppedItself = true;
            streams.Fail(ScriptErrors.FromException(error));
            return JobStatus.Failed;
        }
        catch (FlowControlException)
        {
            // exit, a question, or break and continue without a loop: they end their job, as its last statement does
        }
        catch (Exception error)
        {
            // Whatever a block throws is its error, and the worker goes on.
            streams.Fail(ScriptErrors.FromException(error));
            return JobStatus.Failed;
        }
        return hasAsked || job.Failure is not null ? JobStatus.Failed : JobStatus.Completed;
    }

    private bool IsStopping()
    {
        lock (gate)
        {
            return isStopping;
        }
    }

    /// <summary>Reports the current job as ended. Everything that it wrote is on its way by now.</summary>
    /// <returns>It was asked to stop, so its pipeline will end.</returns>
    private bool EndJob(JobStatus status)
    {
        bool wasStopped;
        ScriptJob ended = current!;
        ended.HasEnded = true;
        lock (gate)
        {
            wasStopped = isStopping;
            isStopping = false;
            current = null;
        }
        streams.EndProgress();
        streams.Job = null;
        if (setup.IsOrdered && setup.KeepsOutput)
        {
            ended.ChargeTo(Account);
        }
        if (wasStopped)
        {
            streams.Account.Renew();
        }
        isOver |= !worker.Finish((uint)status);
        return wasStopped;
    }
}
