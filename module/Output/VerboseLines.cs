// The verbose lines of a call: the wording of the runspace template that people know, without what would be untrue here.
// Times are written as the template writes them, in the current culture.

using System;
using System.Collections.Generic;
using System.Globalization;
using RustRunspaces.Native;

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

    /// <summary>What happened on the way that no host is to blame for, in one line; nothing where nothing did.</summary>
    internal void OnTheWay(in PoolCounts counts)
    {
        var told = new List<string>();
        void Tell(string what, ulong count)
        {
            if (count > 0)
            {
                told.Add(string.Format(CultureInfo.CurrentCulture, "{0}: {1}", what, count));
            }
        }
        Tell("requests that could not leave at once", counts.PacketsNotSent);
        Tell("errors about earlier packets", counts.ErrorsDrained);
        Tell("overflows of the receive buffer", counts.BufferOverflows);
        Tell("packets of others", counts.PacketsForeign);
        Tell("times the process stood still", counts.LateTurns);
        Tell("threads left behind", counts.WorkersAbandoned);
        Tell("look-ups still open", counts.LookupsOpen);
        if (told.Count > 0)
        {
            Write("On the way: {0}.", string.Join(", ", told));
        }
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
