// The results of -Statistics.

using System;
using RustRunspaces.Results;

namespace RustRunspaces;

/// <summary>What a probe that sends all its attempts found out about one host.</summary>
public class HostStatistics : HostResult
{
    private readonly LatencySummary summary;
    private readonly int duplicates;

    internal HostStatistics(in HostAnswer answer) : base(answer)
    {
        summary = answer.Summary;
        duplicates = answer.Duplicates;
    }

    /// <inheritdoc/>
    public override string ComputerName => base.ComputerName;

    /// <inheritdoc/>
    public override string? Address => base.Address;

    /// <inheritdoc/>
    public override bool Ping => base.Ping;

    /// <inheritdoc/>
    public override string Status => base.Status;

    /// <inheritdoc/>
    public override double? Latency => base.Latency;

    /// <summary>Attempts sent and not answered, of a hundred; null where none was sent.</summary>
    public double? LossPercent => Sent == 0 ? null : 100.0 * Math.Max(0, Sent - Received) / Sent;

    /// <summary>Further answers to attempts already answered; null where the system hides them.</summary>
    public int? Duplicates => duplicates < 0 ? null : duplicates;

    /// <summary>Shortest round trip in milliseconds; null where nothing was received.</summary>
    public double? Minimum => OrNull(summary.Minimum);

    /// <summary>Mean round trip in milliseconds; null where nothing was received.</summary>
    public double? Average => OrNull(summary.Mean);

    /// <summary>Longest round trip in milliseconds; null where nothing was received.</summary>
    public double? Maximum => OrNull(summary.Maximum);

    /// <summary>Standard deviation of the round trips in milliseconds; null where nothing was received.</summary>
    public double? StandardDeviation => OrNull(summary.Deviation);

    private double? OrNull(double nanoseconds) => summary.HasValues ? Milliseconds(nanoseconds) : null;
}
