// The properties of a result: names, types, values; null where there is nothing to say.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Net;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ResultPropertyTests : ModuleTest
{
    private const string SilentArguments = "-Count 2 -IntervalMilliseconds 50 -ReplyTimeoutMilliseconds 100";

    public ResultPropertyTests() => Laboratory.RequireEcho();

    public static TheoryData<string, string> EchoProperties => new()
    {
        { "ComputerName", "string" },
        { "Address", "string" },
        { "AddressObject", "ipaddress" },
        { "Ping", "bool" },
        { "Status", "string" },
        { "StatusCode", "RustRunspaces.JobStatus" },
        { "Latency", "System.Nullable[double]" },
        { "Sent", "int" },
        { "Received", "int" },
        { "Ttl", "System.Nullable[int]" },
        { "HostName", "string" },
        { "Addresses", "System.Collections.Generic.IReadOnlyList[string]" },
        { "AnsweredFrom", "string" },
        { "TimeFinished", "datetime" },
        { "Detail", "string" },
    };

    public static TheoryData<string, string> StatisticsProperties => new()
    {
        { "Duplicates", "System.Nullable[int]" },
        { "LossPercent", "System.Nullable[double]" },
        { "Minimum", "System.Nullable[double]" },
        { "Average", "System.Nullable[double]" },
        { "Maximum", "System.Nullable[double]" },
        { "StandardDeviation", "System.Nullable[double]" },
    };

    public static TheoryData<string, string> TcpProperties => new()
    {
        { "Ports", "System.Collections.IList" },
        { "OpenPorts", "System.Collections.Generic.IReadOnlyList[int]" },
    };

    [Theory]
    [MemberData(nameof(EchoProperties))]
    public void Every_result_has_the_property(string name, string type)
    {
        AssertProperty("", name, type);
        AssertProperty("-Statistics -Count 1", name, type);
        AssertProperty("-TcpPort 1", name, type);
        AssertProperty("-TcpPort 1 -Statistics", name, type);
    }

    [Theory]
    [MemberData(nameof(StatisticsProperties))]
    public void Statistics_have_the_property(string name, string type)
    {
        AssertProperty("-Statistics -Count 1", name, type);
        AssertProperty("-TcpPort 1 -Statistics", name, type);
    }

    [Theory]
    [MemberData(nameof(TcpProperties))]
    public void Tcp_results_have_the_property(string name, string type)
    {
        AssertProperty("-TcpPort 1", name, type);
        AssertProperty("-TcpPort 1 -Statistics", name, type);
    }

    [Fact]
    public void A_live_host_is_described()
    {
        DateTime before = DateTime.Now;
        PSObject result = Session.Run("Invoke-RustParallel 127.0.0.7 -AsObject").Output.Single();
        DateTime after = DateTime.Now;
        Assert.Equal("127.0.0.7", Property(result, "ComputerName"));
        Assert.Equal("127.0.0.7", Property(result, "Address"));
        Assert.Equal(IPAddress.Parse("127.0.0.7"), Property(result, "AddressObject"));
        Assert.Equal(true, Property(result, "Ping"));
        Assert.Equal("Success", Property(result, "Status"));
        Assert.Equal("Success", Property(result, "StatusCode")!.ToString());
        Assert.InRange(Property<double>(result, "Latency"), 0.000_1, 1000);
        Assert.Equal(1, Property(result, "Sent"));
        Assert.Equal(1, Property(result, "Received"));
        Assert.Null(Property(result, "Detail"));
        var finished = Property<DateTime>(result, "TimeFinished");
        Assert.Equal(DateTimeKind.Local, finished.Kind);
        // The clock of the system ticks in steps of up to 16 ms.
        Assert.InRange(finished, before.AddMilliseconds(-16), after.AddMilliseconds(16));
    }

    [Fact]
    public void The_time_to_live_of_the_reply_is_reported()
    {
        Laboratory.Require();
        PSObject result = Session.Run("Invoke-RustParallel 127.0.0.1 -AsObject").Output.Single();
        Assert.Equal(64, Property(result, "Ttl"));
    }

    [Fact]
    public void An_IPv6_host_is_described()
    {
        Laboratory.Require();
        PSObject result = Session.Run("Invoke-RustParallel ::1 -AsObject").Output.Single();
        Assert.Equal("::1", Property(result, "Address"));
        Assert.Equal(IPAddress.IPv6Loopback, Property(result, "AddressObject"));
        Assert.Equal("Success", Property(result, "Status"));
    }

    [Fact]
    public void A_silent_host_has_null_where_nothing_came()
    {
        Laboratory.Require();
        PSObject result = Session.Run($"Invoke-RustParallel {Laboratory.Silent} {SilentArguments} -AsObject").Output.Single();
        Assert.Equal("TimedOut", Property(result, "Status"));
        Assert.Equal(false, Property(result, "Ping"));
        Assert.Equal(Laboratory.Silent, Property(result, "Address"));
        Assert.Equal(2, Property(result, "Sent"));
        Assert.Equal(0, Property(result, "Received"));
        Assert.Null(Property(result, "Latency"));
        Assert.Null(Property(result, "Ttl"));
        Assert.Null(Property(result, "HostName"));
        Assert.Null(Property(result, "Addresses"));
    }

    [Theory]
    [InlineData("-Statistics")]
    [InlineData("-TcpPort 1, 2 -Statistics")]
    [InlineData("-TcpPort 1, 2")]
    public void No_property_of_a_silent_host_is_NaN(string arguments)
    {
        Laboratory.Require();
        PSObject result = Session.Run($"Invoke-RustParallel {Laboratory.Silent} {SilentArguments} {arguments} -AsObject").Output.Single();
        foreach (PSPropertyInfo property in result.Properties)
        {
            Assert.False(property.Value is double.NaN, property.Name);
        }
        Assert.Null(Property(result, "Latency"));
    }

    [Fact]
    public void An_unknown_name_has_no_address()
    {
        Laboratory.Require();
        PSObject result = Session.Run($"Invoke-RustParallel {Laboratory.UnknownName} -AsObject").Output.Single();
        Assert.Equal(Laboratory.UnknownName, Property(result, "ComputerName"));
        Assert.Equal("NameNotFound", Property(result, "Status"));
        Assert.Equal(false, Property(result, "Ping"));
        Assert.Null(Property(result, "Address"));
        Assert.Null(Property(result, "AddressObject"));
        Assert.Equal(0, Property(result, "Sent"));
    }

    [Theory]
    [InlineData(Laboratory.Unreachable, "DestinationHostUnreachable", 113)]
    [InlineData(Laboratory.Blackholed, "DestinationUnreachable", 22)]
    [InlineData(Laboratory.Prohibited, "DestinationProhibited", 13)]
    public void A_host_without_a_route_has_the_name_of_the_IPStatus_and_the_number_of_the_error(string host, string status, int error)
    {
        Laboratory.Require();
        foreach (string arguments in new[] { "", "-TcpPort 1" })
        {
            PSObject result = Session.Run($"Invoke-RustParallel {host} {arguments} -AsObject").Output.Single();
            Assert.Equal(status, Property(result, "Status"));
            Assert.Equal(false, Property(result, "Ping"));
            Assert.Contains($"error {error}", Property<string>(result, "Detail"));
        }
    }

    [Fact]
    public void Results_read_well_as_CSV()
    {
        using var open = new OpenPort();
        using var closed = new RefusedPort();
        string[] lines = Session.Run(
            $"Invoke-RustParallel 127.0.0.1 -TcpPort {open.Number}, {closed.Number} -AsObject | ConvertTo-Csv").Output
            .Select(line => line.ToString()!).Where(line => !line.StartsWith('#')).ToArray();
        Dictionary<string, string> row = lines[0].Split(',').Zip(lines[1].Split(','))
            .ToDictionary(pair => pair.First.Trim('"'), pair => pair.Second.Trim('"'));
        Assert.Equal("127.0.0.1", row["Address"]);
        Assert.Equal("Success", row["Status"]);
        Assert.Equal($"{open.Number}:Success {closed.Number}:Refused", row["Ports"]);
        Assert.Equal(open.Number.ToString(), row["OpenPorts"]);
    }

    private void AssertProperty(string arguments, string name, string type)
    {
        PSObject result = Session.Run($"Invoke-RustParallel 127.0.0.1 {arguments} -AsObject").Output.Single();
        PSPropertyInfo? property = result.Properties[name];
        Assert.True(property is not null, $"a result of '{arguments}' has no property {name}");
        Type expected = (Type)LanguagePrimitives.ConvertTo(type, typeof(Type));
        Type actual = result.BaseObject.GetType().GetProperty(name)!.PropertyType;
        Assert.True(expected.IsAssignableFrom(actual), $"{name} is a {actual}, no {expected}");
    }
}
