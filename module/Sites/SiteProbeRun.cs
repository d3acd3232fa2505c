// A sweep over sessions: shared, each host is probed from one of them; or from each, every host from all. Hands out parts of
// targets as sites need them, makes results of what comes back, gives what a lost site has not answered to the others. The thread
// that advances the run, but for Figures and OpenItems.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Net;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Probes;
using RustRunspaces.Results;

namespace RustRunspaces.Sites;

internal class SiteProbeRun : SiteRun<ProbeSite>
{
    // Targets and rows that wait: beyond that no more are taken in, and no more are handed out.
    private const int MaximumWaiting = 65_536;

    private readonly ConcurrentDictionary<long, SharedTarget> targets = new ConcurrentDictionary<long, SharedTarget>();
    private readonly UnfinishedHosts unfinished = new UnfinishedHosts();
    private readonly PartQueue queue = new PartQueue();
    private long targetsAdded;
    private long hostsKnown;
    private long hostsFinished;
    private bool hasWarned;

    internal SiteProbeRun(ProbeSettings settings, IReadOnlyList<PSSession> sessions, ISink sink)
        : base(
            sink,
            sessions,
            settings.MaximumWaitSeconds,
            (number, name, link) => new ProbeSite(number, name, link, settings.IsTcp ? 0 : settings.PacketsPerSecond))
    {
        Settings = settings;
        Results = !settings.AsObject ? new HashtableResults(() => hostsKnown)
            : settings.IsOrdered ? new OrderedResults(sink)
            : new StreamedResults(sink);
        Start(SiteWork.Pack(settings));
    }

    /// <inheritdoc/>
    public override RunFigures Figures
    {
        get
        {
            long share = SharesHosts ? Math.Max(1, Sites.Count(site => site.IsAlive)) : 1;
            return new RunFigures(hostsKnown, hostsFinished, unfinished.Count, Settings.LongestDuration((hostsKnown + share - 1) / share));
        }
    }

    /// <inheritdoc/>
    public override bool IsComplete => IsInputClosed && targets.IsEmpty;

    /// <inheritdoc/>
    public override bool IsBatchFull => IsFull;

    private protected ProbeSettings Settings { get; }

    private protected IResults Results { get; }

    /// <summary>Each host is probed from one site.</summary>
    private protected virtual bool SharesHosts => true;

    private protected virtual bool IsFull =>
        queue.Count >= MaximumWaiting || Results is OrderedResults { Held: > MaximumWaiting };

    /// <inheritdoc/>
    public override IReadOnlyList<object?> OpenItems()
    {
        var items = new List<KeyValuePair<long, string>>();
        unfinished.AddTo(items);
        items.AddRange(targets.Values.Select(target => new KeyValuePair<long, string>(target.Place, target.Text)));
        return items.OrderBy(item => item.Key).Select(item => (object?)item.Value).ToArray();
    }

    /// <inheritdoc/>
    public override void Add(object? item)
    {
        var text = (string)item!;
        long place = targetsAdded++;
        TargetText meaning = TargetText.Read(text, Settings.AddressFamily);
        if (meaning.Status != NativeStatus.Ok)
        {
            Refuse(place, Errors.Rejected(text, meaning.Status, Settings.AddressFamily));
            return;
        }
        IPAddress? first = meaning.IsExpanded ? IPAddress.Parse(FirstOf(TargetText.Part(text, Settings.AddressFamily, 0, 1))) : null;
        var target = new SharedTarget(place, text, meaning, first);
        targets.TryAdd(place, target);
        hostsKnown += target.Hosts;
        Enqueue(new ChunkPart(target, 0, target.Hosts));
    }

    /// <inheritdoc/>
    public override bool Submit()
    {
        if (!IsAnyAlive || IsLimitReached)
        {
            EndUnfinished();
            return true;
        }
        WarnOfLimit();
        HandOut();
        return !IsFull;
    }

    /// <inheritdoc/>
    public override void Complete()
    {
        Sink.Attribute(CallItself);
        if (Refusal() is ErrorRecord refusal)
        {
            throw new CallRefusedException(refusal);
        }
        SayUnusable(isLast: true);
        if (LimitReached is double seconds)
        {
            Sink.WriteWarning($"The maximum wait of {seconds} seconds was reached before {Hosts(unfinished.Count)} could be finished: {unfinished}");
        }
        else if (AreAllLost && unfinished.Count > 0)
        {
            Sink.WriteError(SiteErrors.AllLost(unfinished.Count, "hosts", unfinished.ToString()));
        }
        if (Results is HashtableResults table)
        {
            Sink.WriteObject(table.ToHashtable());
        }
    }

    private protected static string Hosts(long count) => count == 1 ? "1 host" : $"{count} hosts";

    private protected virtual void Enqueue(in ChunkPart part) => queue.Add(part);

    /// <summary>The queue that a site takes from, and how many take from it.</summary>
    private protected virtual PartQueue QueueOf(ProbeSite site) => queue;

    private protected virtual bool MayHandTo(ProbeSite site) => Results is not OrderedResults { Held: > MaximumWaiting };

    private protected override void HandOut()
    {
        int sites = SharesHosts ? Math.Max(1, Sites.Count(site => site.IsAlive)) : 1;
        bool wasAnyServed = true;
        while (wasAnyServed)
        {
            // Turn by turn: else the first would have all before the others are asked.
            wasAnyServed = false;
            foreach (ProbeSite site in Sites)
            {
                PartQueue parts = QueueOf(site);
                if (site.State != SiteState.Ready || parts.Count == 0 || !MayHandTo(site))
                {
                    continue;
                }
                long hosts = site.Need(parts.Hosts, sites);
                if (hosts > 0)
                {
                    site.Give(parts.Take(hosts), Settings.AddressFamily);
                    wasAnyServed = true;
                }
            }
        }
    }

    private protected override void Take(ProbeSite site, MessageReader message)
    {
        switch (message.Kind)
        {
            case MessageKind.Progress:
                long begun = message.Long(site.Given);
                message.End();
                site.Progress(begun);
                break;
            case MessageKind.Results:
                foreach (PackedRow row in PackedResults.Unpack(message, Settings.Ports, site.Name))
                {
                    Take(site, row);
                }
                break;
            case MessageKind.Refused:
                ProbeChunk chunk = ChunkOf(site, message.Int());
                int part = message.Int();
                string reason = message.Text() ?? "";
                message.End();
                List<ChunkPart> left = chunk.Withdraw(part);
                Release(site, chunk);
                foreach (ChunkPart refused in left)
                {
                    TakeRefusal(site, refused, reason);
                }
                break;
            default:
                throw new InvalidDataException($"a message of the unknown kind {message.Kind}");
        }
    }

    /// <summary>One host's answer from one site.</summary>
    private protected virtual void TakeAnswer(ProbeSite site, SharedTarget target, long host, HostResult result) => AddHost(target, host, result);

    /// <summary>Hosts that this site does not probe: a name or address that only this machine knows.</summary>
    private protected virtual void TakeRefusal(ProbeSite site, in ChunkPart part, string reason)
    {
        Sink.Attribute(part.Target.Place);
        ErrorRecord error = SiteErrors.RefusedThere(part.Target.Text, site.Name, reason);
        Sink.WriteError(error);
        part.Target.Unanswered -= part.Count;
        hostsKnown -= part.Count;
        if (part.Target.Unanswered == 0)
        {
            Close(part.Target, ItemOutcome.Failed, error);
        }
    }

    private protected override string? Lose(ProbeSite site)
    {
        long hosts = 0;
        foreach (ProbeChunk chunk in site.Chunks.Values.OrderByDescending(chunk => chunk.Number))
        {
            for (int part = chunk.Count - 1; part >= 0; part--)
            {
                foreach (ChunkPart left in Enumerable.Reverse(chunk.Withdraw(part)))
                {
                    queue.PutBack(left);
                    hosts += left.Count;
                }
            }
        }
        site.Chunks.Clear();
        return hosts == 0 ? null : IsAnyAlive ? $"{Hosts(hosts)} that it had not answered go to the other sessions" : $"{Hosts(hosts)} have no answer";
    }

    /// <summary>Hosts that were handed out may have been begun and are Stopped; of those that were not, one row for each target.</summary>
    private protected override void EndUnfinished()
    {
        foreach (ProbeSite site in Sites)
        {
            foreach (ProbeChunk chunk in site.Chunks.Values)
            {
                for (int part = 0; part < chunk.Count; part++)
                {
                    foreach (ChunkPart left in chunk.Withdraw(part))
                    {
                        AddStopped(site, left);
                    }
                }
            }
            site.Chunks.Clear();
        }
        queue.Clear();
        foreach (SharedTarget target in targets.Values.OrderBy(target => target.Place).ToArray())
        {
            if (target.Unanswered > 0)
            {
                string? detail = target.Hosts > 1 ? $"{target.Unanswered} of {target.Hosts} hosts were not begun" : null;
                unfinished.Add(target.Place, target.Text, target.Unanswered);
                HostAnswer answer = HostAnswer.NotStarted(target.Text, detail);
                Results.AddUnfinished(new ResultPlace(target.Place, ResultPlace.TargetEnd), NotBegun(answer));
            }
            Close(target, ItemOutcome.Stopped, null);
        }
    }

    /// <summary>A host with a verdict.</summary>
    private protected void AddHost(SharedTarget target, long host, HostResult result)
    {
        hostsFinished++;
        Results.Add(new ResultPlace(target.Place, host), result);
        Count(target);
    }

    /// <summary>A host that was handed out and has none.</summary>
    private protected void AddStopped(SharedTarget target, long host, HostResult result)
    {
        unfinished.Add(target.Place, result.ComputerName, 1);
        Results.AddUnfinished(new ResultPlace(target.Place, host), result);
        target.Unanswered--;
    }

    private protected string NameOf(SharedTarget target, long host)
    {
        if (!target.IsExpanded)
        {
            return target.Text;
        }
        return FirstOf(TargetText.Part(target.Text, Settings.AddressFamily, host, 1));
    }

    private static string FirstOf(string range) => range.Substring(0, range.IndexOf('-'));

    /// <summary>A result without a probe.</summary>
    private protected HostResult ToResult(in HostAnswer answer)
    {
        JobStatus status = answer.Status;
        return Settings.ToResult(answer, Settings.Ports.Select(port => new PortResult(port, status, -1)).ToArray());
    }

    /// <summary>The row of hosts that nobody was given.</summary>
    private protected virtual HostResult NotBegun(in HostAnswer answer) => ToResult(answer);

    private void AddStopped(ProbeSite site, in ChunkPart part)
    {
        for (long host = part.First; host < part.First + part.Count; host++)
        {
            HostAnswer answer = HostAnswer.NotStarted(NameOf(part.Target, host), null);
            answer.Status = JobStatus.Stopped;
            answer.ObservedFrom = site.Name;
            AddStopped(part.Target, host, ToResult(answer));
        }
    }

    private static ProbeChunk ChunkOf(ProbeSite site, int number) => site.Chunks.TryGetValue(number, out ProbeChunk? chunk)
        ? chunk
        : throw new InvalidDataException($"an answer to chunk {number}, which is not open");

    private void Take(ProbeSite site, in PackedRow row)
    {
        ProbeChunk chunk = ChunkOf(site, row.Chunk);
        ChunkPart part = chunk.PartOf(row.Target, row.Host);
        SharedTarget target = part.Target;
        long host = part.First + row.Host;
        HostAnswer answer = row.Answer;
        string? address = target.IsExpanded ? answer.Address.ToString() : null;
        if (address is not null && !target.HasAddress(host, answer.Address))
        {
            throw new InvalidDataException("an answer with the address of another host");
        }
        chunk.Answer(row.Target, row.Host);
        Release(site, chunk);
        answer.ComputerName = address ?? NameOf(target, host);
        TakeAnswer(site, target, host, Settings.ToResult(answer, row.Ports as PortResult[] ?? row.Ports.ToArray()));
    }

    private static void Release(ProbeSite site, ProbeChunk chunk)
    {
        if (chunk.Unanswered == 0)
        {
            site.Chunks.Remove(chunk.Number);
        }
    }

    private void Count(SharedTarget target)
    {
        if (--target.Unanswered == 0)
        {
            Close(target, ItemOutcome.Completed, null);
        }
    }

    private void Close(SharedTarget target, ItemOutcome outcome, ErrorRecord? error)
    {
        targets.TryRemove(target.Place, out _);
        Results.Close(target.Place);
        Sink.EndItem(target.Place, outcome, error);
        Sink.Attribute(CallItself);
    }

    private void Refuse(long place, ErrorRecord error)
    {
        Sink.Attribute(place);
        Sink.WriteError(error);
        Results.Close(place);
        Sink.EndItem(place, ItemOutcome.Failed, error);
        Sink.Attribute(CallItself);
    }

    /// <summary>Once, as soon as the hosts known take longer than the maximum wait leaves: the newest begins only now.</summary>
    private void WarnOfLimit()
    {
        if (!hasWarned && hostsKnown > 0
            && Settings.WarningOfLimit($"{Hosts(hostsKnown)} from {Sites.Length} sessions", Figures.Longest, Elapsed) is string warning)
        {
            hasWarned = true;
            Sink.WriteWarning(warning);
        }
    }
}
