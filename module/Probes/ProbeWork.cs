// A call with probes as a background job's work: the same run and results as in the foreground. Runs on the job's thread.

using System;
using System.Collections.Generic;
using System.Linq;
using RustRunspaces.Background;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Results;

namespace RustRunspaces.Probes;

internal sealed class ProbeWork : IBackgroundWork
{
    private readonly ProbeSettings settings;
    private readonly IReadOnlyList<string> targets;
    private readonly double maximumWaitSeconds;
    private readonly bool asObject;
    private readonly object gate = new object();
    private readonly HashSet<string> open;
    private ProbeRun? run;
    private bool isCancelled;

    /// <param name="settings">What to probe and how.</param>
    /// <param name="targets">The targets, complete.</param>
    /// <param name="maximumWaitSeconds">From the run's begin; 0 means no limit.</param>
    /// <param name="asObject">Write each result instead of one hashtable.</param>
    internal ProbeWork(ProbeSettings settings, IReadOnlyList<string> targets, double maximumWaitSeconds, bool asObject)
    {
        this.settings = settings;
        this.targets = targets;
        this.maximumWaitSeconds = maximumWaitSeconds;
        this.asObject = asObject;
        open = new HashSet<string>(targets, StringComparer.OrdinalIgnoreCase);
    }

    public long Known => Math.Max(targets.Count, Read(current => current.HostsKnown));

    public long Finished => Read(current => current.HostsFinished);

    public IReadOnlyList<object?> Unfinished
    {
        get
        {
            lock (gate)
            {
                return open.ToArray();
            }
        }
    }

    public void Run(IScriptSink sink)
    {
        ulong limit = (ulong)Math.Ceiling(maximumWaitSeconds * 1000);
        using (var started = new ProbeRun(settings, limit, (target, reason) => Reject(sink, target, reason)))
        {
            Begin(started);
            var table = asObject ? null : new HashtableResults(() => started.HostsKnown);
            var results = new OpenTargets(this, table ?? (IResults)new StreamedResults(sink.WriteObject));
            foreach (string target in targets)
            {
                started.Add(target);
                if (started.IsBatchFull)
                {
                    Submit(started, results);
                }
            }
            Submit(started, results);
            started.CloseInput();
            while (!started.IsComplete)
            {
                WaitAndCollect(started, results);
            }
            if (table is not null)
            {
                sink.WriteObject(table.ToHashtable());
            }
            results.Finish();
            if (started.Unfinished.Count > 0)
            {
                sink.WriteWarning(
                    $"The maximum wait of {maximumWaitSeconds} seconds was reached before {started.Unfinished.Count} hosts were finished: {started.Unfinished}");
            }
        }
    }

    public void Cancel()
    {
        lock (gate)
        {
            isCancelled = true;
            run?.Cancel();
        }
    }

    private static void Submit(ProbeRun started, IResults results)
    {
        while (!started.Submit(results))
        {
            WaitAndCollect(started, results);
        }
    }

    private static void WaitAndCollect(ProbeRun started, IResults results)
    {
        started.Wait(ulong.MaxValue);
        started.Collect(results);
    }

    private void Reject(IScriptSink sink, string target, NativeStatus reason)
    {
        Close(target);
        sink.WriteError(Errors.Rejected(target, reason, settings.AddressFamily));
    }

    private void Close(string target)
    {
        lock (gate)
        {
            open.Remove(target);
        }
    }

    private void Begin(ProbeRun started)
    {
        lock (gate)
        {
            run = started;
            if (isCancelled)
            {
                started.Cancel();
            }
        }
    }

    private long Read(Func<ProbeRun, long> read)
    {
        lock (gate)
        {
            return run is null ? 0 : read(run);
        }
    }

    /// <summary>Knows which targets have no result yet. A block or range counts as open until the end.</summary>
    private sealed class OpenTargets : IResults
    {
        private readonly ProbeWork work;
        private readonly IResults results;
        private readonly List<string> unfinished = new List<string>();

        internal OpenTargets(ProbeWork work, IResults results)
        {
            this.work = work;
            this.results = results;
        }

        public void Add(HostResult result)
        {
            work.Close(result.ComputerName);
            results.Add(result);
        }

        public void AddUnfinished(HostResult result)
        {
            unfinished.Add(result.ComputerName);
            results.AddUnfinished(result);
        }

        internal void Finish()
        {
            lock (work.gate)
            {
                work.open.Clear();
                work.open.UnionWith(unfinished);
            }
        }
    }
}
