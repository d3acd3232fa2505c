# Builds what ships into out/RustRunspaces: the native library, checked against its committed
# header, and the module around it. Needs $Root and Native.ps1.

$ModuleFolder = "$Root/out/RustRunspaces"

# win-x64, linux-x64, linux-arm64, ...: .NET's name of this machine.
function Get-RuntimeIdentifier {
    $system = if ($IsOnWindows) { 'win' } else { 'linux' }
    $architecture = [Runtime.InteropServices.RuntimeInformation]::OSArchitecture.ToString().ToLowerInvariant()
    return "$system-$architecture"
}

function Get-NativeFolder {
    return "$ModuleFolder/native/$(Get-RuntimeIdentifier)"
}

# One number for the content of files and folders, in their order.
function Get-Fingerprint([string[]] $Paths) {
    $hash = [Security.Cryptography.SHA256]::Create()
    $all = [Text.StringBuilder]::new()
    foreach ($path in $Paths) {
        $files = @("$Root/$path")
        if ([IO.Directory]::Exists("$Root/$path")) {
            $files = [IO.Directory]::GetFiles("$Root/$path", '*', 'AllDirectories')
            [Array]::Sort($files, [StringComparer]::Ordinal)
        }
        foreach ($file in $files) {
            $digest = [BitConverter]::ToString($hash.ComputeHash([IO.File]::ReadAllBytes($file)))
            $null = $all.AppendLine($file.Substring($Root.Length) + ' ' + $digest)
        }
    }
    $hash.Dispose()
    return $all.ToString()
}

# True when the step was done for exactly this content before.
function Test-Done([string] $Step, [string] $Fingerprint) {
    $stamp = "$Root/target/stamps/$Step"
    return [IO.File]::Exists($stamp) -and [IO.File]::ReadAllText($stamp) -eq $Fingerprint
}

function Set-Done([string] $Step, [string] $Fingerprint) {
    $null = [IO.Directory]::CreateDirectory("$Root/target/stamps")
    [IO.File]::WriteAllText("$Root/target/stamps/$Step", $Fingerprint)
}

# Copies unless the target is the same already. By way of a new file: a process that has the old
# library loaded keeps it.
function Copy-Changed([string] $From, [string] $To) {
    if ([IO.File]::Exists($To)) {
        $same = [Linq.Enumerable]::SequenceEqual(
            [IO.File]::ReadAllBytes($From), [IO.File]::ReadAllBytes($To))
        if ($same) { return }
        [IO.File]::Delete($To)
    }
    $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($To))
    [IO.File]::Copy($From, "$To.new")
    [IO.File]::Move("$To.new", $To)
}

function Build-Library {
    Write-Step 'library: cargo build --release'
    $result = Invoke-Cargo @('build', '--release')
    if ($result.ExitCode -ne 0) {
        Write-Step (Get-LastLines $result.Text 40)
        throw "cargo build failed with exit code $($result.ExitCode); everything it said is in $BuildLog"
    }
    $name = if ($IsOnWindows) { 'rust_runspaces.dll' } else { 'librust_runspaces.so' }
    Copy-Changed "$Root/target/release/$name" "$(Get-NativeFolder)/$name"
}

# The header as cbindgen makes it now, in target/rust_runspaces.h. From the module of the C ABI
# alone: given the crate, cbindgen would take the public constants of all modules.
function New-Header {
    $null = Invoke-Required 'cbindgen' 'cbindgen' @(
        '--config', 'cbindgen.toml', '--output', 'target/rust_runspaces.h', 'src/ffi/mod.rs')
    return [IO.File]::ReadAllText("$Root/target/rust_runspaces.h").Replace("`r", '')
}

# Fails with the difference when the committed header is not what the sources say.
function Test-Header {
    if ($IsOnWindows -and -not (Find-Command 'cbindgen')) {
        Write-Step 'header: not compared, cbindgen is not on this machine'
        return
    }
    $fingerprint = Get-Fingerprint @('src/ffi', 'cbindgen.toml', 'include/rust_runspaces.h')
    if (Test-Done 'header' $fingerprint) { return }
    Write-Step 'header: comparing include/rust_runspaces.h with the sources'
    $committed = [IO.File]::ReadAllText("$Root/include/rust_runspaces.h").Replace("`r", '')
    if ((New-Header) -cne $committed) {
        if (Find-Command 'diff') {
            $difference = Invoke-Native -File 'diff' -Arguments '-u', 'include/rust_runspaces.h', 'target/rust_runspaces.h'
            Write-Step $difference.Text
        }
        throw 'include/rust_runspaces.h has drifted from src/ffi; to renew it type: ./build.sh header'
    }
    Set-Done 'header' $fingerprint
}

function Update-Header {
    $null = New-Header
    Copy-Changed -From "$Root/target/rust_runspaces.h" -To "$Root/include/rust_runspaces.h"
    Write-Step 'header: include/rust_runspaces.h is as the sources say'
}

# Assembly, manifest, formats and help: the module without its native library.
function Build-Module {
    $fingerprint = Get-Fingerprint @('module', 'Cargo.toml', 'Directory.Build.props')
    $built = "$Root/target/module"
    if (-not (Test-Done 'module' $fingerprint)) {
        Write-Step 'module: dotnet build'
        if ([IO.Directory]::Exists($built)) { [IO.Directory]::Delete($built, $true) }
        $null = Invoke-Required 'dotnet build' 'dotnet' @(
            'build', 'module/RustRunspaces.csproj', '-c', 'Release', '-o', 'target/module', '--nologo', '-nodeReuse:false')
        Set-Done 'module' $fingerprint
    }

    $kept = @{}
    foreach ($file in [IO.Directory]::GetFiles($built, '*', 'AllDirectories')) {
        $name = $file.Substring($built.Length + 1)
        $kept[$name] = $true
        Copy-Changed $file "$ModuleFolder/$name"
    }
    # What an earlier build left and this one has not.
    foreach ($file in [IO.Directory]::GetFiles($ModuleFolder, '*', 'AllDirectories')) {
        $name = $file.Substring($ModuleFolder.Length + 1)
        if (-not $kept.ContainsKey($name) -and $name -notmatch '^native[/\\]') { [IO.File]::Delete($file) }
    }
    Write-Step "module: $ModuleFolder/RustRunspaces.psd1"
}
