// examples/Get-AvailabilityReport.ps1, over histories as examples/Watch-Hosts.ps1 leaves them. Runs in
// this process.

using System;
using System.IO;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class AvailabilityReportExampleTests : IDisposable
{
    private const string FirstRow = "2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1\n";
    private const string Header = "Time,ComputerName,Up,Status,Address,Latency\n";
    private const string FirstObject = """
        {"Time":"2026-01-01T00:00:00Z","ComputerName":"127.0.0.1","Up":"True","Status":"Success","Address":"127.0.0.1","Latency":"0.1"}

        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("rustrunspaces-tests-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void The_report_counts_sweeps_and_outages_and_leaves_out_what_has_no_verdict()
    {
        File.WriteAllText(InFolder("history.csv"), """
            Time,ComputerName,Up,Status,Address,Latency
            2026-01-01T00:00:00Z,web1,True,Success,127.0.0.1,1
            2026-01-01T00:00:00Z,web2,True,Success,127.0.0.2,5
            2026-01-01T00:15:00Z,web1,False,TimedOut,127.0.0.1,
            2026-01-01T00:30:00Z,web1,False,TimedOut,127.0.0.1,
            2026-01-01T00:45:00Z,web1,,Stopped,127.0.0.1,
            2026-01-01T01:00:00Z,web1,True,Success,127.0.0.1,2
            2025-01-01T00:00:00Z,web3,False,TimedOut,127.0.0.3,
            """);
        using var session = new Session();
        Call call = session.Run(
            "& $report $history -Since ([DateTime]::Parse('2025-06-01')) | ForEach-Object { $_.ComputerName, $_.UpPercent, $_.Up, $_.Sweeps, $_.Outages, $_.LatencyMilliseconds -join ' ' }",
            ("report", ModuleUnderTest.RepositoryFile("examples/Get-AvailabilityReport.ps1")),
            ("history", InFolder("history.csv")));
        Assert.Equal(["web1 50 True 4 1 1.5", "web2 100 True 1 0 5"], call.Output.Select(line => line.ToString()));
    }

    [Theory]
    [InlineData("history.csv", Header + FirstRow + "2026-01-01T00:15:00Z,127.0.0.1,Tr")]
    [InlineData("history.csv", Header + FirstRow + "\"2026-01-01T00:15:00Z\",\"127.0.0.1\",\"Fal\n" + FirstRow)]
    [InlineData("history.csv", Header + FirstRow + "2026-13-01T00:15:00Z,127.0.0.1,False,TimedOut,,\n")]
    [InlineData("history.json", FirstObject + "{\"Time\":\"2026-01-01T00:15:00Z\",\"Compu")]
    public void The_report_leaves_out_half_a_row(string history, string text)
    {
        File.WriteAllText(InFolder(history), text);
        using var session = new Session();
        Call call = session.Run(
            "& $report $history -WarningVariable warnings -WarningAction SilentlyContinue | ForEach-Object { $_.UpPercent, $_.Up, $_.Outages -join ' ' }; \"$warnings\"",
            ("report", ModuleUnderTest.RepositoryFile("examples/Get-AvailabilityReport.ps1")),
            ("history", InFolder(history)));
        string[] output = call.Output.Select(line => line.ToString()).ToArray();
        Assert.Equal("100 True 0", output[0]);
        Assert.StartsWith("1 rows of", output[1]);
    }

    private string InFolder(string name) => Path.Combine(folder.FullName, name);
}
