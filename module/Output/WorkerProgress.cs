// The progress records of jobs, as the caller sees them: one line per worker, below the call's own, gone when its job ends.
// The thread that delivers.

using System.Collections.Generic;
using System.Management.Automation;

namespace RustRunspaces.Output;

internal sealed class WorkerProgress
{
    private readonly ISink sink;
    private readonly int parentActivityId;
    private readonly Dictionary<int, ProgressRecord> shown = new Dictionary<int, ProgressRecord>();

    internal WorkerProgress(ISink sink, int parentActivityId)
    {
        this.sink = sink;
        this.parentActivityId = parentActivityId;
    }

    internal void Show(int worker, ProgressRecord record)
    {
        var relayed = new ProgressRecord(parentActivityId + worker, record.Activity, record.StatusDescription)
        {
            ParentActivityId = parentActivityId,
            CurrentOperation = record.CurrentOperation,
            PercentComplete = record.PercentComplete,
            SecondsRemaining = record.SecondsRemaining,
            RecordType = record.RecordType,
        };
        if (record.RecordType != ProgressRecordType.Completed)
        {
            shown[worker] = relayed;
        }
        else if (!shown.Remove(worker))
        {
            return;
        }
        sink.WriteProgress(relayed);
    }

    /// <summary>The worker's job ended: what it showed is over, whether the job said so or not.</summary>
    internal void End(int worker)
    {
        if (shown.TryGetValue(worker, out ProgressRecord last))
        {
            shown.Remove(worker);
            // A record of its own: who got the last one may have kept it.
            sink.WriteProgress(new ProgressRecord(last.ActivityId, last.Activity, last.StatusDescription)
            {
                ParentActivityId = parentActivityId,
                RecordType = ProgressRecordType.Completed,
            });
        }
    }
}
