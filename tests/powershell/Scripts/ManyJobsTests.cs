// The memory, runspaces and threads of very many jobs, very much output and very many calls, in processes of their own.

using System;
using System.Globalization;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class ManyJobsTests : ScriptTest
{
    // Prints the process's memory after a collection; a child process has nothing that other tests left.
    private const string Measure =
        """
        Import-Module $Manifest
        function Get-Memory {
            $Error.Clear(); [GC]::Collect(); [GC]::WaitForPendingFinalizers(); [GC]::Collect()
            [Environment]::WorkingSet
        }

        """;

    [Fact]
    public void Of_a_hundred_thousand_jobs_none_is_lost_and_the_memory_grows_by_less_than_60_MB()
    {
        string[] lines = ChildProcess.Run(
            Measure +
            """
            $null = 1..2000 | Invoke-RustParallel { $_ }
            $before = Get-Memory; $most = 0; $count = 0; $sum = 0
            1..100000 | Invoke-RustParallel { $_ } | ForEach-Object {
                $count++; $sum += $_
                if ($count % 20000 -eq 0) { $now = [Environment]::WorkingSet; if ($now -gt $most) { $most = $now } }
            }
            "$count $sum $($most - $before)"
            """);
        long[] numbers = Numbers(lines.Single());
        Assert.Equal(100_000, numbers[0]);
        Assert.Equal(100_000L * 100_001 / 2, numbers[1]);
        Assert.True(numbers[2] < 60_000_000, $"grew by {numbers[2]:N0} bytes");
    }

    [Fact]
    public void A_flood_with_a_slow_consumer_stays_in_its_queue()
    {
        // 200 MB in all; 4,096 records of 2,000 bytes a worker and two workers are 16 MB.
        string[] lines = ChildProcess.Run(
            Measure +
            """
            $null = 1..4 | Invoke-RustParallel { $_ }
            $before = Get-Memory; $most = 0; $count = 0
            1, 2 | Invoke-RustParallel { for ($i = 0; $i -lt 50000; $i++) { , [byte[]]::new(2000) } } -ThrottleLimit 2 | ForEach-Object {
                $count++
                if ($count % 20000 -eq 0) { Start-Sleep -Milliseconds 100; $now = Get-Memory; if ($now -gt $most) { $most = $now } }
            }
            "$count $($most - $before)"
            """);
        long[] numbers = Numbers(lines.Single());
        Assert.Equal(100_000, numbers[0]);
        Assert.True(numbers[1] < 100_000_000, $"grew by {numbers[1]:N0} bytes");
    }

    [Fact]
    public void Two_hundred_calls_leave_runspaces_threads_and_memory_where_they_were()
    {
        string[] lines = ChildProcess.Run(
            Measure +
            """
            $list = [runspace].GetProperty('RunspaceList', [Reflection.BindingFlags] 'NonPublic, Static')
            function Measure-Process {
                $memory = Get-Memory; $managed = [GC]::GetTotalMemory($true); Start-Sleep -Milliseconds 300
                $threads = if ([Environment]::OSVersion.Platform -eq 'Win32NT') { [Diagnostics.Process]::GetCurrentProcess().Threads }
                    else { [IO.Directory]::GetDirectories('/proc/self/task') | Where-Object { [IO.File]::ReadAllText("$_/comm") -notmatch '^\.NET' } }
                "$(@($list.GetValue($null)).Count) $(@($threads).Count) $managed $memory"
            }
            function Invoke-Calls([int] $Number) {
                for ($i = 0; $i -lt $Number; $i++) {
                    switch ($i % 16) {
                        default { 1, 2 | Invoke-RustParallel { $_ } }
                        1 { Invoke-RustParallel a, b, c { $Data[$_] = 1 } }
                        2 { 1..5 | Invoke-RustParallel { $_; Start-Sleep 20 } -ThrottleLimit 3 | Select-Object -First 1 }
                        3 { 1..5 | Invoke-RustParallel { Start-Sleep 20 } -TimeoutSeconds 0.03 -ThrottleLimit 3 -ErrorAction Ignore }
                        4 { 1..5 | Invoke-RustParallel { throw 'no' } -ErrorAction Ignore }
                        5 { 1, 2 | Invoke-RustParallel { Start-Sleep 20 } -JobTimeoutSeconds 0.02 -ErrorAction Ignore }
                        6 { $job = 1..3 | Invoke-RustParallel { $_ } -AsJob; Receive-Job $job -Wait; Remove-Job $job }
                        7 { try { 1..3 | Invoke-RustParallel { Write-Error 'e' } -ErrorAction Stop } catch { } }
                    }
                }
            }
            $null = Invoke-Calls 112
            Measure-Process
            $null = Invoke-Calls 200
            Measure-Process
            """);
        long[] before = Numbers(lines[0]);
        long[] after = Numbers(lines[1]);
        string told = $"runspaces, threads, managed bytes, resident bytes: before {lines[0]}, after {lines[1]}";
        Assert.True(after[0] <= before[0], told);
        // Only Linux tells the threads of .NET's pool, which come and go, from others.
        Assert.True(after[1] <= before[1] + (OperatingSystem.IsLinux() ? 0 : 20), told);
        // A runspace is 400 kB or more: ten that were kept would exceed the first, and show in the second.
        Assert.True(after[2] - before[2] < 4_000_000, told);
        Assert.True(after[3] - before[3] < 30_000_000, told);
    }

    private static long[] Numbers(string line) =>
        line.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
}
