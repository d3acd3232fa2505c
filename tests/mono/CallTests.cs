// Call jobs: the engine's threads call back into this runtime, and nothing unwinds out of it.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using RustRunspaces.Native;

namespace RustRunspaces.NativeUnderMono;

internal static class CallTests
{
    internal static void Each_call_is_run_and_answered_once()
    {
        var host = new Host((worker, number) => JobStatus.Completed);
        Dictionary<ulong, JobStatus> answers = RunCalls(host, Limits(0), 1000);
        Check.Equal(1000, answers.Count, "answers");
        Check.True(answers.Values.All(status => status == JobStatus.Completed), "all completed");
        Check.Equal(1000, host.Taken, "calls taken");
        Check.True(!host.Threads.Contains(Thread.CurrentThread.ManagedThreadId), "not on the caller's thread");
    }

    internal static void A_call_past_its_limit_is_asked_to_stop()
    {
        using var asked = new ManualResetEventSlim();
        var host = new Host((worker, number) =>
        {
            asked.Wait(TimeSpan.FromSeconds(30));
            return JobStatus.Stopped;
        });
        host.Stopped = number => asked.Set();
        Dictionary<ulong, JobStatus> answers = RunCalls(host, Limits(100), 1);
        Check.Equal(JobStatus.TimedOut, answers[0], "status");
        Check.True(asked.IsSet, "stop was called");
    }

    internal static void An_exception_in_a_callback_stays_in_its_job()
    {
        int thrown = 0;
        var host = new Host((worker, number) =>
            number == 3 && Interlocked.Exchange(ref thrown, 1) == 0 ? throw new InvalidOperationException("broken") : JobStatus.Completed);
        Dictionary<ulong, JobStatus> answers = RunCalls(host, Limits(0), 10);
        Check.Equal(10, answers.Count, "answers");
        Check.Equal(JobStatus.Failed, answers[3], "the call that threw");
        Check.Equal(9, answers.Values.Count(status => status == JobStatus.Completed), "the others");
    }

    // The handle's finalizer closes what nobody disposed; the pool's context is then released. Of several one suffices:
    // Mono's collector takes any word on a stack for a reference.
    internal static void A_collected_pool_is_closed()
    {
        WeakReference[] hosts = Enumerable.Range(0, 8).Select(number => OpenAndForget()).ToArray();
        for (int i = 0; i < 100 && hosts.All(host => host.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(20);
        }
        Check.True(hosts.Any(host => !host.IsAlive), "a pool has let go of its host");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference OpenAndForget()
    {
        var host = new Host((worker, number) => JobStatus.Completed);
        Pool.Open(host, Limits(0));
        return new WeakReference(host);
    }

    private static CallLimits Limits(ulong jobMilliseconds) => new CallLimits(4, jobMilliseconds, 20_000, Apartment.None);

    private static Dictionary<ulong, JobStatus> RunCalls(Host host, CallLimits limits, int count)
    {
        var answers = new Dictionary<ulong, JobStatus>();
        using Pool pool = Pool.Open(host, limits);
        ulong[] numbers = Enumerable.Range(0, count).Select(number => (ulong)number).ToArray();
        int taken = 0;
        Check.Equal(NativeStatus.Ok, pool.SubmitCalls(numbers, numbers.Length, ref taken), "submission");
        pool.CloseInput();
        using var buffer = new CompletionBuffer();
        while (pool.Poll(10_000) != NativeStatus.Closed)
        {
            pool.Collect(buffer);
            for (int i = 0; i < buffer.Count; i++)
            {
                answers.Add(buffer[i].UserData, (JobStatus)buffer[i].Outcome); // throws at a second answer
            }
        }
        return answers;
    }

    private sealed class Host : ICallHost
    {
        private readonly Func<Worker, ulong, JobStatus> body;
        private int taken;

        internal Host(Func<Worker, ulong, JobStatus> body)
        {
            this.body = body;
        }

        internal int Taken => taken;

        internal HashSet<int> Threads { get; } = new HashSet<int>();

        internal Action<ulong> Stopped { get; set; } = number => { };

        public void Run(Worker worker)
        {
            lock (Threads)
            {
                Threads.Add(Thread.CurrentThread.ManagedThreadId);
            }
            while (worker.Next(out ulong number, out _))
            {
                Interlocked.Increment(ref taken);
                if (!worker.Finish((uint)body(worker, number)))
                {
                    return;
                }
            }
        }

        public ulong PausedNanoseconds() => 0;

        public void Stop(ulong worker, ulong number) => Stopped(number);
    }
}
