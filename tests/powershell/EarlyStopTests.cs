// How soon calls end that are ended before their time: by a command downstream, and by Ctrl+C.

using System;
using System.Linq;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class EarlyStopTests : ModuleTest
{
    private const string Forever = "-Count 100 -ReplyTimeoutMilliseconds 200";

    [Fact]
    public void Select_First_ends_the_call_within_250_ms()
    {
        Laboratory.Require();
        Session.Run("Invoke-RustParallel 127.0.0.1 | Select-Object -First 1"); // what the first call loads is not the limit's
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Run($"Invoke-RustParallel 127.0.0.1, {Laboratory.SilentNetwork} {Forever} -AsObject -MaximumWaitTimeSeconds 0 | Select-Object -First 1");
            Assert.Equal("127.0.0.1", Assert.Single(call.Output).Properties["ComputerName"].Value);
            MachineDelay.AssertWithin(call.Duration - call.TimedOutput.Single().At, EndLimit, call.Late);
            Assert.Empty(call.Warnings);
        });
    }

    [Fact]
    public void A_throw_downstream_ends_the_call()
    {
        Laboratory.Require();
        Session.Run("Invoke-RustParallel 127.0.0.1");
        MachineDelay.Repeat(() =>
        {
            Call call = Session.RunWithErrors(
                $"Invoke-RustParallel 127.0.0.1, {Laboratory.SilentNetwork} {Forever} -AsObject | ForEach-Object {{ throw 'enough' }}");
            Assert.Equal("enough", call.Failure!.Message);
            MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(1), call.Late);
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("-AsObject")]
    [InlineData("-TcpPort 1")]
    [InlineData("-PacketsPerSecond 1")]
    public void Ctrl_C_ends_a_waiting_call_within_250_ms(string arguments)
    {
        Laboratory.Require();
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Start($"Invoke-RustParallel {Laboratory.SilentNetwork} {Forever} {arguments} -Verbose");
            call.WaitUntil(running => running.Verbose.Any(line => line.StartsWith("Waiting for", StringComparison.Ordinal)));
            (TimeSpan took, TimeSpan late) = call.Stop();
            MachineDelay.AssertWithin(took, EndLimit, late);
        });
    }

    [Fact]
    public void Ctrl_C_ends_a_call_whose_input_still_comes_within_250_ms()
    {
        Laboratory.Require();
        MachineDelay.Repeat(() =>
        {
            using var delivered = new ManualResetEventSlim();
            Call call = Session.Start(
                $"& {{ '{Laboratory.SilentNetwork}'; $delivered.Set(); while ($true) {{ Start-Sleep -Milliseconds 10 }} }} | Invoke-RustParallel {Forever} -AsObject",
                ("delivered", delivered));
            call.WaitUntil(_ => delivered.IsSet);
            (TimeSpan took, TimeSpan late) = call.Stop();
            MachineDelay.AssertWithin(took, EndLimit, late);
        });
    }

    [Fact]
    public void Ctrl_C_ends_a_call_that_waits_for_a_port_within_250_ms()
    {
        using var silent = new SilentPort();
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Start($"Invoke-RustParallel 127.0.0.1 {Forever} -TcpPort {silent.Number} -Verbose");
            call.WaitUntil(running => running.Verbose.Any(line => line.StartsWith("Waiting for", StringComparison.Ordinal)));
            (TimeSpan took, TimeSpan late) = call.Stop();
            MachineDelay.AssertWithin(took, EndLimit, late);
        });
    }

    [Fact]
    public void Ctrl_C_ends_a_call_that_waits_for_names_within_250_ms()
    {
        Laboratory.Require();
        // Longer than a call with names takes to begin: some are being looked up.
        string names = string.Join(", ", Enumerable.Range(0, 5000).Select(number => $"'{Laboratory.UnknownName}{number}'"));
        MachineDelay.Repeat(() =>
        {
            Call call = Session.Start($"Invoke-RustParallel {names}, {Laboratory.Silent} {Forever} -Verbose");
            call.WaitUntil(running => running.Verbose.Any());
            (TimeSpan took, TimeSpan late) = call.Stop();
            MachineDelay.AssertWithin(took, EndLimit, late);
        });
    }
}
