// What the echo parameters do to the packets: seen on the wire, by a raw socket.

using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Management.Automation;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class EchoTests : ModuleTest
{
    public EchoTests() => Laboratory.RequireEcho();

    [Fact]
    public void The_first_reply_ends_the_attempts()
    {
        PSObject result = Session.Run("Invoke-RustParallel 127.0.0.1 -Count 5 -AsObject").Output.Single();
        Assert.Equal(1, Property(result, "Sent"));
    }

    [Fact]
    public void A_silent_host_gets_all_its_attempts()
    {
        Laboratory.Require();
        PSObject result = Session.Run(
            $"Invoke-RustParallel {Laboratory.Silent} -Count 3 -IntervalMilliseconds 50 -ReplyTimeoutMilliseconds 50 -AsObject").Output.Single();
        Assert.Equal(3, Property(result, "Sent"));
    }

    [Fact]
    public void Count_is_four_by_default()
    {
        Laboratory.Require();
        PSObject result = Session.Run(
            $"Invoke-RustParallel {Laboratory.Silent} -IntervalMilliseconds 50 -ReplyTimeoutMilliseconds 50 -AsObject").Output.Single();
        Assert.Equal(4, Property(result, "Sent"));
    }

    [Theory]
    [InlineData("", 4.0)] // 3 intervals of a second, and the last reply timeout of a second
    [InlineData("-Count 1", 1.0)]
    [InlineData("-Count 2", 2.0)]
    [InlineData("-TcpPort 1", 2.5)]
    public void The_default_times_are_those_of_the_help(string arguments, double seconds)
    {
        // At 0 packets a second no time is added for the rate.
        Call call = Session.Run($"Invoke-RustParallel 127.0.0.1 -PacketsPerSecond 0 {arguments} -Verbose");
        Assert.Contains($"Expected to take {seconds:N3} seconds at the longest for the 1 hosts known so far.", call.Verbose);
    }

    [Fact]
    public void Attempts_are_an_interval_apart_and_the_last_waits_its_reply_timeout()
    {
        Laboratory.Require();
        Call call = Session.Run(
            $"Invoke-RustParallel {Laboratory.Silent} -Count 3 -IntervalMilliseconds 300 -ReplyTimeoutMilliseconds 100 -AsObject");
        var shortest = TimeSpan.FromMilliseconds((2 * 300) + 100);
        Assert.True(call.Duration >= shortest, $"took {call.Duration.TotalMilliseconds:N0} ms");
        MachineDelay.AssertWithin(call.Duration, shortest + TimeSpan.FromMilliseconds(250), call.Late);
    }

    [Theory]
    [InlineData("", 32)]
    [InlineData("-BufferSize 0", 0)]
    [InlineData("-BufferSize 5", 5)]
    [InlineData("-BufferSize 1400", 1400)]
    public void The_buffer_size_is_the_payload_of_a_request(string arguments, int size)
    {
        using var wire = new Wire();
        PSObject result = Session.Run($"Invoke-RustParallel 127.0.0.31 {arguments} -AsObject").Output.Single();
        Assert.Equal("Success", Property(result, "Status"));
        Assert.Equal(size, wire.Request("127.0.0.31").Payload);
    }

    [Fact]
    public void The_largest_buffer_size_is_sent_and_answered()
    {
        PSObject result = Session.Run("Invoke-RustParallel 127.0.0.1 -BufferSize 65500 -AsObject").Output.Single();
        Assert.Equal("Success", Property(result, "Status"));
    }

    [Theory]
    [InlineData("", 64)]
    [InlineData("-MaxHops 1", 1)]
    [InlineData("-MaxHops 17", 17)]
    public void The_hops_are_the_time_to_live_of_a_request(string arguments, int hops)
    {
        using var wire = new Wire();
        Session.Run($"Invoke-RustParallel 127.0.0.32 {arguments}");
        Assert.Equal(hops, wire.Request("127.0.0.32").TimeToLive);
    }

    [Theory]
    [InlineData("-IPv4", "127.0.0.22")]
    [InlineData("-IPv6", "fd00:99::22")]
    public void A_name_is_probed_in_the_family_asked_for(string arguments, string address)
    {
        Laboratory.Require();
        foreach (string port in new[] { "", "-TcpPort 1" })
        {
            PSObject result = Session.Run($"Invoke-RustParallel {Laboratory.NameWithTwoAddresses} {arguments} {port} -AsObject").Output.Single();
            Assert.Equal(address, Property(result, "Address"));
        }
    }

    [Fact]
    public void A_name_is_probed_at_its_first_address()
    {
        Laboratory.Require();
        string expected = Dns.GetHostAddresses(Laboratory.NameWithTwoAddresses)[0].ToString();
        PSObject result = Session.Run($"Invoke-RustParallel {Laboratory.NameWithTwoAddresses} -AsObject").Output.Single();
        Assert.Equal(expected, Property(result, "Address"));
    }

    [Theory]
    [InlineData("-IPv4", "::1")]
    [InlineData("-IPv6", "127.0.0.1")]
    public void An_address_of_the_other_family_is_an_invalid_target(string arguments, string address)
    {
        Call call = Session.RunWithErrors($"Invoke-RustParallel {address} {arguments} -AsObject");
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal("InvalidTarget", Call.Id(error));
        Assert.Contains(arguments, error.ToString());
        Assert.Empty(call.Output);
    }

    [Fact]
    public void Both_families_at_once_are_refused()
    {
        ErrorRecord error = Session.RunToFailure("Invoke-RustParallel 127.0.0.1 -IPv4 -IPv6");
        Assert.Equal("AddressFamilyConflict", Call.Id(error));
    }

    [Fact]
    public void Packets_per_second_limit_the_rate()
    {
        // 1,022 hosts: 256 at once, the rest a thousand a second.
        Call call = Session.Run("Invoke-RustParallel 127.0.0.0/22 -PacketsPerSecond 1000");
        Assert.Equal(1022, call.Table.Count);
        Assert.True(call.Duration >= TimeSpan.FromMilliseconds(700), $"took {call.Duration.TotalMilliseconds:N0} ms");
    }

    [Fact]
    public void Packets_per_second_do_not_limit_connects()
    {
        using var port = new OpenPort();
        Call call = Session.Run($"Invoke-RustParallel 127.0.0.0/22 -TcpPort {port.Number} -PacketsPerSecond 100 -ReplyTimeoutMilliseconds 200");
        Assert.Equal(1022, call.Table.Count);
        Assert.True(call.Duration < TimeSpan.FromSeconds(7), $"took {call.Duration.TotalMilliseconds:N0} ms");
    }

    /// <summary>Sees the echo requests that reach this machine.</summary>
    private sealed class Wire : IDisposable
    {
        private const int IPv4HeaderSize = 20;
        private const int IcmpHeaderSize = 8;
        private const byte EchoRequest = 8;

        private readonly Socket socket;
        private readonly ConcurrentQueue<(string To, int Payload, int TimeToLive)> requests = new();

        public Wire()
        {
            Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux shows echo requests to a raw socket");
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp);
            socket.Bind(new IPEndPoint(IPAddress.Any, 0));
            new Thread(Listen) { IsBackground = true }.Start();
        }

        public (string To, int Payload, int TimeToLive) Request(string to)
        {
            (string To, int Payload, int TimeToLive)[] sent = [];
            SpinWait.SpinUntil(() => (sent = requests.Where(request => request.To == to).ToArray()).Length > 0, TimeSpan.FromSeconds(5));
            return Assert.Single(sent);
        }

        public void Dispose() => socket.Dispose();

        private void Listen()
        {
            var packet = new byte[65_536];
            try
            {
                while (true)
                {
                    int length = socket.Receive(packet);
                    if (packet[IPv4HeaderSize] == EchoRequest)
                    {
                        string to = new IPAddress(packet.AsSpan(16, 4)).ToString();
                        requests.Enqueue((to, length - IPv4HeaderSize - IcmpHeaderSize, packet[8]));
                    }
                }
            }
            catch (Exception end) when (end is ObjectDisposedException or SocketException)
            {
                // The test is over.
            }
        }
    }
}
