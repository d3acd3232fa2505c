# Builds what ships into out/RustRunspaces: the native library, checked against its committed
# header, and the module around it. Needs $Root and Native.ps1.

$ModuleFolder = "$Root/out/RustRunspaces"

# win-x64, linux-x64, linux-arm64, ...: .NET's name of this machine.
function Get-RuntimeIdentifier {
    $system = if ($IsOnWindows) { 'win' } else { 'linux' }
    return "$system-$([Runtime.InteropServices.RuntimeInformation]::OSArchitecture)".ToLowerInvariant()
}

function Get-NativeFolder { return "$ModuleFolder/native/$(Get-RuntimeIdentifier)" }

# One text for the content of files and folders.
function Get-Fingerprint([string[]] $Paths) {
    $files = foreach ($path in $Paths) {
        if (Test-Path "$Root/$path" -PathType Leaf) { Get-Item "$Root/$path" } else { Get-ChildItem "$Root/$path" -File -Recurse }
    }
    return ($files | Sort-Object FullName | Get-FileHash | ForEach-Object { "$($_.Hash) $($_.Path.Substring($Root.Length))" }) -join "`n"
}

# Runs a step unless it was done for exactly this content, by exactly this build, before.
function Invoke-Once([string] $Step, [string] $Fingerprint, [scriptblock] $Block) {
    $stamp = "$Root/target/stamps/$Step"
    $Fingerprint += "`n" + (Get-Fingerprint 'build', 'build.ps1', 'build.sh')
    if ((Test-Path $stamp) -and (Get-Content $stamp -Raw) -ceq $Fingerprint) { return }
    $null = & $Block
    $null = New-Item (Split-Path $stamp) -ItemType Directory -Force
    [IO.File]::WriteAllText($stamp, $Fingerprint)
}

# Copies unless the target is the same already. By way of a new file: a process that has the old
# library loaded keeps it.
function Copy-Changed([string] $From, [string] $To) {
    if ((Test-Path -LiteralPath $To) -and
        (Get-FileHash -LiteralPath $From).Hash -eq (Get-FileHash -LiteralPath $To).Hash) { return }
    $null = New-Item (Split-Path $To) -ItemType Directory -Force
    Copy-Item -LiteralPath $From "$To.new"
    Move-Item -LiteralPath "$To.new" $To -Force
}

# The files below a folder: Name, relative and with slashes, and Path; in ordinal order.
function Get-RelativeFile([string] $Folder) {
    $root = (Resolve-Path -LiteralPath $Folder).ProviderPath
    $paths = [string[]] @(Get-ChildItem -LiteralPath $root -File -Recurse | ForEach-Object { $_.FullName })
    [Array]::Sort($paths, [StringComparer]::Ordinal)
    foreach ($path in $paths) { [PSCustomObject] @{ Name = $path.Substring($root.Length + 1).Replace('\', '/'); Path = $path } }
}

# cargo's line for a library with these other arguments. The library alone: with the Rust library beside it,
# which the tests link, cargo would leave out the optimisation over all crates, and say nothing. So rustc is
# asked for that once more: it refuses what cargo has not prepared for it.
function Get-LibraryLine([string[]] $Arguments) {
    return @('rustc', '--release', '--lib', '--crate-type', 'cdylib') + $Arguments + @('--', '-C', 'lto=fat')
}

# The only cbindgen whose header is compared: others write the same otherwise.
$CbindgenVersion = '0.24.3'

# rustc's name of this machine, where the library is linked against stubs of the C library.
function Get-OwnTarget {
    switch (Get-RuntimeIdentifier) {
        'linux-x64' { 'x86_64-unknown-linux-gnu' }
        'linux-arm64' { 'aarch64-unknown-linux-gnu' }
    }
}

# On Linux the very library that the package will have: what is tested is what is shipped.
function Build-Library {
    Write-Step 'library: cargo rustc --release --crate-type cdylib'
    $library = $PackedLibraries | Where-Object { $_.Target -eq (Get-OwnTarget) }
    if ($library) {
        $work = Get-LibraryWork $library
        Assert-Succeeded 'cargo' (Invoke-Program $work.Line[0] ($work.Line | Select-Object -Skip 1) $work.Folder $work.Environment)
        $null = Test-Library $library $work.File
        $built = $work.File
    }
    else {
        Assert-Succeeded 'cargo' (Invoke-Cargo (Get-LibraryLine @()))
        $built = "$Root/target/release/rust_runspaces.dll"
    }
    Copy-Changed $built "$(Get-NativeFolder)/$(Split-Path $built -Leaf)"
}

# Why this machine cannot make the header; nothing where it can.
function Get-HeaderObstacle {
    $version = if (Find-Program 'cbindgen') { (Invoke-Required 'cbindgen' 'cbindgen' '--version').Output.Trim() } else { 'none' }
    if ($version -ne "cbindgen $CbindgenVersion") { return "it is made by cbindgen $CbindgenVersion, here is $version" }
}

# The header as cbindgen makes it now; gives its path. From the module of the C ABI alone: given the
# crate, cbindgen would take the public constants of all modules.
function New-Header {
    $null = Invoke-Required 'cbindgen' 'cbindgen' '--config', 'cbindgen.toml', '--output', 'target/rust_runspaces.h', 'src/ffi/mod.rs'
    return "$Root/target/rust_runspaces.h"
}

# Fails with the difference when the committed header is not what the sources say.
function Test-Header {
    $obstacle = Get-HeaderObstacle
    if ($obstacle) {
        Write-Step "header: not compared: $obstacle"
        return
    }
    Invoke-Once 'header' (Get-Fingerprint 'src/ffi', 'cbindgen.toml', 'include/rust_runspaces.h') {
        Write-Step 'header: comparing include/rust_runspaces.h with the sources'
        $difference = Compare-Object (Get-Content "$Root/include/rust_runspaces.h") (Get-Content (New-Header)) -CaseSensitive
        if (-not $difference) { return }
        $difference | ForEach-Object { Write-Step "$($_.SideIndicator) $($_.InputObject)" }
        throw 'include/rust_runspaces.h has drifted from src/ffi; to renew it type: ./build.sh header'
    }
}

function Update-Header {
    $obstacle = Get-HeaderObstacle
    if ($obstacle) { throw "the header cannot be renewed: $obstacle; to get it type: cargo install cbindgen --locked --version $CbindgenVersion" }
    Copy-Changed (New-Header) "$Root/include/rust_runspaces.h"
    Write-Step 'header: include/rust_runspaces.h is as the sources say'
}

# Assembly, manifest, formats and help: the module without its native library.
function Build-Module {
    $built = "$Root/target/module"
    Invoke-Once 'module' (Get-Fingerprint 'module', 'Cargo.toml', 'Directory.Build.props') {
        Write-Step 'module: dotnet build'
        if (Test-Path $built) { Remove-Item $built -Recurse }
        $null = Invoke-Required 'dotnet build' 'dotnet' @(
            'build', 'module/RustRunspaces.csproj', '-c', 'Release', '-o', 'target/module', '--nologo', '-nodeReuse:false')
    }
    $files = @(Get-RelativeFile $built)
    foreach ($file in $files) { Copy-Changed $file.Path "$ModuleFolder/$($file.Name)" }
    # What an earlier build left and this one has not.
    Get-RelativeFile $ModuleFolder | Where-Object { $_.Name -notlike 'native/*' -and $files.Name -cnotcontains $_.Name } |
        ForEach-Object { Remove-Item -LiteralPath $_.Path }
    Write-Step "module: $ModuleFolder/RustRunspaces.psd1"
}

function Build-All {
    Build-Library
    Test-Header
    Build-Module
}
