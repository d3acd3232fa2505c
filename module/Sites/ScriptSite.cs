// A session that runs script jobs: what it was given and has not ended, how fast it gets on, how much it may be given next. The
// thread that advances the run.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;

namespace RustRunspaces.Sites;

/// <summary>A host or item of a shared call.</summary>
internal sealed class SharedJob
{
    internal SharedJob(long place, object? item, object?[]? late = null)
    {
        Place = place;
        Item = item;
        Late = late ?? Array.Empty<object?>();
    }

    /// <summary>How many came before it.</summary>
    internal long Place { get; }

    internal object? Item { get; }

    /// <summary>Values of $using: that came with it.</summary>
    internal object?[] Late { get; }

    /// <summary>What it wrote and may not be said yet.</summary>
    internal List<Action> Held { get; } = new List<Action>(0);

    internal bool HasEnded { get; set; }

    /// <summary>The session that it was given to and that went away, while it waits for another one.</summary>
    internal ScriptSite? LostWith { get; set; }
}

internal sealed class ScriptSite : Site
{
    // So long does what waits there last at the rate so far, but for what its threads are busy with.
    private const double AheadSeconds = 0.25;
    private const int MostAhead = 4096;

    private readonly int threads;
    private readonly Stopwatch clock = new Stopwatch();
    private long given;
    private long ended;

    internal ScriptSite(int number, string name, SiteLink link, int threads) : base(number, name, link)
    {
        this.threads = threads;
    }

    /// <summary>By the far side's number, which counts what it was given.</summary>
    internal Dictionary<long, SharedJob> Open { get; } = new Dictionary<long, SharedJob>();

    /// <summary>It was told that no more comes.</summary>
    internal bool IsInputEnded { get; set; }

    internal bool HasAnswered => ended > 0;

    /// <summary>Its workers whose progress is shown.</summary>
    internal HashSet<int> Showing { get; } = new HashSet<int>();

    /// <summary>Jobs to give now.</summary>
    internal int Need(int waiting, int sites)
    {
        double rate = clock.IsRunning && clock.Elapsed.TotalSeconds > 0.05 ? ended / clock.Elapsed.TotalSeconds : 0;
        // Towards the end less and less, and to nobody more than its share, so that all of them end together.
        int room = threads + Math.Min(Math.Min(MostAhead, (int)(rate * AheadSeconds)), waiting / sites) - Open.Count;
        return room <= 0 ? 0 : Math.Min(room, Math.Max(1, waiting / (2 * sites)));
    }

    internal void Give(IReadOnlyList<SharedJob> jobs)
    {
        clock.Start();
        var message = new MessageWriter();
        int count = 0;
        foreach (SharedJob job in jobs)
        {
            Open.Add(given++, job);
            job.LostWith = null;
            message.Text(SiteScriptWork.ToText(job.Item));
            foreach (object? value in job.Late)
            {
                message.Text(SiteScriptWork.ToText(value));
            }
            count++;
            if (message.IsLarge)
            {
                Link.Send(message.ToArray(MessageKind.Jobs, count));
                message = new MessageWriter();
                count = 0;
            }
        }
        if (count > 0)
        {
            Link.Send(message.ToArray(MessageKind.Jobs, count));
        }
    }

    internal void End(long number)
    {
        Open.Remove(number);
        ended++;
    }

    /// <summary>A job's last word is its end: one of a job that is not open is nonsense.</summary>
    internal SharedJob JobOf(long number) => Open.TryGetValue(number, out SharedJob? job)
        ? job
        : throw new InvalidDataException("a word of a job that is not open");
}
