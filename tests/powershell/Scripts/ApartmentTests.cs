// COM in jobs: the apartment that a job's thread is in, and objects that live there. Only Windows has COM.

using System;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class ApartmentTests : ScriptTest
{
    // A COM object that every Windows has. It lives in the apartment that makes it.
    private const string NewDictionary = "[Activator]::CreateInstance([type]::GetTypeFromProgID('Scripting.Dictionary'))";

    [Theory]
    [InlineData("", "STA")]
    [InlineData("-ApartmentState STA", "STA")]
    [InlineData("-ApartmentState MTA", "MTA")]
    [InlineData("-ApartmentState STA -UseNewRunspace", "STA")]
    public void Jobs_are_in_the_apartment_asked_for(string arguments, string apartment)
    {
        RequireCom();
        Assert.Equal(
            Enumerable.Repeat(apartment, 4),
            Lines($"1..4 | Invoke-RustParallel {{ [Threading.Thread]::CurrentThread.GetApartmentState() }} {arguments}"));
    }

    [Theory]
    [InlineData("STA")]
    [InlineData("MTA")]
    public void Jobs_use_COM_objects(string apartment)
    {
        RequireCom();
        Assert.Equal(
            ["1 one", "1 two"],
            SortedLines($"'one', 'two' | Invoke-RustParallel {{ $made = {NewDictionary}; $made.Add('key', $_); \"$($made.Count) $($made.Item('key'))\" }} -ApartmentState {apartment}"));
    }

    [Fact]
    public void Finalizers_of_COM_objects_end_while_their_job_waits_for_them()
    {
        RequireCom();
        // An object is released by its apartment's thread, which therefore must not be deaf while it waits.
        Assert.Equal(
            Enumerable.Repeat("True", 3),
            Lines(
                "1..3 | Invoke-RustParallel -ThrottleLimit 1 -ApartmentState STA -JobTimeoutSeconds 20 { " +
                $"function Get-Lost {{ [WeakReference]::new({NewDictionary}) }} " +
                "$lost = 1..5 | ForEach-Object { Get-Lost }; $null = 1..20 | ForEach-Object { \"$_\" }; " +
                "[GC]::Collect(); [GC]::WaitForPendingFinalizers(); [GC]::Collect(); " +
                "@($lost | Where-Object { -not $_.IsAlive }).Count -gt 0 }"));
    }

    [Fact]
    public void A_worker_without_a_job_dispatches_window_messages()
    {
        RequireCom();
        // Calls from other apartments to its objects come as such; a timer needs no window and no other apartment.
        using var both = new Barrier(2);
        using var timer = new MessageTimer();
        string[] lines = Lines(
            "1, 2 | Invoke-RustParallel -ThrottleLimit 2 -ApartmentState STA -JobTimeoutSeconds 20 { " +
            "$null = ($using:both).SignalAndWait(10000); if ($_ -eq 1) { ($using:timer).Start() } else { ($using:timer).WaitForMessage() } }",
            ("both", both), ("timer", timer));
        Assert.Equal(["True"], lines);
    }

    private static void RequireCom() => Assert.SkipUnless(OperatingSystem.IsWindows(), "only Windows has COM");

    /// <summary>A timer whose message comes to the thread that started it.</summary>
    public sealed class MessageTimer : IDisposable
    {
        private readonly ManualResetEventSlim hasCome = new();
        private readonly TimerProcedure procedure;

        public MessageTimer()
        {
            procedure = (window, _, id, _) =>
            {
                KillTimer(window, id);
                hasCome.Set();
            };
        }

        private delegate void TimerProcedure(nint window, uint message, nuint id, uint milliseconds);

        public void Start() => Assert.NotEqual((nuint)0, SetTimer(0, 0, 10, procedure));

        public bool WaitForMessage() => hasCome.Wait(TimeSpan.FromSeconds(5));

        public void Dispose() => hasCome.Dispose();

        [DllImport("user32.dll")]
        private static extern nuint SetTimer(nint window, nuint id, uint milliseconds, TimerProcedure procedure);

        [DllImport("user32.dll")]
        private static extern bool KillTimer(nint window, nuint id);
    }
}
