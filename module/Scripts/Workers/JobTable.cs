// The open jobs of a run by the number that the engine knows them by. Numbers of closed jobs are used again, so a long pipeline
// needs no more memory than its open jobs. Any thread.

using System.Collections.Generic;

namespace RustRunspaces.Scripts.Workers;

internal sealed class JobTable
{
    private readonly List<ScriptJob?> jobs = new List<ScriptJob?>();
    // Not a Stack<int>: unlike this list, the runtime would have to compile it in the first call.
    private readonly List<int> free = new List<int>();

    internal ulong Add(ScriptJob job)
    {
        lock (jobs)
        {
            if (free.Count > 0)
            {
                int number = free[free.Count - 1];
                free.RemoveAt(free.Count - 1);
                jobs[number] = job;
                return (ulong)number;
            }
            jobs.Add(job);
            return (ulong)(jobs.Count - 1);
        }
    }

    internal ScriptJob Get(ulong number)
    {
        lock (jobs)
        {
            return jobs[(int)number]!;
        }
    }

    internal ScriptJob Remove(ulong number)
    {
        lock (jobs)
        {
            ScriptJob job = jobs[(int)number]!;
            jobs[(int)number] = null;
            free.Add((int)number);
            return job;
        }
    }

    /// <summary>Adds the places and items of all open jobs, in no order.</summary>
    internal void AddItemsTo(List<KeyValuePair<long, object?>> items)
    {
        lock (jobs)
        {
            foreach (ScriptJob? job in jobs)
            {
                if (job is not null)
                {
                    items.Add(new KeyValuePair<long, object?>(job.Place, job.Item));
                }
            }
        }
    }
}
