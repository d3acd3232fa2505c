// The engine's library: finds it beside this assembly, loads it once per process by absolute path and binds the
// functions that the module calls. Any thread.

using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;

namespace RustRunspaces.Native;

/// <summary>The import table.</summary>
internal sealed unsafe class Library
{
    /// <summary>RR_ABI_VERSION of the header that this assembly was written for.</summary>
    private const uint AbiVersion = 1;

    private static readonly object Gate = new object();
    private static Library? loaded;

    internal readonly delegate* unmanaged[Cdecl]<int, byte*> StatusMessage;
    internal readonly delegate* unmanaged[Cdecl]<byte*, nuint, uint, ulong, ulong, byte*, nuint, ulong*, uint*, nuint*, int> TargetPart;
    internal readonly delegate* unmanaged[Cdecl]<PoolOptions*, ulong*, int> PoolOpen;
    internal readonly delegate* unmanaged[Cdecl]<ulong, ProbeOptions*, Target*, nuint, nuint, byte*, nuint, nuint*, int> PoolSubmitProbes;
    internal readonly delegate* unmanaged[Cdecl]<ulong, int> PoolCloseInput;
    internal readonly delegate* unmanaged[Cdecl]<ulong, ulong, void*, int> PoolPoll;
    internal readonly delegate* unmanaged[Cdecl]<ulong, Completion*, nuint, nuint, byte*, nuint, nuint*, nuint*, int> PoolCollect;
    internal readonly delegate* unmanaged[Cdecl]<ulong, int> PoolCancel;
    internal readonly delegate* unmanaged[Cdecl]<ulong, uint*, int> PoolClose;
    internal readonly delegate* unmanaged[Cdecl]<ulong, ulong*, nuint, nuint*, int> PoolSubmitCalls;
    internal readonly delegate* unmanaged[Cdecl]<ulong, int> PoolWake;
    internal readonly delegate* unmanaged[Cdecl]<ulong, int> WorkerOpened;
    internal readonly delegate* unmanaged[Cdecl]<ulong, Call*, int> WorkerNext;
    internal readonly delegate* unmanaged[Cdecl]<ulong, uint, int> WorkerFinish;

    private Library(IntPtr library, string path)
    {
        void* Bind(string function)
        {
            IntPtr address = SystemLoader.Find(library, function);
            return address != IntPtr.Zero
                ? (void*)address
                : throw new LibraryException(
                    LibraryFailure.NativeLibraryNotLoaded, path, $"'{path}' has no function {function}: install the module again");
        }

        // Before anything else: another version may lack functions, or mean something else by them.
        var abiVersion = (delegate* unmanaged[Cdecl]<uint>)Bind("rr_abi_version");
        uint theirs = abiVersion();
        if (theirs != AbiVersion)
        {
            throw new LibraryException(
                LibraryFailure.AbiMismatch,
                path,
                $"RustRunspaces.dll needs version {AbiVersion} of the engine's interface, but '{path}' has version {theirs}: install the module again");
        }

        StatusMessage = (delegate* unmanaged[Cdecl]<int, byte*>)Bind("rr_status_message");
        TargetPart =
            (delegate* unmanaged[Cdecl]<byte*, nuint, uint, ulong, ulong, byte*, nuint, ulong*, uint*, nuint*, int>)Bind("rr_target_part");
        PoolOpen = (delegate* unmanaged[Cdecl]<PoolOptions*, ulong*, int>)Bind("rr_pool_open");
        PoolSubmitProbes =
            (delegate* unmanaged[Cdecl]<ulong, ProbeOptions*, Target*, nuint, nuint, byte*, nuint, nuint*, int>)Bind("rr_pool_submit_probes");
        PoolCloseInput = (delegate* unmanaged[Cdecl]<ulong, int>)Bind("rr_pool_close_input");
        PoolPoll = (delegate* unmanaged[Cdecl]<ulong, ulong, void*, int>)Bind("rr_pool_poll");
        PoolCollect =
            (delegate* unmanaged[Cdecl]<ulong, Completion*, nuint, nuint, byte*, nuint, nuint*, nuint*, int>)Bind("rr_pool_collect");
        PoolCancel = (delegate* unmanaged[Cdecl]<ulong, int>)Bind("rr_pool_cancel");
        PoolClose = (delegate* unmanaged[Cdecl]<ulong, uint*, int>)Bind("rr_pool_close");
        PoolSubmitCalls = (delegate* unmanaged[Cdecl]<ulong, ulong*, nuint, nuint*, int>)Bind("rr_pool_submit_calls");
        PoolWake = (delegate* unmanaged[Cdecl]<ulong, int>)Bind("rr_pool_wake");
        WorkerOpened = (delegate* unmanaged[Cdecl]<ulong, int>)Bind("rr_worker_opened");
        WorkerNext = (delegate* unmanaged[Cdecl]<ulong, Call*, int>)Bind("rr_worker_next");
        WorkerFinish = (delegate* unmanaged[Cdecl]<ulong, uint, int>)Bind("rr_worker_finish");
    }

    /// <summary>The library, loaded at the first call. A failure is not kept: the next call tries again.</summary>
    internal static Library Get()
    {
        lock (Gate)
        {
            return loaded ??= Load();
        }
    }

    /// <summary>Throws where a call failed; returns what is not an error.</summary>
    internal NativeStatus Check(int status) =>
        status >= 0
            ? (NativeStatus)status
            : throw new NativeException((NativeStatus)status, Marshal.PtrToStringAnsi((IntPtr)StatusMessage(status)) ?? "");

    private static Library Load()
    {
        CheckSizes();
        string assembly = typeof(Library).Assembly.Location;
        if (string.IsNullOrEmpty(assembly))
        {
            throw new LibraryException(
                LibraryFailure.NativeLibraryNotFound,
                "",
                "The engine's library is looked for beside RustRunspaces.dll, but this assembly was loaded from bytes and has no place: load the module from its folder");
        }
        string path = Locate(Path.Combine(Path.GetDirectoryName(assembly) ?? "", "native"), RuntimeIdentifier());
        IntPtr library = SystemLoader.Load(path, out string reason);
        if (library == IntPtr.Zero)
        {
            throw new LibraryException(LibraryFailure.NativeLibraryNotLoaded, path, $"The engine's library '{path}' cannot be loaded: {reason}");
        }
        return new Library(library, path);
    }

    /// <summary>The full path of a system's library below the folder; throws where it has none.</summary>
    internal static string Locate(string folder, string own)
    {
        string path = Path.GetFullPath(Path.Combine(folder, own, FileName(own)));
        if (OfThirtyTwoBits(own) is string instead)
        {
            throw new LibraryException(LibraryFailure.NativeLibraryNotFound, path, instead);
        }
        if (!File.Exists(path))
        {
            string[] present = Directory.Exists(folder)
                ? Directory.GetDirectories(folder).Select(Path.GetFileName)
                    .Where(system => File.Exists(Path.Combine(folder, system, FileName(system))))
                    .OrderBy(system => system, StringComparer.Ordinal).ToArray()
                : Array.Empty<string>();
            string there = present.Length == 0 ? "there is none for any system" : $"there are libraries for {string.Join(", ", present)}";
            throw new LibraryException(
                LibraryFailure.NativeLibraryNotFound,
                path,
                $"The engine's library was not found: '{path}' does not exist, {there} (supported: linux-x64, linux-arm64, win-x64)");
        }
        return path;
    }

    /// <summary>What to use instead of a process of 32 bits on Windows; null for any other process.</summary>
    private static string? OfThirtyTwoBits(string runtimeIdentifier) =>
        runtimeIdentifier is "win-x86" or "win-arm"
            ? "There is no library for 32-bit PowerShell: use the 64-bit one. "
                // The page "File System Redirector": what 32-bit processes see as System32 is SysWOW64.
                + @"A 32-bit process finds it as %SystemRoot%\Sysnative\WindowsPowerShell\v1.0\powershell.exe, "
                + @"any other as %SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"
            : null;

    private static string RuntimeIdentifier()
    {
        // Elsewhere there is no such folder, which the error says.
        string system = SystemLoader.IsWindows ? "win" : RuntimeInformation.IsOSPlatform(OSPlatform.Linux) ? "linux" : "other";
        return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }

    private static string FileName(string runtimeIdentifier) =>
        runtimeIdentifier.StartsWith("win-", StringComparison.Ordinal) ? "rust_runspaces.dll" : "librust_runspaces.so";

    private static void CheckSizes()
    {
        // A 32-bit process has smaller pointers, and there is no library for it.
        bool fits = sizeof(void*) != 8
            || (sizeof(PoolOptions) == PoolOptions.Size
                && sizeof(ProbeOptions) == ProbeOptions.Size
                && sizeof(Target) == Target.Size
                && sizeof(Completion) == Completion.Size
                && sizeof(PoolCounts) == PoolCounts.Size
                && sizeof(Call) == Call.Size);
        if (!fits)
        {
            throw new InvalidOperationException("The structs of this assembly do not have the sizes of the header");
        }
    }
}
