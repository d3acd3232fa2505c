// The far side of a shared sweep: probes the chunks that come, packs what becomes of them, and says how much it has begun, so
// that the near side sends more in time. One pool for all chunks: a pool for each would wait out its reply timeouts alone. The far
// side's pipeline thread.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Management.Automation;
using RustRunspaces.Output;
using RustRunspaces.Probes;
using RustRunspaces.Results;

namespace RustRunspaces.Sites;

internal sealed class FarProbes : IResults, ISink
{
    /// <summary>Rows in a message, at most.</summary>
    private const int MessageRows = 1024;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(100);

    private readonly FarLink link;
    private readonly Dictionary<long, Origin> origins = new Dictionary<long, Origin>();
    private readonly List<PackedRow> rows = new List<PackedRow>();
    private readonly Stopwatch sinceFlush = Stopwatch.StartNew();
    private readonly Stopwatch sinceProgress = Stopwatch.StartNew();
    private readonly ProbeRun run;
    private readonly FarLoop loop;
    private long targets;
    private long lastChunkHosts;
    private long hostsTaken;
    private long unsentSaid = -1;
    private long place;

    internal FarProbes(ProbeSettings settings, FarLink link)
    {
        this.link = link;
        run = new ProbeRun(settings, this, this);
        loop = new FarLoop(link, run, Say);
    }

    /// <summary>Until the near side sends no more and everything is answered.</summary>
    internal void Run()
    {
        using (run)
        {
            if (loop.Run(run.Wake, MessageKind.Chunk, Take, () => origins.Count == 0))
            {
                Flush();
            }
        }
    }

    void IResults.Add(in ResultPlace place, HostResult result)
    {
        Origin origin = origins[place.Target];
        rows.Add(new PackedRow(origin.Chunk, origin.Target, place.Host, result.ToAnswer(), result.PortResults));
        if (rows.Count == MessageRows)
        {
            Flush();
        }
    }

    /// <summary>Only the end of the whole work leaves a host without an answer, and then nobody is told.</summary>
    void IResults.AddUnfinished(in ResultPlace place, HostResult result)
    {
    }

    void IResults.Close(long target)
    {
    }

    void ISink.Attribute(long place) => this.place = place;

    void ISink.EndItem(long place, ItemOutcome outcome, ErrorRecord? error) => origins.Remove(place);

    /// <summary>A target that this machine's engine does not take.</summary>
    void ISink.WriteError(ErrorRecord error)
    {
        if (!origins.TryGetValue(place, out Origin origin))
        {
            return;
        }
        Flush();
        var message = new MessageWriter();
        message.Number((ulong)origin.Chunk);
        message.Number((ulong)origin.Target);
        message.Text(error.Exception.Message);
        link.Write(message.ToArray(MessageKind.Refused, 1));
    }

    void ISink.WriteJobError(ErrorRecord error)
    {
    }

    void ISink.WriteObject(object? value)
    {
    }

    void ISink.WriteWarning(string message)
    {
    }

    void ISink.WriteVerbose(string message)
    {
    }

    void ISink.WriteLine(string message)
    {
    }

    void ISink.WriteDebug(string message)
    {
    }

    void ISink.WriteInformation(InformationRecord record)
    {
    }

    void ISink.WriteProgress(ProgressRecord record)
    {
    }

    private void Take(MessageReader message)
    {
        int chunk = message.Int();
        lastChunkHosts = message.Long();
        hostsTaken += lastChunkHosts;
        for (int target = 0; target < message.Count; target++)
        {
            origins.Add(targets++, new Origin(chunk, target));
            loop.Add(message.Text() ?? "");
        }
        message.End();
        loop.Submit();
        unsentSaid = -1;
    }

    /// <summary>Few results after a while, the last at once; how much is left as soon as that is little; a sign of life.</summary>
    private void Say()
    {
        if (rows.Count > 0 && (origins.Count == 0 || sinceFlush.Elapsed >= LongestDelay))
        {
            Flush();
        }
        long unsent = run.Unsent;
        bool isLow = unsent <= lastChunkHosts / 2 && unsentSaid > lastChunkHosts / 2;
        bool isNews = unsent != unsentSaid && (unsentSaid < 0 || isLow || sinceProgress.Elapsed >= LongestDelay);
        if (isNews || link.IsSignDue)
        {
            unsentSaid = unsent;
            sinceProgress.Restart();
            var message = new MessageWriter();
            message.Number((ulong)(hostsTaken - unsent));
            link.Write(message.ToArray(MessageKind.Progress, 1));
        }
    }

    private void Flush()
    {
        sinceFlush.Restart();
        if (rows.Count > 0)
        {
            byte[] message = PackedResults.Pack(rows);
            rows.Clear();
            link.Write(message);
        }
    }

    private readonly struct Origin
    {
        internal Origin(int chunk, int target)
        {
            Chunk = chunk;
            Target = target;
        }

        internal int Chunk { get; }

        internal int Target { get; }
    }
}
