// A sweep from each session: every host is probed from all of them, and has one row with all answers. The thread that advances the
// run.

using System.Collections.Generic;
using System.Linq;
using System.Management.Automation.Runspaces;
using RustRunspaces.Output;
using RustRunspaces.Probes;
using RustRunspaces.Results;

namespace RustRunspaces.Sites;

internal sealed class EachProbeRun : SiteProbeRun
{
    // Rows that some sites have answered and others not: a site that is so far ahead waits.
    private const int MaximumRows = 65_536;

    private readonly PartQueue[] queues;
    private readonly Dictionary<(long Target, long Host), Row> rows = new Dictionary<(long, long), Row>();

    internal EachProbeRun(ProbeSettings settings, IReadOnlyList<PSSession> sessions, ISink sink) : base(settings, sessions, sink)
    {
        queues = sessions.Select(_ => new PartQueue()).ToArray();
    }

    private protected override bool SharesHosts => false;

    private protected override bool IsFull => queues.Any(queue => queue.Count >= MaximumRows) || base.IsFull;

    private protected override void Enqueue(in ChunkPart part)
    {
        foreach (ProbeSite site in Sites)
        {
            if (site.IsAlive)
            {
                queues[site.Number].Add(part);
            }
        }
    }

    private protected override PartQueue QueueOf(ProbeSite site) => queues[site.Number];

    /// <summary>One that lags behind always may; one that is ahead of it waits while too many rows are incomplete.</summary>
    private protected override bool MayHandTo(ProbeSite site) =>
        base.MayHandTo(site)
        && (rows.Count < MaximumRows || queues[site.Number].Hosts == Sites.Where(other => other.IsAlive).Max(other => queues[other.Number].Hosts));

    private protected override void TakeAnswer(ProbeSite site, SharedTarget target, long host, HostResult result)
    {
        Row row = RowOf(target, host);
        row.Results[site.Number] = result;
        Finish(row);
    }

    private protected override void TakeRefusal(ProbeSite site, in ChunkPart part, string reason) =>
        Note(site, part, JobStatus.Failed, reason);

    /// <summary>What it has not answered stays without its answer; the others answer for themselves.</summary>
    private protected override string? Lose(ProbeSite site)
    {
        long hosts = queues[site.Number].Hosts;
        queues[site.Number].Clear();
        foreach (ProbeChunk chunk in site.Chunks.Values)
        {
            hosts += chunk.Unanswered;
        }
        site.Chunks.Clear();
        foreach (Row row in rows.Values.ToArray())
        {
            Finish(row);
        }
        return hosts == 0 ? null : $"{Hosts(hosts)} have no answer from there";
    }

    private protected override void EndUnfinished()
    {
        foreach (ProbeSite site in Sites)
        {
            site.Chunks.Clear();
            queues[site.Number].Clear();
        }
        foreach (Row row in rows.Values.ToArray())
        {
            rows.Remove((row.Target.Place, row.Host));
            bool isCut = IsAnyAlive;
            HostReach result = ToResult(row, isCut ? JobStatus.Stopped : JobStatus.Lost);
            if (isCut)
            {
                AddStopped(row.Target, row.Host, result);
            }
            else
            {
                AddHost(row.Target, row.Host, result);
            }
        }
        base.EndUnfinished();
    }

    private protected override HostResult NotBegun(in HostAnswer answer)
    {
        HostResult nothing = ToResult(answer);
        return new HostReach(Sites.Where(site => site.State != SiteState.Unusable).DefaultIfEmpty(Sites[0]).Select(site => new SiteAnswer(site.Name, nothing)).ToArray());
    }

    private void Note(ProbeSite site, in ChunkPart part, JobStatus status, string? detail)
    {
        for (long host = part.First; host < part.First + part.Count; host++)
        {
            HostAnswer answer = HostAnswer.NotStarted(NameOf(part.Target, host), detail);
            answer.Status = status;
            answer.ObservedFrom = site.Name;
            TakeAnswer(site, part.Target, host, ToResult(answer));
        }
    }

    private Row RowOf(SharedTarget target, long host)
    {
        var key = (target.Place, host);
        if (!rows.TryGetValue(key, out Row? row))
        {
            row = new Row(target, host, Sites.Length);
            rows.Add(key, row);
        }
        return row;
    }

    /// <summary>Writes the row if every site has answered that still can.</summary>
    private void Finish(Row row)
    {
        if (Sites.Any(site => site.IsAlive && row.Results[site.Number] is null))
        {
            return;
        }
        rows.Remove((row.Target.Place, row.Host));
        AddHost(row.Target, row.Host, ToResult(row, JobStatus.Lost));
    }

    /// <param name="row">With an answer from one site at least.</param>
    /// <param name="missing">What the other sites' answers are.</param>
    private HostReach ToResult(Row row, JobStatus missing)
    {
        string name = row.Results.First(result => result is not null)!.ComputerName;
        // A site that never took part has no column.
        IEnumerable<ProbeSite> columns = Sites.Where(site => site.State != SiteState.Unusable || row.Results[site.Number] is not null);
        return new HostReach(columns.Select(site => new SiteAnswer(site.Name, row.Results[site.Number] ?? Missing(site, name, missing))).ToArray());
    }

    private HostResult Missing(ProbeSite site, string name, JobStatus status)
    {
        HostAnswer answer = HostAnswer.NotStarted(name, null);
        answer.Status = status;
        answer.ObservedFrom = site.Name;
        return ToResult(answer);
    }

    private sealed class Row
    {
        internal readonly SharedTarget Target;
        internal readonly long Host;
        internal readonly HostResult?[] Results;

        internal Row(SharedTarget target, long host, int sites)
        {
            Target = target;
            Host = host;
            Results = new HostResult?[sites];
        }
    }
}
