// CIDR blocks and ranges: which addresses they become, and how those are named.

using System;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class TargetExpansionTests : ModuleTest
{
    public TargetExpansionTests() => Laboratory.RequireEcho();

    [Theory]
    [InlineData("127.0.0.0/30", "127.0.0.1 127.0.0.2")]
    [InlineData("127.0.0.6/31", "127.0.0.6 127.0.0.7")]
    [InlineData("127.0.0.9/32", "127.0.0.9")]
    [InlineData("127.0.0.1-127.0.0.3", "127.0.0.1 127.0.0.2 127.0.0.3")]
    [InlineData("127.0.0.1-3", "127.0.0.1 127.0.0.2 127.0.0.3")]
    [InlineData("127.0.0.254-127.0.1.1", "127.0.0.254 127.0.0.255 127.0.1.0 127.0.1.1")]
    public void An_expression_becomes_hosts_named_by_their_address(string expression, string addresses)
    {
        var table = Session.Run($"Invoke-RustParallel {expression} -Count 1 -ReplyTimeoutMilliseconds 200").Table;
        Assert.Equal(addresses.Split(' ').Order(), table.Keys.Cast<string>().Order());
        Assert.All(table.Keys.Cast<string>(), key => Assert.Equal(key, Property(table[key], "Address")));
    }

    [Fact]
    public void An_IPv6_block_leaves_nothing_out()
    {
        Laboratory.Require();
        var table = Session.Run("Invoke-RustParallel ::4/126 -Count 1 -ReplyTimeoutMilliseconds 100").Table;
        Assert.Equal(["::4", "::5", "::6", "::7"], table.Keys.Cast<string>().Order());
    }

    [Fact]
    public void A_single_address_keeps_the_name_it_was_given()
    {
        Laboratory.Require();
        var table = Session.Run("Invoke-RustParallel 0:0:0:0:0:0:0:1").Table;
        Assert.Equal("0:0:0:0:0:0:0:1", table.Keys.Cast<string>().Single());
        Assert.Equal("::1", Property(table["0:0:0:0:0:0:0:1"], "Address"));
    }

    [Fact]
    public void Expressions_and_names_mix_in_one_call()
    {
        var table = Session.Run("'127.0.0.0/30', 'localhost', '127.0.0.5-6' | Invoke-RustParallel").Table;
        Assert.Equal(
            ["127.0.0.1", "127.0.0.2", "127.0.0.5", "127.0.0.6", "localhost"],
            table.Keys.Cast<string>().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_block_of_65534_hosts_is_complete_and_right()
    {
        Laboratory.Require();
        var table = Session.Run(
            "Invoke-RustParallel 127.0.0.0/16 -PacketsPerSecond 0 -Count 4 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 200").Table;
        Assert.Equal(65_534, table.Count);
        for (int host = 1; host <= 65_534; host++)
        {
            string address = $"127.0.{host >> 8}.{host & 255}";
            object? result = table[address];
            Assert.True(result is not null, address);
            Assert.Equal(address, Property(result, "Address"));
            Assert.Equal(address, Property(result, "ComputerName"));
            Assert.Equal("Success", Property(result, "Status"));
        }
    }

    [Fact]
    public void A_block_of_65534_silent_hosts_ends_after_its_attempts()
    {
        Laboratory.Require();
        Call call = Session.Run(
            $"Invoke-RustParallel {Laboratory.SilentNetwork} -PacketsPerSecond 0 -Count 2 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 200");
        Assert.Equal(65_534, call.Table.Count);
        Assert.All(call.Table.Values.Cast<object>(), result => Assert.Equal("TimedOut", Property(result, "Status")));
    }
}
