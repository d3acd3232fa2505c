// What identifies a job's own error at the caller: its id, its position, its host or item. Whatever the caller does with errors.

using System;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class ErrorIdentityTests : ScriptTest
{
    private const string Show = "\"$($e.FullyQualifiedErrorId) $($e.CategoryInfo.Activity) $($e.InvocationInfo.ScriptLineNumber)\"";

    // An advanced function's error has the function's name in its id, as a cmdlet's has its class. Line 4 is the call of it.
    private const string Block =
        """
        {
            function Get-Own { [CmdletBinding()] param() $PSCmdlet.WriteError([Management.Automation.ErrorRecord]::new([FormatException] 'm', 'OwnId', 'InvalidData', 7)) }
            'written'
            Get-Own
        }
        """;

    [Theory]
    [InlineData("Get-Item /absent/file")]
    [InlineData("1/0")]
    [InlineData("Get-Unknown-Command")]
    [InlineData("[int]::Parse('x')")]
    [InlineData("Write-Error 'm' -ErrorId OwnId")]
    public void The_id_is_the_one_it_has_in_the_job(string statement)
    {
        foreach (string call in new[] { "1 | Invoke-RustParallel", "Invoke-RustParallel a" })
        {
            string[] lines = Lines(
                $"$r = {call} {{ {statement}; $Error[0].FullyQualifiedErrorId }} -ErrorVariable kept -ErrorAction SilentlyContinue; if ($r -is [Collections.IDictionary]) {{ $r['a'] }} else {{ $r }}; $kept[0].FullyQualifiedErrorId");
            Assert.Equal(2, lines.Length);
            Assert.Equal(lines[0], lines[1]);
        }
    }

    [Theory]
    [InlineData("throw 'm'", "m")]
    [InlineData("throw [Management.Automation.ErrorRecord]::new([Exception] 'm', 'OwnId', 'DeviceError', 1)", "OwnId")]
    public void The_id_of_what_was_thrown_is_its_own(string statement, string id)
    {
        Call call = Session.RunWithErrors($"1 | Invoke-RustParallel {{ {statement} }}; $null = Invoke-RustParallel a {{ {statement} }}");
        Assert.Equal([id, id], call.Errors.Select(error => error.FullyQualifiedErrorId));
    }

    [Theory]
    [InlineData("$e = INVOKE -ErrorAction Continue 2>&1 | Where-Object { $_ -is [Management.Automation.ErrorRecord] }")]
    [InlineData("$null = INVOKE -ErrorAction SilentlyContinue -ErrorVariable kept; $e = $kept[0]")]
    [InlineData("$null = INVOKE -ErrorAction SilentlyContinue; $e = $Error[0]")]
    [InlineData("try { $null = INVOKE -ErrorAction Stop } catch { $e = $_ }")]
    [InlineData("$ErrorActionPreference = 'Stop'; try { $null = INVOKE } catch { $e = $Error[0] }")]
    public void Id_and_position_are_the_jobs_whatever_the_caller_does_with_errors(string use)
    {
        foreach (string call in new[] { $"1 | Invoke-RustParallel {Block}", $"Invoke-RustParallel a {Block}" })
        {
            string[] lines = Lines(use.Replace("INVOKE", call, StringComparison.Ordinal) + "; " + Show);
            Assert.Equal(["OwnId,Get-Own Get-Own 4"], lines);
        }
    }

    [Theory]
    [InlineData("1 | Invoke-RustParallel")]
    [InlineData("Invoke-RustParallel a")]
    public void With_Ignore_there_is_no_trace_of_an_error(string call) =>
        Assert.Equal(["0 0"], Lines($"$Error.Clear(); $null = {call} {{ Write-Error 'e'; throw 'f' }} -ErrorAction Ignore -ErrorVariable kept; \"$($Error.Count) $($kept.Count)\""));

    [Fact]
    public void The_engines_own_errors_have_the_calls_id_and_position()
    {
        Call call = Session.RunWithErrors("\n1 | Invoke-RustParallel { $Host.UI.ReadLine() }");
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal("JobCannotAsk,RustRunspaces.InvokeRustParallelCommand", error.FullyQualifiedErrorId);
        Assert.Equal(2, error.InvocationInfo.ScriptLineNumber);
    }

    [Theory]
    [InlineData("Write-Error 'e'")]
    [InlineData("throw 'e'")]
    [InlineData("1/0")]
    public void A_catch_block_learns_the_host_from_the_exception(string statement) =>
        Assert.Equal(["server1"], Lines($"try {{ Invoke-RustParallel server1 {{ {statement} }} -ErrorAction Stop }} catch {{ $_.Exception.PSComputerName }}"));

    [Theory]
    [InlineData("Write-Error 'e'")]
    [InlineData("throw 'e'")]
    [InlineData("1/0")]
    public void A_catch_block_learns_the_item_from_the_exception(string statement) =>
        Assert.Equal(["7"], Lines($"try {{ 7 | Invoke-RustParallel {{ {statement} }} -ErrorAction Stop }} catch {{ $_.Exception.InputObject }}"));

    [Theory]
    [InlineData("throw [Management.Automation.PipelineStoppedException]::new()")]
    [InlineData("& { throw [Management.Automation.PipelineStoppedException]::new() }")]
    [InlineData("[runspace]::DefaultRunspace.CloseAsync(); while ($true) { }")]
    public void A_job_that_stops_itself_has_failed_with_one_error(string statement)
    {
        Call call = Session.RunWithErrors($"1..3 | Invoke-RustParallel {{ if ($_ -eq 1) {{ {statement} }}; \"went on $_\" }} -ThrottleLimit 1 -Verbose");
        Assert.Equal(["went on 2", "went on 3"], Lines(call));
        Assert.Equal("PipelineStopped", Call.Id(Assert.Single(call.Errors)));
        Assert.DoesNotContain(call.Verbose, line => line.StartsWith("Timeout", StringComparison.Ordinal));
    }

    [Fact]
    public void The_record_of_a_job_that_stops_itself_says_Failed()
    {
        string[] lines = Lines(
            "1, 2 | Invoke-RustParallel { if ($_ -eq 1) { throw [Management.Automation.PipelineStoppedException]::new() } } -ThrottleLimit 1 -AsObject | ForEach-Object { \"$($_.Status) $($_.Errors.Count)\" }");
        Assert.Equal(["Failed 1", "Completed 0"], lines);
    }
}
