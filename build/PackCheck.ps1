# Looks at the finished module folder before it is packed, and throws at the first thing that a
# user would trip over: a missing or stray file, a version of its own, a library that needs more
# than a plain system has; that also of the library that is built for this machine. Needs Pack.ps1's list of
# libraries, Artifacts.ps1 and Native.ps1.

function Test-PackedModule {
    $manifest = Import-PowerShellDataFile "$PackedModule/RustRunspaces.psd1"
    Test-PackedFiles $manifest
    Test-PackedVersions $manifest
    Test-PackedTexts $manifest
    Test-PackedImport $manifest
    foreach ($line in Test-PackedLibraries) { Write-Step $line }
}

# Every file that something refers to is there, and no other.
function Test-PackedFiles($Manifest) {
    $assembly = $Manifest.RootModule
    $expected = @(
        'RustRunspaces.psd1', $assembly, "en-US/$assembly-Help.xml", 'en-US/about_RustRunspaces.help.txt',
        'LICENSE', 'THIRD-PARTY-NOTICES.txt') + @($PackedLibraries | ForEach-Object { "native/$($_.Runtime)/$($_.File)" })
    foreach ($key in 'FormatsToProcess', 'TypesToProcess', 'ScriptsToProcess', 'NestedModules', 'RequiredAssemblies') {
        if ($Manifest.ContainsKey($key)) { $expected += @($Manifest[$key]) }
    }
    foreach ($difference in Compare-Object $expected @((Get-RelativeFile $PackedModule).Name) -CaseSensitive) {
        if ($difference.SideIndicator -eq '<=') { throw "the package lacks $($difference.InputObject)" }
        throw "the package has a stray file: $($difference.InputObject)"
    }
}

function Test-PackedVersions($Manifest) {
    $version = Get-ProductVersion
    $lock = (Get-Content "$Root/Cargo.lock" -Raw).Replace("`r", '')
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
        if (-not (Select-Xml -LiteralPath "$PackedModule/$format" -XPath '/Configuration/ViewDefinitions/View')) { throw "$format has no view" }
    }
    $explained = Select-Xml -LiteralPath "$PackedModule/en-US/$($Manifest.RootModule)-Help.xml" `
        -XPath '//*[local-name()="command"]/*[local-name()="details"]/*[local-name()="name"]' | ForEach-Object { $_.Node.InnerText.Trim() }
    foreach ($cmdlet in $Manifest.CmdletsToExport) {
        if (@($explained) -cnotcontains $cmdlet) { throw "the help says nothing of $cmdlet" }
    }
    $about = Get-Content "$PackedModule/en-US/about_RustRunspaces.help.txt" -Raw
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
    foreach ($library in $PackedLibraries) { Test-Library $library "$PackedModule/native/$($library.Runtime)/$($library.File)" }
}

# Right machine, the header's functions, and nothing that a plain system lacks. Says what it needs.
function Test-Library($Library, [string] $Path) {
    $dump = Get-LibraryDump $Library $Path
    if ($dump.Format -cne $Library.Format) { throw "$path is a library for $($dump.Format), not $($Library.Format)" }

    $header = [regex]::Replace((Get-Content "$Root/include/rust_runspaces.h" -Raw), '(?m)^\s*//.*$', '')
    $declared = [regex]::Matches($header, '\b(rr_[a-z_]+)\(') | ForEach-Object { $_.Groups[1].Value }
    $difference = Compare-Object @($dump.Exports) @($declared | Select-Object -Unique) -CaseSensitive
    if ($difference) { throw "$path and the header differ in: $($difference.InputObject)" }

    foreach ($import in $dump.Imports) {
        if ($Library.Imports -notcontains $import) { throw "$path needs $import, which a plain system lacks" }
    }
    $needs = $dump.Imports -join ', '
    if ($dump.Glibc) {
        # Where a function stands differs from one C library to the next: all files must be there.
        foreach ($import in $Library.Imports) {
            if ($dump.Imports -notcontains $import) { throw "$path does not name $import, where old systems have functions it calls" }
        }
        if ($dump.Glibc -gt $NewestGlibc) { throw "$path needs glibc $($dump.Glibc), newer than $NewestGlibc" }
        if ($dump.Unversioned) { throw "$path calls $($dump.Unversioned), which glibc $NewestGlibc has not" }
        $needs += "; glibc $($dump.Glibc)"
    }
    return "package: $($Library.Runtime) needs $needs"
}

# Format, imports, exports and newest glibc version, as the binutils of that system tell them.
function Get-LibraryDump($Library, [string] $Path) {
    $isDll = $Library.Runtime.StartsWith('win-')
    # Where a library is for this machine its own tools are there, whatever else is.
    $tool = if ($Library.Target -eq (Get-OwnTarget)) { 'objdump' } else { $Library.Linker -replace 'gcc$', 'objdump' }
    $text = (Invoke-Required $tool $tool @('-p', $Path)).Output
    $glibc = $null
    $unversioned = @()
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
        # Weak ones may be missing: the standard library asks for them before it calls them.
        $unversioned = [regex]::Matches($symbols, '(?m)^\S+ .[^w].*\*UND\*\s+[0-9a-f]+\s+(?:Base\s+)?(?!\(?(?:GLIBC|GCC)_)(\w+)\r?$')
        if ($null -eq $glibc) { throw "$Path does not say which glibc it needs" }
    }
    return [PSCustomObject] @{
        Format      = [regex]::Match($text, 'file format (\S+)').Groups[1].Value
        Imports     = @($imports | ForEach-Object { $_.Groups[1].Value })
        Exports     = @($exports | ForEach-Object { $_.Groups[1].Value })
        Glibc       = $glibc
        Unversioned = @($unversioned | ForEach-Object { $_.Groups[1].Value }) -join ', '
    }
}
