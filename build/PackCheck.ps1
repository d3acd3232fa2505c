# Looks at the finished module folder before it is packed, and throws at the first thing that a
# user would trip over: a missing or stray file, a version of its own, a library that needs more
# than a plain system has. Needs Pack.ps1's list of libraries and Native.ps1.

# The newest glibc that the Linux libraries may ask for; README and error messages name it.
$NewestGlibc = [version] '2.34'

# A manifest's table, without running anything: only constants may stand in it.
function Read-Manifest([string] $Path) {
    $problems = $null
    $ast = [Management.Automation.Language.Parser]::ParseFile($Path, [ref] $null, [ref] $problems)
    if ($problems.Length -gt 0) { throw "$Path does not parse: $($problems[0].Message)" }
    $table = $ast.Find({ param($node) $node -is [Management.Automation.Language.HashtableAst] }, $false)
    return $table.SafeGetValue()
}

function Test-PackedModule {
    $manifest = Read-Manifest "$PackedModule/RustRunspaces.psd1"
    Test-PackedFiles $manifest
    Test-PackedVersions $manifest
    Test-PackedTexts $manifest
    Test-PackedImport $manifest
    foreach ($line in Test-PackedLibraries) { Write-Step $line }
}

# Every file that something refers to is there, and no other.
function Test-PackedFiles($Manifest) {
    $assembly = $Manifest.RootModule
    $expected = [Collections.Generic.SortedSet[string]]::new([StringComparer]::Ordinal)
    $listed = @(
        'RustRunspaces.psd1', $assembly, "en-US/$assembly-Help.xml", 'en-US/about_RustRunspaces.help.txt',
        'LICENSE', 'THIRD-PARTY-NOTICES.txt')
    foreach ($key in 'FormatsToProcess', 'TypesToProcess', 'ScriptsToProcess', 'NestedModules', 'RequiredAssemblies') {
        if ($Manifest.ContainsKey($key)) { $listed += @($Manifest[$key]) }
    }
    foreach ($library in $PackedLibraries) { $listed += "native/$($library.Runtime)/$($library.File)" }
    foreach ($name in $listed) { $null = $expected.Add($name) }
    $present = (Get-PackedFile).Keys
    foreach ($name in $expected) {
        if ($present -cnotcontains $name) { throw "the package lacks $name" }
    }
    foreach ($name in $present) {
        if (-not $expected.Contains($name)) { throw "the package has a stray file: $name" }
    }
}

function Test-PackedVersions($Manifest) {
    $version = Get-ProductVersion
    $lock = [IO.File]::ReadAllText("$Root/Cargo.lock").Replace("`r", '')
    # .NET reads the resource of a library without managed code on Windows only.
    $dll = [Text.Encoding]::Unicode.GetString([IO.File]::ReadAllBytes("$PackedModule/native/win-x64/rust_runspaces.dll"))
    $found = [ordered] @{
        'the manifest'            = $Manifest.ModuleVersion
        'Cargo.lock'              = [regex]::Match($lock, 'name = "rust-runspaces"\nversion = "([0-9.]+)"').Groups[1].Value
        'the assembly'            = [Reflection.AssemblyName]::GetAssemblyName("$PackedModule/$($Manifest.RootModule)").Version.ToString(3)
        'the library for Windows' = [regex]::Match($dll, 'FileVersion\0+([0-9.]+)\0').Groups[1].Value
    }
    foreach ($place in $found.Keys) {
        if ($found[$place] -cne $version) { throw "$place has version $($found[$place]), Cargo.toml has $version" }
    }
}

# Help and formats are well-formed, and speak of what the module exports.
function Test-PackedTexts($Manifest) {
    foreach ($format in $Manifest.FormatsToProcess) {
        $document = [Xml.XmlDocument]::new()
        $document.Load("$PackedModule/$format")
        if ($document.SelectNodes('/Configuration/ViewDefinitions/View').Count -eq 0) { throw "$format has no view" }
    }
    $help = [Xml.XmlDocument]::new()
    $help.Load("$PackedModule/en-US/$($Manifest.RootModule)-Help.xml")
    $explained = foreach ($name in $help.SelectNodes('//*[local-name()="command"]/*[local-name()="details"]/*[local-name()="name"]')) {
        $name.InnerText.Trim()
    }
    foreach ($cmdlet in $Manifest.CmdletsToExport) {
        if (@($explained) -cnotcontains $cmdlet) { throw "the help says nothing of $cmdlet" }
    }
    $about = [IO.File]::ReadAllText("$PackedModule/en-US/about_RustRunspaces.help.txt")
    if ($about -cnotmatch '(?m)^\s+about_RustRunspaces\r?$') { throw 'about_RustRunspaces.help.txt does not begin with its topic' }
}

# PowerShell takes it: manifest, formats and assembly load, and export what the manifest says.
function Test-PackedImport($Manifest) {
    $module = Import-Module "$PackedModule/RustRunspaces.psd1" -Force -PassThru
    $exported = @($module.ExportedCommands.Keys) -join ' '
    Remove-Module -ModuleInfo $module
    if ($exported -cne (@($Manifest.CmdletsToExport) -join ' ')) {
        throw "the manifest promises $($Manifest.CmdletsToExport), the module exports $exported"
    }
}

function Test-PackedLibraries {
    foreach ($library in $PackedLibraries) { Test-PackedLibrary $library }
}

# Right machine, the header's functions, and nothing that a plain system lacks. Says what it needs.
function Test-PackedLibrary($Library) {
    $path = "$PackedModule/native/$($Library.Runtime)/$($Library.File)"
    $dump = Get-LibraryDump $Library $path
    if ($dump.Format -cne $Library.Format) { throw "$path is a library for $($dump.Format), not $($Library.Format)" }

    $header = [regex]::Replace([IO.File]::ReadAllText("$Root/include/rust_runspaces.h"), '(?m)^\s*//.*$', '')
    $declared = [regex]::Matches($header, '\b(rr_[a-z_]+)\(') | ForEach-Object { $_.Groups[1].Value }
    $difference = [Linq.Enumerable]::Except([string[]] $dump.Exports, [string[]] $declared) -join ' '
    $difference += [Linq.Enumerable]::Except([string[]] $declared, [string[]] $dump.Exports) -join ' '
    if ($difference) { throw "$path and the header differ in: $difference" }

    foreach ($import in $dump.Imports) {
        if ($Library.Imports -notcontains $import) { throw "$path needs $import, which a plain system lacks" }
    }
    $needs = $dump.Imports -join ', '
    if ($dump.Glibc) {
        if ($dump.Glibc -gt $NewestGlibc) { throw "$path needs glibc $($dump.Glibc), newer than $NewestGlibc" }
        $needs += "; glibc $($dump.Glibc)"
    }
    return "package: $($Library.Runtime) needs $needs"
}

# Format, imports, exports and newest glibc version, as the binutils of that system tell them.
function Get-LibraryDump($Library, [string] $Path) {
    $isDll = $Library.Runtime.StartsWith('win-')
    $tool = 'objdump'
    if ($Library.Target) { $tool = $Library.Linker -replace 'gcc$', 'objdump' }
    $text = (Invoke-Required $tool $tool @('-p', $Path)).Output
    $glibc = $null
    if ($isDll) {
        $imports = [regex]::Matches($text, '(?m)^\s*DLL Name: (\S+)')
        $exports = [regex]::Matches($text, '(?m)^\s*\[ *\d+\].*\s(rr_\w+)\r?$')
    }
    else {
        $imports = [regex]::Matches($text, '(?m)^\s*NEEDED\s+(\S+)')
        $symbols = (Invoke-Required $tool $tool @('-T', $Path)).Output
        $exports = [regex]::Matches($symbols, '(?m)^\S+ g.*\s\.text\s.*\s(\w+)\r?$')
        foreach ($found in [regex]::Matches($text, 'GLIBC_(\d+\.\d+)')) {
            $needed = [version] $found.Groups[1].Value
            if ($null -eq $glibc -or $needed -gt $glibc) { $glibc = $needed }
        }
        if ($null -eq $glibc) { throw "$Path does not say which glibc it needs" }
    }
    return [PSCustomObject] @{
        Format  = [regex]::Match($text, 'file format (\S+)').Groups[1].Value
        Imports = @($imports | ForEach-Object { $_.Groups[1].Value })
        Exports = @($exports | ForEach-Object { $_.Groups[1].Value })
        Glibc   = $glibc
    }
}
