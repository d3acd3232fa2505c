// What every run over sessions shares, whatever is done in them: wakes when something comes, keeps the call's limit, stops what runs
// there, and leaves without waiting for anybody. The thread that advances the run, but for Cancel, Figures and OpenItems.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation.Runspaces;
using System.Threading;
using System.Threading.Tasks;
using RustRunspaces.Background;
using RustRunspaces.Native;
using RustRunspaces.Output;

namespace RustRunspaces.Sites;

internal abstract class SessionRun : IRun
{
    private protected const long CallItself = -1;

    // Of what is left over when everything is answered or given up.
    private static readonly TimeSpan LongestEnd = TimeSpan.FromMilliseconds(800);

    private readonly AutoResetEvent signal = new AutoResetEvent(false);
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private bool isDisposed;
    private volatile bool isCancelled;

    private protected SessionRun(ISink sink, double limitSeconds)
    {
        Sink = sink;
        LimitSeconds = limitSeconds;
    }

    /// <inheritdoc/>
    public abstract RunFigures Figures { get; }

    /// <inheritdoc/>
    public double? LimitReached => IsLimitReached && Figures.Unfinished > 0 ? LimitSeconds : null;

    /// <inheritdoc/>
    public abstract bool IsComplete { get; }

    /// <inheritdoc/>
    public virtual bool IsBatchFull => false;

    /// <summary>None of this process: what is sent, others send.</summary>
    public PoolCounts? Counts => null;

    /// <summary>None of this process: what hangs, hangs elsewhere, and ends there by its lease.</summary>
    public int Abandoned => 0;

    /// <summary>Since the run began.</summary>
    protected TimeSpan Elapsed => clock.Elapsed;

    private protected ISink Sink { get; }

    /// <summary>Of the call; 0 means none.</summary>
    private protected double LimitSeconds { get; }

    private protected bool IsLimitOver => LimitSeconds > 0 && clock.Elapsed.TotalSeconds >= LimitSeconds;

    /// <summary>The maximum wait has ended the run.</summary>
    private protected bool IsLimitReached { get; set; }

    private protected bool IsCancelled => isCancelled;

    /// <summary>Those that have begun, or will.</summary>
    private protected abstract IEnumerable<SiteLink> Links { get; }

    /// <summary>Those of them whose end is worth a moment, so that their sessions can be used again.</summary>
    private protected virtual IEnumerable<SiteLink> LinksToAwait => Links;

    /// <inheritdoc/>
    public abstract IReadOnlyList<object?> OpenItems();

    /// <summary>None: no worker of this process is busy with any.</summary>
    public IReadOnlyList<RunningItem> RunningItems() => Array.Empty<RunningItem>();

    /// <inheritdoc/>
    public abstract void Add(object? item);

    /// <inheritdoc/>
    public abstract bool Submit();

    /// <inheritdoc/>
    public abstract void CloseInput();

    /// <inheritdoc/>
    public void Wait(ulong milliseconds)
    {
        if (IsComplete)
        {
            return;
        }
        double limit = LimitSeconds > 0 && !IsLimitReached ? LimitSeconds - clock.Elapsed.TotalSeconds : double.MaxValue;
        double wait = Math.Min(milliseconds, Math.Ceiling(Math.Min(limit, SecondsToDeadline()) * 1000));
        signal.WaitOne((int)Math.Min(Math.Max(0, wait), int.MaxValue));
    }

    /// <inheritdoc/>
    public abstract void Deliver();

    /// <summary>Nothing of its own: what sites do shows in the figures.</summary>
    public virtual void Show()
    {
    }

    /// <inheritdoc/>
    public abstract void Complete();

    /// <inheritdoc/>
    public void Cancel()
    {
        isCancelled = true;
        StopAll();
        signal.Set();
    }

    /// <summary>Ends what still runs and waits a moment, so that the sessions can be used again; what hangs is left alone.</summary>
    public void Dispose()
    {
        if (isDisposed)
        {
            return;
        }
        isDisposed = true;
        BeginEnd();
        var end = Stopwatch.StartNew();
        while (LinksToAwait.Any(link => !link.HasEnded) && end.Elapsed < LongestEnd)
        {
            TimeSpan left = LongestEnd - end.Elapsed;
            signal.WaitOne(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
        StopAll();
        End(Task.WhenAll(Links.Select(link => link.Abandon()).ToArray()));
    }

    /// <summary>What runs on a session has until then; of no interest where nothing has.</summary>
    private protected virtual double SecondsToDeadline() => double.MaxValue;

    private protected SiteLink LinkTo(PSSession session) => new SiteLink(session, Signal);

    private protected void StopAll()
    {
        foreach (SiteLink link in Links)
        {
            link.BeginStop();
        }
    }

    /// <summary>Asks everything to end.</summary>
    private protected virtual void BeginEnd() => StopAll();

    /// <summary>Nothing is used any more.</summary>
    /// <param name="written">Done when nothing more is written to the sessions either.</param>
    private protected virtual void End(Task written)
    {
    }

    private void Signal()
    {
        try
        {
            signal.Set();
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }
}
