// Pools whose jobs are calls of this process: the pool's side of Pool, the worker's handle, and the callbacks.
// The engine calls the callbacks on its own threads; nothing may unwind into it, so they catch everything.

using System;
using System.Runtime.InteropServices;

namespace RustRunspaces.Native;

/// <summary>rr_call: a call taken by a worker.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Call
{
    internal const int Size = 16;

    internal uint StructSize;
    internal uint WorkerNumber;
    internal ulong Number;
}

/// <summary>rr_pool_counts.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PoolCounts
{
    internal const int Size = 104;
    internal const uint FlagRunLimitReached = 4;

    internal uint StructSize;
    internal uint Flags;
    internal ulong Submitted;
    internal ulong Begun;
    internal ulong Finished;
    internal ulong Ready;
    internal ulong PacketsSent;
    internal ulong PacketsForeign;
    internal uint Workers;
    internal uint WorkersAbandoned;
    internal ulong PacketsNotSent;
    internal ulong ErrorsDrained;
    internal ulong BufferOverflows;
    internal ulong LateTurns;
    internal uint LookupsOpen;
    internal uint Reserved;
}

/// <summary>COM apartments of worker threads: RR_APARTMENT_*.</summary>
internal enum Apartment
{
    None = 0,
    SingleThreaded = 1,
    MultiThreaded = 2,
}

/// <summary>How the calls of a pool are limited. Times are milliseconds, 0 means no limit.</summary>
internal readonly struct CallLimits
{
    internal CallLimits(int maximumWorkers, ulong jobMilliseconds, ulong runMilliseconds, Apartment apartment)
    {
        MaximumWorkers = maximumWorkers;
        JobMilliseconds = jobMilliseconds;
        RunMilliseconds = runMilliseconds;
        Apartment = apartment;
    }

    internal int MaximumWorkers { get; }

    internal ulong JobMilliseconds { get; }

    internal ulong RunMilliseconds { get; }

    internal Apartment Apartment { get; }
}

/// <summary>What a pool calls back. All may run on several threads of the engine at once.</summary>
internal interface ICallHost
{
    /// <summary>The life of one worker: takes calls until there are no more. On the worker's thread.</summary>
    void Run(Worker worker);

    /// <summary>Asks the worker to end the call it is at; must not block.</summary>
    void Stop(ulong worker, ulong number);

    /// <summary>Nanoseconds for which the runtime has kept all threads stopped so far.</summary>
    ulong PausedNanoseconds();
}

/// <summary>A worker of a pool, to be used on its thread inside <see cref="ICallHost.Run"/> only.</summary>
internal readonly unsafe struct Worker
{
    private readonly Library library;

    internal Worker(Library library, ulong handle)
    {
        this.library = library;
        Handle = handle;
    }

    internal ulong Handle { get; }

    /// <summary>Says that the worker is open: what it does until its first call may wait, and keeps no other from opening.</summary>
    internal void Opened() => library.WorkerOpened(Handle);

    /// <summary>Takes the next call; sleeps until there is one.</summary>
    /// <returns>False: the worker shall return.</returns>
    internal bool Next(out ulong number, out int workerNumber)
    {
        var call = new Call { StructSize = Call.Size };
        int status = library.WorkerNext(Handle, &call);
        number = call.Number;
        workerNumber = (int)call.WorkerNumber;
        return status == (int)NativeStatus.Ok;
    }

    /// <summary>Reports how the call taken last ended.</summary>
    /// <param name="outcome">RR_OUTCOME_COMPLETED, _FAILED, _STOPPED or _LOST.</param>
    /// <returns>False: the worker was given up or the pool is closed; the worker shall return.</returns>
    internal bool Finish(uint outcome) => library.WorkerFinish(Handle, outcome) == (int)NativeStatus.Ok;
}

/// <content>The functions for calls.</content>
internal sealed unsafe partial class Pool
{
    /// <summary>Opens a pool that hands its jobs to <paramref name="host"/>.</summary>
    internal static Pool Open(ICallHost host, CallLimits limits)
    {
        Library library = Library.Get();
        var options = new PoolOptions
        {
            StructSize = PoolOptions.Size,
            MaximumWorkers = (uint)limits.MaximumWorkers,
            Apartment = (uint)limits.Apartment,
            RunLimitMilliseconds = limits.RunMilliseconds,
            JobLimitMilliseconds = limits.JobMilliseconds,
            Run = (void*)CallbackTable.Run,
            Stop = (void*)CallbackTable.Stop,
            Release = (void*)CallbackTable.Release,
            Paused = (void*)CallbackTable.Paused,
        };
        GCHandle context = GCHandle.Alloc(new CallContext(library, host));
        options.Context = (void*)GCHandle.ToIntPtr(context);
        ulong pool;
        try
        {
            library.Check(library.PoolOpen(&options, &pool));
        }
        catch (NativeException)
        {
            context.Free(); // Release is only called for a pool that was opened
            throw;
        }
        return new Pool(library, new PoolHandle(library, pool));
    }

    /// <summary>Submits <paramref name="numbers"/> from <paramref name="taken"/> on and moves it.</summary>
    /// <returns>Ok: all taken. Again: collect, then submit the rest. Closed: the pool takes no more.</returns>
    internal NativeStatus SubmitCalls(ulong[] numbers, int count, ref int taken)
    {
        nuint now = 0;
        int status;
        fixed (ulong* pinned = numbers)
        {
            status = library.PoolSubmitCalls(handle.Value, pinned + taken, (nuint)(count - taken), &now);
        }
        taken += (int)now;
        return library.Check(status);
    }

    /// <summary>Makes the present or the next <see cref="Poll"/> return; any thread, harmless after the pool was closed.</summary>
    internal void Wake() => library.PoolWake(handle.Value);

    /// <summary>Ends the pool within a second, whatever its calls do.</summary>
    /// <returns>How many workers have not come back.</returns>
    internal int Close()
    {
        if (handle.IsClosed || handle.IsInvalid)
        {
            return 0;
        }
        uint running = 0;
        int status = library.PoolClose(handle.Value, &running);
        handle.SetHandleAsInvalid();
        return status == (int)NativeStatus.Ok ? (int)running : 0;
    }

    private sealed class CallContext
    {
        internal CallContext(Library library, ICallHost host)
        {
            Library = library;
            Host = host;
        }

        internal Library Library { get; }

        internal ICallHost Host { get; }
    }

    /// <summary>The functions that the engine calls. Their delegates live as long as the process.</summary>
    private static class CallbackTable
    {
        private static readonly RunCallback RunDelegate = OnRun;
        private static readonly StopCallback StopDelegate = OnStop;
        private static readonly ReleaseCallback ReleaseDelegate = OnRelease;
        private static readonly PausedCallback PausedDelegate = OnPaused;

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void RunCallback(IntPtr context, ulong worker);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void StopCallback(IntPtr context, ulong worker, ulong number);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void ReleaseCallback(IntPtr context);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate ulong PausedCallback(IntPtr context);

        internal static IntPtr Run { get; } = Marshal.GetFunctionPointerForDelegate(RunDelegate);

        internal static IntPtr Stop { get; } = Marshal.GetFunctionPointerForDelegate(StopDelegate);

        internal static IntPtr Release { get; } = Marshal.GetFunctionPointerForDelegate(ReleaseDelegate);

        internal static IntPtr Paused { get; } = Marshal.GetFunctionPointerForDelegate(PausedDelegate);

        private static CallContext From(IntPtr context) => (CallContext)GCHandle.FromIntPtr(context).Target;

        // Whatever happens must not unwind into the engine; the host reports its failures itself.

        private static void OnRun(IntPtr context, ulong worker)
        {
            try
            {
                CallContext call = From(context);
                call.Host.Run(new Worker(call.Library, worker));
            }
            catch (Exception)
            {
            }
        }

        private static void OnStop(IntPtr context, ulong worker, ulong number)
        {
            try
            {
                From(context).Host.Stop(worker, number);
            }
            catch (Exception)
            {
            }
        }

        private static ulong OnPaused(IntPtr context)
        {
            try
            {
                return From(context).Host.PausedNanoseconds();
            }
            catch (Exception)
            {
                return 0;
            }
        }

        private static void OnRelease(IntPtr context)
        {
            try
            {
                GCHandle.FromIntPtr(context).Free();
            }
            catch (Exception)
            {
            }
        }
    }
}
