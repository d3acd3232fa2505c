// Round trips summed up, and how the summaries of several ports become one.

using System;
using RustRunspaces.Native;

namespace RustRunspaces.Results;

/// <summary>Shortest, mean and longest round trip and their standard deviation, in nanoseconds.</summary>
internal readonly struct LatencySummary
{
    internal static readonly LatencySummary None = new LatencySummary(-1, -1, -1, -1);

    internal readonly double Minimum;
    internal readonly double Mean;
    internal readonly double Maximum;
    internal readonly double Deviation;

    internal LatencySummary(in Completion completion)
        : this(completion.MinimumNanoseconds, completion.MeanNanoseconds, completion.MaximumNanoseconds, completion.DeviationNanoseconds)
    {
    }

    private LatencySummary(double minimum, double mean, double maximum, double deviation)
    {
        Minimum = minimum;
        Mean = mean;
        Maximum = maximum;
        Deviation = deviation;
    }

    /// <summary>False where nothing was received.</summary>
    internal bool HasValues => Mean >= 0;

    /// <summary>The summary of both samples together, of these sizes.</summary>
    internal static LatencySummary Merge(in LatencySummary left, uint leftCount, in LatencySummary right, uint rightCount)
    {
        if (!left.HasValues || leftCount == 0)
        {
            return right;
        }
        if (!right.HasValues || rightCount == 0)
        {
            return left;
        }
        double count = (double)leftCount + rightCount;
        double mean = ((left.Mean * leftCount) + (right.Mean * rightCount)) / count;
        // The variance of both: each sample's own, and how far its mean lies from the common one.
        double squares = (leftCount * (Square(left.Deviation) + Square(left.Mean - mean)))
            + (rightCount * (Square(right.Deviation) + Square(right.Mean - mean)));
        return new LatencySummary(
            Math.Min(left.Minimum, right.Minimum), mean, Math.Max(left.Maximum, right.Maximum), Math.Sqrt(squares / count));
    }

    private static double Square(double value) => value * value;
}
