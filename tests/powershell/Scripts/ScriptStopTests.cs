// Calls of script jobs that are ended before their time: by a command downstream, and by Ctrl+C. Nothing of them remains.

using System;
using System.Linq;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class ScriptStopTests : ScriptTest
{
    [Fact]
    public void Select_First_ends_the_call_within_250_ms()
    {
        Session.Run("1 | Invoke-RustParallel { 1 }"); // what the first call loads is not the limit's
        Call call = Session.Run("1..8 | Invoke-RustParallel { $_; Start-Sleep 30 } | Select-Object -First 1");
        Assert.Single(call.Output);
        MachineDelay.AssertWithin(call.Duration - call.TimedOutput.Single().At, EndLimit, call.Late);
    }

    [Fact]
    public void Select_First_ends_the_input_too()
    {
        var counter = new Counter();
        Call call = Session.Run(
            "1..200 | ForEach-Object { $counter.Enter(); $_; Start-Sleep -Milliseconds 20 } | Invoke-RustParallel { $_ } | Select-Object -First 1",
            ("counter", counter));
        Assert.Single(call.Output);
        Assert.InRange(counter.Entered, 1, 60);
    }

    [Theory]
    [InlineData("Start-Sleep 30")]
    [InlineData(EmptyLoop)]
    [InlineData(LoopWithCall)]
    [InlineData("[Threading.Thread]::Sleep(4000)")]
    [InlineData("while ($true) { 'flood' }")]
    public void Ctrl_C_ends_the_call_within_250_ms(string stuck)
    {
        RequireStop(stuck);
        Call call = Session.Start($"1..4 | Invoke-RustParallel {{ 'begun'; {stuck} }} -ThrottleLimit 4");
        call.WaitUntil(running => running.Output.Any());
        (TimeSpan took, TimeSpan late) = call.Stop();
        MachineDelay.AssertWithin(took, EndLimit, late);
    }

    [Theory]
    [InlineData("Invoke-RustParallel a { $null = ($using:begun).Set(); Start-Sleep 30 }")]
    [InlineData("& { 1; while ($true) { Start-Sleep -Milliseconds 10 } } | Invoke-RustParallel { $null = ($using:begun).Set() }")]
    [InlineData("1 | Invoke-RustParallel { 1 } -InitializationScript { $null = ($using:begun).Set(); Start-Sleep 30 }")]
    [InlineData("1 | Invoke-RustParallel { 1 | Invoke-RustParallel { $null = ($using:begun).Set(); Start-Sleep 30 } -Variables begun } -Variables begun")]
    public void Ctrl_C_ends_a_call_wherever_it_waits(string script)
    {
        using var begun = new ManualResetEventSlim();
        Call call = Session.Start(script, ("begun", begun));
        call.WaitUntil(_ => begun.IsSet);
        (TimeSpan took, TimeSpan late) = call.Stop();
        MachineDelay.AssertWithin(took, EndLimit, late);
    }

    [Fact]
    public void Ctrl_C_runs_the_finally_blocks_of_jobs()
    {
        using var begun = new ManualResetEventSlim();
        using var cleaned = new ManualResetEventSlim();
        Call call = Session.Start(
            "1 | Invoke-RustParallel { try { $null = ($using:begun).Set(); Start-Sleep 30 } finally { ($using:cleaned).Set() } }",
            ("begun", begun),
            ("cleaned", cleaned));
        call.WaitUntil(_ => begun.IsSet);
        call.Stop();
        Assert.True(cleaned.IsSet);
    }

    [Theory]
    [InlineData("1..4 | Invoke-RustParallel { $_; Start-Sleep 30 } | Select-Object -First 1")]
    [InlineData("1..4 | Invoke-RustParallel { Start-Sleep 30 } -TimeoutSeconds 0.2 2>$null")]
    [InlineData("1..4 | Invoke-RustParallel { Start-Sleep 30 } -JobTimeoutSeconds 0.2 2>$null")]
    [InlineData("1..4 | Invoke-RustParallel { throw 'no' } 2>$null")]
    [InlineData("try { 1..4 | Invoke-RustParallel { $_ } | ForEach-Object { throw 'downstream' } } catch { }")]
    [InlineData("try { 1..4 | Invoke-RustParallel { 1 } -InitializationScript { throw 'no' } } catch { }")]
    [InlineData("try { & { 1; throw 'upstream' } | Invoke-RustParallel { $_ } } catch { }")]
    public void No_runspace_is_left_behind(string script)
    {
        Session.Run("1"); // opens this test's own
        var before = OpenRunspaces();
        Session.Start(script).Wait();
        AssertNoneLeft(before);
    }

    [Fact]
    public void Ctrl_C_leaves_no_runspace_behind()
    {
        Session.Run("1"); // opens this test's own
        var before = OpenRunspaces();
        Call call = Session.Start("1..4 | Invoke-RustParallel { 'begun'; Start-Sleep 30 }");
        call.WaitUntil(running => running.Output.Any());
        call.Stop();
        AssertNoneLeft(before);
    }

    [Fact]
    public void A_call_after_a_stopped_one_is_as_good_as_any()
    {
        Call call = Session.Start("1..4 | Invoke-RustParallel { 'begun'; [Threading.Thread]::Sleep(3000) }");
        call.WaitUntil(running => running.Output.Any());
        call.Stop();
        Assert.Equal(["1", "2", "3"], SortedLines("1..3 | Invoke-RustParallel { $_ }"));
    }
}
