# Makes the package: one module folder with the native libraries of all systems, checked, then
# written to out/ as .nupkg and .zip with their SHA-256 sums. The same sources give the same bytes
# in every folder. Needs $Root, Native.ps1, Artifacts.ps1, PackCheck.ps1 and Archive.ps1; the cross
# builds need Debian on x64, with the packages that build.sh installs.

$PackFolder = "$Root/target/pack"
$PackedModule = "$PackFolder/RustRunspaces"
$TestedModule = "$Root/out/test/RustRunspaces"

# What is built, with what, and what a plain system has of the libraries that it may need.
$PackedLibraries = @(
    @{
        Runtime = 'win-x64'
        File    = 'rust_runspaces.dll'
        Target  = 'x86_64-pc-windows-gnu'
        Linker  = 'x86_64-w64-mingw32-gcc'
        # The linker's time stamp would differ from build to build.
        Flags   = @('-C', 'link-arg=-Wl,--no-insert-timestamp')
        Format  = 'pei-x86-64'
        Imports = @(
            'advapi32.dll', 'bcrypt.dll', 'iphlpapi.dll', 'kernel32.dll', 'msvcrt.dll', 'ntdll.dll', 'ole32.dll',
            'user32.dll', 'userenv.dll', 'ws2_32.dll')
    }
    @{
        Runtime = 'linux-x64'
        File    = 'librust_runspaces.so'
        Target  = $null # this machine's own, by its own cargo
        Flags   = @()
        Format  = 'elf64-x86-64'
        Imports = @('ld-linux-x86-64.so.2', 'libc.so.6', 'libgcc_s.so.1')
    }
    @{
        Runtime = 'linux-arm64'
        File    = 'librust_runspaces.so'
        Target  = 'aarch64-unknown-linux-gnu'
        Linker  = 'aarch64-linux-gnu-gcc'
        Flags   = @()
        Format  = 'elf64-littleaarch64'
        Imports = @('ld-linux-aarch64.so.1', 'libc.so.6', 'libgcc_s.so.1')
    }
)

function Get-ProductVersion {
    $text = [IO.File]::ReadAllText("$Root/Cargo.toml")
    return [regex]::Match($text, '(?m)^version = "([0-9.]+)"').Groups[1].Value
}

function Get-PackagePath([string] $Extension) {
    return "$Root/out/RustRunspaces.$(Get-ProductVersion).$Extension"
}

# The time in the archives: that of the sources, not of the build. SOURCE_DATE_EPOCH where it is
# set, else the last commit's, else the first that a zip can tell.
function Get-SourceTime {
    $seconds = [Environment]::GetEnvironmentVariable('SOURCE_DATE_EPOCH')
    if (-not $seconds -and (Find-Command 'git')) {
        $result = Invoke-Native -File 'git' -Arguments 'log', '-1', '--format=%ct'
        if ($result.ExitCode -eq 0) { $seconds = $result.Output.Trim() }
    }
    $first = [DateTimeOffset]::new(1980, 1, 1, 0, 0, 0, [TimeSpan]::Zero)
    if (-not $seconds) { return $first }
    $time = [DateTimeOffset]::FromUnixTimeSeconds([long] $seconds)
    if ($time -lt $first) { return $first }
    return $time
}

# Why this machine cannot make the package; nothing where it can.
function Get-PackObstacle {
    if ((Get-RuntimeIdentifier) -ne 'linux-x64') {
        return "the libraries of all systems are built on linux-x64, this is $(Get-RuntimeIdentifier)"
    }
    foreach ($library in $PackedLibraries) {
        if (-not $library.Target) { continue }
        if (-not (Find-Command $library.Linker)) { return "there is no $($library.Linker)" }
        if (-not [IO.Directory]::Exists("/usr/lib/rustlib/$($library.Target)")) {
            return "Debian's Rust has no standard library for $($library.Target)"
        }
    }
    foreach ($file in '/usr/bin/cargo', '/usr/bin/rustc', "$Root/target/crate/Cargo.toml") {
        if (-not [IO.File]::Exists($file)) { return "there is no $file" }
    }
}

# What Windows shows of a library and knows it by, as an object for the linker: the manifest's words
# and Cargo.toml's version. Gives its path.
function New-VersionResource($Library) {
    $manifest = Read-Manifest "$Root/module/RustRunspaces.psd1"
    $version = Get-ProductVersion
    $texts = [ordered] @{
        CompanyName      = $manifest.CompanyName
        FileDescription  = 'RustRunspaces engine'
        FileVersion      = $version
        InternalName     = 'rust_runspaces'
        LegalCopyright   = $manifest.Copyright
        OriginalFilename = $Library.File
        ProductName      = 'RustRunspaces'
        ProductVersion   = $version
    }
    $values = foreach ($name in $texts.Keys) { "VALUE `"$name`", `"$($texts[$name])`"" }
    $numbers = $version.Replace('.', ',') + ',0'
    # 0x40004: for Windows; 2: a DLL; 0409, 04B0: American English, in Unicode.
    [IO.File]::WriteAllText("$PackFolder/version.rc", @"
1 VERSIONINFO
FILEVERSION $numbers
PRODUCTVERSION $numbers
FILEOS 0x40004
FILETYPE 2
{
    BLOCK "StringFileInfo" { BLOCK "040904B0" {
        $($values -join "`n        ")
    } }
    BLOCK "VarFileInfo" { VALUE "Translation", 0x0409, 0x04B0 }
}
"@)
    # By name alone: windres does not take a path with spaces.
    $null = Invoke-Required 'windres' ($Library.Linker -replace 'gcc$', 'windres') @(
        '-O', 'coff', '-i', 'version.rc', '-o', 'version.o') -Folder $PackFolder
    return "$PackFolder/version.o"
}

# Builds one library without a trace of this machine's folders; gives its path.
function New-PackedLibrary($Library) {
    $folder = "$PackFolder/cargo"
    $homeFolder = [Environment]::GetEnvironmentVariable('HOME')
    $flags = $Library.Flags + @("--remap-path-prefix=$homeFolder/.cargo=/cargo", "--remap-path-prefix=$Root=/_")
    if ($Library.Runtime.StartsWith('win-')) { $flags += @('-C', "link-arg=$(New-VersionResource $Library)") }
    # The encoded form of RUSTFLAGS: folders may have spaces.
    $environment = @{
        CARGO_ENCODED_RUSTFLAGS = $flags -join [char] 0x1f
        CARGO_TERM_COLOR        = 'never'
    }
    $arguments = @('build', '--release', '--lib', '--target-dir', $folder)
    if ($Library.Target) {
        $variable = $Library.Target.Replace('-', '_').ToUpperInvariant()
        $environment["CARGO_TARGET_${variable}_LINKER"] = $Library.Linker
        $environment['RUSTC'] = '/usr/bin/rustc'
        $arguments += @('--target', $Library.Target)
        $result = Invoke-Native -File '/usr/bin/cargo' -Arguments $arguments -Environment $environment `
            -Folder "$Root/target/crate"
    }
    else {
        $result = Invoke-Native -File "$Root/build.sh" -Arguments (@('cargo') + $arguments) -Environment $environment
    }
    if ($result.ExitCode -ne 0) {
        Write-Step (Get-LastLines $result.Text 40)
        throw "the library for $($Library.Runtime) does not build; everything cargo said is in $BuildLog"
    }
    return [IO.Path]::Combine($folder, "$($Library.Target)", 'release', $Library.File)
}

# The module folder as users get it, with nothing from an earlier time in it.
function New-PackedModule {
    if ([IO.Directory]::Exists($PackedModule)) { [IO.Directory]::Delete($PackedModule, $true) }
    $null = [IO.Directory]::CreateDirectory($PackFolder)
    foreach ($library in $PackedLibraries) {
        Write-Step "package: library for $($library.Runtime)"
        Copy-Changed (New-PackedLibrary $library) "$PackedModule/native/$($library.Runtime)/$($library.File)"
    }
    $built = "$Root/target/module"
    foreach ($file in [IO.Directory]::GetFiles($built, '*', 'AllDirectories')) {
        Copy-Changed $file "$PackedModule/$($file.Substring($built.Length + 1))"
    }
    foreach ($name in 'LICENSE', 'THIRD-PARTY-NOTICES.txt') { Copy-Changed "$Root/$name" "$PackedModule/$name" }
}

# The module's files by their names in an archive.
function Get-PackedFile {
    $files = [Collections.Generic.SortedDictionary[string, byte[]]]::new([StringComparer]::Ordinal)
    foreach ($file in [IO.Directory]::GetFiles($PackedModule, '*', 'AllDirectories')) {
        $files.Add($file.Substring($PackedModule.Length + 1).Replace('\', '/'), [IO.File]::ReadAllBytes($file))
    }
    return , $files
}

# Writes both archives and their sums; those of other versions go.
function Write-Package {
    foreach ($old in [IO.Directory]::GetFiles("$Root/out", 'RustRunspaces.*')) { [IO.File]::Delete($old) }
    $time = Get-SourceTime
    $files = Get-PackedFile
    $manifest = Read-Manifest "$PackedModule/RustRunspaces.psd1"
    $package = Get-PackagePath 'nupkg'
    Write-Archive $package (Add-PackageParts $files $manifest) $time

    $inFolder = [Collections.Generic.SortedDictionary[string, byte[]]]::new([StringComparer]::Ordinal)
    foreach ($name in $files.Keys) { $inFolder.Add("RustRunspaces/$name", $files[$name]) }
    $archive = Get-PackagePath 'zip'
    Write-Archive $archive $inFolder $time

    $sums = [Text.StringBuilder]::new()
    foreach ($path in $package, $archive) {
        $null = $sums.Append((Get-Sha256 ([IO.File]::ReadAllBytes($path))) + '  ' + [IO.Path]::GetFileName($path) + "`n")
    }
    [IO.File]::WriteAllText("$Root/out/RustRunspaces.$(Get-ProductVersion).sha256", $sums.ToString())
    foreach ($path in $package, $archive) {
        Write-Step "package: $path ($([IO.FileInfo]::new($path).Length) bytes)"
    }
}

# Task Pack: builds, checks and writes the package, unless it was done for these very sources.
function Invoke-Pack {
    $obstacle = Get-PackObstacle
    if ($obstacle) { throw "cannot make the package: $obstacle" }
    Build-Module
    $fingerprint = Get-Fingerprint @(
        'Cargo.toml', 'Cargo.lock', 'src', 'include', 'module', 'Directory.Build.props', 'LICENSE', 'THIRD-PARTY-NOTICES.txt',
        'build/Pack.ps1', 'build/PackCheck.ps1', 'build/Archive.ps1')
    $fingerprint += (Get-SourceTime).ToString('o') + [Environment]::NewLine
    $written = [IO.File]::Exists((Get-PackagePath 'nupkg')) -and [IO.File]::Exists((Get-PackagePath 'zip'))
    if ($written -and (Test-Done 'pack' $fingerprint)) {
        Write-Step "package: $(Get-PackagePath 'nupkg') is up to date"
        return
    }
    New-PackedModule
    Test-PackedModule
    Write-Package
    Set-Done 'pack' $fingerprint
}

# The package, unpacked as an installation leaves it; gives its manifest.
function Expand-TestedModule {
    $null = Invoke-Pack
    Expand-Package (Get-PackagePath 'nupkg') $TestedModule
    return "$TestedModule/RustRunspaces.psd1"
}
