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
        Target  = 'x86_64-unknown-linux-gnu' # this machine's own, by its own cargo
        Linker  = 'gcc'
        Flags   = @()
        Format  = 'elf64-x86-64'
        Imports = $NeededLibraries
    }
    @{
        Runtime = 'linux-arm64'
        File    = 'librust_runspaces.so'
        Target  = 'aarch64-unknown-linux-gnu'
        Linker  = 'aarch64-linux-gnu-gcc'
        Flags   = @()
        Format  = 'elf64-littleaarch64'
        Imports = $NeededLibraries
    }
)

function Get-ProductVersion {
    return [regex]::Match((Get-Content "$Root/Cargo.toml" -Raw), '(?m)^version = "([0-9.]+)"').Groups[1].Value
}

function Get-PackagePath([string] $Extension) { return "$Root/out/RustRunspaces.$(Get-ProductVersion).$Extension" }

# The time in the archives: that of the sources, not of the build. SOURCE_DATE_EPOCH where it is
# set, else the last commit's, else the first that a zip can tell.
function Get-SourceTime {
    $seconds = $env:SOURCE_DATE_EPOCH
    if (-not $seconds -and (Find-Program 'git')) {
        $seconds = (Invoke-Program -File 'git' -Arguments 'log', '-1', '--format=%ct').Output -replace '\D'
    }
    $first = [DateTimeOffset]::new(1980, 1, 1, 0, 0, 0, [TimeSpan]::Zero)
    $time = if ($seconds) { [DateTimeOffset]::FromUnixTimeSeconds([long] $seconds) } else { $first }
    if ($time -lt $first) { return $first } else { return $time }
}

# Why this machine cannot make the package; nothing where it can.
function Get-PackObstacle {
    if ((Get-RuntimeIdentifier) -ne 'linux-x64') {
        return "the libraries of all systems are built on linux-x64, this is $(Get-RuntimeIdentifier)"
    }
    foreach ($library in $PackedLibraries) {
        if (-not (Find-Program $library.Linker)) { return "there is no $($library.Linker)" }
        if ($library.Runtime -eq (Get-RuntimeIdentifier)) { continue }
        if (-not (Test-Path "/usr/lib/rustlib/$($library.Target)")) { return "Debian's Rust has no standard library for $($library.Target)" }
    }
    foreach ($file in '/usr/bin/cargo', '/usr/bin/rustc', "$Root/target/crate/Cargo.toml") {
        if (-not (Test-Path $file)) { return "there is no $file" }
    }
}

# What Windows shows of a library and knows it by, as an object for the linker: the manifest's words
# and Cargo.toml's version. Gives its path.
function New-VersionResource($Library) {
    $manifest = Import-PowerShellDataFile "$Root/module/RustRunspaces.psd1"
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

# What builds one library without a trace of this machine's folders: Line, Environment and Folder for its program,
# and File, where it will be. Each in a folder of its own, which cargo locks; this machine's own is the build's.
function Get-LibraryWork($Library) {
    $isOwn = $Library.Target -eq (Get-OwnTarget)
    $built = if ($isOwn) { "$Root/target" } else { "$PackFolder/cargo/$($Library.Runtime)" }
    $flags = $Library.Flags + @("--remap-path-prefix=$HOME/.cargo=/cargo", "--remap-path-prefix=$Root=/_")
    if ($Library.Runtime.StartsWith('win-')) { $flags += @('-C', "link-arg=$(New-VersionResource $Library)") }
    else { $flags += Get-LibcFlag $(if ($isOwn) { 'gcc' } else { $Library.Linker }) }
    # The encoded form of RUSTFLAGS: folders may have spaces.
    $environment = @{ CARGO_ENCODED_RUSTFLAGS = $flags -join [char] 0x1f; CARGO_TERM_COLOR = 'never' }
    if (-not $isOwn) {
        $environment["CARGO_TARGET_$($Library.Target.Replace('-', '_').ToUpperInvariant())_LINKER"] = $Library.Linker
        $environment['RUSTC'] = '/usr/bin/rustc'
    }
    $cargo, $folder = if ($isOwn) { @("$Root/build.sh", 'cargo'), $Root } else { @('/usr/bin/cargo'), "$Root/target/crate" }
    return @{
        Line        = $cargo + (Get-LibraryLine '--target-dir', $built, '--target', $Library.Target)
        Environment = $environment
        Folder      = $folder
        File        = [IO.Path]::Combine($built, $Library.Target, 'release', $Library.File)
    }
}

# The module folder as users get it, with nothing from an earlier time in it.
function New-PackedModule {
    if (Test-Path $PackedModule) { Remove-Item $PackedModule -Recurse }
    $null = New-Item $PackFolder -ItemType Directory -Force
    $started = foreach ($library in $PackedLibraries) {
        Write-Step "package: library for $($library.Runtime)"
        $work = Get-LibraryWork $library
        @{ Library = $library; File = $work.File; Work = Start-Beside $work.Line $work.Environment $work.Folder }
    }
    foreach ($one in $started) {
        $runtime = $one.Library.Runtime
        Assert-Succeeded "the library for $runtime" (Wait-Beside $one.Work)
        Copy-Changed $one.File "$PackedModule/native/$runtime/$($one.Library.File)"
    }
    Copy-Item "$Root/target/module/*" $PackedModule -Recurse
    Copy-Item "$Root/LICENSE", "$Root/THIRD-PARTY-NOTICES.txt" $PackedModule
}

# Writes both archives and their sums; those of other versions go.
function Write-Package {
    Remove-Item "$Root/out/RustRunspaces.*"
    $time = Get-SourceTime
    $files = @(Get-RelativeFile $PackedModule | ForEach-Object {
            [PSCustomObject] @{ Name = $_.Name; Bytes = [IO.File]::ReadAllBytes($_.Path) }
        })
    $parts = @(Get-PackagePart $files.Name (Import-PowerShellDataFile "$PackedModule/RustRunspaces.psd1"))
    Write-Archive (Get-PackagePath 'nupkg') ($parts + $files) $time
    foreach ($file in $files) { $file.Name = "RustRunspaces/$($file.Name)" }
    Write-Archive (Get-PackagePath 'zip') $files $time

    $packages = Get-Item (Get-PackagePath 'nupkg'), (Get-PackagePath 'zip')
    $sums = $packages | Get-FileHash | ForEach-Object { "$($_.Hash.ToLowerInvariant())  $(Split-Path -Leaf $_.Path)`n" }
    [IO.File]::WriteAllText((Get-PackagePath 'sha256'), -join $sums)
    $packages | ForEach-Object { Write-Step "package: $($_.FullName) ($($_.Length) bytes)" }
}

# What decides the bytes of the package, but for the build itself: sources, compilers, Debian's crates.
function Get-PackFingerprint {
    $tools = @('rustc', '/usr/bin/rustc', 'dotnet') + @($PackedLibraries | ForEach-Object { $_.Linker })
    $versions = $tools | ForEach-Object { (Invoke-Required $_ $_ '--version').Output }
    $sources = Get-Fingerprint 'Cargo.toml', 'Cargo.lock', 'src', 'include', 'module', 'Directory.Build.props', 'LICENSE', 'THIRD-PARTY-NOTICES.txt'
    return (@($sources) + $versions + @(Get-ChildItem '/usr/share/cargo/registry' -Name) + "$(Get-SourceTime)") -join "`n"
}

# Task Pack: builds, checks and writes the package, unless it was done for these very sources.
function Invoke-Pack {
    $obstacle = Get-PackObstacle
    if ($obstacle) { throw "cannot make the package: $obstacle" }
    Build-Module
    if (-not (Test-Path (Get-PackagePath 'sha256'))) { Remove-Item "$Root/target/stamps/pack" -ErrorAction Ignore }
    Invoke-Once 'pack' (Get-PackFingerprint) {
        New-PackedModule
        Test-PackedModule
        Write-Package
    }
    Write-Step "package: $(Get-PackagePath 'nupkg')"
}

# The package, unpacked as an installation leaves it; gives its manifest.
function Expand-TestedModule {
    $null = Invoke-Pack
    Expand-Package (Get-PackagePath 'nupkg') $TestedModule
    return "$TestedModule/RustRunspaces.psd1"
}
