// The verbose lines of a call: the wording of the runspace template that people know, without what would be untrue here.
// Times are written as the template writes them, in the current culture.

using System;
using System.Globalization;

namespace RustRunspaces.Output;

internal sealed class VerboseLines
{
    private readonly Action<string> write;
    private bool hasWaited;
    private long finishedSaid;

    internal VerboseLines(Action<string> write)
    {
        this.write = write;
    }

    internal void Started() => Write("[{0:yyyy\\-MM\\-dd HH\\:mm\\:ss}] Script started.", DateTime.Now);

    internal void Longest(TimeSpan longest, long hosts) =>
        Write("Expected to take {0:N3} seconds at the longest for the {1} hosts known so far.", longest.TotalSeconds, hosts);

    /// <summary>At once, and then at every moment of the rhythm.</summary>
    /// <param name="known">Hosts known so far.</param>
    /// <param name="finished">Those of them with a result.</param>
    /// <param name="waited">Since the call began.</param>
    internal void Waiting(long known, long finished, TimeSpan waited)
    {
        if (hasWaited)
        {
            Finished(finished);
        }
        hasWaited = true;
        if (known > finishedSaid)
        {
            Write("Waiting for {0} threads to finish. Waited for {1:N3} seconds.", known - finishedSaid, waited.TotalSeconds);
        }
    }

    internal void AllFinished(long finished)
    {
        Finished(finished);
        Write("All threads finished.");
    }

    internal void TimedOut(long finished, double maximumWaitSeconds, TimeSpan waited)
    {
        Finished(finished);
        Write("Timeout of {0} seconds reached. Waited {1} seconds.", maximumWaitSeconds, waited.TotalSeconds);
    }

    internal void Closing() => Write("Closing runspace pool.");

    internal void Closed(TimeSpan took) => Write("Closing the runspace pool took {0:N3} seconds.", took.TotalSeconds);

    internal void Ended(TimeSpan elapsed)
    {
        Write("[{0:yyyy\\-MM\\-dd HH\\:mm\\:ss}] Script finished.", DateTime.Now);
        Write("Total minutes elapsed: {0:N5}", elapsed.TotalMinutes);
    }

    private void Finished(long finished)
    {
        if (finished > finishedSaid)
        {
            Write("{0} threads have finished.", finished - finishedSaid);
            finishedSaid = finished;
        }
    }

    private void Write(string format, params object[] values) => write(string.Format(CultureInfo.CurrentCulture, format, values));
}
