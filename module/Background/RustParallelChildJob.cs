// One host or item of a background job, as a job of its own: what it wrote, how it ended. Any thread.

using System;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using RustRunspaces.Background;
using RustRunspaces.Output;

namespace RustRunspaces;

/// <summary>One host or item of a <see cref="RustParallelJob"/>.</summary>
public sealed class RustParallelChildJob : Job, IJobDebugger
{
    private readonly RustParallelJob parent;
    private Runspace? runspace;
    private ItemDebugger? debugger;
    private bool isAsync = true;

    internal RustParallelChildJob(RustParallelJob parent, object? item) : base(parent.Command)
    {
        this.parent = parent;
        InputObject = item;
        PSJobTypeName = nameof(RustParallelChildJob);
    }

    /// <summary>The host or item.</summary>
    public object? InputObject { get; }

    /// <inheritdoc/>
    public override string Location => parent.Location;

    /// <inheritdoc/>
    public override string StatusMessage => "";

    /// <inheritdoc/>
    public override bool HasMoreData =>
        Output.Count + Error.Count + Warning.Count + Verbose.Count + Debug.Count + Information.Count + Progress.Count > 0;

    /// <summary>That of the runspace in which it runs; null while it does not.</summary>
    public Debugger? Debugger => debugger ??= runspace?.Debugger is Debugger inner ? new ItemDebugger(inner, Name) : null;

    /// <summary>Whether nobody debugs the job; the engine sets it.</summary>
    public bool IsAsync
    {
        get => isAsync;
        set
        {
            isAsync = value;
            WasDebugged |= !value;
        }
    }

    /// <summary>Somebody debugs the job, or did.</summary>
    internal bool WasDebugged { get; private set; }

    /// <summary>Stops the whole job: one host or item cannot be stopped alone.</summary>
    public override void StopJob() => parent.StopJob();

    /// <summary>A worker is busy with it. To be called at each moment of the rhythm.</summary>
    internal void Begin(Runspace runspace)
    {
        if (JobStateInfo.State == JobState.NotStarted)
        {
            this.runspace = runspace;
            SetJobState(JobState.Running);
        }
        debugger?.ReleaseStop();
    }

    /// <summary>Sets how it ended; once.</summary>
    internal void End(ItemOutcome outcome, Exception? reason)
    {
        if (BackgroundEnd.IsFinal(JobStateInfo.State))
        {
            return;
        }
        debugger?.End();
        if (reason is not null && BackgroundEnd.HasReasons)
        {
            RemoveError(reason);
        }
        // The state comes last: whoever waits for it finds everything.
        Output.Complete();
        Error.Complete();
        Warning.Complete();
        Verbose.Complete();
        Debug.Complete();
        Information.Complete();
        Progress.Complete();
        JobState state = outcome switch
        {
            ItemOutcome.Completed => JobState.Completed,
            ItemOutcome.Failed => JobState.Failed,
            _ => JobState.Stopped,
        };
        BackgroundEnd.Set(this, state, reason, SetJobState);
    }

    /// <summary>Receive-Job writes the reason as an error, so that error would come twice.</summary>
    private void RemoveError(Exception reason)
    {
        for (int i = Error.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(Error[i].Exception, reason))
            {
                Error.RemoveAt(i);
            }
        }
    }
}
