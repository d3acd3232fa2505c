// The far side of shared script jobs: runs the hosts or items that come with a pool and, in the host form, a $Data of its own, and
// says what each job writes as it writes it, and how it ended. The far side's pipeline thread.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Output;
using RustRunspaces.Scripts;

namespace RustRunspaces.Sites;

internal sealed class FarScripts : ISink
{
    private const long NoJob = -1;

    private readonly FarLink link;
    private readonly ScriptCall call;
    private readonly ScriptRun run;
    private readonly FarLoop loop;
    private readonly bool isReady;
    private readonly Rhythm rhythm = new Rhythm();
    // Hosts whose entries go with their ends, and the entries that did.
    private readonly Dictionary<long, string> hosts = new Dictionary<long, string>();
    private readonly Dictionary<object, object?> told = new Dictionary<object, object?>();
    private JobRecord? written;
    private MessageWriter records = new MessageWriter();
    private int count;
    private long taken;
    private long ended;
    private long place;

    internal FarScripts(ScriptCall call, FarLink link)
    {
        this.call = call;
        this.link = link;
        run = new ScriptRun(call, this);
        loop = new FarLoop(link, run, Say);
        isReady = true;
    }

    /// <summary>Until the near side sends no more and every job has ended.</summary>
    internal void Run()
    {
        using (run)
        {
            if (loop.Run(run.Wake, MessageKind.Jobs, Take, () => ended == taken))
            {
                Flush();
                SendData();
            }
        }
    }

    void ISink.Attribute(long place) => this.place = place;

    void ISink.EndItem(long place, ItemOutcome outcome, ErrorRecord? error)
    {
        ended++;
        JobRecord record = written ?? new ItemJobRecord(
            null,
            outcome == ItemOutcome.Completed ? JobStatus.Completed : JobStatus.Failed,
            TakeEntry(place, outcome),
            error is null ? Array.Empty<ErrorRecord>() : new[] { error },
            DateTime.Now,
            TimeSpan.Zero,
            0);
        written = null;
        // What was cut off by the end of the whole work is nobody's answer.
        if (outcome != ItemOutcome.Stopped)
        {
            Add(RecordKind.Job, place, message => SiteScriptWork.Write(message, record));
        }
    }

    /// <summary>What a job wrote, or with -AsObject the record of one that is about to end.</summary>
    void ISink.WriteObject(object? value)
    {
        if (call.Options.AsObject)
        {
            written = (JobRecord)value!;
            return;
        }
        Add(RecordKind.Output, place, message => message.Text(SiteScriptWork.ToText(value)));
    }

    /// <summary>What ended a job: with -AsObject its record has it.</summary>
    void ISink.WriteError(ErrorRecord error) => ((ISink)this).WriteJobError(error);

    /// <summary>Of no job: what a runspace wrote while it was made ready.</summary>
    void ISink.WriteJobError(ErrorRecord error)
    {
        if (!call.Options.AsObject || place == NoJob)
        {
            Add(RecordKind.Error, place, message => SiteScriptWork.Write(message, error));
        }
    }

    /// <summary>What there is to be said of the call itself, the near side has said.</summary>
    void ISink.WriteWarning(string message)
    {
        if (isReady)
        {
            Text(RecordKind.Warning, message);
        }
    }

    void ISink.WriteVerbose(string message) => Text(RecordKind.Verbose, message);

    /// <summary>The call's own lines are the near side's.</summary>
    void ISink.WriteLine(string message)
    {
    }

    void ISink.WriteDebug(string message) => Text(RecordKind.Debug, message);

    void ISink.WriteInformation(InformationRecord record) => Add(RecordKind.Information, place, message =>
    {
        message.Text(SiteScriptWork.ToText(record.MessageData));
        message.Text(record.Source);
        message.Text(string.Join("\n", record.Tags));
    });

    /// <summary>Of a worker, whatever its job: the last may come after that has ended.</summary>
    void ISink.WriteProgress(ProgressRecord record) => Add(RecordKind.Progress, NoJob, message =>
    {
        message.Number((ulong)(record.ActivityId - ProgressReporter.ActivityId));
        SiteScriptWork.Write(message, record);
    });

    private void Take(MessageReader message)
    {
        for (int left = message.Count; left > 0; left--)
        {
            object? item = SiteScriptWork.FromText(message.Text());
            call.Late?.Put(call.Late.Keys.Select(_ => SiteScriptWork.FromText(message.Text())).ToArray());
            if (call.Options.IsHostForm)
            {
                item = item?.ToString() ?? "";
                if (!call.Options.AsObject)
                {
                    hosts.Add(taken, (string)item);
                }
            }
            taken++;
            loop.Add(item);
        }
        message.End();
        loop.Submit();
    }

    private void Say()
    {
        if (run.Failure is ErrorRecord failure)
        {
            throw new CallRefusedException(failure);
        }
        if (rhythm.HasCome)
        {
            rhythm.Restart();
            run.Show();
        }
        if (count > 0)
        {
            Flush();
        }
        else if (link.IsSignDue)
        {
            link.Write(new MessageWriter().ToArray(MessageKind.Alive, 0));
        }
    }

    /// <summary>A completed host's entry; null with -AsObject, whose records have their output.</summary>
    private object? TakeEntry(long place, ItemOutcome outcome)
    {
        if (!hosts.TryGetValue(place, out string host))
        {
            return null;
        }
        hosts.Remove(place);
        return outcome == ItemOutcome.Completed ? told[host] = call.Data![host] : null;
    }

    private void Text(RecordKind kind, string text) => Add(kind, place, message => message.Text(text));

    private void Add(RecordKind kind, long place, Action<MessageWriter> write)
    {
        records.Byte((byte)kind);
        records.Number((ulong)(place + 1));
        write(records);
        count++;
        if (records.IsLarge)
        {
            Flush();
        }
    }

    private void Flush()
    {
        if (count == 0)
        {
            return;
        }
        byte[] message = records.ToArray(MessageKind.Records, count);
        records = new MessageWriter();
        count = 0;
        link.Write(message);
    }

    /// <summary>The entries that the near side does not know: of other names, or set after their host's end.</summary>
    private void SendData()
    {
        var message = new MessageWriter();
        int entries = 0;
        Hashtable data = call.Options.AsObject || call.Data is null ? new Hashtable() : call.Data;
        DictionaryEntry[] all;
        // A job that was given up may still be writing.
        lock (data.SyncRoot)
        {
            all = data.Cast<DictionaryEntry>().ToArray();
        }
        foreach (DictionaryEntry entry in all)
        {
            if (told.TryGetValue(entry.Key, out object? known) && ReferenceEquals(known, entry.Value))
            {
                continue;
            }
            message.Text(entry.Key.ToString());
            message.Text(SiteScriptWork.ToText(entry.Value));
            entries++;
            if (message.IsLarge)
            {
                message.Flag(false);
                link.Write(message.ToArray(MessageKind.Data, entries));
                message = new MessageWriter();
                entries = 0;
            }
        }
        message.Flag(true);
        link.Write(message.ToArray(MessageKind.Data, entries));
    }
}

/// <summary>What a record in a message is.</summary>
internal enum RecordKind : byte
{
    Job = 1,
    Warning = 2,
    Verbose = 3,
    Debug = 4,
    Information = 5,
    Output = 6,
    Error = 7,
    Progress = 8,
}
