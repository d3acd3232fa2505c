# How the engine's library is found and checked, and what is said where the module has none for a
# system, or one that is too new: in child processes, with copies of the module, for a library is
# loaded once per process.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"

    $Call = 'Import-Module $Manifest; try { Invoke-RustParallel 127.0.0.1 -TcpPort 1 } ' +
        'catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.TargetObject; $_.Exception.Message }'

    # Deletes the libraries of a copy of the module; gives the path of the one that this system would load.
    function Remove-Library([string] $Manifest) {
        $libraries = @(Get-ChildItem -LiteralPath (Join-Path (Split-Path $Manifest) 'native') -Recurse -File)
        $libraries | Remove-Item
        $system = if ($IsOnWindows) { 'win' } else { 'linux' }
        $architecture = [Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture.ToString().ToLowerInvariant()
        $own = @($libraries | Where-Object { $_.Directory.Name -eq "$system-$architecture" })
        $own.Count | Should -Be 1
        return $own[0].FullName
    }

    function Add-Library([string] $Manifest, [string] $System, [string] $File) {
        $folder = New-Item -ItemType Directory -Force (Join-Path (Join-Path (Split-Path $Manifest) 'native') $System)
        $null = New-Item -ItemType File (Join-Path $folder.FullName $File)
    }

    # The loader compares the names of versions, which stand in the table of dynamic strings.
    function Set-GlibcVersion([string] $Library) {
        $latin1 = [Text.Encoding]::GetEncoding(28591)
        $content = $latin1.GetString([IO.File]::ReadAllBytes($Library))
        $place = $content.IndexOf("GLIBC_2.17`0", [StringComparison]::Ordinal)
        $place | Should -BeGreaterOrEqual 0 -Because "$Library asks for glibc 2.17"
        $changed = $content.Substring(0, $place) + 'GLIBC_9.99' + $content.Substring($place + 10)
        [IO.File]::WriteAllBytes($Library, $latin1.GetBytes($changed))
    }
}

Describe 'the native library' {
    BeforeEach { $folder = Join-Path $TestDrive ([guid]::NewGuid()) }

    It 'is loaded from the folder of the module alone' {
        Use-Linux
        $null = Get-Line 'Invoke-RustParallel 127.0.0.1 -TcpPort 1'
        $loaded = @([IO.File]::ReadAllLines('/proc/self/maps') | Where-Object { $_ -clike '*rust_runspaces*' } |
                ForEach-Object { $_.Substring($_.IndexOf('/')) } | Select-Object -Unique)
        $loaded.Count | Should -Be 1
        $loaded[0].StartsWith((Join-Path $ModuleFolder 'native') + '/') | Should -BeTrue
    }

    It 'is not needed to import the module and to ask for help' {
        $manifest = Copy-Module $folder
        $null = Remove-Library $manifest
        Get-ChildLine 'Import-Module $Manifest; (Get-Command Invoke-RustParallel).Name; (Get-Help Invoke-RustParallel).Name' $manifest |
            Should -BeExactly 'Invoke-RustParallel', 'Invoke-RustParallel'
    }

    It 'is NativeLibraryNotFound with the full path expected where it is missing' {
        $manifest = Copy-Module $folder
        $library = Remove-Library $manifest
        $lines = @(Get-ChildLine $Call $manifest)
        $lines[0] | Should -BeExactly 'NativeLibraryNotFound,RustRunspaces.InvokeRustParallelCommand'
        $lines[1] | Should -BeExactly 'ObjectNotFound'
        $lines[2] | Should -BeExactly $library
        $lines[3].Contains($library) | Should -BeTrue
    }

    It 'is never looked for in the working directory or through the search paths of the system' {
        $manifest = Copy-Module $folder
        $library = Remove-Library $manifest
        $planted = (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid()))).FullName
        # A right one, so that it would be taken wherever it were found.
        $right = @(Get-ChildItem -LiteralPath (Join-Path $ModuleFolder 'native') -Recurse -File |
                Where-Object { $_.Directory.Name -eq (Split-Path (Split-Path $library) -Leaf) })[0]
        Copy-Item -LiteralPath $right.FullName -Destination $planted
        $path, $libraryPath = $env:PATH, $env:LD_LIBRARY_PATH
        try {
            $env:PATH = $planted + [IO.Path]::PathSeparator + $path
            $env:LD_LIBRARY_PATH = $planted
            $lines = @(Get-ChildLine "Set-Location '$planted'; [Environment]::CurrentDirectory = '$planted'; $Call" $manifest)
        } finally {
            $env:PATH, $env:LD_LIBRARY_PATH = $path, $libraryPath
        }
        $lines[0] | Should -BeExactly 'NativeLibraryNotFound,RustRunspaces.InvokeRustParallelCommand'
        $lines[2] | Should -BeExactly $library
    }

    It 'is AbiMismatch with both numbers where it is of another version' {
        Use-Linux
        if (-not (Get-Command cc -CommandType Application -ErrorAction Ignore)) { Skip-Test 'there is no C compiler here' }
        $header = [IO.File]::ReadAllText((Get-RepositoryFile 'include/rust_runspaces.h'))
        $manifest = Copy-Module $folder
        $library = Remove-Library $manifest
        $source = Join-Path $folder 'other.c'
        [IO.File]::WriteAllText($source, "unsigned rr_abi_version(void) { return 4711; }`n")
        & cc -shared -fPIC -o $library $source
        $LASTEXITCODE | Should -Be 0
        $lines = @(Get-ChildLine $Call $manifest)
        $lines[0] | Should -BeExactly 'AbiMismatch,RustRunspaces.InvokeRustParallelCommand'
        $lines[2] | Should -BeExactly $library
        $lines[3] | Should -MatchExactly '4711'
        $header | Should -MatchExactly '#define RR_ABI_VERSION \d+'
        $lines[3] | Should -MatchExactly "version $([regex]::Match($header, '(?<=#define RR_ABI_VERSION )\d+').Value) "
    }

    It 'is NativeLibraryNotLoaded where the file is no library' {
        $manifest = Copy-Module $folder
        $library = Remove-Library $manifest
        [IO.File]::WriteAllText($library, 'no library')
        $lines = @(Get-ChildLine $Call $manifest)
        $lines[0] | Should -BeExactly 'NativeLibraryNotLoaded,RustRunspaces.InvokeRustParallelCommand'
        $lines[3].Contains($library) | Should -BeTrue
    }
}

Describe 'other systems' {
    BeforeEach { $folder = Join-Path $TestDrive ([guid]::NewGuid()) }

    It 'are told which libraries there are' {
        $manifest = Copy-Module $folder
        Remove-Item -LiteralPath (Join-Path $folder 'native') -Recurse
        Add-Library $manifest 'plan9-x64' 'librust_runspaces.so'
        Add-Library $manifest 'win-arm64' 'rust_runspaces.dll'
        Add-Library $manifest 'beos-arm64' 'librust_runspaces.so'
        $lines = @(Get-ChildLine $Call $manifest)
        $lines[0] | Should -BeExactly 'NativeLibraryNotFound,RustRunspaces.InvokeRustParallelCommand'
        $lines[3] | Should -MatchExactly 'there are libraries for beos-arm64, plan9-x64, win-arm64 \('
    }

    It 'are not told of a deleted library' {
        $manifest = Copy-Module $folder
        $null = Remove-Library $manifest
        Add-Library $manifest 'plan9-x64' 'librust_runspaces.so'
        $lines = @(Get-ChildLine $Call $manifest)
        $lines[3] | Should -MatchExactly 'there are libraries for plan9-x64 \('
    }

    It 'are told in the loader''s words what theirs lacks' {
        Use-Linux
        $manifest = Copy-Module $folder
        Get-ChildItem -LiteralPath $folder -Recurse -Filter '*.so' | ForEach-Object { Set-GlibcVersion $_.FullName }
        $lines = @(Get-ChildLine $Call $manifest)
        $lines[0] | Should -BeExactly 'NativeLibraryNotLoaded,RustRunspaces.InvokeRustParallelCommand'
        $lines[3] | Should -MatchExactly '`GLIBC_9\.99'' not found'
    }
}
