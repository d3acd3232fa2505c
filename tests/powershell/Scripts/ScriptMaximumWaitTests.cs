// -MaximumWaitTimeSeconds over script jobs: results first, then one error that names what is unfinished.

using System;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class ScriptMaximumWaitTests : ScriptTest
{
    [Fact]
    public void One_error_after_the_results_names_the_unfinished()
    {
        Call call = Session.RunWithErrors(
            "1..5 | Invoke-RustParallel { if ($_ -gt 2) { Start-Sleep 30 } \"done $_\" } -ThrottleLimit 2 -MaximumWaitTimeSeconds 0.6");
        Assert.Equal(["done 1", "done 2"], Lines(call).Order());
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal("MaximumWaitReached", Call.Id(error));
        Assert.Equal(ErrorCategory.OperationTimeout, error.CategoryInfo.Category);
        Assert.IsType<TimeoutException>(error.Exception);
        Assert.Equal(["3", "4", "5"], Assert.IsType<object[]>(error.TargetObject).Select(item => item.ToString()!).Order());
        Assert.Contains("3 jobs", error.Exception.Message);
    }

    [Fact]
    public void The_unfinished_are_named_in_the_order_they_came()
    {
        Call call = Session.RunWithErrors("1..8 | Invoke-RustParallel { Start-Sleep 30 } -ThrottleLimit 3 -MaximumWaitTimeSeconds 0.5");
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal(Enumerable.Range(1, 8).Select(number => $"{number}"), ((object[])error.TargetObject).Select(item => item.ToString()!));
        Assert.Contains("1, 2, 3, 4, 5, ...", error.Exception.Message);
    }

    [Fact]
    public void A_call_that_fails_does_not_say_that_its_time_was_up()
    {
        Call call = Session.RunWithErrors("1 | Invoke-RustParallel { 1 } -InitializationScript { throw 'no' } -Verbose");
        Assert.DoesNotContain(call.Verbose, line => line.StartsWith("Timeout", StringComparison.Ordinal));
    }

    [Fact]
    public void The_hashtable_comes_before_the_error()
    {
        string[] lines = Lines(
            "Invoke-RustParallel a, b { if ($_ -eq 'b') { Start-Sleep 30 } 1 } -MaximumWaitTimeSeconds 0.5 2>&1 | ForEach-Object { $_.GetType().Name }");
        Assert.Equal(["SyncHashtable", "ErrorRecord"], lines);
    }

    [Fact]
    public void What_was_written_before_is_delivered_first()
    {
        Call call = Session.RunWithErrors("1 | Invoke-RustParallel { 1..200; Start-Sleep 30 } -MaximumWaitTimeSeconds 0.5");
        Assert.Equal(200, call.Output.Count());
        Assert.Single(call.Errors);
    }

    [Theory]
    [InlineData("Start-Sleep 30")]
    [InlineData(EmptyLoop)]
    [InlineData(LoopWithCall)]
    [InlineData("[Threading.Thread]::Sleep(4000)")]
    public void The_call_returns_within_250_ms_of_the_limit(string stuck)
    {
        RequireStop(stuck);
        Session.Run("1..4 | Invoke-RustParallel { 1 }"); // what the first call loads is not the limit's
        Call call = Session.RunWithErrors($"1..4 | Invoke-RustParallel {{ {stuck} }} -TimeoutSeconds 0.5 -ThrottleLimit 4");
        Assert.True(call.Duration >= TimeSpan.FromSeconds(0.5), $"returned after {call.Duration.TotalMilliseconds:N0} ms");
        MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(0.5) + EndLimit, call.Late);
    }

    [Fact]
    public void The_call_returns_in_time_while_its_input_still_comes()
    {
        Session.Run("1 | Invoke-RustParallel { 1 }");
        Call call = Session.RunWithErrors("& { 1; 2; Start-Sleep -Milliseconds 800; 3 } | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } $_ } -TimeoutSeconds 0.4");
        Assert.Equal(["1"], Lines(call));
        Assert.Equal(["2", "3"], ((object[])Assert.Single(call.Errors).TargetObject).Select(item => item.ToString()!).Order());
    }

    [Fact]
    public void A_call_that_finishes_in_time_says_nothing()
    {
        Call call = Session.Run("1..20 | Invoke-RustParallel { $_ } -TimeoutSeconds 20");
        Assert.Equal(20, call.Output.Count());
        Assert.Empty(call.Warnings);
    }

    [Fact]
    public void Zero_is_no_limit() =>
        Assert.Equal("1", Session.Run("Invoke-RustParallel a { Start-Sleep -Milliseconds 300; 1 } -MaximumWaitTimeSeconds 0").Table["a"]!.ToString());

    [Fact]
    public void Stuck_threads_are_counted_in_a_verbose_line()
    {
        Call call = Session.RunWithErrors("1, 2 | Invoke-RustParallel { [Threading.Thread]::Sleep(3000) } -TimeoutSeconds 0.4 -ThrottleLimit 2 -Verbose");
        Assert.Contains(call.Verbose, line => line.StartsWith("2 threads sit in code", StringComparison.Ordinal));
    }
}
