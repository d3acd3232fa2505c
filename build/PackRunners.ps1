# The runners of the package: what tests import, and the tests of the package itself. The same kind
# of functions as in TestRunners.ps1. Needs Pack.ps1, PackCheck.ps1 and TestRunners.ps1.

# The manifest that the tests of the module import: the package's, unpacked; where none can be made
# here, that of a package in out; else the build's own, and Invoke-PackageTest says why. Runners side by side are told it.
function Get-TestedManifest {
    if ($env:RUSTRUNSPACES_TESTED_MODULE) { return $env:RUSTRUNSPACES_TESTED_MODULE }
    if (-not (Get-PackObstacle)) { return Expand-TestedModule }
    $package = Get-PackagePath 'zip'
    if (-not (Test-Path $package)) { return "$ModuleFolder/RustRunspaces.psd1" }
    if (Test-Path $TestedModule) { Remove-Item $TestedModule -Recurse }
    Expand-Archive $package (Split-Path $TestedModule)
    return "$TestedModule/RustRunspaces.psd1"
}

# The package passes its checks, which find what they are for; is the same from another folder; and
# installs.
function Invoke-PackageTest {
    $obstacle = Get-PackObstacle
    if ($obstacle) { return New-SkippedCount 'package' $obstacle }
    $null = Get-TestedManifest
    $count = Invoke-TestScript 'tests/package/run.sh' (Get-PackagePath 'nupkg'), "$((Get-SourceTime).ToUnixTimeSeconds())"
    foreach ($case in $PackFlaws) { Test-FlawIsFound $case $count }
    return $count
}

# What docs/install.md says, with the real commands of PowerShell.
function Invoke-InstallTest {
    $obstacle = Get-PackObstacle
    if ($obstacle) { return New-SkippedCount 'installing' $obstacle }
    $line = @(Get-PowerShellLine) + "$Root/tests/module/Invoke-ModuleTests.ps1" + '-File' + '../package/*.Tests.ps1'
    $first, $rest = $line
    return Get-ScriptCount 'installing' (Invoke-Program -File $first -Arguments $rest -Environment @{
            RUSTRUNSPACES_PACKAGE = Get-PackagePath 'nupkg'
            RUSTRUNSPACES_PESTER  = Get-Pester
        })
}

# The C client with the package's libraries for Linux on older and other C libraries: that of x64, and
# under qemu-user that of arm64.
function Invoke-LibcTest {
    $obstacle = Get-PackObstacle
    if ($obstacle) { return New-SkippedCount 'other C libraries' $obstacle }
    $module = Split-Path (Get-TestedManifest)
    $count = New-Count
    foreach ($library in $PackedLibraries | Where-Object { $_.Runtime.StartsWith('linux-') }) {
        $arguments = "$module/native/$($library.Runtime)", $library.Linker, (New-LibcStub $library.Linker)
        $environment = @{}
        if ($library.Runtime -ne (Get-RuntimeIdentifier)) {
            $arguments += 'qemu-aarch64-static'
            $environment['RUSTC'] = '/usr/bin/rustc'
        }
        $one = Invoke-TestScript 'tests/libc/run.sh' $arguments $environment
        Add-Count $count $one
    }
    return $count
}

# What the checks must find: how a copy of the module is spoiled, which check looks at it, and what
# it must say.
$PackFlaws = @(
    @{ Says = 'stray file: notes.txt'; Check = 'Test-PackedFiles'; Spoil = { New-Item "$PackedModule/notes.txt" } }
    @{ Says = 'lacks native/linux-arm64'; Check = 'Test-PackedFiles'; Spoil = { Remove-Item "$PackedModule/native/linux-arm64" -Recurse } }
    @{ Says = 'the manifest has version 99.1'; Check = 'Test-PackedVersions'; Spoil = {
            Edit-PackedFile 'RustRunspaces.psd1' "ModuleVersion *= *'[0-9.]+'" "ModuleVersion = '99.1'" } }
    @{ Says = 'the library for Windows has version 9'; Check = 'Test-PackedVersions'; Spoil = {
            Edit-PackedFile 'native/win-x64/rust_runspaces.dll' '(V\0e\0r\0s\0i\0o\0n\0+)\d' '${1}9' } }
    @{ Says = 'has no view'; Check = 'Test-PackedTexts'; Spoil = { Edit-PackedFile 'RustRunspaces.format.ps1xml' '<(/?)View>' '<$1Other>' } }
    @{ Says = 'the help says nothing of Invoke-RustParallel'; Check = 'Test-PackedTexts'; Spoil = {
            Edit-PackedFile 'en-US/RustRunspaces.dll-Help.xml' '(<command:name>\s*)Invoke' '$1Revoke' } }
    @{ Says = 'needs libabc_s.so.1'; Check = 'Test-PackedLibraries'; Spoil = {
            Edit-PackedFile 'native/linux-arm64/librust_runspaces.so' 'libgcc_s\.so\.1' 'libabc_s.so.1' } }
    @{ Says = 'needs bcrapt.dll'; Check = 'Test-PackedLibraries'; Spoil = {
            Edit-PackedFile 'native/win-x64/rust_runspaces.dll' 'bcrypt\.dll' 'bcrapt.dll' } }
    @{ Says = 'needs glibc 9.99'; Check = 'Test-PackedLibraries'; Spoil = {
            Edit-PackedFile 'native/linux-x64/librust_runspaces.so' 'GLIBC_2\.17' 'GLIBC_9.99' } }
    @{ Says = 'does not name libdl.so.2'; Check = 'Test-PackedLibraries'; Spoil = {
            Edit-PackedFile 'native/linux-x64/librust_runspaces.so' 'libdl\.so\.2' "libc.so.6`0" } }
    # Of the symbols that may be missing, in the dynamic table: 0x20 is a weak one, 0x10 is not.
    @{ Says = 'which glibc 2.17 has not'; Check = 'Test-PackedLibraries'; Spoil = {
            Edit-PackedFile 'native/linux-arm64/librust_runspaces.so' '([\s\S]{3}\0)\x20\0{19}' "`${1}$([char] 0x10)$("`0" * 19)" } }
    @{ Says = 'is a library for elf64-little'; Check = 'Test-PackedLibraries'; Spoil = {
            $native = "$PackedModule/native"
            Copy-Changed "$native/linux-arm64/librust_runspaces.so" "$native/linux-x64/librust_runspaces.so" } }
    @{ Says = 'rr_pool_xpen'; Check = 'Test-PackedLibraries'; Spoil = {
            Edit-PackedFile 'native/linux-x64/librust_runspaces.so' 'rr_pool_open' 'rr_pool_xpen' } }
)

# Replaces a pattern in a file, byte for byte: Latin 1 has a character for each.
function Edit-PackedFile([string] $Name, [string] $Pattern, [string] $Replacement) {
    $latin = [Text.Encoding]::GetEncoding(28591)
    $text = $latin.GetString([IO.File]::ReadAllBytes("$PackedModule/$Name"))
    $edited = [regex]::Replace($text, $Pattern, $Replacement)
    if ($edited -ceq $text) { throw "$Name has nothing like $Pattern" }
    [IO.File]::WriteAllBytes("$PackedModule/$Name", $latin.GetBytes($edited))
}

function Test-FlawIsFound($Case, $Count) {
    $whole = $PackedModule
    # The checks and the spoiling see this folder in place of the package's.
    $PackedModule = "$Root/target/package/flawed"
    if (Test-Path $PackedModule) { Remove-Item $PackedModule -Recurse }
    Copy-Item $whole $PackedModule -Recurse
    $said = 'nothing'
    try {
        $null = & $Case.Spoil
        $null = & $Case.Check (Import-PowerShellDataFile "$PackedModule/RustRunspaces.psd1")
    }
    catch { $said = $_.Exception.Message }
    if ($said.Contains($Case.Says)) { $Count.Passed++ }
    else {
        $Count.Failed++
        $Count.Notes.Add("failed: the package's check shall say '$($Case.Says)', it said: $said")
    }
}

# The module's native layer under Mono, in place of .NET Framework.
function Invoke-MonoTest {
    return Invoke-TestScript 'tests/mono/run.sh' (Split-Path (Get-TestedManifest))
}
