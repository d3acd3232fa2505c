// Script jobs shared among sessions: hands out hosts or items as sites have room, brings back what their jobs write, merges the
// entries of $Data. A job of a lost site may have done its work or not: it is Lost, or runs again where the caller wants that, and
// then nothing is said of what it wrote before. The thread that advances the run, but for Figures and OpenItems.

using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using RustRunspaces.Output;
using RustRunspaces.Scripts;

namespace RustRunspaces.Sites;

internal sealed class SiteScriptRun : SiteRun<ScriptSite>
{
    private const int MaximumWaiting = 65_536;

    private readonly ScriptCall call;
    private readonly bool retriesLost;
    private readonly ConcurrentDictionary<long, object?> open = new ConcurrentDictionary<long, object?>();
    private readonly LinkedList<SharedJob> queue = new LinkedList<SharedJob>();
    private readonly List<KeyValuePair<long, object?>> unfinished = new List<KeyValuePair<long, object?>>();
    private readonly WorkerProgress progress;
    // With -Ordered, those that wait for one before them.
    private readonly Dictionary<long, SharedJob> ahead = new Dictionary<long, SharedJob>();
    private long front;
    private long held;
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
        progress = new WorkerProgress(sink, ProgressReporter.ActivityId);
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
        var job = new SharedJob(known++, item, call.Late?.Next());
        if (!call.Options.IsHostForm && ForeignBlocks.Is(item))
        {
            ErrorRecord refusal = ScriptErrors.ScriptBlockRefused("The item", item);
            ended++;
            Say(
                job,
                () =>
                {
                    Sink.WriteError(refusal);
                    Sink.EndItem(job.Place, ItemOutcome.Failed, refusal);
                },
                isEnd: true);
            return;
        }
        open.TryAdd(job.Place, item);
        queue.AddLast(job);
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
        SayUnusable(isLast: true);
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
                if (held > MaximumWaiting)
                {
                    // But for the one that the others wait for.
                    need = call.Options.IsOrdered && queue.First?.Value.Place == front ? Math.Min(need, 1) : 0;
                }
                if (need == 0)
                {
                    continue;
                }
                var jobs = new List<SharedJob>();
                for (; need > 0; need--)
                {
                    jobs.Add(queue.First!.Value);
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
                Hashtable data = call.Data ?? new Hashtable();
                for (int left = message.Count; left > 0; left--)
                {
                    string key = message.Text() ?? throw new InvalidDataException("an entry without a key");
                    data[key] = SiteScriptWork.FromText(message.Text());
                }
                bool isLast = message.Flag();
                if ((call.Data is null && data.Count > 0) || (isLast && !site.IsInputEnded))
                {
                    throw new InvalidDataException("entries of $Data where there can be none");
                }
                site.IsDone |= isLast;
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
        EndProgress(site);
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
                held -= job.Held.Count;
                job.Held.Clear();
                job.LostWith = hasRunNone ? null : site;
                queue.AddFirst(job);
            }
            return $"Its {jobs.Length} jobs run again in the other sessions: {names}";
        }
        foreach (SharedJob job in jobs)
        {
            EndLost(job, site);
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
            EndProgress(site);
        }
        SharedJob[] waiting = queue.ToArray();
        queue.Clear();
        foreach (SharedJob job in begun.Concat(waiting).Where(job => job.LostWith is null))
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
            if (job.LostWith is ScriptSite lost)
            {
                EndLost(job, lost);
                continue;
            }
            End(job, JobStatus.NotStarted, null, Array.Empty<ErrorRecord>(), TimeSpan.Zero, 0, null);
        }
    }

    private void EndLost(SharedJob job, ScriptSite site)
    {
        ErrorRecord error = SiteErrors.JobLost(job.Item, site.Name, site.Problem ?? "", retriesLost);
        if (!call.Options.AsObject)
        {
            Say(job, () => Sink.WriteJobError(error));
        }
        End(job, JobStatus.Lost, null, new[] { error }, TimeSpan.Zero, 0, site.Name);
    }

    private void TakeRecord(ScriptSite site, MessageReader message)
    {
        var kind = (RecordKind)message.Byte();
        long number = message.Long() - 1;
        SharedJob? job = number < 0 ? null : site.JobOf(number);
        switch (kind)
        {
            case RecordKind.Job:
                TakeEnd(site, number, message);
                return;
            case RecordKind.Output:
                object? output = SiteScriptWork.FromText(message.Text());
                // Where output is kept in entries and records, none is of no job.
                Say(call.Setup.KeepsOutput ? site.JobOf(number) : job, () => Sink.WriteObject(output));
                return;
            case RecordKind.Error:
                ErrorRecord error = ReadError(site, job, message);
                Say(job, () => Sink.WriteJobError(error));
                return;
            case RecordKind.Progress:
                // Of all workers of all sites.
                int worker = 1 + site.Number + (Sites.Length * message.Int((int.MaxValue / 2 / Sites.Length) - 1));
                site.Showing.Add(worker);
                progress.Show(worker, SiteScriptWork.ReadProgress(message));
                return;
        }
        Sink.Attribute(job?.Place ?? CallItself);
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

    private void TakeEnd(ScriptSite site, long number, MessageReader message)
    {
        SharedJob job = site.JobOf(number);
        var status = (JobStatus)message.Byte();
        if (status is not (JobStatus.Completed or JobStatus.Failed or JobStatus.TimedOut or JobStatus.Lost))
        {
            throw new InvalidDataException($"a job ended as {(int)status}");
        }
        TimeSpan duration = TimeSpan.FromTicks(message.Long());
        int worker = message.Int();
        object? output = SiteScriptWork.ReadOutput(message);
        var errors = new List<ErrorRecord>();
        for (int left = message.Int(); left > 0; left--)
        {
            errors.Add(ReadError(site, job, message));
        }
        // Not before all of it was read: what cannot be read leaves the job open, to be lost with its site.
        site.End(number);
        End(job, status, output, errors.ToArray(), duration, worker, site.Name);
    }

    /// <summary>With its host or item, as local jobs' errors have it.</summary>
    private ErrorRecord ReadError(ScriptSite site, SharedJob? job, MessageReader message)
    {
        ErrorRecord error = SiteScriptWork.ReadError(message, call.Options.IsHostForm && job is not null ? $"{job.Item}" : site.Name, site.Link.Session.InstanceId);
        if (!call.Options.IsHostForm && job is not null)
        {
            ScriptRun.Mark(error.Exception, "InputObject", job.Item);
            ScriptRun.Mark(error, "InputObject", job.Item);
        }
        return error;
    }

    private void EndProgress(ScriptSite site)
    {
        Sink.Attribute(CallItself);
        foreach (int worker in site.Showing)
        {
            progress.End(worker);
        }
        site.Showing.Clear();
    }

    private void End(SharedJob job, JobStatus status, object? output, ErrorRecord[] errors, TimeSpan duration, int worker, string? site)
    {
        open.TryRemove(job.Place, out _);
        ended++;
        DateTime finished = DateTime.Now;
        Say(job, () => Conclude(job, status, output, errors, finished, duration, worker, site), isEnd: true);
    }

    /// <param name="job">What ended.</param>
    /// <param name="status">How.</param>
    /// <param name="output">Of the record, or the host's entry.</param>
    /// <param name="errors">Of the record; without -AsObject what ended it, which is written already.</param>
    /// <param name="finished">When.</param>
    /// <param name="duration">How long it took.</param>
    /// <param name="worker">Its worker there.</param>
    /// <param name="site">Where.</param>
    private void Conclude(SharedJob job, JobStatus status, object? output, ErrorRecord[] errors, DateTime finished, TimeSpan duration, int worker, string? site)
    {
        if (call.Options.AsObject)
        {
            Sink.WriteObject(call.Options.IsHostForm
                ? new HostJobRecord((string)job.Item!, status, output, errors, finished, duration, worker) { ObservedFrom = site }
                : new ItemJobRecord(job.Item, status, output, errors, finished, duration, worker) { ObservedFrom = site });
        }
        else if (call.Options.IsHostForm && status == JobStatus.Completed)
        {
            call.Data![job.Item!] = output;
        }
        ItemOutcome outcome = status.IsUnfinished() ? ItemOutcome.Stopped
            : status == JobStatus.Completed ? ItemOutcome.Completed
            : ItemOutcome.Failed;
        Sink.EndItem(job.Place, outcome, errors.LastOrDefault());
    }

    /// <summary>
    /// At once; with -Ordered when all before the job has been said, with -RetryLost when the job has ended, for what is said of one
    /// that runs again would be said twice.
    /// </summary>
    private void Say(SharedJob? job, Action say, bool isEnd = false)
    {
        if (job is null)
        {
            Sink.Attribute(CallItself);
            say();
            return;
        }
        held++;
        job.Held.Add(say);
        job.HasEnded |= isEnd;
        if (!call.Options.IsOrdered)
        {
            Release(job);
            return;
        }
        ahead[job.Place] = job;
        while (ahead.TryGetValue(front, out SharedJob? first))
        {
            Release(first);
            if (!first.HasEnded)
            {
                return;
            }
            ahead.Remove(front++);
        }
    }

    private void Release(SharedJob job)
    {
        if (retriesLost && !job.HasEnded)
        {
            return;
        }
        Action[] all = job.Held.ToArray();
        held -= all.Length;
        job.Held.Clear();
        foreach (Action say in all)
        {
            Sink.Attribute(job.Place);
            say();
        }
        Sink.Attribute(CallItself);
    }
}
