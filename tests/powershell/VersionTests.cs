// One version, which stands in Cargo.toml; and what the manifest promises.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class VersionTests : ModuleTest
{
    [Fact]
    public void The_manifest_has_the_version_of_the_crate() =>
        Assert.Equal(ModuleUnderTest.CargoVersion(), Session.Run("(Get-Module RustRunspaces).Version.ToString()").Output.Single().ToString());

    [Fact]
    public void The_assembly_has_the_version_of_the_crate()
    {
        AssemblyName assembly = AssemblyName.GetAssemblyName(Path.Combine(ModuleUnderTest.Folder, "RustRunspaces.dll"));
        Assert.Equal(ModuleUnderTest.CargoVersion() + ".0", assembly.Version!.ToString());
    }

    [Fact]
    public void The_assembly_has_the_copyright_of_the_manifest() =>
        Assert.Equal(
            Session.Run("(Get-Module RustRunspaces).Copyright").Output.Single().ToString(),
            FileVersionInfo.GetVersionInfo(Path.Combine(ModuleUnderTest.Folder, "RustRunspaces.dll")).LegalCopyright);

    [Fact]
    public void The_lock_has_the_version_of_the_crate()
    {
        string locked = File.ReadAllText(ModuleUnderTest.RepositoryFile("Cargo.lock"));
        Assert.Contains($"name = \"rust-runspaces\"\nversion = \"{ModuleUnderTest.CargoVersion()}\"", locked.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_manifest_is_valid_and_complete()
    {
        var manifest = (Hashtable)Session.Run("Import-PowerShellDataFile $path", ("path", ModuleUnderTest.Manifest)).Output.Single().BaseObject;
        Assert.Equal("5.1", manifest["PowerShellVersion"]);
        Assert.Equal(["Desktop", "Core"], ((IEnumerable)manifest["CompatiblePSEditions"]!).Cast<object>().Select(edition => edition.ToString()!));
        object[] files = [manifest["RootModule"]!, .. (IEnumerable<object>)manifest["FormatsToProcess"]!];
        Assert.All(files, file => Assert.True(File.Exists(Path.Combine(ModuleUnderTest.Folder, file.ToString()!)), file.ToString()));
        Assert.DoesNotContain(manifest.Values.Cast<object>(), value => value.ToString()!.Contains('*'));
    }

    [Fact]
    public void The_assembly_needs_nothing_newer_than_netstandard_2_0()
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(ModuleUnderTest.Folder, "RustRunspaces.dll")));
        MetadataReader assembly = file.GetMetadataReader();
        string[] references = assembly.AssemblyReferences.Select(assembly.GetAssemblyReference)
            .Select(reference => $"{assembly.GetString(reference.Name)} {reference.Version}").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["System.Management.Automation 3.0.0.0", "netstandard 2.0.0.0"], references);
    }
}
