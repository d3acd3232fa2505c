// Where the module under test and the repository are.

using System;
using System.IO;
using System.Text.RegularExpressions;
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

    /// <summary>The version in Cargo.toml, which all others follow.</summary>
    public static string CargoVersion()
    {
        string cargo = File.ReadAllText(RepositoryFile("Cargo.toml"));
        return Regex.Match(cargo, "(?m)^version = \"([0-9.]+)\"").Groups[1].Value;
    }

    /// <summary>Copies the module into an empty folder.</summary>
    /// <returns>The copy's manifest.</returns>
    public static string CopyTo(string folder)
    {
        foreach (string file in Directory.GetFiles(Folder, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(folder, Path.GetRelativePath(Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return Path.Combine(folder, Path.GetFileName(Manifest));
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
