// The far side of shared script jobs: runs the hosts or items that come with a pool and, in the host form, a $Data of its own, and
// says of each job how it ended and what it wrote. The far side's pipeline thread.

using System.Collections;
using System.Management.Automation;
using RustRunspaces.Output;
using RustRunspaces.Scripts;

namespace RustRunspaces.Sites;

internal sealed class FarScripts : ISink
{
    private const int LongestWaitMilliseconds = 100;

    // Of a message: a job may write much.
    private const int MessageRecords = 256;

    private readonly FarLink link;
    private readonly ScriptCall call;
    private readonly ScriptRun run;
    private readonly bool isReady;
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
        isReady = true;
    }

    /// <summary>Until the near side sends no more and every job has ended.</summary>
    internal void Run()
    {
        using (run)
        {
            link.Attach(run.Wake, run.Cancel);
            while (!link.IsCancelled)
            {
                while (link.TryTake(out byte[] bytes))
                {
                    var message = new MessageReader(bytes);
                    if (message.Kind == MessageKind.Jobs)
                    {
                        Take(message);
                    }
                }
                if (run.Failure is ErrorRecord failure)
                {
                    throw new CallRefusedException(failure);
                }
                if (link.IsInputEnded && ended == taken)
                {
                    Flush();
                    SendData();
                    return;
                }
                Step();
            }
        }
    }

    void ISink.Attribute(long place) => this.place = place;

    void ISink.EndItem(long place, ItemOutcome outcome, ErrorRecord? error) => ended++;

    void ISink.WriteObject(object? value)
    {
        // What was cut off by the end of the whole work is nobody's answer.
        if (value is JobRecord record && !record.StatusCode.IsUnfinished())
        {
            records.Byte((byte)RecordKind.Job);
            SiteScriptWork.Write(records, place, record);
            Count();
        }
    }

    /// <summary>An item that cannot be a job here: it ends so, in place of its record.</summary>
    void ISink.WriteError(ErrorRecord error)
    {
        var record = new ItemJobRecord(null, JobStatus.Failed, null, new[] { error }, System.DateTime.Now, System.TimeSpan.Zero, 0);
        ((ISink)this).WriteObject(record);
    }

    void ISink.WriteJobError(ErrorRecord error)
    {
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

    void ISink.WriteInformation(InformationRecord record)
    {
        records.Byte((byte)RecordKind.Information);
        records.Number((ulong)(place + 1));
        records.Text(SiteScriptWork.ToText(record.MessageData));
        records.Text(record.Source);
        records.Text(string.Join("\n", record.Tags));
        Count();
    }

    void ISink.WriteProgress(ProgressRecord record)
    {
    }

    private void Take(MessageReader message)
    {
        for (int left = message.Count; left > 0; left--)
        {
            object? item = SiteScriptWork.FromText(message.Text());
            taken++;
            run.Add(call.Options.IsHostForm ? item?.ToString() : item);
            if (run.IsBatchFull)
            {
                Submit();
            }
        }
        message.End();
        Submit();
    }

    private void Submit()
    {
        while (!run.Submit() && !link.IsCancelled)
        {
            Step();
        }
    }

    private void Step()
    {
        run.Wait(LongestWaitMilliseconds);
        run.Deliver();
        if (count > 0)
        {
            Flush();
        }
        else if (link.IsSignDue)
        {
            link.Write(new MessageWriter().ToArray(MessageKind.Alive, 0));
        }
    }

    private void Text(RecordKind kind, string text)
    {
        records.Byte((byte)kind);
        records.Number((ulong)(place + 1));
        records.Text(text);
        Count();
    }

    private void Count()
    {
        if (++count == MessageRecords)
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

    private void SendData()
    {
        var message = new MessageWriter();
        int entries = 0;
        if (call.Data is Hashtable data)
        {
            foreach (DictionaryEntry entry in data)
            {
                message.Text(entry.Key.ToString());
                message.Text(SiteScriptWork.ToText(entry.Value));
                entries++;
            }
        }
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
}
