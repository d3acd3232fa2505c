// What a call probes and how, checked and with its defaults filled in. Immutable.

using System;
using RustRunspaces.Native;
using RustRunspaces.Results;

namespace RustRunspaces.Probes;

internal sealed class ProbeSettings
{
    /// <summary>Connects that the engine keeps in flight at a time, at most.</summary>
    private const int ConnectsInFlight = 1024;

    /// <summary>Ports to connect to; empty for echo.</summary>
    internal ushort[] Ports { get; set; } = Array.Empty<ushort>();

    internal int Count { get; set; }

    /// <summary>0 leaves the engine's own, which for TCP depends on the system.</summary>
    internal int ReplyTimeoutMilliseconds { get; set; }

    internal int IntervalMilliseconds { get; set; }

    internal int BufferSize { get; set; }

    /// <summary>0 leaves the system's.</summary>
    internal int MaxHops { get; set; }

    /// <summary>4, 6, or 0 for either.</summary>
    internal int AddressFamily { get; set; }

    internal bool Statistics { get; set; }

    internal bool ResolveName { get; set; }

    /// <summary>0 means unlimited.</summary>
    internal int PacketsPerSecond { get; set; }

    /// <summary>From the run's begin; 0 means no limit.</summary>
    internal double MaximumWaitSeconds { get; set; }

    /// <summary>Write each result instead of one hashtable.</summary>
    internal bool AsObject { get; set; }

    /// <summary>In the order of the input.</summary>
    internal bool IsOrdered { get; set; }

    internal bool IsTcp => Ports.Length > 0;

    private uint Kind => IsTcp ? ProbeOptions.KindConnect : ProbeOptions.KindEcho;

    /// <summary>Jobs that one host becomes.</summary>
    internal int JobsPerHost => Math.Max(1, Ports.Length);

    /// <summary>How long that many hosts take when none of them answers.</summary>
    internal TimeSpan LongestDuration(long hosts)
    {
        double reply = ReplyTimeoutMilliseconds != 0 ? ReplyTimeoutMilliseconds : ProbeOptions.DefaultReplyTimeout(Kind);
        double milliseconds = ((Count - 1) * (double)IntervalMilliseconds) + reply;
        if (IsTcp)
        {
            milliseconds *= Math.Max(1, Math.Ceiling((double)hosts * Ports.Length / ConnectsInFlight));
        }
        else if (PacketsPerSecond > 0)
        {
            milliseconds += 1000.0 * hosts * Count / PacketsPerSecond;
        }
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    /// <summary>What to say where so many hosts, of which the newest begins only now, may take longer than the maximum wait leaves; else null.</summary>
    internal string? WarningOfLimit(string hosts, TimeSpan longest, TimeSpan elapsed)
    {
        TimeSpan newest = elapsed + LongestDuration(1);
        if (MaximumWaitSeconds == 0 || Math.Max(longest.TotalSeconds, newest.TotalSeconds) < MaximumWaitSeconds)
        {
            return null;
        }
        double needed = Math.Ceiling((longest + elapsed).TotalSeconds);
        return $"Probing {hosts} may take {longest.TotalSeconds:0.###} seconds, and the maximum wait of {MaximumWaitSeconds} seconds (-TimeoutSeconds, for the whole call) leaves no more than that: use -MaximumWaitTimeSeconds {needed} to let all of them finish, or -ReplyTimeoutMilliseconds to wait shorter for each reply";
    }

    internal ProbeOptions ToOptions() => new ProbeOptions
    {
        Kind = Kind,
        Flags = (Statistics ? ProbeOptions.FlagStatistics : 0) | (ResolveName ? ProbeOptions.FlagResolve : 0),
        Count = (uint)Count,
        IntervalMilliseconds = (uint)IntervalMilliseconds,
        ReplyTimeoutMilliseconds = (uint)ReplyTimeoutMilliseconds,
        PayloadSize = IsTcp ? 0 : (uint)BufferSize,
        Hops = (uint)MaxHops,
        Family = (uint)AddressFamily,
    };

    /// <summary>The result class for what was asked.</summary>
    internal HostResult ToResult(in HostAnswer answer, PortResult[] ports)
    {
        if (IsTcp)
        {
            return Statistics ? new TcpHostStatistics(answer, ports) : new TcpHostResult(answer, ports);
        }
        return Statistics ? new HostStatistics(answer) : new HostResult(answer);
    }
}
