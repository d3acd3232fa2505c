// The progress record of a call: hosts or items done of those known, their rate, the time left. Knows no rhythm but its start.

using System;
using System.Globalization;
using System.Management.Automation;

namespace RustRunspaces.Output;

internal sealed class ProgressReporter
{
    /// <summary>The call's own record: those of its workers are shown below it.</summary>
    internal const int ActivityId = 1;

    private const int UnknownSeconds = -1;

    // From here on a decimal of the rate tells nobody anything.
    private const double FastRate = 10;

    // Shorter calls show nothing: a bar that flashes up tells nobody anything.
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(1);

    private readonly Action<ProgressRecord> write;
    private readonly string activity;
    private readonly string noun;
    private bool isShown;

    /// <param name="write">Writes a record.</param>
    /// <param name="activity">The cmdlet's name.</param>
    /// <param name="noun">What is counted: "hosts" or "items".</param>
    internal ProgressReporter(Action<ProgressRecord> write, string activity, string noun)
    {
        this.write = write;
        this.activity = activity;
        this.noun = noun;
    }

    /// <param name="figures">How far the run is.</param>
    /// <param name="elapsed">Since the call began.</param>
    internal void Update(in RunFigures figures, TimeSpan elapsed)
    {
        if (elapsed < Start || figures.Known == 0)
        {
            return;
        }
        double rate = figures.Finished / elapsed.TotalSeconds;
        string status = string.Format(
            CultureInfo.CurrentCulture,
            rate < FastRate ? "{0:N0} of {1:N0} {2} done, {3:0.#} a second" : "{0:N0} of {1:N0} {2} done, {3:N0} a second",
            figures.Finished,
            figures.Known,
            noun,
            rate);
        write(new ProgressRecord(ActivityId, activity, status)
        {
            PercentComplete = (int)(100 * figures.Finished / figures.Known),
            SecondsRemaining = SecondsLeft(figures, elapsed, rate),
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

    /// <summary>By what is known: the rate so far, and how long all take at the longest.</summary>
    private static int SecondsLeft(in RunFigures figures, TimeSpan elapsed, double rate)
    {
        bool isBounded = figures.Longest != TimeSpan.MaxValue;
        if (!isBounded && figures.Finished == 0)
        {
            return UnknownSeconds;
        }
        double seconds = isBounded ? Math.Max(0, (figures.Longest - elapsed).TotalSeconds) : double.MaxValue;
        if (figures.Finished > 0)
        {
            seconds = Math.Min(seconds, (figures.Known - figures.Finished) / rate);
        }
        return (int)Math.Min(int.MaxValue, Math.Ceiling(seconds));
    }
}
