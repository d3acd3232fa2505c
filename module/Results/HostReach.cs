// The result of a host that was probed from several computers: one row with the answer of each.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using RustRunspaces.Results;

namespace RustRunspaces;

/// <summary>From how many of the computers a host answered.</summary>
public enum Reach
{
    /// <summary>From none.</summary>
    Nowhere,

    /// <summary>From some, not from all.</summary>
    Some,

    /// <summary>From all.</summary>
    Everywhere,
}

/// <summary>What one computer found out about a host.</summary>
public sealed class SiteAnswer
{
    internal SiteAnswer(string observedFrom, HostResult result)
    {
        ObservedFrom = observedFrom;
        Result = result;
    }

    /// <summary>The computer whose session probed the host.</summary>
    public string ObservedFrom { get; }

    /// <summary>Whether the host answered there.</summary>
    public bool Ping => Result.Ping;

    /// <summary>How it ended there; Lost where the session was lost before it had an answer.</summary>
    public string Status => Result.Status;

    /// <summary>Round trip in milliseconds; null where there was none.</summary>
    public double? Latency => Result.Latency;

    /// <summary>All that was found out there.</summary>
    public HostResult Result { get; }

    /// <summary>As in "paris=1.234" and "lima=TimedOut".</summary>
    public override string ToString() => $"{ObservedFrom}={(Ping && Latency is not null ? Cell : Status)}";

    /// <summary>The latency in milliseconds, or why there is none; the names of unreachables without what they share.</summary>
    internal string Cell => Latency is double latency && Ping ? latency.ToString("0.000", CultureInfo.CurrentCulture)
        : Status.StartsWith("Destination", StringComparison.Ordinal) && Status.EndsWith("Unreachable", StringComparison.Ordinal) ? "Unreachable"
        : Status;
}

/// <summary>
/// A host probed from several computers. The properties of a single result are those of the best answer: one that the host gave,
/// else the first; the latency is the shortest.
/// </summary>
public sealed class HostReach : HostResult
{
    // Of a latency below a minute, and of most states.
    private const int CellWidth = 11;

    internal HostReach(IReadOnlyList<SiteAnswer> answers) : base(Best(answers).ToAnswer())
    {
        Answers = new JoinedList<SiteAnswer>(answers.ToArray());
    }

    /// <inheritdoc/>
    public override string ComputerName => base.ComputerName;

    /// <summary>Everywhere, Some or Nowhere: where it answered.</summary>
    public Reach Reach
    {
        get
        {
            int count = Answers.Count(answer => answer.Ping);
            return count == 0 ? Reach.Nowhere : count == Answers.Count ? Reach.Everywhere : Reach.Some;
        }
    }

    /// <inheritdoc/>
    public override string? Address => base.Address;

    /// <inheritdoc/>
    public override bool Ping => base.Ping;

    /// <inheritdoc/>
    public override string Status => base.Status;

    /// <inheritdoc/>
    public override double? Latency => base.Latency;

    /// <summary>The answer of each computer, in the order of -Session.</summary>
    public JoinedList<SiteAnswer> Answers { get; }

    /// <summary>The round trips in milliseconds, in the order of -Session; null where there was none.</summary>
    public JoinedList<double?> Latencies => new JoinedList<double?>(Answers.Select(answer => answer.Latency).ToArray());

    /// <summary>The computers, in the order of -Session.</summary>
    public JoinedList<string> Sites => new JoinedList<string>(Answers.Select(answer => answer.ObservedFrom).ToArray());

    /// <summary>The answers as a row of a matrix: of all rows of a call the columns are equally wide.</summary>
    public string Matrix => string.Join("  ", Answers.Select(answer => $"{answer.ObservedFrom}={answer.Cell}".PadRight(answer.ObservedFrom.Length + 1 + CellWidth))).TrimEnd();

    private static HostResult Best(IReadOnlyList<SiteAnswer> answers)
    {
        SiteAnswer best = answers[0];
        foreach (SiteAnswer answer in answers)
        {
            bool isBetter = answer.Ping && (!best.Ping || (answer.Latency ?? double.MaxValue) < (best.Latency ?? double.MaxValue));
            best = isBetter ? answer : best;
        }
        return best.Result;
    }
}
