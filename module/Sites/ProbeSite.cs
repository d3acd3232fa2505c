// A session that probes: what it was given and has not answered, how fast it gets on, how much it may be given next. The thread
// that advances the run.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;

namespace RustRunspaces.Sites;

internal sealed class ProbeSite : Site
{
    /// <summary>The smallest chunk, but for the last ones: a message and its answer cost as much as some dozens of hosts.</summary>
    internal const long SmallestChunk = 64;

    /// <summary>The largest: what a lost session had of it must be done again.</summary>
    internal const long LargestChunk = 16_384;

    private const long FirstChunk = 1024;

    // So long does a chunk last at the measured rate, and so long does what lies there unbegun.
    private const double ChunkSeconds = 0.2;
    private const double AheadSeconds = 0.3;

    // Towards the end no less than that, or round trips would be waited for.
    private const double LeastAheadSeconds = 0.05;

    // A rate over less is noise.
    private static readonly double LeastSeconds = 0.1;

    private readonly double limitRate;
    private readonly Stopwatch sinceMeasured = Stopwatch.StartNew();
    private long begunMeasured;
    private double rate;
    private int chunks;

    /// <param name="number">Among the sessions of the call.</param>
    /// <param name="name">Its name.</param>
    /// <param name="link">To its session.</param>
    /// <param name="packetsPerSecond">That it may send; 0 means unlimited, or that packets are not counted.</param>
    internal ProbeSite(int number, string name, SiteLink link, int packetsPerSecond) : base(number, name, link)
    {
        limitRate = packetsPerSecond;
    }

    /// <summary>By number.</summary>
    internal Dictionary<int, ProbeChunk> Chunks { get; } = new Dictionary<int, ProbeChunk>();

    /// <summary>Hosts it was given so far.</summary>
    internal long Given { get; private set; }

    /// <summary>Hosts it has begun so far.</summary>
    internal long Begun { get; private set; }

    /// <summary>Hosts to give now; 0 where it has enough to do.</summary>
    /// <param name="waiting">Hosts that nobody has been given.</param>
    /// <param name="sites">How many sites share these.</param>
    internal long Need(long waiting, int sites)
    {
        // A burst at the beginning says nothing about a rate that is limited.
        double speed = Math.Min(limitRate > 0 ? limitRate : double.MaxValue, rate > 0 ? rate : FirstChunk / ChunkSeconds);
        // What is answered was begun, whatever it says: it must not starve with nothing to do.
        long unbegun = Math.Min(Given - Begun, Chunks.Values.Sum(given => given.Unanswered));
        long chunk = Math.Min(Math.Max(SmallestChunk, (long)(speed * ChunkSeconds)), LargestChunk);
        // Towards the end less and less, and to nobody more than its share, so that all of them end together.
        chunk = Math.Min(chunk, Math.Max(SmallestChunk, waiting / (2 * sites)));
        double ahead = Math.Max(SmallestChunk, Math.Min(speed * AheadSeconds, Math.Max(speed * LeastAheadSeconds, (double)waiting / sites)));
        return unbegun < ahead ? Math.Min(chunk, waiting) : 0;
    }

    /// <summary>Gives it these parts.</summary>
    internal void Give(List<ChunkPart> parts, int addressFamily)
    {
        var chunk = new ProbeChunk(++chunks, parts);
        Chunks.Add(chunk.Number, chunk);
        Given += chunk.Hosts;
        Link.Send(chunk.ToMessage(addressFamily));
    }

    /// <summary>It says how many hosts it has begun.</summary>
    internal void Progress(long begun)
    {
        Begun = begun;
        double seconds = sinceMeasured.Elapsed.TotalSeconds;
        if (seconds < LeastSeconds)
        {
            return;
        }
        // One that has run dry shows its hunger, not its rate.
        double measured = (begun - begunMeasured) / seconds;
        if (begun < Given || measured > rate)
        {
            rate = rate > 0 ? (rate + measured) / 2 : measured;
        }
        begunMeasured = begun;
        sinceMeasured.Restart();
    }
}
