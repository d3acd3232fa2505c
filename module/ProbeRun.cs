// One run of probes: gives targets to the engine, takes completions back and makes one result of what belongs to one host.
// Decides nothing about time, order or attempts; knows no PowerShell. Pipeline thread, but for Cancel.

using System;
using RustRunspaces.Native;

namespace RustRunspaces;

internal sealed class ProbeRun : IDisposable
{
    private const long UnixEpochTicks = 621_355_968_000_000_000;
    private const long NanosecondsPerTick = 100;

    private readonly ProbeSettings settings;
    private readonly Action<string, NativeStatus> reject;
    private readonly Pool pool;
    private readonly CompletionBuffer completions = new CompletionBuffer();
    private readonly TargetBatch batch = new TargetBatch();
    private readonly TargetTable targets = new TargetTable();
    private readonly PortMerger? ports;
    private HostTexts? lastDetail;

    /// <param name="settings">What to probe and how.</param>
    /// <param name="runLimitMilliseconds">From now until everything unfinished is stopped; 0 means no limit.</param>
    /// <param name="reject">Told of each target that is none, and why.</param>
    internal ProbeRun(ProbeSettings settings, ulong runLimitMilliseconds, Action<string, NativeStatus> reject)
    {
        this.settings = settings;
        this.reject = reject;
        ports = settings.Ports.Length > 1 ? new PortMerger(settings.Ports) : null;
        pool = Pool.Open((uint)settings.PacketsPerSecond, runLimitMilliseconds);
    }

    /// <summary>Hosts accepted so far.</summary>
    internal long HostsKnown { get; private set; }

    /// <summary>Hosts with a verdict.</summary>
    internal long HostsFinished { get; private set; }

    /// <summary>Hosts that were ended before they had a verdict.</summary>
    internal UnfinishedHosts Unfinished { get; } = new UnfinishedHosts();

    /// <summary>Everything has been collected and no more will come.</summary>
    internal bool IsComplete { get; private set; }

    internal bool IsBatchFull => batch.IsFull;

    /// <summary>Puts a target into the batch; <see cref="Submit"/> sends it.</summary>
    internal void Add(string target) => batch.Add(targets.Add(target), target);

    /// <summary>Gives the batch to the engine.</summary>
    /// <returns>False when the engine holds as much as it can: collect, wait, and call again.</returns>
    internal bool Submit(IResults results)
    {
        while (batch.Taken < batch.Count)
        {
            int first = batch.Taken;
            NativeStatus status = pool.SubmitProbes(settings.ToOptions(), settings.Ports, batch);
            for (int i = first; i < batch.Taken; i++)
            {
                Accept(batch.Targets[i]);
            }
            if (status == NativeStatus.Again)
            {
                return false;
            }
            if (status == NativeStatus.Closed)
            {
                for (int i = batch.Taken; i < batch.Count; i++)
                {
                    int slot = (int)batch.Targets[i].UserData;
                    AddNotStarted(targets[slot].Text!, 1, 1, results);
                    targets.Remove(slot);
                }
                break;
            }
        }
        batch.Clear();
        return true;
    }

    internal void CloseInput() => pool.CloseInput();

    /// <summary>Sleeps until something is there to collect, the run is cancelled, or the time has passed.</summary>
    internal void Wait(ulong milliseconds) => IsComplete = pool.Poll(milliseconds) == NativeStatus.Closed;

    /// <summary>Hands out what has finished; never sleeps.</summary>
    internal void Collect(IResults results)
    {
        pool.Collect(completions);
        if (completions.Count == 0)
        {
            return;
        }
        // One look-up of the time zone for all of them; it is the dearest part of a local time.
        long localOffset = TimeZoneInfo.Local.GetUtcOffset(DateTime.UtcNow).Ticks;
        for (int i = 0; i < completions.Count; i++)
        {
            ref readonly Completion completion = ref completions[i];
            int slot = (int)completion.UserData;
            long jobs = (long)completion.Jobs;
            if ((JobStatus)completion.Outcome == JobStatus.NotStarted)
            {
                TakeNotStarted(slot, completion, results);
            }
            else
            {
                TakeAnswer(slot, completion, localOffset, results);
            }
            targets[slot].UnansweredJobs -= jobs;
            if (targets[slot].UnansweredJobs == 0)
            {
                Release(slot, results);
            }
        }
    }

    /// <summary>What the pool has counted so far.</summary>
    internal PoolCounts Count() => pool.Count();

    /// <summary>Ends every unfinished job and wakes a <see cref="Wait"/>. Any thread.</summary>
    internal void Cancel() => pool.Cancel();

    public void Dispose()
    {
        pool.Dispose();
        completions.Dispose();
    }

    private void Accept(in Target target)
    {
        int slot = (int)target.UserData;
        if (target.Status != (int)NativeStatus.Ok)
        {
            string text = targets[slot].Text!;
            targets.Remove(slot);
            reject(text, (NativeStatus)target.Status);
            return;
        }
        ref TargetTable.Entry entry = ref targets[slot];
        entry.IsExpanded = (target.Flags & Target.FlagExpanded) != 0;
        entry.UnansweredJobs = (long)target.Jobs;
        entry.Hosts = (long)target.Jobs / settings.JobsPerHost;
        HostsKnown += entry.Hosts;
    }

    private void TakeAnswer(int slot, in Completion completion, long localOffset, IResults results)
    {
        ref TargetTable.Entry target = ref targets[slot];
        var finished = new DateTime(
            UnixEpochTicks + localOffset + (completion.FinishedUnixNanoseconds / NanosecondsPerTick), DateTimeKind.Local);
        var answer = new HostAnswer(target.Text!, completion, finished, ReadTexts(completion));
        if (target.IsExpanded)
        {
            answer.ComputerName = answer.Address.ToString() ?? target.Text!;
        }
        if (ports is null)
        {
            PortResult[] only = settings.IsTcp
                ? new[] { new PortResult(settings.Ports[0], answer.Status, answer.Last) }
                : Array.Empty<PortResult>();
            AddHost(answer, only, results);
        }
        else
        {
            AddPort(slot, (long)completion.Index, answer, results);
        }
    }

    /// <summary>Consecutive jobs that were never begun: whole hosts, with parts of hosts before and after.</summary>
    private void TakeNotStarted(int slot, in Completion completion, IResults results)
    {
        long job = (long)completion.Index;
        long end = job + (long)completion.Jobs;
        int perHost = settings.JobsPerHost;
        while (job < end)
        {
            if (job % perHost == 0 && end - job >= perHost)
            {
                long hosts = (end - job) / perHost;
                targets[slot].HostsNotStarted += hosts;
                job += hosts * perHost;
                continue;
            }
            var answer = HostAnswer.NotStarted(targets[slot].Text!, null);
            answer.Address = new HostAddress(completion);
            AddPort(slot, job++, answer, results);
        }
    }

    private void AddPort(int slot, long job, in HostAnswer answer, IResults results)
    {
        if (!ports!.Add(slot, job, answer, out HostAnswer merged, out PortResult[] portResults))
        {
            return;
        }
        if (merged.Status == JobStatus.NotStarted)
        {
            targets[slot].HostsNotStarted++;
        }
        else
        {
            AddHost(merged, portResults, results);
        }
    }

    private void AddHost(in HostAnswer answer, PortResult[] portResults, IResults results)
    {
        HostResult result = settings.ToResult(answer, portResults);
        if (answer.Status.IsUnfinished())
        {
            Unfinished.Add(answer.ComputerName, 1);
            results.AddUnfinished(result);
        }
        else
        {
            HostsFinished++;
            results.Add(result);
        }
    }

    private void Release(int slot, IResults results)
    {
        TargetTable.Entry target = targets[slot];
        targets.Remove(slot);
        if (target.HostsNotStarted > 0)
        {
            AddNotStarted(target.Text!, target.HostsNotStarted, target.Hosts, results);
        }
    }

    private void AddNotStarted(string target, long hosts, long ofHosts, IResults results)
    {
        Unfinished.Add(target, hosts);
        string? detail = ofHosts > 1 ? $"{hosts} of {ofHosts} hosts were not begun" : null;
        var portResults = new PortResult[settings.Ports.Length];
        for (int i = 0; i < portResults.Length; i++)
        {
            portResults[i] = new PortResult(settings.Ports[i], JobStatus.NotStarted, -1);
        }
        results.AddUnfinished(settings.ToResult(HostAnswer.NotStarted(target, detail), portResults));
    }

    private HostTexts? ReadTexts(in Completion completion)
    {
        if ((completion.HostNameLength | completion.AddressesLength | completion.DetailLength) == 0)
        {
            return null;
        }
        string? detail = completions.Read(completion.DetailOffset, completion.DetailLength);
        string? answeredFrom = HostAddress.AnsweredFrom(completion).ToString();
        if ((completion.HostNameLength | completion.AddressesLength) == 0)
        {
            // Behind one router thousands of hosts have the same sentence: they share it.
            return lastDetail = lastDetail?.Detail == detail ? lastDetail : new HostTexts(null, null, detail, answeredFrom);
        }
        string? addresses = completions.Read(completion.AddressesOffset, completion.AddressesLength);
        return new HostTexts(
            completions.Read(completion.HostNameOffset, completion.HostNameLength),
            addresses is null ? null : new JoinedList<string>(addresses.Split(' ')),
            detail,
            answeredFrom);
    }
}
