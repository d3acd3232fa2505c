// The one rule for time limits in these tests: what shall happen within a limit may be late by as
// much as this machine was meanwhile, and by 50 ms for the test's own steps. How late the machine is
// tells a thread that only sleeps, 10 ms at a time: every millisecond of a sleep beyond that was
// time in which a ready thread was not run. That is one thread's delay, and a call is handed from
// thread to thread: so what is late is measured again. A busy machine delays now and then; what is
// late by itself is late every time.

using System;
using System.Diagnostics;
using System.Threading;

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

    /// <summary>Measures until it is in time, three times at most; the last failure is the test's.</summary>
    public static void Repeat(Action measure)
    {
        for (int left = 2; ; left--)
        {
            try
            {
                measure();
                return;
            }
            catch (LateException) when (left > 0)
            {
                // Was it the machine? The next time tells.
            }
        }
    }

    /// <summary>Fails when something took longer than its limit by more than the rule allows.</summary>
    public static void AssertWithin(TimeSpan took, TimeSpan limit, TimeSpan late)
    {
        if (took > limit + late + OwnSteps)
        {
            throw new LateException(
                $"took {took.TotalMilliseconds:N0} ms where {limit.TotalMilliseconds:N0} ms are allowed, on a machine that was {late.TotalMilliseconds:N0} ms late");
        }
    }

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

    private sealed class LateException(string message) : Exception(message);
}
