// Where the module under test is: its manifest stands in RUSTRUNSPACES_MODULE.

using System;
using System.IO;

namespace RustRunspaces.PowerShellTests;

internal static class ModuleUnderTest
{
    public static string Manifest { get; } = Path.GetFullPath(
        Environment.GetEnvironmentVariable("RUSTRUNSPACES_MODULE") is { Length: > 0 } given
            ? given
            : throw new InvalidOperationException("RUSTRUNSPACES_MODULE must name the manifest of the module under test"));
}
