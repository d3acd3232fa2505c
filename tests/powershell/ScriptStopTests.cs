// Calls of script jobs that are ended before their time, by a command downstream and by Ctrl+C: how soon they end.

using System;
using System.Linq;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ScriptStopTests : ModuleTest
{
    [Fact]
    public void Select_First_ends_the_call_within_250_ms()
    {
        Session.Run("1 | Invoke-RustParallel { 1 }"); // what the first call loads is not the limit's
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Run("1..8 | Invoke-RustParallel { $_; Start-Sleep 30 } | Select-Object -First 1");
            Assert.Single(call.Output);
            MachineDelay.AssertWithin(call.Duration - call.TimedOutput.Single().At, EndLimit, call.Late);
        });
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
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Start($"1..4 | Invoke-RustParallel {{ 'begun'; {stuck} }} -ThrottleLimit 4");
            call.WaitUntil(running => running.Output.Any());
            (TimeSpan took, TimeSpan late) = call.Stop();
            MachineDelay.AssertWithin(took, EndLimit, late);
        });
    }

    [Theory]
    [InlineData("Invoke-RustParallel a { $null = ($using:begun).Set(); Start-Sleep 30 }")]
    [InlineData("& { 1; while ($true) { Start-Sleep -Milliseconds 10 } } | Invoke-RustParallel { $null = ($using:begun).Set() }")]
    [InlineData("1 | Invoke-RustParallel { 1 } -InitializationScript { $null = ($using:begun).Set(); Start-Sleep 30 }")]
    [InlineData("1 | Invoke-RustParallel { 1 | Invoke-RustParallel { $null = ($using:begun).Set(); Start-Sleep 30 } -Variables begun } -Variables begun")]
    public void Ctrl_C_ends_a_call_wherever_it_waits(string script)
    {
        MachineDelay.Repeat(() =>
        {
            using var begun = new ManualResetEventSlim();
            Call call = Session.Start(script, ("begun", begun));
            call.WaitUntil(_ => begun.IsSet);
            (TimeSpan took, TimeSpan late) = call.Stop();
            MachineDelay.AssertWithin(took, EndLimit, late);
        });
    }
}
