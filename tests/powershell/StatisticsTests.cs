// -Statistics: all attempts are sent, and summed up.

using System;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class StatisticsTests : ModuleTest
{
    public StatisticsTests() => Laboratory.RequireEcho();

    [Fact]
    public void All_attempts_are_sent_and_counted()
    {
        PSObject result = Probe("127.0.0.1 -Count 5");
        Assert.Equal(5, Property(result, "Sent"));
        Assert.Equal(5, Property(result, "Received"));
        Assert.Equal(0.0, Property(result, "LossPercent"));
    }

    [Fact]
    public void Latencies_are_summed_up_in_milliseconds()
    {
        PSObject result = Probe("127.0.0.1 -Count 5");
        double minimum = Property<double>(result, "Minimum");
        double average = Property<double>(result, "Average");
        double maximum = Property<double>(result, "Maximum");
        double deviation = Property<double>(result, "StandardDeviation");
        Assert.InRange(minimum, 0.000_1, 200);
        Assert.InRange(average, minimum, maximum);
        Assert.InRange(maximum, minimum, 200);
        // No sample's deviation is more than half its range.
        Assert.InRange(deviation, 0, (maximum - minimum) / 2 * 1.001);
    }

    [Fact]
    public void Duplicates_are_counted_where_the_system_shows_them()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux shows duplicates");
        Assert.Equal(0, Property(Probe("127.0.0.1 -Count 2"), "Duplicates"));
    }

    [Fact]
    public void A_single_reply_has_no_deviation()
    {
        PSObject result = Probe("127.0.0.1 -Count 1");
        Assert.Equal(0.0, Property(result, "StandardDeviation"));
        Assert.Equal(Property(result, "Minimum"), Property(result, "Maximum"));
        Assert.Equal(Property(result, "Average"), Property(result, "Latency"));
    }

    [Fact]
    public void A_silent_host_lost_all_and_has_no_latencies()
    {
        Laboratory.Require();
        PSObject result = Probe($"{Laboratory.Silent} -Count 3");
        Assert.Equal(3, Property(result, "Sent"));
        Assert.Equal(0, Property(result, "Received"));
        Assert.Equal(100.0, Property(result, "LossPercent"));
        foreach (string name in new[] { "Minimum", "Average", "Maximum", "StandardDeviation", "Latency" })
        {
            Assert.Null(Property(result, name));
        }
    }

    [Fact]
    public void A_host_to_which_nothing_was_sent_has_no_loss()
    {
        Laboratory.Require();
        PSObject result = Probe($"{Laboratory.Unreachable} -Count 2");
        Assert.Equal(0, Property(result, "Sent"));
        Assert.Null(Property(result, "LossPercent"));
    }

    [Fact]
    public void Connects_are_repeated_and_summed_up_over_all_ports()
    {
        using var open = new OpenPort();
        using var closed = new RefusedPort();
        PSObject result = Probe($"127.0.0.1 -TcpPort {open.Number}, {closed.Number} -Count 3");
        Assert.Equal(6, Property(result, "Sent"));
        Assert.Equal(6, Property(result, "Received"));
        Assert.Equal(0.0, Property(result, "LossPercent"));
        Assert.InRange(Property<double>(result, "Average"), Property<double>(result, "Minimum"), Property<double>(result, "Maximum"));
        open.AssertConnections(3);
    }

    private PSObject Probe(string arguments) => Session.Run(
        $"Invoke-RustParallel {arguments} -Statistics -IntervalMilliseconds 50 -ReplyTimeoutMilliseconds 100 -AsObject").Output.Single();
}
