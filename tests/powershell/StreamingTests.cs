// -AsObject: each result the moment it is there, also while the pipeline still delivers hosts.

using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class StreamingTests : ModuleTest
{
    // Commands before and after the one under test note what passes them, in one common order.
    private const string Wait = "Start-Sleep -Milliseconds 200";

    public StreamingTests() => Laboratory.RequireEcho();

    [Fact]
    public void Results_are_written_while_input_still_comes()
    {
        var log = new ConcurrentQueue<string>();
        Session.Run(
            $$"""
            & { '127.0.0.1'; {{Wait}}; $log.Enqueue('second'); '127.0.0.2'; {{Wait}}; $log.Enqueue('third'); '127.0.0.3' } |
                Invoke-RustParallel -AsObject | ForEach-Object { $log.Enqueue($_.ComputerName) }
            """,
            ("log", log));
        // A result may come with the host itself, and does so at the latest with the next one.
        var order = log.ToList();
        Assert.Equal(5, order.Count);
        Assert.True(order.IndexOf("127.0.0.1") < order.IndexOf("third"), string.Join(", ", order));
    }

    [Fact]
    public void Probing_begins_while_input_still_comes()
    {
        using var port = new OpenPort();
        Call call = Session.Run(
            """
            & {
                '127.0.0.1'
                for ($i = 0; $i -lt 500 -and $port.Connections -eq 0; $i++) { Start-Sleep -Milliseconds 10 }
                $global:connectionsBeforeTheEnd = $port.Connections
            } | Invoke-RustParallel -TcpPort $port.Number | Out-Null
            $connectionsBeforeTheEnd
            """,
            ("port", port));
        Assert.Equal(1, call.Output.Single().BaseObject);
    }

    [Fact]
    public void A_slow_host_delays_no_other_result()
    {
        Laboratory.Require();
        Call call = Session.Run(
            $"Invoke-RustParallel {Laboratory.Silent}, 127.0.0.1 -Count 4 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 200 -AsObject");
        Assert.Equal(["127.0.0.1", Laboratory.Silent], Names(call.Output));
        // The silent host takes 3 x 200 + 200 ms.
        TimeSpan apart = call.TimedOutput.Last().At - call.TimedOutput.First().At;
        Assert.True(apart > TimeSpan.FromMilliseconds(600), $"the results came {apart.TotalMilliseconds:N0} ms apart");
    }

    [Fact]
    public void Hosts_equal_but_for_case_are_one_row_each()
    {
        Call call = Session.Run("Invoke-RustParallel localhost, LOCALHOST, LocalHost -AsObject");
        Assert.Equal(["LOCALHOST", "LocalHost", "localhost"], Names(call.Output).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_repeated_host_is_a_row_for_each_occurrence()
    {
        Call call = Session.Run("'127.0.0.1', '127.0.0.1', '127.0.0.1' | Invoke-RustParallel -AsObject");
        Assert.Equal(3, call.Output.Count());
    }

    [Theory]
    [InlineData("", "HostResult")]
    [InlineData("-Statistics -Count 1", "HostStatistics")]
    [InlineData("-TcpPort 1", "TcpHostResult")]
    [InlineData("-TcpPort 1 -Statistics", "TcpHostStatistics")]
    public void Rows_are_objects_of_the_result_class(string arguments, string type)
    {
        PSObject row = Session.Run($"Invoke-RustParallel 127.0.0.1 -AsObject {arguments}").Output.Single();
        Assert.Equal("RustRunspaces." + type, row.BaseObject.GetType().FullName);
    }

    [Fact]
    public void Nothing_is_written_for_no_hosts() => Assert.Empty(Session.Run("@() | Invoke-RustParallel -AsObject").Output);

    [Fact]
    public void Results_can_be_piped_back()
    {
        Call call = Session.Run("(Invoke-RustParallel 127.0.0.1, 127.0.0.2).Values | Invoke-RustParallel -AsObject");
        Assert.Equal(["127.0.0.1", "127.0.0.2"], Names(call.Output).Order());
    }
}
