// -JobTimeoutSeconds: a limit for each job from its own begin.

using System;
using System.Collections;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class JobTimeoutTests : ScriptTest
{
    [Theory]
    [InlineData("Start-Sleep 30")]
    [InlineData(EmptyLoop)]
    [InlineData(LoopWithCall)]
    [InlineData("[Threading.Thread]::Sleep(4000)")]
    [InlineData("try { Start-Sleep 30 } finally { [Threading.Thread]::Sleep(4000) }")]
    public void A_job_past_its_limit_is_one_error_and_the_others_go_on(string stuck)
    {
        RequireStop(stuck);
        Call call = Session.RunWithErrors($"1..4 | Invoke-RustParallel {{ if ($_ -eq 2) {{ {stuck} }} $_ }} -JobTimeoutSeconds 0.4 -ThrottleLimit 2");
        Assert.Equal(["1", "3", "4"], Lines(call).Order());
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal("JobTimedOut", Call.Id(error));
        Assert.Equal(ErrorCategory.OperationTimeout, error.CategoryInfo.Category);
        Assert.IsType<TimeoutException>(error.Exception);
        Assert.Equal("2", error.TargetObject.ToString());
        Assert.Contains("0.4 seconds", error.Exception.Message);
    }

    [Theory]
    [InlineData("Start-Sleep 30")]
    [InlineData("[Threading.Thread]::Sleep(4000)")]
    public void The_call_ends_within_250_ms_of_its_only_jobs_limit(string stuck)
    {
        Session.Run("1 | Invoke-RustParallel { 1 }"); // what the first call loads is not the limit's
        Call call = Session.RunWithErrors($"1 | Invoke-RustParallel {{ {stuck} }} -JobTimeoutSeconds 0.4");
        Assert.True(call.Duration >= TimeSpan.FromSeconds(0.4), $"ended after {call.Duration.TotalMilliseconds:N0} ms");
        MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(0.4) + EndLimit, call.Late);
    }

    [Fact]
    public void What_was_written_before_is_delivered_first()
    {
        string[] lines = Lines(
            "1 | Invoke-RustParallel { 'one'; 'two'; Write-Warning 'three'; Start-Sleep 30 } -JobTimeoutSeconds 0.3 *>&1 | ForEach-Object { if ($_ -is [Management.Automation.ErrorRecord]) { 'error' } else { \"$_\" } }");
        Assert.Equal(["one", "two", "three", "error"], lines);
    }

    [Fact]
    public void The_clock_of_a_job_begins_when_the_job_does()
    {
        // Six jobs of 0.2 s one after another: the last would be past a limit that counted from the call's begin.
        string[] lines = Lines("1..6 | Invoke-RustParallel { Start-Sleep -Milliseconds 200; $_ } -JobTimeoutSeconds 0.8 -ThrottleLimit 1");
        Assert.Equal(["1", "2", "3", "4", "5", "6"], lines);
    }

    [Fact]
    public void A_stopped_job_runs_its_finally_block()
    {
        Hashtable table = Session.RunWithErrors("Invoke-RustParallel a { try { Start-Sleep 30 } finally { $Data['cleaned'] = $true } } -JobTimeoutSeconds 0.3").Table;
        Assert.Equal(true, table["cleaned"]);
    }

    [Fact]
    public void A_stopped_job_cannot_go_on_in_a_catch_block()
    {
        Call call = Session.RunWithErrors("1 | Invoke-RustParallel { try { Start-Sleep 30 } catch { 'caught' } 'after' } -JobTimeoutSeconds 0.3");
        Assert.Empty(Lines(call));
    }

    [Fact]
    public void The_runspace_of_a_stopped_job_goes_on()
    {
        string[] lines = Lines(
            "1..3 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } [runspace]::DefaultRunspace.Id } -JobTimeoutSeconds 0.4 -ThrottleLimit 1 -ErrorAction SilentlyContinue");
        Assert.Equal(2, lines.Length);
        Assert.Single(lines.Distinct());
    }

    [Fact]
    public void A_worker_stuck_in_native_code_is_replaced()
    {
        // Both of two workers are lost, and 20 jobs remain.
        Call call = Session.RunWithErrors("1..22 | Invoke-RustParallel { if ($_ -le 2) { [Threading.Thread]::Sleep(4000) } $_ } -JobTimeoutSeconds 0.3 -ThrottleLimit 2");
        Assert.Equal(Enumerable.Range(3, 20).Select(number => $"{number}").Order(), Lines(call).Order());
        Assert.Equal(2, call.Errors.Count());
    }

    [Fact]
    public void What_a_job_writes_after_its_limit_belongs_to_nobody()
    {
        Call call = Session.RunWithErrors(
            "1..6 | Invoke-RustParallel { if ($_ -eq 1) { [Threading.Thread]::Sleep(900); 'late' } else { Start-Sleep -Milliseconds 200; 'in time' } } -JobTimeoutSeconds 0.6 -ThrottleLimit 1");
        Assert.Equal(5, call.Output.Count());
        Assert.DoesNotContain("late", Lines(call));
    }

    [Fact]
    public void A_limit_that_is_not_reached_changes_nothing()
    {
        Call call = Session.Run("1..50 | Invoke-RustParallel { $_ } -JobTimeoutSeconds 20");
        Assert.Equal(50, call.Output.Count());
    }
}
