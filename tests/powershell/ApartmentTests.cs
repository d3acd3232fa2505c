// A job's thread in an apartment of COM, while it has no job. Only Windows has COM.

using System;
using System.Runtime.InteropServices;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ApartmentTests : ModuleTest
{
    [Fact]
    public void A_worker_without_a_job_dispatches_window_messages()
    {
        RequireCom();
        // Calls from other apartments to its objects come as such; a timer needs no window and no other apartment.
        using var both = new Barrier(2);
        using var timer = new MessageTimer();
        Call call = Session.Run(
            "1, 2 | Invoke-RustParallel -ThrottleLimit 2 -ApartmentState STA -JobTimeoutSeconds 20 { " +
            "$null = ($using:both).SignalAndWait(10000); if ($_ -eq 1) { ($using:timer).Start() } else { ($using:timer).WaitForMessage() } }",
            ("both", both), ("timer", timer));
        Assert.Equal(["True"], Lines(call));
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
