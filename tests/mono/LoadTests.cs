// Finding and loading the engine's library under this runtime.

using System;
using System.IO;
using System.Linq;
using System.Reflection;
using RustRunspaces.Native;

namespace RustRunspaces.NativeUnderMono;

internal static class LoadTests
{
    internal static void The_library_is_loaded_by_absolute_path()
    {
        Library.Get();
        string folder = Path.GetDirectoryName(typeof(Library).Assembly.Location)!;
        AssertLoadedFrom(folder);
    }

    internal static void A_file_that_is_no_library_has_a_reason()
    {
        IntPtr library = SystemLoader.Load(typeof(LoadTests).Assembly.Location, out string reason);
        Check.Equal(IntPtr.Zero, library, "library");
        Check.True(reason.Contains("ELF"), $"the loader's own words, not '{reason}'");
    }

    // The assembly is netstandard2.0, as PowerShell loads it; its cmdlets need PowerShell, its native layer does not.
    internal static void The_shipped_assembly_loads_its_library(string module)
    {
        Assembly assembly = Assembly.LoadFrom(Path.Combine(Path.GetFullPath(module), "RustRunspaces.dll"));
        Check.True(assembly != typeof(Library).Assembly, "the module's assembly, not this one");
        MethodInfo get = assembly.GetType("RustRunspaces.Native.Library", throwOnError: true)
            .GetMethod("Get", BindingFlags.Static | BindingFlags.NonPublic)!;
        Check.True(get.Invoke(null, null) != null, "a library");
        AssertLoadedFrom(Path.GetFullPath(module));

        // Both callers of the engine in one process: a pool of theirs, opened and closed.
        MethodInfo open = assembly.GetType("RustRunspaces.Native.Pool", throwOnError: true)
            .GetMethod("Open", BindingFlags.Static | BindingFlags.NonPublic, null, new[] { typeof(uint), typeof(ulong) }, null)!;
        ((IDisposable)open.Invoke(null, new object[] { 0u, 0ul })!).Dispose();
    }

    private static void AssertLoadedFrom(string folder) => Check.True(
        File.ReadLines("/proc/self/maps").Any(line =>
            line.EndsWith("/librust_runspaces.so", StringComparison.Ordinal) && line.Contains(folder + "/native/")),
        $"the library of {folder} is loaded");
}
