// Where the module under test and the repository are.

using System;
using System.IO;
using Xunit;

namespace RustRunspaces.PowerShellTests;

internal static class ModuleUnderTest
{
    public const string ManifestVariable = "RUSTRUNSPACES_MODULE";

    /// <summary>The manifest: that of the environment variable, else what the build made.</summary>
    public static string Manifest { get; } = FindManifest();

    public static string Folder => Path.GetDirectoryName(Manifest)!;

    /// <summary>A file of the repository; skips the test where only the executable and the module are.</summary>
    public static string RepositoryFile(string path)
    {
        string? root = FindRepository(AppContext.BaseDirectory) ?? FindRepository(Folder);
        Assert.SkipWhen(root is null, "the repository is not above the tests or the module");
        return Path.Combine(root!, path);
    }

    private static string FindManifest()
    {
        string? given = Environment.GetEnvironmentVariable(ManifestVariable);
        string path = string.IsNullOrEmpty(given)
            ? Path.Combine(FindRepository(AppContext.BaseDirectory) ?? ".", "out", "RustRunspaces", "RustRunspaces.psd1")
            : Path.GetFullPath(given);
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException($"The module is not at '{path}': build it, or set {ManifestVariable} to its manifest");
    }

    private static string? FindRepository(string folder)
    {
        DirectoryInfo? candidate = new(folder);
        while (candidate is not null && !File.Exists(Path.Combine(candidate.FullName, "Cargo.toml")))
        {
            candidate = candidate.Parent;
        }
        return candidate?.FullName;
    }
}
