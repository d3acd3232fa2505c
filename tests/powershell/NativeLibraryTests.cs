// How the engine's library is found and checked: in child processes, with copies of the module, for
// a library is loaded once per process.

using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class NativeLibraryTests : ModuleTest, IDisposable
{
    private const string ShowError =
        "try { Invoke-RustParallel 127.0.0.1 -TcpPort 1 } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.TargetObject; $_.Exception.Message }";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("rustrunspaces-tests-");

    public new void Dispose()
    {
        base.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public void The_library_is_loaded_from_the_modules_folder_alone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux lists what a process has loaded in a file");
        Session.Run("Invoke-RustParallel 127.0.0.1 -TcpPort 1");
        string[] loaded = File.ReadLines("/proc/self/maps").Where(line => line.Contains("rust_runspaces", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf('/')..]).Distinct().ToArray();
        Assert.StartsWith(Path.Combine(ModuleUnderTest.Folder, "native") + "/", Assert.Single(loaded));
    }

    [Fact]
    public void Without_its_library_the_module_can_be_imported_and_asked_for_help()
    {
        string manifest = ModuleUnderTest.CopyTo(folder.FullName);
        DeleteLibraries();
        string[] lines = ChildProcess.Run($"Import-Module '{manifest}'; (Get-Command Invoke-RustParallel).Name; (Get-Help Invoke-RustParallel).Name");
        Assert.Equal(["Invoke-RustParallel", "Invoke-RustParallel"], lines);
    }

    [Fact]
    public void A_missing_library_is_NativeLibraryNotFound_with_the_full_path_expected()
    {
        string manifest = ModuleUnderTest.CopyTo(folder.FullName);
        string library = DeleteLibraries();
        string[] lines = ChildProcess.Run($"Import-Module '{manifest}'; {ShowError}");
        Assert.Equal("NativeLibraryNotFound,RustRunspaces.InvokeRustParallelCommand", lines[0]);
        Assert.Equal("ObjectNotFound", lines[1]);
        Assert.Equal(library, lines[2]);
        Assert.Contains(library, lines[3]);
    }

    [Fact]
    public void A_library_of_another_version_is_AbiMismatch_with_both_numbers()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the other library is compiled by cc");
        string manifest = ModuleUnderTest.CopyTo(folder.FullName);
        string library = DeleteLibraries();
        string source = Path.Combine(folder.FullName, "other.c");
        File.WriteAllText(source, "unsigned rr_abi_version(void) { return 4711; }\n");
        Compile(source, library);
        string[] lines = ChildProcess.Run($"Import-Module '{manifest}'; {ShowError}");
        Assert.Equal("AbiMismatch,RustRunspaces.InvokeRustParallelCommand", lines[0]);
        Assert.Equal(library, lines[2]);
        Assert.Contains("4711", lines[3]);
        string header = File.ReadAllText(ModuleUnderTest.RepositoryFile("include/rust_runspaces.h"));
        string expected = header.Split("#define RR_ABI_VERSION ")[1].Split('\n')[0];
        Assert.Contains($"version {expected} ", lines[3]);
    }

    [Fact]
    public void A_file_that_is_no_library_is_NativeLibraryNotLoaded()
    {
        string manifest = ModuleUnderTest.CopyTo(folder.FullName);
        string library = DeleteLibraries();
        File.WriteAllText(library, "no library");
        string[] lines = ChildProcess.Run($"Import-Module '{manifest}'; {ShowError}");
        Assert.Equal("NativeLibraryNotLoaded,RustRunspaces.InvokeRustParallelCommand", lines[0]);
        Assert.Contains(library, lines[3]);
    }

    /// <returns>The one that this system would load.</returns>
    private string DeleteLibraries()
    {
        string[] libraries = Directory.GetFiles(Path.Combine(folder.FullName, "native"), "*", SearchOption.AllDirectories);
        foreach (string library in libraries)
        {
            File.Delete(library);
        }
        string system = OperatingSystem.IsWindows() ? "win-" : "linux-";
        string architecture = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        return libraries.Single(library => library.Contains(system + architecture, StringComparison.Ordinal));
    }

    private static void Compile(string source, string library)
    {
        Process? compiler = null;
        try
        {
            compiler = Process.Start("cc", ["-shared", "-fPIC", "-o", library, source]);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("there is no C compiler here");
        }
        using (compiler)
        {
            compiler!.WaitForExit();
            Assert.Equal(0, compiler.ExitCode);
        }
    }
}
