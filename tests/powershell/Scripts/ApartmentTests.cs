// COM in jobs: the apartment that a job's thread is in, and objects that live there. Only Windows has COM.

using System;
using System.Collections.Concurrent;
using System.Linq;
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
    public void A_worker_without_a_job_still_answers_calls_to_its_COM_objects()
    {
        RequireCom();
        using var both = new Barrier(2);
        var made = new ConcurrentQueue<object>();
        Call call = Session.Run(
            "1, 2 | Invoke-RustParallel -ThrottleLimit 2 -ApartmentState STA -JobTimeoutSeconds 20 { " +
            $"if ($_ -eq 1) {{ $mine = {NewDictionary}; $mine.Add('key', 'answer'); ($using:made).Enqueue($mine) }} " +
            "$null = ($using:both).SignalAndWait(20000); " +
            // The other job ends at once: its worker waits for the next one.
            "if ($_ -eq 2) { [Threading.Thread]::Sleep(100); $other = $null; $null = ($using:made).TryPeek([ref] $other); $other.Item('key') } }",
            ("both", both), ("made", made));
        Assert.Equal(["answer"], Lines(call));
    }

    private static void RequireCom() => Assert.SkipUnless(OperatingSystem.IsWindows(), "only Windows has COM");
}
