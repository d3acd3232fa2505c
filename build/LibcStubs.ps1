# What the libraries for Linux are linked against in place of this machine's C library, so that one
# file of each processor runs on every glibc since 2.17 and on musl: stubs with the names and the
# versions of 2.17, made from the C library that is here, and the few functions that came later as
# hidden ones of our own (build/libc). Needs Native.ps1 and Artifacts.ps1.

# The newest glibc that the libraries may ask for.
$NewestGlibc = [version] '2.17'

# Files that the libraries need at run time. In glibc before 2.34 the functions of threads and of the
# loader stand in the last two; musl has all four names for its one file.
$NeededLibraries = 'libc.so.6', 'libdl.so.2', 'libgcc_s.so.1', 'libpthread.so.0'

# Name, version and kind of what a C library defines, each at its newest version up to 2.17. What came
# later is missing: a reference to it stays without a version, which the package's check finds.
function Get-LibcSymbol([string] $Gcc) {
    $objdump = $Gcc -replace 'gcc$', 'objdump'
    $find = { param($file) (Invoke-Required $Gcc $Gcc @("-print-file-name=$file")).Output.Trim() }
    $symbols = (Invoke-Required $objdump $objdump @('-T', (& $find 'libc.so.6'))).Output
    # The loader's one function that libraries call; a version of its own in the C library will do.
    $loader = if ((Invoke-Required $Gcc $Gcc @('-dumpmachine')).Output -match 'aarch64') { 'ld-linux-aarch64.so.1' } else { 'ld-linux-x86-64.so.2' }
    $symbols += "`n" + (@((Invoke-Required $objdump $objdump @('-T', (& $find $loader))).Output -split "`n" |
                Where-Object { $_ -match '\s__tls_get_addr$' }) -join "`n")
    $best = @{}
    $line = '(?m)^[0-9a-f]+ .{5}.(?<kind>[FO ])\s+(?<part>\S+)\s+(?<size>[0-9a-f]+)\s+\(?GLIBC_(?<version>2\.[0-9.]+)\)?\s+(?<name>\S+)\r?$'
    foreach ($match in [regex]::Matches($symbols, $line)) {
        $name = $match.Groups['name'].Value
        $version = [version] $match.Groups['version'].Value
        if ($match.Groups['part'].Value -in '*UND*', '*ABS*' -or $version -gt $NewestGlibc) { continue }
        if ($best.Contains($name) -and $best[$name].Version -ge $version) { continue }
        $best[$name] = [PSCustomObject] @{
            Name     = $name
            Version  = $version
            IsObject = $match.Groups['kind'].Value -eq 'O'
            Size     = [Convert]::ToInt64($match.Groups['size'].Value, 16)
        }
    }
    return $best.Values | Sort-Object Version, Name
}

# Assembly that defines the symbols, and the linker's script with their versions, each of which
# follows the one before.
function Get-StubSource([object[]] $Symbols) {
    $assembly = foreach ($symbol in $Symbols) {
        $kind = if ($symbol.IsObject) { 'object' } else { 'function' }
        ".globl $($symbol.Name)`n.type $($symbol.Name),%$kind`n$($symbol.Name):"
        if ($symbol.IsObject) { ".size $($symbol.Name),$($symbol.Size)`n.skip $([Math]::Max(8, $symbol.Size))" }
    }
    $before = ''
    $script = foreach ($version in $Symbols | Group-Object { $_.Version } | Sort-Object { [version] $_.Name }) {
        "GLIBC_$($version.Name) { global: $(@($version.Group | ForEach-Object { "$($_.Name);" }) -join ' ') }$before;"
        $before = " GLIBC_$($version.Name)"
    }
    return @{
        Assembly = (@('.data') + $assembly -join "`n") + "`n"
        Versions = (@($script) + "GLIBC_PRIVATE { local: *; };" -join "`n") + "`n"
    }
}

# Makes the stubs for a compiler's machine; gives their folder.
function New-LibcStub([string] $Gcc) {
    $functions = "$Root/build/libc/functions.c"
    $libc = (Invoke-Required $Gcc $Gcc @('-print-file-name=libc.so.6')).Output.Trim()
    # Another folder for other stubs: cargo sees the flags, not what they name.
    $made = Get-FileHash $functions, "$Root/build/LibcStubs.ps1", $libc
    $key = @($made | ForEach-Object { $_.Hash.Substring(0, 8) }) -join '-'
    $folder = "$Root/target/libc/$Gcc/$key"
    $null = New-Item $folder -ItemType Directory -Force
    # The last one made.
    if (-not (Test-Path "$folder/functions.o")) {
        Write-Step "libc: stubs of glibc $NewestGlibc by $Gcc"
        $source = Get-StubSource @(Get-LibcSymbol $Gcc)
        [IO.File]::WriteAllText("$folder/libc.s", $source.Assembly)
        [IO.File]::WriteAllText("$folder/libc.map", $source.Versions)
        $link = '-shared', '-nostdlib'
        $null = Invoke-Required 'the stub of libc' $Gcc ($link + @(
                '-Wl,-soname,libc.so.6', '-Wl,--version-script,libc.map', '-o', 'libc.so', 'libc.s')) -Folder $folder
        # Names alone: a program that has the library loaded has these files, too.
        foreach ($name in 'libpthread.so.0', 'libdl.so.2') {
            $null = Invoke-Required "the stub of $name" $Gcc ($link + @(
                    "-Wl,-soname,$name", '-o', ($name -replace '\.\d$'), '-x', 'c', '/dev/null')) -Folder $folder
        }
        $null = Invoke-Required 'functions.c' $Gcc @(
            '-std=c99', '-O2', '-fPIC', '-Wall', '-Wextra', '-Werror', '-c', '-o', 'functions.o', $functions) -Folder $folder
    }
    return $folder
}

# rustc's flags for linking a library against them. With these a target must be named, or cargo links
# build scripts against them, too.
function Get-LibcFlag([string] $Gcc) {
    $folder = New-LibcStub $Gcc
    $arguments = "-L$folder", "$folder/functions.o",
    '-Wl,--push-state,--no-as-needed', "$folder/libpthread.so", "$folder/libdl.so", '-Wl,--pop-state'
    return @($arguments | ForEach-Object { '-C', "link-arg=$_" })
}
