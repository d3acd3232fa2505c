// The package that a PowerShell repository gets: what is in it, and that the archive beside it has
// the same. Where no package was made the tests are skipped.

using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Xml.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class PackageTests : ModuleTest
{
    private static readonly XNamespace Nuspec = "http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd";
    private static readonly XNamespace ContentTypes = "http://schemas.openxmlformats.org/package/2006/content-types";
    private static readonly XNamespace Relationships = "http://schemas.openxmlformats.org/package/2006/relationships";

    [Fact]
    public void It_has_the_libraries_of_all_systems()
    {
        string[] names = Entries("nupkg").Keys.ToArray();
        Assert.Contains("native/win-x64/rust_runspaces.dll", names);
        Assert.Contains("native/linux-x64/librust_runspaces.so", names);
        Assert.Contains("native/linux-arm64/librust_runspaces.so", names);
    }

    [Fact]
    public void It_is_a_module_by_its_tags_and_has_the_manifests_version()
    {
        XElement metadata = XDocument.Parse(Text(Entries("nupkg")["RustRunspaces.nuspec"])).Root!.Element(Nuspec + "metadata")!;
        Assert.Equal("RustRunspaces", metadata.Element(Nuspec + "id")!.Value);
        Assert.Equal(ModuleUnderTest.CargoVersion(), metadata.Element(Nuspec + "version")!.Value);
        string[] tags = metadata.Element(Nuspec + "tags")!.Value.Split(' ');
        Assert.Contains("PSModule", tags);
        Assert.Contains("PSEdition_Desktop", tags);
        Assert.Contains("PSEdition_Core", tags);
        Assert.Contains("PSCmdlet_Invoke-RustParallel", tags);
    }

    [Fact]
    public void Each_part_has_a_type_and_each_relationship_a_part()
    {
        Dictionary<string, byte[]> entries = Entries("nupkg");
        XElement types = XDocument.Parse(Text(entries["[Content_Types].xml"])).Root!;
        HashSet<string> extensions = types.Elements(ContentTypes + "Default").Select(type => type.Attribute("Extension")!.Value).ToHashSet();
        HashSet<string> parts = types.Elements(ContentTypes + "Override").Select(type => type.Attribute("PartName")!.Value).ToHashSet();
        Assert.All(
            entries.Keys.Where(name => name != "[Content_Types].xml"),
            name => Assert.True(extensions.Contains(Path.GetExtension(name).TrimStart('.')) || parts.Contains("/" + name), name));
        string[] targets = XDocument.Parse(Text(entries["_rels/.rels"])).Root!.Elements(Relationships + "Relationship")
            .Select(relationship => relationship.Attribute("Target")!.Value.TrimStart('/')).ToArray();
        Assert.Equal(2, targets.Length);
        Assert.All(targets, target => Assert.Contains(target, entries.Keys));
    }

    [Fact]
    public void The_zip_has_the_same_module_in_one_folder()
    {
        string[] ofThePackageAlone = ["[Content_Types].xml", "RustRunspaces.nuspec"];
        Dictionary<string, byte[]> package = Entries("nupkg");
        Dictionary<string, byte[]> archive = Entries("zip");
        string[] module = package.Keys.Where(name => !ofThePackageAlone.Contains(name)
            && !name.StartsWith("_rels/", StringComparison.Ordinal) && !name.StartsWith("package/", StringComparison.Ordinal)).ToArray();
        Assert.Equal(module.Select(name => "RustRunspaces/" + name).Order(StringComparer.Ordinal), archive.Keys.Order(StringComparer.Ordinal));
        Assert.All(module, name => Assert.True(package[name].SequenceEqual(archive["RustRunspaces/" + name]), name));
    }

    [Fact]
    public void Nothing_in_it_tells_where_it_was_built()
    {
        string root = Path.GetFullPath(ModuleUnderTest.RepositoryFile("."));
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        foreach ((string name, byte[] content) in Entries("nupkg"))
        {
            foreach (string folder in new[] { root, home }.Where(folder => folder.Length > 1))
            {
                Assert.False(content.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(folder.TrimEnd('/') + "/")) >= 0, $"{name} has {folder}");
            }
        }
    }

    private static string Text(byte[] content) => System.Text.Encoding.UTF8.GetString(content);

    private static Dictionary<string, byte[]> Entries(string extension)
    {
        string path = ModuleUnderTest.RepositoryFile($"out/RustRunspaces.{ModuleUnderTest.CargoVersion()}.{extension}");
        Assert.SkipUnless(File.Exists(path), "the package was not made");
        using ZipArchive archive = ZipFile.OpenRead(path);
        var entries = new Dictionary<string, byte[]>();
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            using Stream source = entry.Open();
            using var content = new MemoryStream();
            source.CopyTo(content);
            entries.Add(entry.FullName, content.ToArray());
        }
        return entries;
    }
}
