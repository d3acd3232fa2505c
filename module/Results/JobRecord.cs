// What -AsObject writes: one record per job, the moment it ends. Immutable.

using System;
using System.Management.Automation;

namespace RustRunspaces;

/// <summary>How a script job ended, and what it wrote.</summary>
public abstract class JobRecord
{
    private protected JobRecord(JobStatus status, object? output, ErrorRecord[] errors, DateTime finished, TimeSpan duration, int worker)
    {
        StatusCode = status;
        Output = output;
        Errors = errors;
        Duration = duration;
        TimeFinished = finished;
        TimeStarted = finished - duration;
        Worker = worker;
    }

    /// <summary>Completed, Failed, TimedOut, Stopped, NotStarted or Lost.</summary>
    public string Status => StatusCode.ToName();

    /// <summary>The same, typed.</summary>
    public JobStatus StatusCode { get; }

    /// <summary>What the job wrote: nothing, one object, or an array.</summary>
    public object? Output { get; }

    /// <summary>Its errors, in order.</summary>
    public ErrorRecord[] Errors { get; }

    /// <summary>From its begin to its end; zero for a job that was never begun.</summary>
    public TimeSpan Duration { get; }

    /// <summary>Local time of its begin.</summary>
    public DateTime TimeStarted { get; }

    /// <summary>Local time of its end.</summary>
    public DateTime TimeFinished { get; }

    /// <summary>The number of the worker that ran it, from 1; 0 for a job that was never begun.</summary>
    public int Worker { get; }

    private protected string Text(object? item) => $"{item}: {Status}";
}

/// <summary>The record of a job for a host.</summary>
public sealed class HostJobRecord : JobRecord
{
    internal HostJobRecord(string computerName, JobStatus status, object? output, ErrorRecord[] errors, DateTime finished, TimeSpan duration, int worker)
        : base(status, output, errors, finished, duration, worker)
    {
        ComputerName = computerName;
    }

    /// <summary>The host as given.</summary>
    public string ComputerName { get; }

    /// <inheritdoc/>
    public override string ToString() => Text(ComputerName);
}

/// <summary>The record of a job for an item.</summary>
public sealed class ItemJobRecord : JobRecord
{
    internal ItemJobRecord(object? inputObject, JobStatus status, object? output, ErrorRecord[] errors, DateTime finished, TimeSpan duration, int worker)
        : base(status, output, errors, finished, duration, worker)
    {
        InputObject = inputObject;
    }

    /// <summary>The item.</summary>
    public object? InputObject { get; }

    /// <inheritdoc/>
    public override string ToString() => Text(InputObject);
}
