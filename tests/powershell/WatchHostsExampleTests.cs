// examples/Watch-Hosts.ps1 and the report of its history, run as a scheduler runs them: a process of
// its own without console, profile and input, twice and more in a row. Its host is the machine's
// pwsh, else the embedded one.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class WatchHostsExampleTests : IDisposable
{
    private const int NothingChanged = 0;
    private const int SomethingChanged = 1;
    private const int NotMade = 2;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("rustrunspaces-tests-");

    private string Log => File.ReadAllText(InFolder("watch.log"));

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("history.csv")]
    [InlineData("history.json")]
    public void A_service_that_disappears_and_returns_is_reported_once_each(string history)
    {
        WriteHosts("127.0.0.1");
        int port;
        using (var open = new OpenPort())
        {
            port = open.Number;
            Assert.Equal(NothingChanged, Watch(history, "-TcpPort", $"{port}"));
            Assert.Equal(NothingChanged, Watch(history, "-TcpPort", $"{port}"));
        }
        Assert.Equal(SomethingChanged, Watch(history, "-TcpPort", $"{port}"));
        Assert.Contains("DOWN 127.0.0.1 went down: Refused", Log);
        Assert.Equal(NothingChanged, Watch(history, "-TcpPort", $"{port}"));
        Assert.DoesNotContain("came up", Log);
        using (new OpenPort("127.0.0.1", port))
        {
            Assert.Equal(SomethingChanged, Watch(history, "-TcpPort", $"{port}"));
        }
        Assert.Contains("UP 127.0.0.1 came up", Log);
        Assert.Single(Log.Split('\n'), line => line.Contains("went down", StringComparison.Ordinal));
    }

    [Fact]
    public void A_host_that_loses_its_address_is_reported()
    {
        Laboratory.Require();
        const string address = "10.98.0.77"; // where no other host is reachable
        WriteHosts("127.0.0.1", address);
        Ip("address", "add", $"{address}/32", "dev", "lo");
        try
        {
            Assert.Equal(NothingChanged, Watch("history.csv", "-Count", "1"));
        }
        finally
        {
            Ip("address", "del", $"{address}/32", "dev", "lo");
        }
        Assert.Equal(SomethingChanged, Watch("history.csv", "-Count", "1"));
        Assert.Contains($"DOWN {address} went down", Log);
        Assert.Contains("1 up, 1 down, 0 unknown", Log);
    }

    [Theory]
    [InlineData("history.csv", "")]
    [InlineData("history.csv", "no, history\n1")]
    [InlineData("history.json", "")]
    [InlineData("history.json", "{ \"Time\": ")]
    [InlineData("history.json", "[ 4711, null ]")]
    public void A_broken_history_is_kept_aside_and_begun_anew(string history, string text)
    {
        using var open = new OpenPort();
        WriteHosts("127.0.0.1");
        File.WriteAllText(InFolder(history), text);
        Assert.Equal(NothingChanged, Watch(history, "-TcpPort", $"{open.Number}"));
        Assert.Contains("WARNING the history is broken", Log);
        Assert.Equal(text, File.ReadAllText(Assert.Single(folder.GetFiles("*.broken")).FullName));
        Assert.Equal(NothingChanged, Watch(history, "-TcpPort", $"{open.Number}"));
        Assert.Single(Log.Split('\n'), line => line.Contains("broken", StringComparison.Ordinal));
    }

    [Fact]
    public void Rows_that_can_be_read_still_count_in_a_broken_history()
    {
        using var refused = new RefusedPort();
        WriteHosts("127.0.0.1");
        File.WriteAllText(
            InFolder("history.csv"),
            "Time,ComputerName,Up,Status,Address,Latency\n2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1\n2026-01-01T00:15:00Z,127.0.0.1,Tr");
        Assert.Equal(SomethingChanged, Watch("history.csv", "-TcpPort", $"{refused.Number}"));
        Assert.Contains("with the 1 rows that can be read", Log);
    }

    [Fact]
    public void Without_hosts_the_exit_code_is_2_and_the_log_says_why()
    {
        WriteHosts("# nobody");
        Assert.Equal(NotMade, Watch("history.csv"));
        Assert.Contains("ERROR there is no host in", Log);
        File.Delete(InFolder("hosts.txt"));
        Assert.Equal(NotMade, Watch("history.csv"));
        Assert.Contains("hosts.txt", Log.Split('\n')[^2]);
    }

    [Fact]
    public void A_second_run_at_the_same_time_does_nothing()
    {
        WriteHosts("127.0.0.1");
        using (File.Open(InFolder("history.csv.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.Equal(NotMade, Watch("history.csv"));
        }
        Assert.Contains("is another run still at work?", Log);
        Assert.False(File.Exists(InFolder("history.csv")));
    }

    [Fact]
    public void At_the_maximum_wait_unfinished_hosts_have_no_verdict()
    {
        using var silent = new SilentPort();
        WriteHosts("127.0.0.1");
        File.WriteAllText(
            InFolder("history.csv"),
            "Time,ComputerName,Up,Status,Address,Latency\n2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1\n");
        var watch = Stopwatch.StartNew();
        int code = Watch("history.csv", "-TcpPort", $"{silent.Number}", "-ReplyTimeoutMilliseconds", "60000", "-MaximumWaitTimeSeconds", "0.3");
        Assert.Equal(NothingChanged, code);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"took {watch.Elapsed} where the reply timeout is a minute");
        Assert.Contains("UNKNOWN 127.0.0.1: Stopped", Log);
    }

    [Fact]
    public void The_history_keeps_so_many_rows_of_a_host()
    {
        using var open = new OpenPort();
        WriteHosts("127.0.0.1", "127.0.0.2");
        for (int i = 0; i < 3; i++)
        {
            Watch("history.json", "-TcpPort", $"{open.Number}", "-KeepRows", "2");
        }
        JsonElement[] rows = JsonDocument.Parse(File.ReadAllText(InFolder("history.json"))).RootElement.EnumerateArray().ToArray();
        Assert.Equal(4, rows.Length);
        Assert.Equal(["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2"], rows.Select(row => row.GetProperty("ComputerName").GetString()).Order());
    }

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

    private static void Ip(params string[] arguments)
    {
        using Process process = Process.Start("ip", arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private string InFolder(string name) => Path.Combine(folder.FullName, name);

    private void WriteHosts(params string[] hosts) => File.WriteAllLines(InFolder("hosts.txt"), hosts);

    /// <returns>The script's exit code.</returns>
    private int Watch(string history, params string[] more)
    {
        string[] arguments =
        [
            "-NoProfile", "-NonInteractive", "-File", ModuleUnderTest.RepositoryFile("examples/Watch-Hosts.ps1"),
            "-HostFile", "hosts.txt", "-HistoryFile", history, "-LogFile", "watch.log", "-Module", ModuleUnderTest.Manifest, .. more,
        ];
        var start = new ProcessStartInfo(FindHost(), arguments)
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        System.Threading.Tasks.Task<string> output = process.StandardOutput.ReadToEndAsync();
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Longest))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The script has not ended after {Longest.TotalSeconds} seconds: {output.Result}");
        }
        Assert.Equal("", errors.Result);
        // What stands in the log is what the scheduler's own log gets.
        Assert.EndsWith(output.Result, Log);
        return process.ExitCode;
    }

    private static string FindHost()
    {
        (string shell, string embedded) = OperatingSystem.IsWindows()
            ? ("pwsh.exe", "target/windows/host/EmbeddedHost.exe")
            : ("pwsh", "target/host/EmbeddedHost");
        IEnumerable<string> candidates = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Where(path => path.Length > 0).Select(path => Path.Combine(path, shell))
            .Append(ModuleUnderTest.RepositoryFile(embedded));
        string? found = candidates.FirstOrDefault(File.Exists);
        Assert.SkipWhen(found is null, "there is neither pwsh nor the embedded host");
        return found!;
    }
}
