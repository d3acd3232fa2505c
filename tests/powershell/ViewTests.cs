// How results show in a console: the tables of the format file.

using System;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ViewTests : ModuleTest
{
    public ViewTests() => Laboratory.RequireEcho();

    [Fact]
    public void Echo_results_are_a_table()
    {
        string[] lines = Show("Invoke-RustParallel 127.0.0.1 -AsObject");
        Assert.Equal(["ComputerName", "Address", "Ping", "Status", "Latency(ms)", "Sent", "Received", "Ttl"], Words(lines[0]));
        Assert.Matches(@"^127\.0\.0\.1 +127\.0\.0\.1 +True +Success +\d+[.,]\d{3} +1 +1( +\d+)?$", lines[2].TrimEnd());
    }

    [Fact]
    public void Statistics_are_a_table()
    {
        string[] lines = Show("Invoke-RustParallel 127.0.0.1 -Count 2 -IntervalMilliseconds 20 -Statistics -AsObject");
        Assert.Equal(["ComputerName", "Ping", "Sent", "Received", "Loss(%)", "Min(ms)", "Avg(ms)", "Max(ms)", "SD(ms)"], Words(lines[0]));
        Assert.Matches(@"^127\.0\.0\.1 +True +2 +2 +0[.,]0( +\d+[.,]\d{3}){4}$", lines[2].TrimEnd());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-Statistics")]
    public void Tcp_results_are_a_table(string arguments)
    {
        using var first = new OpenPort();
        using var second = new OpenPort();
        string[] lines = Show($"Invoke-RustParallel 127.0.0.1 -TcpPort {first.Number}, {second.Number} {arguments} -AsObject");
        Assert.Equal(["ComputerName", "Address", "Ping", "Status", "OpenPorts", "Latency(ms)"], Words(lines[0]));
        Assert.Matches($@"^127\.0\.0\.1 +127\.0\.0\.1 +True +Success +\{{{first.Number}, {second.Number}\}} +\d+[.,]\d{{3}}$", lines[2].TrimEnd());
    }

    [Fact]
    public void Ports_are_a_table()
    {
        using var open = new OpenPort();
        string[] lines = Show($"(Invoke-RustParallel 127.0.0.1 -TcpPort {open.Number} -AsObject).Ports");
        Assert.Equal(["Port", "Status", "Latency(ms)"], Words(lines[0]));
        Assert.Matches($@"^ *{open.Number} +Success +\d+[.,]\d{{3}}$", lines[2].TrimEnd());
    }

    [Fact]
    public void A_host_without_answer_leaves_its_columns_empty()
    {
        Laboratory.Require();
        string[] lines = Show($"Invoke-RustParallel {Laboratory.UnknownName} -AsObject");
        Assert.Matches($@"^{Laboratory.UnknownName} +False +NameNotFound +0 +0$", lines[2].TrimEnd());
    }

    [Fact]
    public void A_list_shows_every_property()
    {
        string text = string.Join('\n', Show("Invoke-RustParallel 127.0.0.1 -AsObject | Format-List"));
        foreach (string name in new[] { "ComputerName", "AddressObject", "StatusCode", "HostName", "Addresses", "TimeFinished", "Detail" })
        {
            Assert.Matches($@"(?m)^{name} +:", text);
        }
    }

    private string[] Show(string script) => Session.Run($"{script} | Out-String -Width 120").Output.Single().ToString()!
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0).ToArray();

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
