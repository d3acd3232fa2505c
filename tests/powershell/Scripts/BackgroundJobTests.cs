// -AsJob: a call as a background job, for the commands that PowerShell has for jobs. Jobs that Receive-Job -AutoRemoveJob gets
// take a while: it removes one twice, and says so, that ends between its registration and its first reading.

using System;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class BackgroundJobTests : ScriptTest
{
    [Fact]
    public void The_call_returns_a_job_at_once()
    {
        Session.Run("1 | Invoke-RustParallel { 1 }"); // what the first call loads is not the limit's
        Call call = Session.Run("$job = 1 | Invoke-RustParallel { Start-Sleep 30 } -AsJob; $job; $job.State; Remove-Job $job -Force");
        Assert.IsAssignableFrom<System.Management.Automation.Job>(call.Output.First().BaseObject);
        Assert.Equal("Running", call.Output.ElementAt(1).ToString());
        MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(1), call.Late);
    }

    [Fact]
    public void Get_Job_finds_it() =>
        Assert.Equal(["True", "RustParallelJob"], Lines("$job = 1 | Invoke-RustParallel { 1 } -AsJob; (Get-Job -Id $job.Id) -eq $job; $job.PSJobTypeName; $null = Wait-Job $job; Remove-Job $job"));

    [Fact]
    public void Wait_Job_waits_for_its_end() =>
        Assert.Equal(["Completed"], Lines("$job = 1..3 | Invoke-RustParallel { Start-Sleep -Milliseconds 100 } -AsJob; (Wait-Job $job).State; Remove-Job $job"));

    [Fact]
    public void Receive_Job_gives_output_once_and_Keep_leaves_it()
    {
        string[] lines = Lines(
            """
            $job = 1..3 | Invoke-RustParallel { $_ } -ThrottleLimit 1 -AsJob; $null = Wait-Job $job
            "$(Receive-Job $job -Keep)"; "$(Receive-Job $job)"; "<$(Receive-Job $job)>"; Remove-Job $job
            """);
        Assert.Equal(["1 2 3", "1 2 3", "<>"], lines);
    }

    [Fact]
    public void Receive_Job_Wait_AutoRemoveJob_leaves_no_job()
    {
        string[] lines = Lines("(1..3 | Invoke-RustParallel { Start-Sleep -Milliseconds 100; $_ } -ThrottleLimit 1 -AsJob | Receive-Job -Wait -AutoRemoveJob); @(Get-Job).Count");
        Assert.Equal(["1", "2", "3", "0"], lines);
    }

    [Fact]
    public void Output_can_be_received_while_the_job_runs()
    {
        using var go = new System.Threading.ManualResetEventSlim();
        Call call = Session.Start(
            """
            $job = 1 | Invoke-RustParallel { 'first'; $null = ($using:go).Wait(20000); 'last' } -AsJob
            while (-not $job.HasMoreData) { Start-Sleep -Milliseconds 5 }
            Receive-Job $job; $job.HasMoreData
            $go.Set(); Receive-Job $job -Wait -AutoRemoveJob
            """,
            ("go", go));
        Assert.Equal(["first", "False", "last"], Lines(call.Wait()));
    }

    [Fact]
    public void Stop_Job_ends_it_and_its_jobs()
    {
        string[] lines = Lines(
            """
            $job = 1..4 | Invoke-RustParallel { 'begun'; try { Start-Sleep 30 } finally { ($using:counter).Enter() } } -ThrottleLimit 2 -AsJob
            while ($job.Output.Count -lt 2) { Start-Sleep -Milliseconds 5 }
            Stop-Job $job; $job.State; $counter.Entered; Remove-Job $job; @(Get-Job).Count
            """,
            ("counter", new Counter()));
        Assert.Equal(["Stopped", "2", "0"], lines);
    }

    [Fact]
    public void Stop_Job_returns_in_time_although_native_code_runs()
    {
        Session.Run("1 | Invoke-RustParallel { 1 }");
        string[] lines = Lines(
            """
            $job = 1 | Invoke-RustParallel { 'begun'; [Threading.Thread]::Sleep(4000) } -AsJob
            while ($job.Output.Count -lt 1) { Start-Sleep -Milliseconds 5 }
            [int] (Measure-Command { Stop-Job $job }).TotalMilliseconds; $job.State; Remove-Job $job
            """);
        // The grace time of the worker, and what a busy machine adds.
        Assert.InRange(int.Parse(lines[0], System.Globalization.CultureInfo.InvariantCulture), 0, 1000);
        Assert.Equal("Stopped", lines[1]);
    }

    [Fact]
    public void Remove_Job_needs_Force_while_it_runs()
    {
        string[] lines = Lines("$job = 1 | Invoke-RustParallel { Start-Sleep 30 } -AsJob; Remove-Job $job -ErrorAction SilentlyContinue; @(Get-Job).Count; Remove-Job $job -Force; @(Get-Job).Count");
        Assert.Equal(["1", "0"], lines);
    }

    [Fact]
    public void A_removed_job_leaves_no_runspace()
    {
        Session.Run("1"); // opens this test's own
        var before = OpenRunspaces();
        Session.Run(
            """
            $job = 1..4 | Invoke-RustParallel { 'begun'; Start-Sleep 30 } -AsJob
            while ($job.Output.Count -lt 1) { Start-Sleep -Milliseconds 5 }
            Remove-Job $job -Force
            """);
        AssertNoneLeft(before);
    }

    [Fact]
    public void HasMoreData_tells_whether_there_is_something_to_receive()
    {
        string[] lines = Lines("$job = 1 | Invoke-RustParallel { 'out' } -AsJob; $null = Wait-Job $job; $job.HasMoreData; $null = Receive-Job $job; $job.HasMoreData; Remove-Job $job");
        Assert.Equal(["True", "False"], lines);
    }

    [Fact]
    public void Each_stream_keeps_its_order()
    {
        Call call = Session.RunWithErrors(
            "1 | Invoke-RustParallel { 1..50 | ForEach-Object { $_; Write-Warning \"w$_\"; Write-Error \"e$_\" }; Start-Sleep -Milliseconds 200 } -AsJob | Receive-Job -Wait -AutoRemoveJob");
        Assert.Equal(Enumerable.Range(1, 50).Select(number => $"{number}"), Lines(call));
        Assert.Equal(Enumerable.Range(1, 50).Select(number => $"w{number}"), call.Warnings);
        Assert.Equal(Enumerable.Range(1, 50).Select(number => $"e{number}"), Texts(call.Errors));
    }

    [Fact]
    public void All_streams_can_be_received()
    {
        string[] lines = Lines(
            """
            $VerbosePreference = 'Continue'; $DebugPreference = 'Continue'
            $job = 1 | Invoke-RustParallel { Write-Verbose 'verb'; Write-Debug 'debug'; Write-Information 'info' } -AsJob
            $null = Wait-Job $job; "$($job.Verbose) $($job.Debug) $($job.Information)"; Remove-Job $job
            """);
        Assert.Equal(["verb debug info"], lines);
    }

    [Theory]
    [InlineData("-ErrorAction Stop")]
    [InlineData("", "$ErrorActionPreference = 'Stop'; ")]
    public void The_callers_Stop_ends_it_Failed_at_the_first_error(string argument, string before = "")
    {
        string[] lines = Lines(
            $$"""
            {{before}}$job = 1..4 | Invoke-RustParallel { if ($_ -eq 2) { Write-Error 'stop here' } else { Start-Sleep 30 } } -ThrottleLimit 4 -AsJob {{argument}}
            $null = Wait-Job $job; "$($job.State) $($job.Error.Count) $($job.Error[0])"; Remove-Job $job
            """);
        Assert.Equal(["Failed 1 stop here"], lines);
    }

    [Theory]
    [InlineData("SilentlyContinue")]
    [InlineData("Ignore")]
    public void An_error_action_that_hides_errors_keeps_them_out_of_it(string action)
    {
        string[] lines = Lines(
            $"$job = 1..3 | Invoke-RustParallel {{ Write-Error 'e'; $_ }} -AsJob -ErrorAction {action}; $null = Wait-Job $job; \"$($job.State) $($job.Output.Count) $($job.Error.Count)\"; Remove-Job $job");
        Assert.Equal(["Completed 3 0"], lines);
    }

    [Fact]
    public void Starting_it_writes_no_verbose_lines() =>
        Assert.Empty(Session.Run("$job = 1 | Invoke-RustParallel { 1 } -AsJob -Verbose; $null = Wait-Job $job; Remove-Job $job").Verbose);

    [Fact]
    public void The_host_form_gives_its_hashtable()
    {
        var table = Session.Run("Invoke-RustParallel a, b { Start-Sleep -Milliseconds 200; \"<$_>\" } -AsJob | Receive-Job -Wait -AutoRemoveJob").Table;
        Assert.Equal("<a>", table["a"]!.ToString());
        Assert.Equal(2, table.Count);
    }

    [Fact]
    public void The_probe_form_gives_its_hashtable()
    {
        Laboratory.RequireEcho();
        var table = Session.Run("Invoke-RustParallel 127.0.0.1, 127.0.0.2 -Count 2 -IntervalMilliseconds 200 -Statistics -AsJob | Receive-Job -Wait -AutoRemoveJob").Table;
        Assert.Equal("Success", Property(table["127.0.0.1"], "Status"));
        Assert.Equal(2, table.Count);
    }

    [Fact]
    public void The_probe_form_streams_its_results_on_request()
    {
        Laboratory.RequireEcho();
        Call call = Session.Run("'127.0.0.1', '127.0.0.2' | Invoke-RustParallel -Count 2 -IntervalMilliseconds 200 -Statistics -AsObject -AsJob | Receive-Job -Wait -AutoRemoveJob");
        Assert.Equal(["127.0.0.1", "127.0.0.2"], Names(call.Output).Order());
    }

    [Fact]
    public void Progress_and_unfinished_items_are_told()
    {
        using var go = new System.Threading.ManualResetEventSlim();
        string[] lines = Lines(
            """
            $job = 1..3 | Invoke-RustParallel { if ($_ -ne 2) { $null = ($using:go).Wait(20000) } } -ThrottleLimit 3 -AsJob
            while ($job.Unfinished.Count -gt 2) { Start-Sleep -Milliseconds 5 }
            "$($job.Unfinished | Sort-Object)"; $job.StatusMessage
            $go.Set(); $null = Wait-Job $job; $job.Unfinished.Count; $job.StatusMessage; Remove-Job $job
            """,
            ("go", go));
        Assert.Equal(["1 3", "1 of 3 finished", "0", "3 of 3 finished"], lines);
    }

    [Fact]
    public void The_maximum_wait_applies()
    {
        Call call = Session.RunWithErrors(
            "$job = 1..3 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } $_ } -ThrottleLimit 3 -TimeoutSeconds 0.5 -AsJob; $null = Wait-Job $job; \"<$($job.Unfinished)>\"; Receive-Job $job; Remove-Job $job");
        Assert.Equal(["<2>", "1", "3"], Lines(call).Order(StringComparer.Ordinal).OrderByDescending(line => line[0] == '<'));
        // Receive-Job adds the reason of a job that failed.
        Assert.Equal(["MaximumWaitReached", "JobStateFailed"], call.Errors.Select(Call.Id));
    }

    [Fact]
    public void An_initialization_script_that_fails_makes_the_job_Failed()
    {
        Call call = Session.RunWithErrors("$job = 1 | Invoke-RustParallel { 1 } -InitializationScript { throw 'no' } -AsJob; $null = Wait-Job $job; $job.State; Receive-Job $job; Remove-Job $job");
        Assert.Equal(["Failed"], Lines(call));
        Assert.Equal(["InitializationScriptFailed", "JobStateFailed"], call.Errors.Select(Call.Id));
    }

    [Fact]
    public void A_refused_call_makes_no_job()
    {
        Session.RunToFailure("1 | Invoke-RustParallel { $using:absent } -AsJob");
        Assert.Equal(["0"], Lines("@(Get-Job).Count"));
    }

    [Fact]
    public void Two_jobs_run_beside_each_other()
    {
        using var barrier = new System.Threading.Barrier(2);
        string[] lines = SortedLines(
            "$jobs = 1, 2 | ForEach-Object { $_ | Invoke-RustParallel { ($using:barrier).SignalAndWait(20000); Start-Sleep -Milliseconds 200 } -ThrottleLimit 1 -AsJob }; $jobs | Receive-Job -Wait -AutoRemoveJob",
            ("barrier", barrier));
        Assert.Equal(["True", "True"], lines);
    }
}
