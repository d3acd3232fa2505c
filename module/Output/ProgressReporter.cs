// The progress record of a call: hosts done of hosts known, their rate, the time left. Knows no rhythm but its start.

using System;
using System.Globalization;
using System.Management.Automation;

namespace RustRunspaces.Output;

internal sealed class ProgressReporter
{
    private const int ActivityId = 1;

    // Shorter calls show nothing: a bar that flashes up tells nobody anything.
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(1);

    private readonly Action<ProgressRecord> write;
    private readonly string activity;
    private bool isShown;

    internal ProgressReporter(Action<ProgressRecord> write, string activity)
    {
        this.write = write;
        this.activity = activity;
    }

    /// <param name="known">Hosts known so far.</param>
    /// <param name="finished">Those of them with a result.</param>
    /// <param name="elapsed">Since the call began.</param>
    /// <param name="longest">What the hosts known so far take at the longest.</param>
    internal void Update(long known, long finished, TimeSpan elapsed, TimeSpan longest)
    {
        if (elapsed < Start || known == 0)
        {
            return;
        }
        double rate = finished / elapsed.TotalSeconds;
        double secondsLeft = Math.Max(0, (longest - elapsed).TotalSeconds);
        if (rate > 0)
        {
            secondsLeft = Math.Min(secondsLeft, (known - finished) / rate);
        }
        string status = string.Format(CultureInfo.CurrentCulture, "{0:N0} of {1:N0} hosts done, {2:N0} a second", finished, known, rate);
        write(new ProgressRecord(ActivityId, activity, status)
        {
            PercentComplete = (int)(100 * finished / known),
            SecondsRemaining = (int)Math.Min(int.MaxValue, Math.Ceiling(secondsLeft)),
        });
        isShown = true;
    }

    internal void Complete()
    {
        if (isShown)
        {
            write(new ProgressRecord(ActivityId, activity, "Done") { RecordType = ProgressRecordType.Completed });
            isShown = false;
        }
    }
}
