// The system's own loader of dynamic libraries: by absolute path, on unix and on Windows. netstandard2.0 has no
// NativeLibrary class. The only imports by name in the assembly.

using System;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace RustRunspaces.Native;

internal static class SystemLoader
{
    internal static bool IsWindows { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Loads the library at an absolute path; zero and the system's reason where that fails.</summary>
    internal static IntPtr Load(string path, out string reason)
    {
        reason = "";
        IntPtr library;
        if (IsWindows)
        {
            library = Windows.LoadLibraryExW(path, IntPtr.Zero, Windows.SearchItsFolder | Windows.SearchSystem32);
            if (library == IntPtr.Zero)
            {
                reason = new Win32Exception(Marshal.GetLastWin32Error()).Message;
            }
            return library;
        }
        try
        {
            LibC.dlerror(); // binds the import: done after dlopen, that would lose its reason
            library = LibC.dlopen(path, LibC.ResolveNow);
            reason = library == IntPtr.Zero ? Text(LibC.dlerror()) : "";
        }
        catch (EntryPointNotFoundException)
        {
            LibDl.dlerror();
            library = LibDl.dlopen(path, LibC.ResolveNow);
            reason = library == IntPtr.Zero ? Text(LibDl.dlerror()) : "";
        }
        return library;
    }

    /// <summary>The address of an exported function; zero where the library has none of that name.</summary>
    internal static IntPtr Find(IntPtr library, string function)
    {
        if (IsWindows)
        {
            return Windows.GetProcAddress(library, function);
        }
        try
        {
            return LibC.dlsym(library, function);
        }
        catch (EntryPointNotFoundException)
        {
            return LibDl.dlsym(library, function);
        }
    }

    private static string Text(IntPtr text) => Marshal.PtrToStringAnsi(text) ?? "";

#pragma warning disable CA2101, SYSLIB1054 // ASCII names in the system's 8-bit encoding are what these functions take

    private static class Windows
    {
        internal const uint SearchItsFolder = 0x100; // LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR
        internal const uint SearchSystem32 = 0x800; // LOAD_LIBRARY_SEARCH_SYSTEM32

        [DllImport("kernel32", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static extern IntPtr LoadLibraryExW(string path, IntPtr reserved, uint flags);

        [DllImport("kernel32", CharSet = CharSet.Ansi, ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static extern IntPtr GetProcAddress(IntPtr library, string function);
    }

    private static class LibC
    {
        internal const int ResolveNow = 2; // RTLD_NOW

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static extern IntPtr dlopen(string path, int flags);

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static extern IntPtr dlsym(IntPtr library, string function);

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static extern IntPtr dlerror();
    }

    /// <summary>Before glibc 2.34 the loader's functions are in a library of their own.</summary>
    private static class LibDl
    {
        [DllImport("libdl.so.2")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static extern IntPtr dlopen(string path, int flags);

        [DllImport("libdl.so.2")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static extern IntPtr dlsym(IntPtr library, string function);

        [DllImport("libdl.so.2")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static extern IntPtr dlerror();
    }
}
