// A run of probes: gives targets to the engine, takes completions back and makes one result of what belongs to one host. Decides
// nothing about time, order or attempts. The thread that advances it, but for Cancel, Figures and OpenItems.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Background;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Results;

namespace RustRunspaces.Probes;

internal sealed class ProbeRun : IRun
{
    // Hosts without a verdict, and rows that wait for others, with -Ordered: beyond that no more targets are taken in.
    private const int MaximumHeld = 65_536;

    private const long UnixEpochTicks = 621_355_968_000_000_000;
    private const long NanosecondsPerTick = 100;
    private const long CallItself = -1;

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly ProbeSettings settings;
    private readonly ISink sink;
    private readonly IResults results;
    private readonly Pool pool;
    private readonly CompletionBuffer completions = new CompletionBuffer();
    private readonly TargetBatch batch = new TargetBatch();
    private readonly TargetTable targets = new TargetTable();
    private readonly UnfinishedHosts unfinished = new UnfinishedHosts();
    private readonly PortMerger? ports;
    private HostTexts? lastDetail;
    // The last target of the batch, while there are more parts of it.
    private DividedTarget? divided;
    private long targetsAdded;
    private long hostsKnown;
    private long hostsFinished;
    private bool hasWarned;
    // The engine takes no more: what waits for hosts that will never be begun must not be waited for.
    private volatile bool isEnding;

    /// <summary>Opens the pool: from here on the maximum wait counts.</summary>
    /// <param name="settings">What to probe and how.</param>
    /// <param name="sink">Where results and errors go.</param>
    /// <param name="given">Takes the results in place of what the settings ask for; null for that.</param>
    internal ProbeRun(ProbeSettings settings, ISink sink, IResults? given = null)
    {
        this.settings = settings;
        this.sink = sink;
        ports = settings.Ports.Length > 1 ? new PortMerger(settings.Ports) : null;
        results = given is not null ? given
            : !settings.AsObject ? new HashtableResults(() => hostsKnown)
            : settings.IsOrdered ? new OrderedResults(sink)
            : new StreamedResults(sink);
        pool = Pool.Open((uint)settings.PacketsPerSecond, (ulong)Math.Ceiling(settings.MaximumWaitSeconds * 1000));
    }

    /// <inheritdoc/>
    public RunFigures Figures => new RunFigures(hostsKnown, hostsFinished, unfinished.Count, settings.LongestDuration(hostsKnown));

    /// <inheritdoc/>
    public double? LimitReached => unfinished.Count > 0 && pool.HasReachedLimit ? settings.MaximumWaitSeconds : null;

    /// <inheritdoc/>
    public bool IsComplete { get; private set; }

    /// <inheritdoc/>
    public bool IsBatchFull => batch.IsFull || divided is not null;

    /// <inheritdoc/>
    public PoolCounts? Counts => pool.Count();

    /// <summary>None: probes run on no threads that could be left behind.</summary>
    public int Abandoned => 0;

    /// <inheritdoc/>
    public IReadOnlyList<object?> OpenItems()
    {
        var items = new List<KeyValuePair<long, string>>();
        unfinished.AddTo(items);
        targets.AddOpenTo(items);
        // Parts of a target have its text.
        return items.Distinct().OrderBy(item => item.Key).Select(item => (object?)item.Value).ToArray();
    }

    /// <summary>None: no worker runs a probe.</summary>
    public IReadOnlyList<RunningItem> RunningItems() => Array.Empty<RunningItem>();

    /// <inheritdoc/>
    public void Add(object? item)
    {
        var target = (string)item!;
        divided = results is OrderedResults ? DividedTarget.For(target, settings.AddressFamily) : null;
        if (divided is null)
        {
            batch.Add(targets.Add(targetsAdded++, target), target);
        }
        else
        {
            hostsKnown += divided.Hosts;
            targetsAdded++;
            AddPart();
        }
    }

    /// <inheritdoc/>
    public bool Submit()
    {
        while (batch.Taken < batch.Count)
        {
            if (!isEnding && results is OrderedResults ordered && ordered.Held + Unanswered > MaximumHeld)
            {
                return false;
            }
            int first = batch.Taken;
            NativeStatus status = pool.SubmitProbes(settings.ToOptions(), settings.Ports, batch);
            for (int i = first; i < batch.Taken; i++)
            {
                Accept(batch.Targets[i]);
            }
            WarnOfLimit();
            if (status == NativeStatus.Again)
            {
                return false;
            }
            if (status == NativeStatus.Closed)
            {
                for (int i = batch.Taken; i < batch.Count; i++)
                {
                    Refuse((int)batch.Targets[i].UserData);
                }
                divided = null;
                break;
            }
            if (batch.Taken == batch.Count && divided is not null)
            {
                batch.Clear();
                AddPart();
            }
        }
        batch.Clear();
        return true;
    }

    /// <inheritdoc/>
    public void CloseInput() => pool.CloseInput();

    /// <inheritdoc/>
    public void Wait(ulong milliseconds) => IsComplete = pool.Poll(milliseconds) == NativeStatus.Closed;

    /// <inheritdoc/>
    public void Deliver()
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
            isEnding |= ((JobStatus)completion.Outcome).IsUnfinished();
            if ((JobStatus)completion.Outcome == JobStatus.NotStarted)
            {
                TakeNotStarted(slot, completion);
            }
            else
            {
                TakeAnswer(slot, completion, localOffset);
            }
            targets[slot].UnansweredJobs -= jobs;
            if (targets[slot].UnansweredJobs == 0)
            {
                Release(slot);
            }
        }
    }

    /// <summary>Nothing: hosts show no progress of their own.</summary>
    public void Show()
    {
    }

    /// <inheritdoc/>
    public void Complete()
    {
        sink.Attribute(CallItself);
        if (LimitReached is double seconds)
        {
            sink.WriteWarning($"The maximum wait of {seconds} seconds was reached before {Hosts(unfinished.Count)} could be finished: {unfinished}");
        }
        if (results is HashtableResults table)
        {
            sink.WriteObject(table.ToHashtable());
        }
    }

    /// <inheritdoc/>
    public void Cancel()
    {
        isEnding = true;
        pool.Cancel();
    }

    /// <summary>Makes the present or the next <see cref="Wait"/> return. Any thread.</summary>
    internal void Wake() => pool.Wake();

    /// <summary>Hosts of which nothing has been sent yet.</summary>
    internal long Unsent => pool.NotBegun / settings.JobsPerHost;

    public void Dispose()
    {
        pool.Dispose();
        completions.Dispose();
    }

    /// <summary>Hosts that the engine has.</summary>
    private long Unanswered => hostsKnown - hostsFinished - unfinished.Count - (divided?.Left ?? 0);

    private void AddPart()
    {
        DividedTarget whole = divided!;
        int slot = targets.Add(targetsAdded - 1, whole.Text);
        targets[slot].Divided = whole;
        targets[slot].FirstHost = whole.Next;
        batch.Add(slot, whole.TakePart());
        divided = whole.Left > 0 ? whole : null;
    }

    /// <summary>The target comes too late: none of it was begun.</summary>
    private void Refuse(int slot)
    {
        if (targets[slot].Divided is DividedTarget whole)
        {
            whole.HostsNotStarted += whole.Next - targets[slot].FirstHost;
            whole.Abandon();
            Release(slot);
            return;
        }
        AddNotStarted(targets[slot].Place, targets[slot].Text!, 1, 1);
        Remove(slot, ItemOutcome.Stopped);
    }

    private static string Hosts(long count) => count == 1 ? "1 host" : $"{count} hosts";

    /// <summary>Once, as soon as the hosts known take longer than the maximum wait.</summary>
    private void WarnOfLimit()
    {
        if (!hasWarned && hostsKnown > 0
            && settings.WarningOfLimit(Hosts(hostsKnown), settings.LongestDuration(hostsKnown), clock.Elapsed) is string warning)
        {
            hasWarned = true;
            sink.WriteWarning(warning);
        }
    }

    private void Accept(in Target target)
    {
        int slot = (int)target.UserData;
        if (target.Status != (int)NativeStatus.Ok)
        {
            string text = targets[slot].Text!;
            ErrorRecord rejection = Errors.Rejected(text, (NativeStatus)target.Status, settings.AddressFamily);
            sink.Attribute(targets[slot].Place);
            sink.WriteError(rejection);
            Remove(slot, ItemOutcome.Failed, rejection);
            return;
        }
        ref TargetTable.Entry entry = ref targets[slot];
        entry.IsExpanded = (target.Flags & Target.FlagExpanded) != 0;
        entry.UnansweredJobs = (long)target.Jobs;
        entry.Hosts = (long)target.Jobs / settings.JobsPerHost;
        hostsKnown += entry.Divided is null ? entry.Hosts : 0;
    }

    private void TakeAnswer(int slot, in Completion completion, long localOffset)
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
            AddHost(slot, (long)completion.Index, answer, only);
        }
        else
        {
            AddPort(slot, (long)completion.Index, answer);
        }
    }

    /// <summary>Consecutive jobs that were never begun: whole hosts, with parts of hosts before and after.</summary>
    private void TakeNotStarted(int slot, in Completion completion)
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
            AddPort(slot, job++, answer);
        }
    }

    private void AddPort(int slot, long job, in HostAnswer answer)
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
            AddHost(slot, job / settings.JobsPerHost, merged, portResults);
        }
    }

    private void AddHost(int slot, long host, in HostAnswer answer, PortResult[] portResults)
    {
        HostResult result = settings.ToResult(answer, portResults);
        var place = new ResultPlace(targets[slot].Place, targets[slot].FirstHost + host);
        if (answer.Status.IsUnfinished())
        {
            targets[slot].HostsStopped++;
            unfinished.Add(targets[slot].Place, answer.ComputerName, 1);
            results.AddUnfinished(place, result);
        }
        else
        {
            hostsFinished++;
            results.Add(place, result);
        }
    }

    private void Release(int slot)
    {
        TargetTable.Entry target = targets[slot];
        if (target.Divided is DividedTarget whole)
        {
            whole.HostsNotStarted += target.HostsNotStarted;
            whole.HostsStopped += target.HostsStopped;
            whole.OpenParts--;
            if (whole.OpenParts > 0 || whole.Left > 0)
            {
                targets.Remove(slot);
                return;
            }
            target.Hosts = whole.Hosts;
            target.HostsNotStarted = whole.HostsNotStarted;
            target.HostsStopped = whole.HostsStopped;
        }
        if (target.HostsNotStarted > 0)
        {
            AddNotStarted(target.Place, target.Text!, target.HostsNotStarted, target.Hosts);
        }
        Remove(slot, target.HostsNotStarted + target.HostsStopped > 0 ? ItemOutcome.Stopped : ItemOutcome.Completed);
    }

    private void Remove(int slot, ItemOutcome outcome, ErrorRecord? error = null)
    {
        long place = targets[slot].Place;
        results.Close(place);
        targets.Remove(slot);
        sink.EndItem(place, outcome, error);
        sink.Attribute(CallItself);
    }

    private void AddNotStarted(long place, string target, long hosts, long ofHosts)
    {
        unfinished.Add(place, target, hosts);
        string? detail = ofHosts > 1 ? $"{hosts} of {ofHosts} hosts were not begun" : null;
        var portResults = new PortResult[settings.Ports.Length];
        for (int i = 0; i < portResults.Length; i++)
        {
            portResults[i] = new PortResult(settings.Ports[i], JobStatus.NotStarted, -1);
        }
        results.AddUnfinished(new ResultPlace(place, ResultPlace.TargetEnd), settings.ToResult(HostAnswer.NotStarted(target, detail), portResults));
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
