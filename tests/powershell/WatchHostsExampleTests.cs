// examples/Watch-Hosts.ps1, run as a scheduler runs it: a process of its own without console, profile
// and input, twice and more in a row. Its host is the machine's pwsh, else the embedded one.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class WatchHostsExampleTests : IDisposable
{
    private const int NothingChanged = 0;
    private const int SomethingChanged = 10;
    private const int NotMade = 2;

    private const string FirstRow = "2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1\n";
    private const string Header = "Time,ComputerName,Up,Status,Address,Latency\n";

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
    [InlineData("history.csv", "\n")]
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
            Header + FirstRow + "2026-01-01T00:15:00Z,127.0.0.1,Tr");
        Assert.Equal(SomethingChanged, Watch("history.csv", "-TcpPort", $"{refused.Number}"));
        Assert.Contains("1 rows have been read, 1 cannot be read", Log);
        string[] lines = File.ReadAllLines(InFolder("history.csv"));
        Assert.Equal(4, lines.Length);
        Assert.EndsWith("Tr", lines[2]); // the half row does not spoil the next one
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
            Header + FirstRow);
        var watch = Stopwatch.StartNew();
        int code = Watch("history.csv", "-TcpPort", $"{silent.Number}", "-ReplyTimeoutMilliseconds", "60000", "-MaximumWaitTimeSeconds", "0.3");
        Assert.Equal(NotMade, code);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"took {watch.Elapsed} where the reply timeout is a minute");
        Assert.Contains("UNKNOWN 127.0.0.1: Stopped", Log);
        Assert.Contains("ERROR of not one host", Log);
    }

    [Theory]
    [InlineData("history.csv")]
    [InlineData("history.json")]
    public void Sweeps_without_a_verdict_do_not_push_the_last_state_out(string history)
    {
        int port;
        WriteHosts("127.0.0.1");
        using (var open = new OpenPort())
        {
            port = open.Number;
            Assert.Equal(NothingChanged, Watch(history, "-TcpPort", $"{port}", "-KeepRows", "1"));
        }
        using (var silent = new SilentPort())
        {
            Watch(history, "-TcpPort", $"{silent.Number}", "-KeepRows", "1", "-ReplyTimeoutMilliseconds", "60000", "-MaximumWaitTimeSeconds", "0.3");
        }
        Assert.DoesNotContain("True", File.ReadAllText(InFolder(history)));
        Assert.Equal(SomethingChanged, Watch(history, "-TcpPort", $"{port}", "-KeepRows", "1"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("\0\0\0\0")]
    [InlineData("\"ComputerName\",\"Up\",\"Rows\"\n\"127.0.0.1\",\"Perhaps\",\"1\"\n")]
    [InlineData("\"ComputerName\",\"Up\",\"Rows\"\n\"127.0.0.1\",\"Tr")]
    public void Without_a_state_file_that_can_be_read_the_states_are_those_of_the_history(string? state)
    {
        using var refused = new RefusedPort();
        WriteHosts("127.0.0.1");
        File.WriteAllText(InFolder("history.csv"), Header + FirstRow);
        if (state is not null)
        {
            File.WriteAllText(InFolder("history.csv.state"), state);
        }
        Assert.Equal(SomethingChanged, Watch("history.csv", "-TcpPort", $"{refused.Number}"));
        Assert.Equal(state is not null, Log.Contains("state file", StringComparison.Ordinal));
        Assert.Equal(NothingChanged, Watch("history.csv", "-TcpPort", $"{refused.Number}"));
    }

    [Fact]
    public void A_run_does_not_read_the_history()
    {
        using var refused = new RefusedPort();
        WriteHosts("127.0.0.1");
        File.WriteAllText(InFolder("history.csv"), Header + FirstRow);
        File.WriteAllText(InFolder("history.csv.state"), "ComputerName,Up,Rows\n127.0.0.1,False,1\n");
        Assert.Equal(NothingChanged, Watch("history.csv", "-TcpPort", $"{refused.Number}"));
        Assert.StartsWith(Header + FirstRow, File.ReadAllText(InFolder("history.csv")));
    }

    [Fact]
    public void A_replacement_that_was_interrupted_is_finished_by_the_next_run()
    {
        using var refused = new RefusedPort();
        WriteHosts("127.0.0.1");
        File.WriteAllText(InFolder("history.csv"), Header + string.Concat(Enumerable.Repeat(FirstRow, 5)));
        File.WriteAllText(InFolder("history.csv.new"), Header + FirstRow);
        File.WriteAllText(InFolder("history.csv.state"), "ComputerName,Up,Rows\n127.0.0.1,False,1\n");
        File.WriteAllText(InFolder("history.csv.state.new"), "ComputerName,Up,Rows\n127.0.0.1,True,1\n");
        Assert.Equal(SomethingChanged, Watch("history.csv", "-TcpPort", $"{refused.Number}"));
        Assert.Equal(3, File.ReadAllLines(InFolder("history.csv")).Length);
        Assert.Empty(folder.GetFiles("*.new"));
    }

    [Theory]
    [InlineData("fi_FI.UTF-8", "history.csv")]
    [InlineData("ar_SA.UTF-8", "history.json")]
    [InlineData("th_TH.UTF-8", "history.csv")]
    public void The_culture_changes_nothing(string culture, string history)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a process takes its culture from its environment on Linux only");
        WriteHosts("127.0.0.1");
        var before = DateTime.UtcNow.AddSeconds(-1);
        int port;
        using (var open = new OpenPort())
        {
            port = open.Number;
            Assert.Equal(NothingChanged, Run(history, ["-TcpPort", $"{port}"], culture).Code);
        }
        File.Delete(InFolder($"{history}.state"));
        Assert.Equal(SomethingChanged, Run(history, ["-TcpPort", $"{port}"], culture).Code);
        string time = Regex.Match(File.ReadAllText(InFolder(history)), "[0-9-]+T[0-9:]+Z").Value;
        Assert.InRange(DateTime.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal), before, DateTime.UtcNow);
        Assert.Matches(@"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}Z .* in [0-9]+\.[0-9] s", Log);
        using var session = new Session();
        Call call = session.Run(
            "& $report $history -Since ([DateTime]::Now.AddHours(-1)) | ForEach-Object { $_.Sweeps }",
            ("report", ModuleUnderTest.RepositoryFile("examples/Get-AvailabilityReport.ps1")),
            ("history", InFolder(history)));
        Assert.Equal(["2"], call.Output.Select(line => line.ToString()));
    }

    [Fact]
    public void Several_ports_have_commas_between_them()
    {
        using var refused = new RefusedPort();
        using var open = new OpenPort();
        WriteHosts("127.0.0.1");
        Assert.Equal(NothingChanged, Watch("history.csv", "-TcpPort", $"{refused.Number},{open.Number}"));
        Assert.Contains("1 up, 0 down, 0 unknown", Log);
        // With a space, the second would be the value of another parameter.
        Assert.NotEqual(0, Run("history.csv", ["-TcpPort", $"{refused.Number}", "7"]).Code);
        Assert.Single(File.ReadAllLines(InFolder("watch.log")));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("22,65536")]
    [InlineData("22,")]
    [InlineData("ssh")]
    public void What_is_no_port_is_an_error(string ports)
    {
        WriteHosts("127.0.0.1");
        Assert.Equal(NotMade, Watch("history.csv", "-TcpPort", ports));
        Assert.Contains("is not a TCP port", Log);
    }

    [Fact]
    public void A_wrong_parameter_does_not_look_like_a_change()
    {
        int code = Run("history.csv", ["-Count", "many"]).Code;
        Assert.False(code is NothingChanged or SomethingChanged, $"the exit code is {code}");
        Assert.False(File.Exists(InFolder("watch.log")));
    }

    [Fact]
    public void A_list_of_invalid_hosts_is_an_error_and_leaves_no_history()
    {
        WriteHosts("not a host", "10.0.0.0/99");
        Assert.Equal(NotMade, Watch("history.csv"));
        Assert.Contains("ERROR there is no valid host in", Log);
        Assert.False(File.Exists(InFolder("history.csv")));
    }

    [Fact]
    public void A_network_that_this_machine_has_no_way_to_is_no_verdict()
    {
        Laboratory.Require();
        const string address = "192.0.2.1"; // no route
        string row = FirstRow.Replace("127.0.0.1", address, StringComparison.Ordinal);
        WriteHosts(address);
        File.WriteAllText(InFolder("history.csv"), Header + row);
        Assert.Equal(NotMade, Watch("history.csv", "-Count", "1"));
        Assert.Contains($"UNKNOWN {address}: DestinationNetworkUnreachable", Log);
        Assert.Equal(NotMade, Watch("history.csv", "-Count", "1", "-TcpPort", "22"));
        WriteHosts("127.0.0.1", address);
        Assert.Equal(NothingChanged, Watch("history.csv", "-Count", "1"));
        Assert.DoesNotContain("DOWN", Log);
        // A router may have refused this connect, as the network of 127.0.0.1 works.
        Assert.Equal(SomethingChanged, Watch("history.csv", "-Count", "1", "-TcpPort", "22"));
        Assert.Contains($"DOWN {address} went down: DestinationNetworkUnreachable", Log);
    }

    [Fact]
    public void A_host_that_is_twice_in_the_list_counts_once()
    {
        using var open = new OpenPort();
        WriteHosts("127.0.0.1", "127.0.0.1", "127.0.0.0/31");
        Assert.Equal(NothingChanged, Watch("history.csv", "-TcpPort", $"{open.Number}"));
        Assert.Contains("1 up, ", Log);
        Assert.Single(File.ReadAllLines(InFolder("history.csv")), line => line.Contains("127.0.0.1\",\"True", StringComparison.Ordinal));
    }

    [Fact]
    public void With_quiet_standard_output_gets_only_what_has_changed()
    {
        WriteHosts("127.0.0.1");
        int port;
        using (var open = new OpenPort())
        {
            port = open.Number;
            (int code, string output) = Run("history.csv", ["-TcpPort", $"{port}", "-Quiet"]);
            Assert.Equal((NothingChanged, ""), (code, output));
        }
        (int changed, string news) = Run("history.csv", ["-TcpPort", $"{port}", "-Quiet"]);
        Assert.Equal(SomethingChanged, changed);
        Assert.Contains("DOWN 127.0.0.1", Assert.Single(news.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains("0 up, 1 down, 0 unknown", Log);
    }

    [Fact]
    public void Standard_output_that_cannot_be_written_changes_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux has /dev/full");
        WriteHosts("127.0.0.1");
        File.WriteAllText(InFolder("history.csv"), Header + FirstRow);
        using var refused = new RefusedPort();
        (int code, _) = Run("history.csv", ["-TcpPort", $"{refused.Number}"], shell: "exec \"$0\" \"$@\" >/dev/full");
        Assert.Equal(SomethingChanged, code);
        Assert.Contains("0 up, 1 down, 0 unknown", Log);
    }

    [Fact]
    public void A_folder_in_the_history_s_place_is_an_error_before_the_sweep()
    {
        using var open = new OpenPort();
        WriteHosts("127.0.0.1");
        Directory.CreateDirectory(InFolder("history.csv"));
        Assert.Equal(NotMade, Watch("history.csv", "-TcpPort", $"{open.Number}"));
        Assert.Contains("ERROR the history 'history.csv' is a folder", Log);
        Assert.Equal(0, open.Connections);
        Assert.Empty(folder.GetFiles("*.new"));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void A_history_that_is_made_shorter_keeps_its_rights_and_links()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the rights and links are those of Linux");
        using var open = new OpenPort();
        WriteHosts("127.0.0.1");
        const UnixFileMode rights = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupExecute;
        string real = Path.Combine(folder.CreateSubdirectory("elsewhere").FullName, "real.csv");
        File.WriteAllText(real, Header + string.Concat(Enumerable.Repeat(FirstRow, 9)));
        File.SetUnixFileMode(real, rights);
        File.CreateSymbolicLink(InFolder("history.csv"), real);
        Assert.Equal(NothingChanged, Watch("history.csv", "-TcpPort", $"{open.Number}", "-KeepRows", "2"));
        Assert.Equal(3, File.ReadAllLines(real).Length);
        Assert.Equal(rights, File.GetUnixFileMode(real));
        Assert.Equal(real, new FileInfo(InFolder("history.csv")).LinkTarget);
    }

    [Theory]
    [InlineData("history.csv")]
    [InlineData("history.json")]
    public void The_last_rows_of_a_host_are_kept_when_it_has_twice_as_many(string history)
    {
        using var open = new OpenPort();
        WriteHosts("127.0.0.1", "127.0.0.2");
        string[] before = [];
        for (int i = 0; i < 4; i++)
        {
            before = i == 0 ? [] : File.ReadAllLines(InFolder(history));
            Assert.Equal(2 * i, before.Count(line => line.Contains("127.0.0.", StringComparison.Ordinal)));
            Watch(history, "-TcpPort", $"{open.Number}", "-KeepRows", "2");
        }
        string[] rows = File.ReadAllLines(InFolder(history)).Where(line => line.Contains("127.0.0.", StringComparison.Ordinal)).ToArray();
        Assert.Equal(4, rows.Length);
        Assert.Equal(before[^2..], rows[..2]);
        Assert.Equal(2, rows.Count(line => line.Contains("\"127.0.0.2\",", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_history_in_JSON_is_one_object_a_line()
    {
        using var open = new OpenPort();
        WriteHosts("127.0.0.1");
        Watch("history.json", "-TcpPort", $"{open.Number}");
        Watch("history.json", "-TcpPort", $"{open.Number}");
        string[] lines = File.ReadAllLines(InFolder("history.json"));
        Assert.Equal(["127.0.0.1", "127.0.0.1"], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("ComputerName").GetString()));
    }

    private static void Ip(params string[] arguments)
    {
        using Process process = Process.Start("ip", arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private string InFolder(string name) => Path.Combine(folder.FullName, name);

    private void WriteHosts(params string[] hosts) => File.WriteAllLines(InFolder("hosts.txt"), hosts);

    /// <summary>Runs the script, which must log all that it writes.</summary>
    /// <returns>Its exit code.</returns>
    private int Watch(string history, params string[] more)
    {
        (int code, string output) = Run(history, more);
        // What stands in the log is what the scheduler's own log gets.
        Assert.NotEqual("", output);
        Assert.EndsWith(output, Log);
        return code;
    }

    /// <param name="culture">The process's culture; null for the machine's.</param>
    /// <param name="shell">A command of sh that runs $0 with its arguments; null to run the host itself.</param>
    private (int Code, string Output) Run(string history, string[] more, string? culture = null, string? shell = null)
    {
        string[] command =
        [
            .. shell is null ? Array.Empty<string>() : ["/bin/sh", "-c", shell],
            FindHost(), "-NoProfile", "-NonInteractive", "-File", ModuleUnderTest.RepositoryFile("examples/Watch-Hosts.ps1"),
            "-HostFile", "hosts.txt", "-HistoryFile", history, "-LogFile", "watch.log", "-Module", ModuleUnderTest.Manifest, .. more,
        ];
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (culture is not null)
        {
            start.Environment["LC_ALL"] = culture;
        }
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        System.Threading.Tasks.Task<string> output = process.StandardOutput.ReadToEndAsync();
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Longest))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The script has not ended after {Longest.TotalSeconds} seconds: {output.Result}");
        }
        // Only a script that did not begin has something to say there.
        Assert.True(process.ExitCode == 1 || errors.Result.Length == 0, errors.Result);
        return (process.ExitCode, output.Result);
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
