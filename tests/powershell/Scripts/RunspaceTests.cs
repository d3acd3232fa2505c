// The runspaces of jobs: shared by the jobs of one worker, or fresh for each; never shared between calls.

using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class RunspaceTests : ScriptTest
{
    [Fact]
    public void The_jobs_of_a_worker_share_its_runspace() =>
        Assert.Single(Lines("1..20 | Invoke-RustParallel { [runspace]::DefaultRunspace.InstanceId } -ThrottleLimit 1").Distinct());

    [Fact]
    public void Global_functions_remain_for_the_next_job_and_variables_do_not()
    {
        string[] lines = Lines("1, 2 | Invoke-RustParallel { \"$kept $(if ($_ -eq 2) { Get-Kept })\"; $global:kept = 'k'; function global:Get-Kept { 'f' } } -ThrottleLimit 1");
        Assert.Equal([" ", " f"], lines);
    }

    [Fact]
    public void UseNewRunspace_gives_each_job_its_own()
    {
        string[] lines = Lines(
            "1..6 | Invoke-RustParallel { \"$([runspace]::DefaultRunspace.InstanceId)$kept\"; $global:kept = 'kept' } -ThrottleLimit 2 -UseNewRunspace");
        Assert.Equal(6, lines.Distinct().Count());
        Assert.DoesNotContain(lines, line => line.EndsWith("kept", System.StringComparison.Ordinal));
    }

    [Fact]
    public void UseNewRunspace_runs_the_initialization_script_for_each_job()
    {
        var counter = new Counter();
        Session.Run("1..5 | Invoke-RustParallel { 1 } -UseNewRunspace -ThrottleLimit 1 -InitializationScript { ($using:counter).Enter() }", ("counter", counter));
        Assert.InRange(counter.Entered, 5, 6);
    }

    [Fact]
    public void A_runspace_and_its_pipeline_stay_on_one_thread() =>
        Assert.Single(Lines("1..20 | Invoke-RustParallel { [Environment]::CurrentManagedThreadId } -ThrottleLimit 1").Distinct());

    [Fact]
    public void No_runspace_is_left_after_a_call()
    {
        Session.Run("1"); // opens this test's own
        var before = OpenRunspaces();
        Session.Run("1..50 | Invoke-RustParallel { $_ }");
        AssertNoneLeft(before);
    }

    [Fact]
    public void Calls_nest()
    {
        string[] lines = SortedLines("1..3 | Invoke-RustParallel { $outer = $_; 1..3 | Invoke-RustParallel { \"$using:outer$_\" } }");
        Assert.Equal(["11", "12", "13", "21", "22", "23", "31", "32", "33"], lines);
    }

    [Theory]
    [InlineData("RustRunspaces\\Invoke-RustParallel { $_ }")]
    [InlineData("& 'RustRunspaces\\Invoke-RustParallel' { $_ }")]
    [InlineData("rustrunspaces\\invoke-rustparallel { 0 + $_ | RustRunspaces\\Invoke-RustParallel { $_ } }")]
    [InlineData("RustRunspaces\\Invoke-RustParallel { $_ | Invoke-RustParallel { $_ } }")]
    public void Calls_nest_by_their_full_name(string inner) =>
        Assert.Equal(["1", "2"], Lines($"1, 2 | Invoke-RustParallel {{ $_ | {inner} }} -MaximumThreadCount 1"));

    [Fact]
    public void Calls_nest_although_each_level_has_one_worker()
    {
        string[] lines = Lines(
            "1 | Invoke-RustParallel -ThrottleLimit 1 { 2 | Invoke-RustParallel -ThrottleLimit 1 { 3 | Invoke-RustParallel -ThrottleLimit 1 { 'deep' } } }");
        Assert.Equal(["deep"], lines);
    }

    [Fact]
    public void A_nested_host_form_has_its_own_Data()
    {
        var table = Session.Run("Invoke-RustParallel a { $Data['outer'] = 1; (Invoke-RustParallel b { $Data.ContainsKey('outer') })['b'] }").Table;
        Assert.Equal("False", table["a"]!.ToString());
    }

    [Fact]
    public void Probes_run_inside_jobs()
    {
        Laboratory.RequireEcho();
        Assert.Equal(["Success"], Lines("'127.0.0.1' | Invoke-RustParallel { (Invoke-RustParallel $_)[$_].Status }"));
    }

    [Fact]
    public void Calls_in_one_pipeline_run_beside_each_other() =>
        Assert.Equal(["20", "30", "40"], SortedLines("1..3 | Invoke-RustParallel { $_ + 1 } | Invoke-RustParallel { $_ * 10 }"));

    [Fact]
    public void Calls_side_by_side_share_nothing()
    {
        Task<List<string>>[] callers = Enumerable.Range(1, 4).Select(caller => Task.Run(() =>
        {
            using var session = new Session();
            var wrong = new List<string>();
            for (int round = 0; round < 3; round++)
            {
                var table = session.Run($"$mine = {caller}; Invoke-RustParallel (1..40 | ForEach-Object {{ \"host$_\" }}) {{ $global:seen = \"$seen$using:mine\"; \"$using:mine $seen\" }} -ThrottleLimit 3").Table;
                wrong.AddRange(table.Values.Cast<object>().Select(value => value.ToString()!)
                    .Where(text => text.Replace(" ", "", System.StringComparison.Ordinal).Trim((char)('0' + caller)).Length > 0));
                if (table.Count != 40)
                {
                    wrong.Add($"{table.Count} entries");
                }
            }
            return wrong;
        })).ToArray();
        Assert.Empty(callers.SelectMany(caller => caller.Result));
    }

    [Fact]
    public void A_short_call_opens_no_more_runspaces_than_it_has_jobs()
    {
        var counter = new Counter();
        Session.Run("1..2 | Invoke-RustParallel { Start-Sleep -Milliseconds 50 } -InitializationScript { ($using:counter).Enter() }", ("counter", counter));
        Assert.InRange(counter.Entered, 1, 2);
    }
}
