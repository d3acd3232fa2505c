// The rhythm in which a call says how far it is: four times a second from its beginning. The thread that advances the run.

using System;
using System.Diagnostics;

namespace RustRunspaces.Output;

internal sealed class Rhythm
{
    /// <summary>From one moment to the next: nobody reads faster.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>The same, in a Stopwatch's timestamps.</summary>
    internal static readonly long Timestamps = (long)(Interval.TotalSeconds * Stopwatch.Frequency);

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private TimeSpan next = Interval;

    /// <summary>Since the call began.</summary>
    internal TimeSpan Elapsed => clock.Elapsed;

    /// <summary>How long one may sleep.</summary>
    internal ulong MillisecondsToNext => (ulong)Math.Max(0, Math.Ceiling((next - clock.Elapsed).TotalMilliseconds));

    /// <summary>Whether a moment has come.</summary>
    internal bool HasCome => clock.Elapsed >= next;

    /// <summary>The next moment is an interval away.</summary>
    internal void Restart() => next = clock.Elapsed + Interval;
}
