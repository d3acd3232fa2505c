// -Ordered: which job's output may leave now, and what has to wait for the jobs before it. What waits stays on its worker's
// account, so that a worker far ahead of the first job sleeps at its bound; the first job's own worker has nothing on it that
// waits. The thread that delivers.

using System;
using System.Collections.Generic;
using RustRunspaces.Results;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

/// <summary>A job and how it ended.</summary>
internal readonly struct EndedJob
{
    internal EndedJob(ScriptJob job, JobStatus status, DateTime finished, TimeSpan duration, int worker, string? detail)
    {
        Job = job;
        Status = status;
        Finished = finished;
        Duration = duration;
        Worker = worker;
        Detail = detail;
    }

    internal ScriptJob Job { get; }

    internal JobStatus Status { get; }

    /// <summary>Local time.</summary>
    internal DateTime Finished { get; }

    internal TimeSpan Duration { get; }

    /// <summary>The number of its worker; 0 for a job that was never begun.</summary>
    internal int Worker { get; }

    /// <summary>What the engine says of its end; null where that says it all.</summary>
    internal string? Detail { get; }
}

internal sealed class JobOrder
{
    private readonly Action<StreamRecord> deliver;
    private readonly Action<EndedJob> conclude;
    private readonly Dictionary<long, Waiting> waiting = new Dictionary<long, Waiting>();
    private long front;

    /// <param name="deliver">Writes a job's record.</param>
    /// <param name="conclude">Writes what is to be said of a job's end.</param>
    internal JobOrder(Action<StreamRecord> deliver, Action<EndedJob> conclude)
    {
        this.deliver = deliver;
        this.conclude = conclude;
    }

    /// <summary>Keeps the record if a job before its own is still open.</summary>
    internal bool Holds(in StreamRecord record)
    {
        if (record.Job is null || record.Job.Place == front)
        {
            return false;
        }
        Get(record.Job.Place).Records.Add(record);
        return true;
    }

    /// <summary>The job has ended: it is concluded now, or when those before it are.</summary>
    internal void End(EndedJob job)
    {
        Get(job.Job.Place).End = job;
        Advance();
    }

    /// <summary>There is no job at this place.</summary>
    internal void Skip(long place)
    {
        Get(place).IsSkipped = true;
        Advance();
    }

    private void Advance()
    {
        while (waiting.TryGetValue(front, out Waiting? first))
        {
            foreach (StreamRecord record in first.Records)
            {
                deliver(record);
            }
            first.Records.Clear();
            if (first.End is null && !first.IsSkipped)
            {
                return;
            }
            waiting.Remove(front++);
            if (first.End is EndedJob job)
            {
                conclude(job);
            }
        }
    }

    private Waiting Get(long place)
    {
        if (!waiting.TryGetValue(place, out Waiting? job))
        {
            job = new Waiting();
            waiting.Add(place, job);
        }
        return job;
    }

    private sealed class Waiting
    {
        internal readonly List<StreamRecord> Records = new List<StreamRecord>();

        internal EndedJob? End { get; set; }

        internal bool IsSkipped { get; set; }
    }
}
