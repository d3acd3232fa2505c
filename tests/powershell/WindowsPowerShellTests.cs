// Everything that ships or builds can be read by Windows PowerShell 5.1, which runs nowhere but on
// Windows: its syntax, cmdlets and types are a list here.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class WindowsPowerShellTests
{
    private static readonly string[] Built = ["target", "out"];
    private static readonly string[] Extensions = [".ps1", ".psm1", ".psd1", ".ps1xml"];

    /// <summary>Measurements use these only where they exist: they ask before.</summary>
    private static readonly string[] MayMeasure = [" of ForEach-Object", " GC::GetTotalAllocatedBytes"];

    [Fact]
    public void Scripts_manifests_and_formats_have_nothing_newer()
    {
        var complaints = new List<string>();
        IReadOnlySet<string> own = OwnCommands();
        foreach ((string name, string text) in Scripts())
        {
            bool isMeasurement = name.StartsWith("benches/", StringComparison.Ordinal);
            complaints.AddRange(WindowsPowerShellSyntax.Judge(name, text, own)
                .Where(complaint => !(isMeasurement && MayMeasure.Any(end => complaint.EndsWith(end, StringComparison.Ordinal)))));
        }
        Assert.Empty(complaints);
    }

    [Fact]
    public void Scripts_have_the_encoding_that_it_reads()
    {
        // Without a byte order mark it takes a file for the system's old code page: ASCII is the same in all.
        Assert.Empty(Scripts().Where(script => script.Text.Any(character => character > 127)).Select(script => script.Name));
    }

    [Fact]
    public void The_build_the_module_and_the_examples_are_among_them()
    {
        string[] names = Scripts().Select(script => script.Name).ToArray();
        Assert.Contains("build.ps1", names);
        Assert.Contains("module/RustRunspaces.psd1", names);
        Assert.Contains("module/RustRunspaces.format.ps1xml", names);
        Assert.Contains("examples/Watch-Hosts.ps1", names);
    }

    [Theory]
    [InlineData("$a ? 1 : 2", "ternary")]
    [InlineData("$a ?? 1", "??")]
    [InlineData("$a ??= 1", "??=")]
    [InlineData("${a}?.Length", "?.")]
    [InlineData("${a}?[0]", "?[")]
    [InlineData("a && b", "&&")]
    [InlineData("a || b", "||")]
    [InlineData("a &", "background")]
    [InlineData("Get-Item .\n| Out-Null", "pipe at the beginning")]
    [InlineData("function f { clean { } }", "clean")]
    [InlineData("[Linq.Enumerable]::Empty[int]()", "type arguments")]
    [InlineData("1u", "number")]
    [InlineData("0b11", "number")]
    [InlineData("\"`e[0m\"", "escapes")]
    [InlineData("if ($IsWindows) { }", "$IsWindows")]
    [InlineData("[semver] '1.2.3'", "[semver]")]
    [InlineData("[ulong[]] 1", "[ulong]")]
    [InlineData("param([ushort] $Port)", "[ushort]")]
    [InlineData("Join-String", "Join-String")]
    [InlineData("1..3 | ForEach-Object -Parallel { $_ }", "-Parallel")]
    [InlineData("1..3 | % -Parallel { $_ }", "-Parallel")]
    [InlineData("'{}' | ConvertFrom-Json -AsHashtable", "-AsHashtable")]
    [InlineData("1..3 | ForEach-Object -Par { $_ }", "-Par of ForEach-Object")]
    [InlineData("Get-Content a -AsB", "-AsB of Get-Content")]
    [InlineData("1..3 | sort -Top 1", "-Top of Sort-Object")]
    [InlineData("gc a -AsByteStream", "-AsByteStream of Get-Content")]
    [InlineData("dir -FollowSymlink", "-FollowSymlink of Get-ChildItem")]
    [InlineData("iwr $uri -SkipCertificateCheck", "-SkipCertificateCheck of Invoke-WebRequest")]
    [InlineData("Invoke-WebRequest $uri -Form $form", "-Form")]
    [InlineData("Invoke-RestMethod $uri -ResponseHeadersVariable h", "-ResponseHeadersVariable")]
    [InlineData("Import-Module a -UseWindowsPowerShell", "-UseWindowsPowerShell")]
    [InlineData("Import-Module a -SkipEditionCheck", "-SkipEditionCheck")]
    [InlineData("Get-Command a -UseFuzzyMatching", "-UseFuzzyMatching")]
    [InlineData("Get-Item a -ProgressAction Ignore", "-ProgressAction")]
    [InlineData("gerr", "the command gerr")]
    [InlineData("Join-Path a b c", "Join-Path")]
    [InlineData("Join-Path -Path a -ChildPath b c", "Join-Path")]
    [InlineData("Join-Path -Resolve a b c", "Join-Path")]
    [InlineData("'a' | Out-File b -Encoding utf8NoBOM", "utf8NoBOM")]
    [InlineData("Set-Content a 1 -Encoding:utf8BOM", "utf8BOM")]
    [InlineData("Set-Content a 1 -Enc 'ansi'", "ansi")]
    [InlineData("Get-Content a -Encoding 1252", "1252")]
    [InlineData("enum E : byte { One }", "enum")]
    [InlineData("'a'..'f'", "range")]
    [InlineData("param([ValidateScript({ $_ }, ErrorMessage = 'no')] $Value)", "ErrorMessage")]
    [InlineData("if ($global:IsLinux) { }", "$IsLinux")]
    [InlineData("[System.Management.Automation.SemanticVersion] '1.2.3'", "SemanticVersion")]
    [InlineData("[Management.Automation.SemanticVersion]::new(1)", "SemanticVersion")]
    [InlineData("[IO.Path]::GetRelativePath('a', 'b')", "IO.Path::GetRelativePath")]
    [InlineData("[System.Math]::Clamp(1, 2, 3)", "Math::Clamp")]
    [InlineData("[io.file]::Move('a', 'b', $true)", "::Move")]
    [InlineData("[Environment]::ProcessPath", "::ProcessPath")]
    [InlineData("if (", "Missing")]
    public void What_is_newer_is_found(string script, string complaint) =>
        Assert.Contains(WindowsPowerShellSyntax.Judge("script.ps1", script, OwnCommands()), found => found.Contains(complaint, StringComparison.Ordinal));

    [Theory]
    [InlineData("ScriptBlock")]
    [InlineData("GetScriptBlock")]
    [InlineData("SetScriptBlock")]
    [InlineData("Script")]
    public void What_is_newer_is_found_in_a_format_or_type_file(string element) =>
        Assert.Single(WindowsPowerShellSyntax.Judge("f.ps1xml", $"<Configuration><{element}>$_ ?? 1</{element}></Configuration>", OwnCommands()));

    [Theory]
    [InlineData("'a && b', \"$(1 + 1) ?? 2\" # ForEach-Object -Parallel")]
    [InlineData("Invoke-RustParallel -Parallel { $_ }")]
    [InlineData("[Collections.Generic.List[string]]::new(); [ordered] @{ a = 0x1F; b = 12kb; c = 1.5; d = 10L }")]
    [InlineData("Get-ChildItem |\n  Where-Object { $_ } |\n  Select-Object -First 1")]
    [InlineData("Split-Path a -Leaf; Resolve-Path a -Relative; 1..3 | ForEach-Object -Pr { $_ }; Get-ChildItem -Fo; Get-Date -U %s")]
    [InlineData("Test-Connection a -Ti 64; Export-Csv a -NoT; Export-Csv a -UseC; New-PSSession a -UseSSL; Read-Host -AsSecureString")]
    [InlineData("1..3 | sort -Descending | select -First 1 | % { $_ } | ? { $_ } | tee -Variable a; gc a -Tail 1; dir -Recurse; iwr a -UseBasicParsing")]
    [InlineData("Set-Content a 1 -Encoding UTF8; Get-Content a -Encoding:Byte; Out-File a -Enc ascii; Get-Content a -Encoding $encoding; 'utf8NoBOM'")]
    [InlineData("Join-Path a b; Join-Path -Path a -ChildPath b -Resolve; Join-Path a b -ErrorAction Stop; Join-Path a, c b")]
    [InlineData("Expand-Archive a b; Compress-Archive a b; Install-Module a; Register-PSRepository a; Clear-Host; Get-Verb")]
    [InlineData("enum E { One }; class C : Exception { }; 1..3; '1'..'3'; $env:IsLinux; function f([ValidateSet('a')] $Value) { }")]
    [InlineData("[IO.File]::Move('a', 'b'); [IO.File]::Copy('a', 'b', $true); [IO.Path]::GetFullPath('a'); [Math]::Max(1, 2); [uint64] 1; [System.UInt16] 1")]
    public void What_it_has_is_left_alone(string script) =>
        Assert.Empty(WindowsPowerShellSyntax.Judge("script.ps1", script, OwnCommands()));

    private static IReadOnlySet<string> OwnCommands() =>
        Scripts().Where(script => !script.Name.EndsWith(".ps1xml", StringComparison.Ordinal))
            .SelectMany(script => WindowsPowerShellSyntax.Functions(script.Text)).Append("Invoke-RustParallel")
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<(string Name, string Text)> Scripts()
    {
        string root = Path.GetFullPath(ModuleUnderTest.RepositoryFile("."));
        IEnumerable<string> folders = Directory.EnumerateDirectories(root)
            .Where(folder => !Built.Contains(Path.GetFileName(folder)) && !Path.GetFileName(folder).StartsWith('.'));
        IEnumerable<string> files = Directory.EnumerateFiles(root)
            .Concat(folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)));
        foreach (string file in files.Order(StringComparer.Ordinal))
        {
            if (Extensions.Contains(Path.GetExtension(file)))
            {
                string name = Path.GetRelativePath(root, file).Replace('\\', '/');
                yield return (name, File.ReadAllText(file));
            }
        }
    }
}
