// The one rule for time limits in these tests: what shall happen within a limit may be late by as
// much as this machine was meanwhile, and by 50 ms for the test's own steps. How late the machine is
// tells a thread that only sleeps, 10 ms at a time: every millisecond of a sleep beyond that was
// time in which a ready thread was not run.

using System;
using System.Diagnostics;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests;

internal static class MachineDelay
{
    private const int SleepMilliseconds = 10;
    private static readonly TimeSpan OwnSteps = TimeSpan.FromMilliseconds(50);
    private static long totalTicks;

    static MachineDelay()
    {
        new Thread(Watch) { IsBackground = true, Priority = ThreadPriority.AboveNormal }.Start();
    }

    /// <summary>How late sleeps were in all; only differences mean anything.</summary>
    public static long Total => Volatile.Read(ref totalTicks);

    public static TimeSpan Since(long total) => TimeSpan.FromTicks(Total - total);

    /// <summary>Fails when something took longer than its limit by more than the rule allows.</summary>
    public static void AssertWithin(TimeSpan took, TimeSpan limit, TimeSpan late) => Assert.True(
        took <= limit + late + OwnSteps,
        $"took {took.TotalMilliseconds:N0} ms where {limit.TotalMilliseconds:N0} ms are allowed, on a machine that was {late.TotalMilliseconds:N0} ms late");

    private static void Watch()
    {
        while (true)
        {
            long before = Stopwatch.GetTimestamp();
            Thread.Sleep(SleepMilliseconds);
            TimeSpan late = Stopwatch.GetElapsedTime(before) - TimeSpan.FromMilliseconds(SleepMilliseconds);
            Interlocked.Add(ref totalTicks, Math.Max(0, late.Ticks));
        }
    }
}
