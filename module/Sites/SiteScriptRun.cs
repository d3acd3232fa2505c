// Script jobs shared among sessions: hands out hosts or items as sites have room, brings back what their jobs wrote, merges the
// entries of $Data. A job of a lost site may have done its work or not: it is Lost, or runs again where the caller wants that. The
// thread that advances the run, but for Figures and OpenItems.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using RustRunspaces.Output;
using RustRunspaces.Scripts;

namespace RustRunspaces.Sites;

/// <summary>A host or item of a shared call.</summary>
internal sealed class SharedJob
{
    internal SharedJob(long place, object? item)
    {
        Place = place;
        Item = item;
    }

    /// <summary>How many came before it.</summary>
    internal long Place { get; }

    internal object? Item { get; }
}

/// <summary>A session that runs script jobs: what it has, how fast it gets on.</summary>
internal sealed class ScriptSite : Site
{
    // So long does what waits there last at the rate so far, but for what its threads are busy with.
    private const double AheadSeconds = 0.25;
    private const int MostAhead = 4096;

    private readonly int threads;
    private readonly Stopwatch clock = new Stopwatch();
    private readonly List<SharedJob> given = new List<SharedJob>();
    private long ended;

    internal ScriptSite(int number, string name, SiteLink link, int threads) : base(number, name, link)
    {
        this.threads = threads;
    }

    /// <summary>By the far side's number, which counts what it was given.</summary>
    internal Dictionary<long, SharedJob> Open { get; } = new Dictionary<long, SharedJob>();

    /// <summary>Its entries of $Data are here: it has ended its work.</summary>
    internal bool IsDone { get; set; }

    internal bool HasAnswered => ended > 0;

    /// <summary>Jobs to give now.</summary>
    internal int Need(int waiting, int sites)
    {
        double rate = clock.IsRunning && clock.Elapsed.TotalSeconds > 0.05 ? ended / clock.Elapsed.TotalSeconds : 0;
        int room = threads + Math.Min(MostAhead, (int)(rate * AheadSeconds)) - Open.Count;
        // Towards the end less and less, so that all of them end together.
        return room <= 0 ? 0 : Math.Min(room, Math.Max(1, waiting / (2 * sites)));
    }

    internal void Give(IReadOnlyList<SharedJob> jobs)
    {
        clock.Start();
        var message = new MessageWriter();
        foreach (SharedJob job in jobs)
        {
            Open.Add(given.Count, job);
            given.Add(job);
            message.Text(SiteScriptWork.ToText(job.Item));
        }
        Link.Send(message.ToArray(MessageKind.Jobs, jobs.Count));
    }

    internal SharedJob End(long number)
    {
        if (!Open.TryGetValue(number, out SharedJob? job))
        {
            throw new InvalidDataException("the end of a job that is not open");
        }
        Open.Remove(number);
        ended++;
        return job;
    }

    internal long PlaceOf(long number) => number < 0 ? -1
        : number < given.Count ? given[(int)number].Place
        : throw new InvalidDataException("a word of a job that was not given");
}

internal sealed class SiteScriptRun : SiteRun<ScriptSite>
{
    private const int MaximumWaiting = 65_536;

    private readonly ScriptCall call;
    private readonly bool retriesLost;
    private readonly ConcurrentDictionary<long, object?> open = new ConcurrentDictionary<long, object?>();
    private readonly LinkedList<SharedJob> queue = new LinkedList<SharedJob>();
    private readonly List<KeyValuePair<long, object?>> unfinished = new List<KeyValuePair<long, object?>>();
    private readonly Dictionary<long, Action> held = new Dictionary<long, Action>();
    private long front;
    private long known;
    private long ended;
    private bool isSettled;

    internal SiteScriptRun(ScriptCall call, IReadOnlyList<PSSession> sessions, bool retriesLost, ISink sink)
        : base(
            sink,
            sessions,
            call.Options.MaximumWaitTimeSeconds,
            (number, name, link) => new ScriptSite(number, name, link, call.Options.MaximumThreadCount))
    {
        this.call = call;
        this.retriesLost = retriesLost;
        foreach (string warning in call.Warnings)
        {
            sink.WriteWarning(warning);
        }
        Start(SiteScriptWork.Pack(call), call.Setup.Caller.Verbose, call.Setup.Caller.Debug);
    }

    /// <inheritdoc/>
    public override RunFigures Figures
    {
        get
        {
            lock (unfinished)
            {
                return new RunFigures(known, ended - unfinished.Count, unfinished.Count, TimeSpan.MaxValue);
            }
        }
    }

    /// <inheritdoc/>
    public override bool IsComplete => IsInputClosed && open.IsEmpty && (isSettled || Sites.All(site => !site.IsAlive || site.IsDone));

    /// <inheritdoc/>
    public override bool IsBatchFull => queue.Count >= MaximumWaiting;

    /// <inheritdoc/>
    public override IReadOnlyList<object?> OpenItems()
    {
        lock (unfinished)
        {
            return unfinished.Concat(open).OrderBy(item => item.Key).Select(item => item.Value).ToArray();
        }
    }

    /// <inheritdoc/>
    public override void Add(object? item)
    {
        if (!call.Options.IsHostForm && ForeignBlocks.Is(item))
        {
            ErrorRecord refusal = ScriptErrors.ScriptBlockRefused("The item", item);
            long place = known++;
            ended++;
            InOrder(place, () =>
            {
                Sink.Attribute(place);
                Sink.WriteError(refusal);
                Sink.EndItem(place, ItemOutcome.Failed, refusal);
            });
            return;
        }
        open.TryAdd(known, item);
        queue.AddLast(new SharedJob(known++, item));
    }

    /// <inheritdoc/>
    public override bool Submit()
    {
        if (!IsAnyAlive || IsLimitReached)
        {
            EndUnfinished();
            return true;
        }
        HandOut();
        return queue.Count < MaximumWaiting;
    }

    /// <inheritdoc/>
    public override void Complete()
    {
        Sink.Attribute(CallItself);
        if (Refusal() is ErrorRecord refusal)
        {
            throw new CallRefusedException(refusal);
        }
        if (call.Options.IsHostForm && !call.Options.AsObject)
        {
            Sink.WriteObject(call.Data);
        }
        object?[] left = OpenItems().ToArray();
        if (LimitReached is double seconds)
        {
            Sink.WriteError(ScriptErrors.MaximumWaitReached(seconds, left));
        }
        else if (AreAllLost && left.Length > 0)
        {
            Sink.WriteError(SiteErrors.AllLost(left.Length, "jobs", string.Join(", ", left.Take(5)) + (left.Length > 5 ? ", ..." : "")));
        }
    }

    private protected override void HandOut()
    {
        int sites = Math.Max(1, Sites.Count(site => site.IsAlive));
        bool wasAnyServed = true;
        while (wasAnyServed && queue.Count > 0)
        {
            wasAnyServed = false;
            foreach (ScriptSite site in Sites.Where(site => site.State == SiteState.Ready && !site.IsInputEnded))
            {
                int need = Math.Min(queue.Count, site.Need(queue.Count, sites));
                if (need == 0 || held.Count > MaximumWaiting)
                {
                    continue;
                }
                var jobs = new List<SharedJob>();
                for (; need > 0; need--)
                {
                    jobs.Add(queue.First.Value);
                    queue.RemoveFirst();
                }
                site.Give(jobs);
                wasAnyServed = true;
            }
        }
        if (!IsInputClosed || !open.IsEmpty)
        {
            return;
        }
        // Nothing is left: whoever was ready says what it has in $Data; one that never came so far has nothing.
        foreach (ScriptSite site in Sites.Where(site => site.IsAlive))
        {
            if (site.State == SiteState.Starting)
            {
                site.IsDone = true;
            }
            else if (!site.IsInputEnded)
            {
                site.IsInputEnded = true;
                site.Link.CompleteInput();
            }
        }
    }

    private protected override void Take(ScriptSite site, MessageReader message)
    {
        switch (message.Kind)
        {
            case MessageKind.Alive:
                break;
            case MessageKind.Records:
                for (int left = message.Count; left > 0; left--)
                {
                    TakeRecord(site, message);
                }
                break;
            case MessageKind.Data:
                for (int left = message.Count; left > 0; left--)
                {
                    string key = message.Text() ?? throw new InvalidDataException("an entry without a key");
                    call.Data![key] = SiteScriptWork.FromText(message.Text());
                }
                site.IsDone = true;
                break;
            default:
                throw new InvalidDataException($"a message of the unknown kind {message.Kind}");
        }
        message.End();
    }

    private protected override string? Lose(ScriptSite site)
    {
        SharedJob[] jobs = site.Open.Values.OrderBy(job => job.Place).ToArray();
        site.Open.Clear();
        site.IsDone = true;
        if (jobs.Length == 0)
        {
            return null;
        }
        // One that never began anything, because it cannot, has run none of them.
        bool hasRunNone = site.State == SiteState.Unusable && !site.HasAnswered;
        string names = string.Join(", ", jobs.Take(5).Select(job => $"{job.Item}")) + (jobs.Length > 5 ? ", ..." : "");
        if (hasRunNone || retriesLost)
        {
            foreach (SharedJob job in jobs.Reverse())
            {
                queue.AddFirst(job);
            }
            return $"Its {jobs.Length} jobs run again in the other sessions: {names}";
        }
        foreach (SharedJob job in jobs)
        {
            ErrorRecord error = SiteErrors.JobLost(job.Item, site.Name, site.Problem ?? "");
            End(job, JobStatus.Lost, null, new[] { error }, TimeSpan.Zero, 0, site.Name);
        }
        return $"Its {jobs.Length} jobs are Lost, they may have run or not: {names}";
    }

    private protected override void EndUnfinished()
    {
        isSettled = true;
        SharedJob[] begun = Sites.SelectMany(site => site.Open.Values).OrderBy(job => job.Place).ToArray();
        foreach (ScriptSite site in Sites)
        {
            site.Open.Clear();
        }
        SharedJob[] waiting = queue.ToArray();
        queue.Clear();
        foreach (SharedJob job in begun.Concat(waiting))
        {
            lock (unfinished)
            {
                unfinished.Add(new KeyValuePair<long, object?>(job.Place, job.Item));
            }
        }
        foreach (SharedJob job in begun)
        {
            End(job, JobStatus.Stopped, null, Array.Empty<ErrorRecord>(), TimeSpan.Zero, 0, null);
        }
        foreach (SharedJob job in waiting)
        {
            End(job, JobStatus.NotStarted, null, Array.Empty<ErrorRecord>(), TimeSpan.Zero, 0, null);
        }
    }

    private void TakeRecord(ScriptSite site, MessageReader message)
    {
        var kind = (RecordKind)message.Byte();
        if (kind == RecordKind.Job)
        {
            SharedJob job = site.End((long)message.Number());
            var status = (JobStatus)message.Byte();
            if (status is not (JobStatus.Completed or JobStatus.Failed or JobStatus.TimedOut or JobStatus.Lost))
            {
                throw new InvalidDataException($"a job ended as {(int)status}");
            }
            TimeSpan duration = TimeSpan.FromTicks((long)message.Number());
            int worker = message.Int();
            object? output = SiteScriptWork.ReadOutput(message);
            var errors = new ErrorRecord[message.Int()];
            for (int i = 0; i < errors.Length; i++)
            {
                errors[i] = SiteScriptWork.ReadError(message, call.Options.IsHostForm ? $"{job.Item}" : site.Name, site.Link.Session.InstanceId);
            }
            End(job, status, output, errors, duration, worker, site.Name);
            return;
        }
        Sink.Attribute(site.PlaceOf((long)message.Number() - 1));
        switch (kind)
        {
            case RecordKind.Warning:
                Sink.WriteWarning(message.Text() ?? "");
                break;
            case RecordKind.Verbose:
                Sink.WriteVerbose(message.Text() ?? "");
                break;
            case RecordKind.Debug:
                Sink.WriteDebug(message.Text() ?? "");
                break;
            case RecordKind.Information:
                var record = new InformationRecord(SiteScriptWork.FromText(message.Text()), message.Text());
                record.Tags.AddRange((message.Text() ?? "").Split(new[] { '\n' }, StringSplitOptions.RemoveEmptyEntries));
                Sink.WriteInformation(record);
                break;
            default:
                throw new InvalidDataException($"a record of the unknown kind {(int)kind}");
        }
        Sink.Attribute(CallItself);
    }

    private void End(SharedJob job, JobStatus status, object? output, ErrorRecord[] errors, TimeSpan duration, int worker, string? site)
    {
        open.TryRemove(job.Place, out _);
        ended++;
        DateTime finished = DateTime.Now;
        InOrder(job.Place, () => Conclude(job, status, output, errors, finished, duration, worker, site));
    }

    private void Conclude(SharedJob job, JobStatus status, object? output, ErrorRecord[] errors, DateTime finished, TimeSpan duration, int worker, string? site)
    {
        Sink.Attribute(job.Place);
        if (call.Options.AsObject)
        {
            Sink.WriteObject(call.Options.IsHostForm
                ? new HostJobRecord((string)job.Item!, status, output, errors, finished, duration, worker) { ObservedFrom = site }
                : new ItemJobRecord(job.Item, status, output, errors, finished, duration, worker) { ObservedFrom = site });
        }
        else
        {
            foreach (ErrorRecord error in errors)
            {
                Sink.WriteJobError(error);
            }
            if (call.Options.IsHostForm)
            {
                if (status == JobStatus.Completed && !call.Data!.ContainsKey(job.Item!))
                {
                    call.Data[job.Item!] = output;
                }
            }
            else if (output is object[] several)
            {
                foreach (object? one in several)
                {
                    Sink.WriteObject(one);
                }
            }
            else if (output is not null)
            {
                Sink.WriteObject(output);
            }
        }
        ItemOutcome outcome = status.IsUnfinished() ? ItemOutcome.Stopped
            : status == JobStatus.Completed ? ItemOutcome.Completed
            : ItemOutcome.Failed;
        Sink.EndItem(job.Place, outcome, errors.LastOrDefault());
        Sink.Attribute(CallItself);
    }

    /// <summary>At once, or with -Ordered when all before it have been said.</summary>
    private void InOrder(long place, Action say)
    {
        if (!call.Options.IsOrdered)
        {
            say();
            return;
        }
        held.Add(place, say);
        while (held.TryGetValue(front, out Action? next))
        {
            held.Remove(front++);
            next();
        }
    }
}
