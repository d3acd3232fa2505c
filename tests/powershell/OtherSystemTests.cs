// Systems that the module has no library for, or one that is too new. In child processes, for a
// library is loaded once per process.

using System;
using System.IO;
using System.Text;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class OtherSystemTests : IDisposable
{
    private const string CallScript =
        "Import-Module '{0}'; try {{ Invoke-RustParallel 127.0.0.1 -TcpPort 1 }} catch {{ $_.FullyQualifiedErrorId; $_.Exception.Message }}";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("rustrunspaces-tests-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_system_without_a_library_is_told_which_ones_there_are()
    {
        string manifest = ModuleUnderTest.CopyTo(folder.FullName);
        Directory.Delete(Path.Combine(folder.FullName, "native"), recursive: true);
        AddLibrary("plan9-x64", "librust_runspaces.so");
        AddLibrary("win-arm64", "rust_runspaces.dll");
        AddLibrary("beos-arm64", "librust_runspaces.so");
        string[] lines = ChildProcess.Run(string.Format(CallScript, manifest));
        Assert.Equal("NativeLibraryNotFound,RustRunspaces.InvokeRustParallelCommand", lines[0]);
        Assert.Contains("there are libraries for beos-arm64, plan9-x64, win-arm64 (", lines[1]);
    }

    [Fact]
    public void A_deleted_library_is_not_among_those_that_there_are()
    {
        string manifest = ModuleUnderTest.CopyTo(folder.FullName);
        foreach (string library in Directory.GetFiles(Path.Combine(folder.FullName, "native"), "*", SearchOption.AllDirectories))
        {
            File.Delete(library);
        }
        AddLibrary("plan9-x64", "librust_runspaces.so");
        string[] lines = ChildProcess.Run(string.Format(CallScript, manifest));
        Assert.Contains("there are libraries for plan9-x64 (", lines[1]);
    }

    [Fact]
    public void A_system_with_an_older_glibc_is_told_which_one_is_needed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "glibc is Linux's");
        string manifest = ModuleUnderTest.CopyTo(folder.FullName);
        foreach (string library in Directory.GetFiles(folder.FullName, "*.so", SearchOption.AllDirectories))
        {
            AskForAnotherGlibc(library);
        }
        string[] lines = ChildProcess.Run(string.Format(CallScript, manifest));
        Assert.Equal("NativeLibraryNotLoaded,RustRunspaces.InvokeRustParallelCommand", lines[0]);
        Assert.Contains("`GLIBC_9.99' not found", lines[1]);
        Assert.Matches(@"need glibc 2\.34 or newer, this system has glibc 2\.\d+$", lines[1]);
    }

    private void AddLibrary(string system, string file) =>
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder.FullName, "native", system)).FullName, file), "");

    // The loader compares the names of versions, which stand in the table of dynamic strings.
    private static void AskForAnotherGlibc(string library)
    {
        byte[] content = File.ReadAllBytes(library);
        int place = content.AsSpan().IndexOf(Encoding.ASCII.GetBytes("GLIBC_2.34\0"));
        Assert.True(place >= 0, $"{library} asks for glibc 2.34");
        Encoding.ASCII.GetBytes("GLIBC_9.99").CopyTo(content, place);
        File.WriteAllBytes(library, content);
    }
}
