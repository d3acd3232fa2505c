// Many calls: one after the other in a process, and side by side.

using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class RepeatedCallTests : ModuleTest
{
    [Fact]
    public void Three_hundred_calls_leave_no_memory_threads_or_descriptors_behind()
    {
        Laboratory.Require();
        // Of every kind, ended and stopped ones; measured after as many as are needed to fill caches and pools.
        string[] lines = ChildProcess.Run(
            """
            Import-Module $Manifest
            function Measure-Process {
                $Error.Clear() # the engine keeps the last 256
                [GC]::Collect(); [GC]::WaitForPendingFinalizers(); [GC]::Collect()
                Start-Sleep -Milliseconds 50
                $threads = [IO.Directory]::GetDirectories('/proc/self/task') |
                    Where-Object { [IO.File]::ReadAllText("$_/comm") -notmatch '^\.NET' }
                # Files are those of the runtime, which loads assemblies as it needs them.
                $descriptors = [IO.Directory]::GetFileSystemEntries('/proc/self/fd') |
                    Where-Object { [IO.FileInfo]::new($_).LinkTarget -match '^(socket|pipe|anon_inode):' }
                $resident = [IO.File]::ReadAllText('/proc/self/statm').Split(' ')[1]
                "$($threads.Count) $($descriptors.Count) $([GC]::GetTotalMemory($true)) $([long]$resident * 4096)"
            }
            function Invoke-Calls([int] $Number) {
                for ($i = 0; $i -lt $Number; $i++) {
                    switch ($i % 5) {
                        0 { Invoke-RustParallel 127.0.0.0/26, ::1, localhost }
                        1 { Invoke-RustParallel 127.0.0.1, 127.0.0.2 -TcpPort 1, 2, 3 -ResolveName }
                        2 { Invoke-RustParallel 127.0.0.1, 10.99.0.0/24 -Count 50 -ReplyTimeoutMilliseconds 200 -AsObject | Select-Object -First 1 }
                        3 { Invoke-RustParallel 10.99.0.0/28 -Count 50 -ReplyTimeoutMilliseconds 200 -MaximumWaitTimeSeconds 0.02 -WarningAction SilentlyContinue }
                        4 { Invoke-RustParallel unknown.test, 5, 127.0.0.1 -Count 2 -IntervalMilliseconds 1 -Statistics -ErrorAction SilentlyContinue }
                    }
                }
            }
            Invoke-Calls 200 | Out-Null
            Measure-Process
            Invoke-Calls 300 | Out-Null
            Measure-Process
            """);
        long[] before = Numbers(lines[0]);
        long[] after = Numbers(lines[1]);
        string told = $"threads, descriptors, managed bytes, resident bytes: before {lines[0]}, after {lines[1]}";
        Assert.True(after[0] <= before[0], told);
        Assert.True(after[1] <= before[1], told);
        // Calls that kept one result or one native buffer each would exceed these.
        Assert.True(after[2] - before[2] < 100_000, told);
        Assert.True(after[3] - before[3] < 16_000_000, told);
    }

    [Fact]
    public void Calls_side_by_side_have_each_their_own_results()
    {
        Laboratory.RequireEcho();
        Task<List<string>>[] callers = Enumerable.Range(1, 6).Select(caller => Task.Run(() =>
        {
            using var session = new Session();
            var wrong = new List<string>();
            for (int round = 0; round < 3; round++)
            {
                // The same address in all of them, and a block of each one's own.
                Hashtable table = session.Run($"Invoke-RustParallel 127.9.{caller}.0/26, 127.0.0.1, localhost -Statistics -Count 2 -IntervalMilliseconds 10").Table;
                string[] expected = [.. Enumerable.Range(1, 62).Select(host => $"127.9.{caller}.{host}"), "127.0.0.1", "localhost"];
                if (!table.Keys.Cast<string>().Order().SequenceEqual(expected.Order()))
                {
                    wrong.Add($"caller {caller} got {string.Join(' ', table.Keys.Cast<string>())}");
                }
                wrong.AddRange(table.Values.Cast<object>().Where(result => (int)Property(result, "Received")! != 2)
                    .Select(result => $"caller {caller}: {Property(result, "ComputerName")} {Property(result, "Status")} {Property(result, "Received")}"));
            }
            return wrong;
        })).ToArray();
        Assert.Empty(callers.SelectMany(caller => caller.Result));
    }

    [Fact]
    public void Stopping_one_call_leaves_those_beside_it_alone()
    {
        Laboratory.Require();
        using var other = new Session();
        Call stopped = Session.Start($"Invoke-RustParallel {Laboratory.SilentNetwork} -Count 100 -ReplyTimeoutMilliseconds 200 -Verbose");
        stopped.WaitUntil(running => running.Verbose.Any());
        Call going = other.Start($"Invoke-RustParallel 127.0.0.1, {Laboratory.Silent} -Count 3 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 100");
        stopped.Stop();
        Hashtable table = going.Wait().Table;
        Assert.Equal("Success", Property(table["127.0.0.1"], "Status"));
        Assert.Equal("TimedOut", Property(table[Laboratory.Silent], "Status"));
        Assert.Equal(3, Property(table[Laboratory.Silent], "Sent"));
    }

    [Fact]
    public void A_call_inside_a_pipeline_of_another_call_works()
    {
        Laboratory.RequireEcho();
        Call call = Session.Run(
            "Invoke-RustParallel 127.0.0.1-3 -AsObject | ForEach-Object { (Invoke-RustParallel $_.ComputerName -TcpPort 1)[$_.ComputerName].Status }");
        Assert.Equal(["Refused", "Refused", "Refused"], call.Output.Select(status => status.ToString()));
    }

    private static long[] Numbers(string line) =>
        line.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
}
