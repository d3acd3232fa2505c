// The pipeline or -InputObject with a block: output streams, and the names of ForEach-Object -Parallel's parameters work.

using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Management.Automation;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class ItemFormTests : ScriptTest
{
    [Fact]
    public void Output_comes_while_its_job_still_runs()
    {
        using var go = new ManualResetEventSlim();
        Call call = Session.Start("1 | Invoke-RustParallel { 'first'; $null = ($using:go).Wait(20000); 'last' }", ("go", go));
        call.WaitUntil(running => running.Output.Any());
        Assert.Equal(["first"], Lines(call));
        go.Set();
        Assert.Equal(["first", "last"], Lines(call.Wait()));
    }

    [Fact]
    public void Jobs_run_while_input_still_comes()
    {
        using var go = new ManualResetEventSlim();
        Call call = Session.Run(
            "& { 1; $null = $go.Wait(20000); 2 } | Invoke-RustParallel { $_; ($using:go).Set() } -ThrottleLimit 1",
            ("go", go));
        Assert.Equal(["1", "2"], Lines(call));
    }

    [Fact]
    public void Output_is_written_while_input_still_comes()
    {
        using var go = new ManualResetEventSlim();
        Call call = Session.Start("& { 1; while (-not $go.IsSet) { Start-Sleep -Milliseconds 5; 2 } } | Invoke-RustParallel { $_ }", ("go", go));
        call.WaitUntil(running => running.Output.Any());
        go.Set();
        call.Wait();
    }

    [Fact]
    public void The_order_of_one_jobs_output_is_kept() =>
        Assert.Equal(Enumerable.Range(1, 500).Select(number => $"{number}"), Lines("1 | Invoke-RustParallel { 1..500 }"));

    [Fact]
    public void With_one_worker_the_order_of_the_input_is_kept() =>
        Assert.Equal(Enumerable.Range(1, 300).Select(number => $"{number}"), Lines("1..300 | Invoke-RustParallel { $_ } -ThrottleLimit 1"));

    [Theory]
    [InlineData("{ $_ }")]
    [InlineData("{ param($x) $x }")]
    [InlineData("{ param([Parameter(ValueFromPipeline)] $x) process { $x } }")]
    public void An_item_keeps_its_type_and_identity(string block)
    {
        var item = new object();
        Call call = Session.Run($", $item | Invoke-RustParallel {block}", ("item", item));
        Assert.Same(item, call.Output.Single().BaseObject);
    }

    [Theory]
    [InlineData("{ $_.Count }")]
    [InlineData("{ param($list) $list.Count }")]
    [InlineData("{ process { $_.Count } }")]
    public void An_array_as_item_stays_one(string block) => Assert.Equal(["3"], Lines($", (1, 2, 3) | Invoke-RustParallel {block}"));

    [Theory]
    [InlineData("{ $null -eq $_ }")]
    [InlineData("{ param($x) $null -eq $x }")]
    [InlineData("{ process { $null -eq $_ } }")]
    public void Null_is_an_item(string block) => Assert.Equal(["True"], Lines($", $null | Invoke-RustParallel {block}"));

    [Fact]
    public void An_output_of_null_is_delivered() => Assert.Equal(["$null", "1"], Lines("1 | Invoke-RustParallel { $null; 1 }"));

    [Fact]
    public void An_array_as_output_comes_as_PowerShell_writes_it() =>
        Assert.Equal(["1", "2", "3 4"], Lines("1 | Invoke-RustParallel { 1, 2; , (3, 4) }"));

    [Fact]
    public void An_empty_pipeline_writes_nothing() => Assert.Empty(Lines("@() | Invoke-RustParallel { 1 }"));

    [Fact]
    public void A_block_that_uses_Data_gets_one_warning_naming_ComputerName()
    {
        Call call = Session.RunWithErrors("1..3 | Invoke-RustParallel { $Data[$_] = 1; $null -eq $Data }");
        Assert.Equal(["True", "True", "True"], Lines(call));
        Assert.Equal(3, System.Linq.Enumerable.Count(call.Errors));
        Assert.Contains("-ComputerName", Assert.Single(call.Warnings));
    }

    [Fact]
    public void A_block_that_does_not_use_Data_gets_no_warning() =>
        Assert.Empty(Session.Run("1..3 | Invoke-RustParallel { $_ }").Warnings);

    [Fact]
    public void There_is_no_maximum_wait_unless_asked()
    {
        // The host form's 300 seconds would show in its verbose line only after them, so the pool's limit is asked for by a job
        // that waits longer than a limit that is set.
        Call call = Session.RunWithErrors("1 | Invoke-RustParallel { Start-Sleep 30 } -TimeoutSeconds 0.3");
        Assert.Equal("MaximumWaitReached", Call.Id(Assert.Single(call.Errors)));
    }

    [Theory]
    [InlineData("Parallel", "{ 1 }")]
    [InlineData("ThrottleLimit", "3")]
    [InlineData("TimeoutSeconds", "100")]
    [InlineData("UseNewRunspace", "")]
    public void The_parameters_of_ForEach_Object_have_the_same_effect(string name, string value)
    {
        string block = name == "Parallel" ? "" : "-Parallel { 1 }";
        string command = $"1..3 | Invoke-RustParallel {block} -{name} {value}";
        Assert.Equal(["1", "1", "1"], Lines(command));
        Assert.Equal(["1", "1", "1"], Lines(command.Replace("Invoke-RustParallel", "ForEach-Object", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("$factor = 3; 1..20 | COMMAND -Parallel { $_ * $using:factor } -ThrottleLimit 16")]
    [InlineData("'x', 'y' | COMMAND -Parallel { $item = $_; 1..2 | ForEach-Object { \"$item$_\" } }")]
    [InlineData("$table = @{ a = 1; b = 2 }; 'a', 'b' | COMMAND -Parallel { $table = $using:table; $table[$_] }")]
    [InlineData("1..4 | COMMAND -Parallel { if ($_ % 2) { return } $_ } -ThrottleLimit 2 -TimeoutSeconds 60")]
    [InlineData("$list = [Collections.Concurrent.ConcurrentBag[int]]::new(); 1..9 | COMMAND -Parallel { ($using:list).Add($_) }; $list")]
    [InlineData("(1..3 | COMMAND -Parallel { Start-Sleep -Milliseconds 200; $_ } -AsJob | Receive-Job -Wait -AutoRemoveJob)")]
    public void Changing_the_name_of_the_command_is_the_migration(string script)
    {
        string[] theirs = SortedLines(script.Replace("COMMAND", "ForEach-Object", StringComparison.Ordinal));
        string[] ours = SortedLines(script.Replace("COMMAND", "Invoke-RustParallel", StringComparison.Ordinal));
        Assert.NotEmpty(theirs);
        Assert.Equal(theirs, ours);
    }

    [Theory]
    [InlineData("-OutVariable kept | Out-Null; $kept", "out")]
    [InlineData("-ErrorVariable kept -ErrorAction SilentlyContinue | Out-Null; $kept", "err")]
    [InlineData("-WarningVariable kept -WarningAction SilentlyContinue | Out-Null; $kept", "warn")]
    [InlineData("-InformationVariable kept | Out-Null; $kept", "info")]
    [InlineData("-PipelineVariable each | ForEach-Object { $each }", "out")]
    public void Common_parameters_work(string rest, string expected) =>
        Assert.Equal([expected], Lines("1 | Invoke-RustParallel { 'out'; Write-Error err; Write-Warning warn; Write-Information info } -ErrorAction SilentlyContinue "
            .Replace(rest.Contains("-ErrorAction", StringComparison.Ordinal) ? "-ErrorAction SilentlyContinue " : "\0", "", StringComparison.Ordinal) + rest));

    [Fact]
    public void A_slow_consumer_does_not_lose_output()
    {
        string[] lines = Lines("1..50 | Invoke-RustParallel { $_; -$_ } | ForEach-Object { Start-Sleep -Milliseconds 1; $_ }");
        Assert.Equal(100, lines.Distinct().Count());
        Assert.Equal(100, lines.Length);
    }

    [Fact]
    public void Jobs_can_share_an_object()
    {
        var bag = new ConcurrentBag<int>();
        Session.Run("1..200 | Invoke-RustParallel { ($using:bag).Add($_) }", ("bag", bag));
        Assert.Equal(Enumerable.Range(1, 200), bag.Order());
    }
}
