// Errors of jobs: what ends a job and what does not, what the record tells, and what ends the call.

using System;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class JobErrorTests : ScriptTest
{
    [Theory]
    [InlineData("1/0")]
    [InlineData("Get-Unknown-Command")]
    [InlineData("[int]::Parse('x')")]
    [InlineData("$null.Method()")]
    [InlineData("Write-Error 'e'")]
    [InlineData("Get-Item /absent/file")]
    public void An_error_of_a_statement_does_not_end_its_job(string statement)
    {
        Call call = Session.RunWithErrors($"1 | Invoke-RustParallel {{ 'before'; {statement}; 'after' }}");
        Assert.Equal(["before", "after"], Lines(call));
        Assert.Single(call.Errors);
    }

    [Theory]
    [InlineData("{ 'before'; throw 'no'; 'after' }")]
    [InlineData("{ process { 'before'; throw 'no'; 'after' } }")]
    [InlineData("{ 'before'; & { throw 'no' }; 'after' }")]
    [InlineData("{ 'before'; Write-Error 'no' -ErrorAction Stop; 'after' }")]
    [InlineData("{ $ErrorActionPreference = 'Stop'; 'before'; Write-Error 'no'; 'after' }")]
    [InlineData("{ 'before'; throw [InvalidOperationException] 'no'; 'after' }")]
    public void A_throw_ends_that_job_with_one_error(string block)
    {
        Call call = Session.RunWithErrors($"1..3 | Invoke-RustParallel {block}; 'went on'");
        Assert.Null(call.Failure);
        Assert.Equal(["before", "before", "before", "went on"], Lines(call));
        Assert.Equal(["no", "no", "no"], Texts(call.Errors));
    }

    [Theory]
    [InlineData("exit")]
    [InlineData("exit 3")]
    [InlineData("break")]
    [InlineData("continue")]
    [InlineData("break label")]
    [InlineData("return")]
    [InlineData("return 'value'", "value")]
    [InlineData("& { exit }")]
    [InlineData("function Leave { exit }; Leave")]
    [InlineData("try { exit } finally { 'cleaned' }", "cleaned")]
    public void Exit_break_and_return_end_that_job_only(string statement, string written = "")
    {
        Call call = Session.Run($"1..3 | Invoke-RustParallel {{ 'before'; if ($_ -eq 2) {{ {statement} }}; if ($_ -ne 2) {{ 'after' }} }} -ThrottleLimit 1; 'went on'");
        string[] expected = ["before", "after", "before", written, "before", "after", "went on"];
        Assert.Equal(expected.Where(line => line.Length > 0), Lines(call));
    }

    [Theory]
    [InlineData("exit")]
    [InlineData("break")]
    [InlineData("return")]
    public void Exit_and_break_end_a_bound_job_only(string statement) =>
        Assert.Equal(["1", "2", "3"], SortedLines($"1..3 | Invoke-RustParallel {{ process {{ $_; {statement}; 'after' }} }}"));

    [Fact]
    public void A_job_that_exits_is_completed()
    {
        Assert.Equal("before", Session.Run("Invoke-RustParallel a { 'before'; exit }").Table["a"]!.ToString());
    }

    [Fact]
    public void A_thrown_error_record_keeps_its_id_category_and_target()
    {
        Call call = Session.RunWithErrors(
            "1 | Invoke-RustParallel { throw [Management.Automation.ErrorRecord]::new([IO.IOException] 'io', 'OwnId', 'DeviceError', 'own target') }");
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal("OwnId", Call.Id(error));
        Assert.Equal(ErrorCategory.DeviceError, error.CategoryInfo.Category);
        Assert.Equal("own target", error.TargetObject);
        Assert.Contains("io", error.Exception.Message);
    }

    [Fact]
    public void A_written_error_keeps_its_id_category_and_target()
    {
        Call call = Session.RunWithErrors("1 | Invoke-RustParallel { Write-Error 'm' -ErrorId OwnId -Category DeviceError -TargetObject 'own target' }");
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal("OwnId", Call.Id(error));
        Assert.Equal(ErrorCategory.DeviceError, error.CategoryInfo.Category);
        Assert.Equal("own target", error.TargetObject);
    }

    [Theory]
    [InlineData("Write-Error 'e'")]
    [InlineData("throw 'e'")]
    public void An_error_of_a_host_names_it_as_remoting_does(string statement)
    {
        Call call = Session.RunWithErrors($"Invoke-RustParallel server1 {{ {statement} }}");
        RemotingErrorRecord error = Assert.IsType<RemotingErrorRecord>(Assert.Single(call.Errors));
        Assert.Equal("server1", error.OriginInfo.PSComputerName);
    }

    [Theory]
    [InlineData("Write-Error 'e'")]
    [InlineData("throw 'e'")]
    [InlineData("1/0")]
    public void An_error_of_an_item_has_it_as_a_property(string statement)
    {
        var item = new object();
        Call call = Session.RunWithErrors($", $item | Invoke-RustParallel {{ {statement} }} -ErrorVariable kept; $kept | ForEach-Object {{ , $_.InputObject }}", ("item", item));
        Assert.Same(item, call.Output.Single().BaseObject);
    }

    [Fact]
    public void Errors_in_jobs_are_Continue_whatever_the_caller_has()
    {
        string[] lines = Lines("$ErrorActionPreference = 'SilentlyContinue'; 1 | Invoke-RustParallel { $ErrorActionPreference }");
        Assert.Equal(["Continue"], lines);
    }

    [Fact]
    public void The_callers_preference_comes_by_name()
    {
        Call call = Session.RunWithErrors("$ErrorActionPreference = 'Stop'; 1 | Invoke-RustParallel { $ErrorActionPreference; Write-Error 'e'; 'after' } -Variables ErrorActionPreference -ErrorAction Continue");
        Assert.Equal(["Stop"], Lines(call));
        Assert.Single(call.Errors);
    }

    [Theory]
    [InlineData("-ErrorAction Stop")]
    [InlineData("", "$ErrorActionPreference = 'Stop'; ")]
    public void The_callers_Stop_ends_the_call_at_the_first_error(string argument, string before = "")
    {
        Session.Run("1 | Invoke-RustParallel { 1 }"); // what the first call loads is not the limit's
        Call call = Session.RunWithErrors(
            $"{before}1..8 | Invoke-RustParallel {{ if ($_ -eq 3) {{ Write-Error 'stop here' }} else {{ Start-Sleep 30 }} }} -ThrottleLimit 8 {argument}");
        Assert.Contains("stop here", call.Failure!.Message);
        MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(2), call.Late);
    }

    [Fact]
    public void A_Stop_can_be_caught_and_leaves_no_runspace_behind()
    {
        Session.Run("1"); // opens this test's own
        var before = OpenRunspaces();
        Assert.Equal(["caught e"], Lines("try { 1..4 | Invoke-RustParallel { Write-Error 'e'; Start-Sleep 30 } -ErrorAction Stop } catch { \"caught $_\" }"));
        AssertNoneLeft(before);
    }

    [Theory]
    [InlineData("Write-Error 'e'")]
    [InlineData("1/0")]
    [InlineData("throw 'e'")]
    public void The_stack_trace_names_the_callers_line(string statement)
    {
        Call call = Session.RunWithErrors($"'line 1'\n'line 2'\nInvoke-RustParallel a {{\n    'line 4'\n    {statement}\n}}");
        Assert.Contains("line 5", Assert.Single(call.Errors).ScriptStackTrace);
    }

    [Fact]
    public void The_error_list_and_exit_code_of_a_job_are_gone_for_the_next()
    {
        string[] lines = Lines(
            "1, 2 | Invoke-RustParallel -ThrottleLimit 1 { \"$($Error.Count) <$LASTEXITCODE>\"; Write-Error 'e'; $global:LASTEXITCODE = 7 } -ErrorAction SilentlyContinue");
        Assert.Equal(["0 <>", "0 <>"], lines);
    }

    [Fact]
    public void An_error_is_in_the_callers_list_once()
    {
        Call call = Session.RunWithErrors("$Error.Clear(); 1 | Invoke-RustParallel { Write-Error 'e' }; $Error.Count");
        Assert.Equal(["1"], Lines(call));
    }

    [Fact]
    public void Try_and_catch_work_in_a_job() =>
        Assert.Equal(["caught Attempted to divide by zero."], Lines("1 | Invoke-RustParallel { try { 1/0 } catch { \"caught $_\" } }"));

    [Fact]
    public void A_trap_works_in_a_job() =>
        Assert.Equal(["trapped", "after"], Lines("1 | Invoke-RustParallel { trap { 'trapped'; continue } 1/0; 'after' }"));
}
