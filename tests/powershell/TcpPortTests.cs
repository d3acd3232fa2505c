// -TcpPort: what is said of each port, and what follows for the host.

using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class TcpPortTests : ModuleTest
{
    [Fact]
    public void An_open_port_is_success()
    {
        using var open = new OpenPort();
        PSObject result = Probe("127.0.0.1", open.Number);
        Assert.Equal("Success", Property(result, "Status"));
        Assert.Equal(true, Property(result, "Ping"));
        Assert.Equal([open.Number], Property<IEnumerable<int>>(result, "OpenPorts"));
        Assert.InRange(Property<double>(result, "Latency"), 0.000_1, 200);
        Assert.Equal("127.0.0.1", Property(result, "Address"));
        Assert.Equal(1, Property(result, "Sent"));
        Assert.Equal(1, Property(result, "Received"));
    }

    [Fact]
    public void The_connection_reaches_the_listener()
    {
        using var open = new OpenPort();
        Probe("127.0.0.1", open.Number);
        open.AssertConnections(1);
    }

    [Fact]
    public void A_refusal_is_an_answer_of_the_host()
    {
        using var closed = new RefusedPort();
        PSObject result = Probe("127.0.0.1", closed.Number);
        Assert.Equal("Refused", Property(result, "Status"));
        Assert.Equal(true, Property(result, "Ping"));
        Assert.Empty(Property<IEnumerable<int>>(result, "OpenPorts")!);
        Assert.InRange(Property<double>(result, "Latency"), 0.000_1, 200);
    }

    [Fact]
    public void A_silent_port_times_out()
    {
        using var silent = new SilentPort();
        PSObject result = Probe("127.0.0.1", silent.Number);
        Assert.Equal("TimedOut", Property(result, "Status"));
        Assert.Equal(false, Property(result, "Ping"));
        Assert.Null(Property(result, "Latency"));
        Assert.Equal(1, Property(result, "Sent"));
        Assert.Equal(0, Property(result, "Received"));
    }

    [Fact]
    public void Count_connects_again_to_a_silent_port()
    {
        using var silent = new SilentPort();
        PSObject result = Session.Run(
            $"Invoke-RustParallel 127.0.0.1 -TcpPort {silent.Number} -Count 3 -IntervalMilliseconds 60 -ReplyTimeoutMilliseconds 50 -AsObject").Output.Single();
        Assert.Equal(3, Property(result, "Sent"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_answer_ends_the_attempts(bool isOpen)
    {
        using var open = new OpenPort();
        using var closed = new RefusedPort();
        PSObject result = Session.Run(
            $"Invoke-RustParallel 127.0.0.1 -TcpPort {(isOpen ? open.Number : closed.Number)} -Count 5 -IntervalMilliseconds 10 -AsObject").Output.Single();
        Assert.Equal(1, Property(result, "Sent"));
    }

    [Fact]
    public void An_open_port_decides_over_refused_and_silent_ones()
    {
        using var open = new OpenPort();
        using var closed = new RefusedPort();
        using var silent = new SilentPort();
        PSObject result = Probe("127.0.0.1", silent.Number, closed.Number, open.Number);
        Assert.Equal("Success", Property(result, "Status"));
        Assert.Equal(true, Property(result, "Ping"));
    }

    [Fact]
    public void A_refused_port_decides_over_silent_ones()
    {
        using var closed = new RefusedPort();
        using var silent = new SilentPort();
        PSObject result = Probe("127.0.0.1", silent.Number, closed.Number);
        Assert.Equal("Refused", Property(result, "Status"));
        Assert.Equal(true, Property(result, "Ping"));
    }

    [Fact]
    public void Without_open_and_refused_ports_the_first_decides()
    {
        Laboratory.Require();
        PSObject result = Probe(Laboratory.Unreachable, 2, 1);
        Assert.Equal("DestinationHostUnreachable", Property(result, "Status"));
        Assert.Equal(false, Property(result, "Ping"));
        Assert.Equal("2:DestinationHostUnreachable 1:DestinationHostUnreachable", Property(result, "Ports")!.ToString());
    }

    [Fact]
    public void Ports_are_listed_in_the_order_given_each_with_status_and_latency()
    {
        using var open = new OpenPort();
        using var closed = new RefusedPort();
        using var silent = new SilentPort();
        PSObject result = Probe("127.0.0.1", silent.Number, open.Number, closed.Number);
        object[] ports = Property<IEnumerable>(result, "Ports")!.Cast<object>().ToArray();
        Assert.Equal([silent.Number, open.Number, closed.Number], ports.Select(port => Property<int>(port, "Port")));
        Assert.Equal(["TimedOut", "Success", "Refused"], ports.Select(port => Property<string>(port, "Status")));
        Assert.Null(Property(ports[0], "Latency"));
        Assert.InRange(Property<double>(ports[1], "Latency"), 0.000_1, 200);
        Assert.InRange(Property<double>(ports[2], "Latency"), 0.000_1, 200);
    }

    [Fact]
    public void Open_ports_are_listed_in_the_order_given()
    {
        using var first = new OpenPort();
        using var second = new OpenPort();
        using var closed = new RefusedPort();
        int[] descending = new[] { first.Number, second.Number }.OrderDescending().ToArray();
        PSObject result = Probe("127.0.0.1", descending[0], closed.Number, descending[1]);
        Assert.Equal(descending, Property<IEnumerable<int>>(result, "OpenPorts"));
    }

    [Fact]
    public void Each_host_has_its_own_ports()
    {
        using var here = new OpenPort("127.0.0.41");
        using var there = new OpenPort("127.0.0.42");
        Hashtable table = Session.Run($"Invoke-RustParallel 127.0.0.40-43 -TcpPort {here.Number}, {there.Number} -ReplyTimeoutMilliseconds 200").Table;
        Assert.Equal([here.Number], Property<IEnumerable<int>>(table["127.0.0.41"], "OpenPorts"));
        Assert.Equal([there.Number], Property<IEnumerable<int>>(table["127.0.0.42"], "OpenPorts"));
        Assert.Equal("Refused", Property(table["127.0.0.40"], "Status"));
        Assert.Equal("Refused", Property(table["127.0.0.43"], "Status"));
    }

    [Fact]
    public void The_addresses_of_a_name_are_tried_until_one_is_open()
    {
        Laboratory.Require();
        // The other address, which is an IPv6 one, comes first and refuses.
        using var open = new OpenPort("127.0.0.22");
        PSObject result = Probe(Laboratory.NameWithTwoAddresses, open.Number);
        Assert.Equal("Success", Property(result, "Status"));
        Assert.Equal("127.0.0.22", Property(result, "Address"));
    }

    [Fact]
    public void Port_is_another_name_of_the_parameter()
    {
        using var open = new OpenPort();
        Assert.Equal("Success", Property(
            Session.Run($"Invoke-RustParallel 127.0.0.1 -Port {open.Number} -AsObject").Output.Single(), "Status"));
    }

    [Fact]
    public void A_thousand_hosts_with_three_ports_are_complete_and_right()
    {
        using var open = new OpenPort("127.0.1.7");
        Hashtable table = Session.Run($"Invoke-RustParallel 127.0.0.0/22 -TcpPort {open.Number}, 1, 2").Table;
        Assert.Equal(1022, table.Count);
        Assert.Equal("127.0.1.7", table.Values.Cast<object>().Where(result => (string)Property(result, "Status")! == "Success")
            .Select(result => Property(result, "Address")).Single());
    }

    private PSObject Probe(string host, params int[] ports) => Session.Run(
        $"Invoke-RustParallel {host} -TcpPort {string.Join(", ", ports)} -ReplyTimeoutMilliseconds 200 -AsObject").Output.Single();
}
