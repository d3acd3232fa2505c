# The build's own promises: that a step is done again where anything that decides its result has changed, that a
# library without what it is promised to have is refused, that a header is compared where it can be, that apt finds
# both processors' packages, that PowerShell is compiled ahead, and that no test is skipped without a reason. With
# the build's own functions and the real tools, in folders of the tests'.

BeforeAll {
    $Root = (Resolve-Path (Join-Path $PSScriptRoot '../..')).ProviderPath
    foreach ($part in 'Native', 'Artifacts', 'LibcStubs', 'Archive', 'PackCheck', 'Pack', 'TestRunners') { . "$Root/build/$part.ps1" }
    $Repository = $Root
    $Said = New-Object Collections.Generic.List[string]
    function Write-Step([string] $Text) { $Said.Add($Text) }

    function Skip-Test([string] $Reason) { Set-ItResult -Skipped -Because $Reason }

    # Another tree with these parts of the repository, for a test that changes them: its path.
    function New-Tree([string[]] $Parts) {
        $tree = Join-Path $TestDrive ([guid]::NewGuid())
        $null = New-Item "$tree/target" -ItemType Directory
        foreach ($part in $Parts) {
            $null = New-Item (Split-Path "$tree/$part") -ItemType Directory -Force
            Copy-Item "$Repository/$part" "$tree/$part" -Recurse
        }
        return $tree
    }
}

Describe 'a step that is done once' {
    BeforeAll {
        $Root = New-Tree 'build', 'build.ps1', 'build.sh'
        $done = New-Object Collections.Generic.List[int]
        function Measure-Doing {
            $done.Clear()
            Invoke-Once 'step' 'content' { $done.Add(1) }
            return $done.Count
        }
    }

    It 'is not done again for the same content' {
        $null = Measure-Doing
        Measure-Doing | Should -Be 0
    }

    It 'is done again where the build has changed: <_>' -ForEach 'build/libc/functions.c', 'build/LibcStubs.ps1', 'build/Artifacts.ps1', 'build/Native.ps1', 'build.sh' {
        $null = Measure-Doing
        Add-Content "$Root/$_" '#'
        Measure-Doing | Should -Be 1
    }

    It 'is done again for a project where what it takes in from elsewhere has changed: <_>' -ForEach 'module/RustRunspaces.csproj', 'tests/powershell/PowerShellTests.csproj' {
        $folder = Split-Path $_
        # What the steps look at, as their calls name it.
        $lists = foreach ($file in Get-ChildItem "$Repository/build/*.ps1") {
            $tree = [Management.Automation.Language.Parser]::ParseFile($file.FullName, [ref] $null, [ref] $null)
            foreach ($call in $tree.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] -and $args[0].GetCommandName() -eq 'Get-Fingerprint' }, $true)) {
                , @($call.FindAll({ $args[0] -is [Management.Automation.Language.StringConstantExpressionAst] }, $true) | ForEach-Object { $_.Value })
            }
        }
        $lists = @($lists | Where-Object { $_ -contains $folder })
        $lists.Count | Should -BeGreaterThan 0
        $taken = @([regex]::Matches((Get-Content "$Repository/$_" -Raw), '(?:Project="|\$\(MSBuildThisFileDirectory\))(\.\./[\w./]+)') | ForEach-Object {
                [IO.Path]::GetFullPath("$Repository/$folder/$($_.Groups[1].Value)").Substring($Repository.Length + 1) })
        $taken.Count | Should -BeGreaterThan 0
        foreach ($list in $lists) { foreach ($file in @($taken) + 'Directory.Build.props') { $list | Should -Contain $file } }
    }

    It 'is done again for the package where a compiler is another' {
        $Root = $Repository
        $obstacle = Get-PackObstacle
        if ($obstacle) { Skip-Test $obstacle }
        $fingerprint = Get-PackFingerprint
        foreach ($tool in @($PackedLibraries | ForEach-Object { $_.Linker }) + 'rustc' + '/usr/bin/rustc' + 'dotnet') {
            $fingerprint.Contains((& $tool --version | Select-Object -First 1)) | Should -BeTrue -Because $tool
        }
    }
}

Describe 'a library' {
    BeforeAll {
        # Our manifest, of a library without dependencies.
        function Build-Crate([scriptblock] $Change, [string[]] $Arguments) {
            $folder = New-Tree 'Cargo.toml'
            $null = New-Item "$folder/src" -ItemType Directory
            Set-Content "$folder/src/lib.rs" '#[no_mangle] pub extern "C" fn answer() -> i32 { 42 }'
            $manifest = [regex]::Replace((Get-Content "$folder/Cargo.toml" -Raw), '(?ms)^\[(\[example\]|dependencies|dev-dependencies)\].*?(?=^\[|^#)', '')
            $changed = & $Change $manifest
            Set-Content "$folder/Cargo.toml" $changed
            return Invoke-Program -File 'cargo' -Arguments $Arguments -Folder $folder -Environment @{ CARGO_TARGET_DIR = "$folder/target" }
        }
    }

    It 'is built with the optimisation over all crates' {
        $result = Build-Crate { $args[0] } (Get-LibraryLine '--verbose')
        $result.ExitCode | Should -Be 0 -Because $result.Text
        $result.Text | Should -Match '--crate-name rust_runspaces .*-C lto=fat'
    }

    It 'is not built where the profile has lost that' {
        $result = Build-Crate { $args[0] -replace '(?m)^lto = .*$' } (Get-LibraryLine @())
        $result.ExitCode | Should -Not -Be 0
        $result.Text | Should -Match 'embed-bitcode=no.* and .*-C lto'
    }

    It 'is not built where cargo leaves that out for the Rust library beside it' {
        $result = Build-Crate { $args[0] } (Get-LibraryLine @() | Where-Object { $_ -notin '--crate-type', 'cdylib' })
        $result.ExitCode | Should -Not -Be 0
        $result.Text | Should -Match 'lto can only be run for'
    }

    It 'for this machine is held to what the package''s are' {
        if (-not (Get-OwnTarget)) { Skip-Test 'only those for Linux are' }
        # As if less were allowed.
        $NewestGlibc = [version] '2.0'
        { Build-Library } | Should -Throw '* needs glibc 2.17, newer than 2.0'
    }
}

Describe 'the header' {
    BeforeEach {
        $Root = New-Tree 'build', 'build.ps1', 'build.sh', 'src/ffi', 'include', 'cbindgen.toml'
        $Said.Clear()
        $path = $env:PATH
    }

    AfterEach { $env:PATH = $path }

    It 'is not compared with what another cbindgen makes, nor made by it' {
        if ($IsOnWindows) { Skip-Test 'a script stands in for the other one' }
        Set-Content "$Root/target/cbindgen" "#!/bin/sh`necho cbindgen 9.9.9"
        & chmod +x "$Root/target/cbindgen"
        $env:PATH = "$Root/target$([IO.Path]::PathSeparator)$path"
        Add-Content "$Root/include/rust_runspaces.h" 'drifted'
        Test-Header
        $Said[-1] | Should -Be "header: not compared: it is made by cbindgen $CbindgenVersion, here is cbindgen 9.9.9"
        { Update-Header } | Should -Throw '*cannot be renewed*'
        (Get-Content "$Root/include/rust_runspaces.h")[-1] | Should -Be 'drifted'
    }

    It 'is compared with what its own cbindgen makes' {
        $obstacle = Get-HeaderObstacle
        if ($obstacle) { Skip-Test $obstacle }
        Test-Header
        Add-Content "$Root/include/rust_runspaces.h" 'drifted'
        { Test-Header } | Should -Throw '*has drifted*'
    }
}

Describe 'apt''s sources on Ubuntu' {
    BeforeEach {
        foreach ($tool in 'dpkg', 'apt-get') { if (-not (Find-Program $tool)) { Skip-Test "there is no $tool" } }
        if ((& dpkg --print-architecture) -ne 'amd64') { Skip-Test 'this is for amd64' }
        $etc = Join-Path $TestDrive "$([guid]::NewGuid())/etc"
        $null = New-Item "$etc/apt/sources.list.d" -ItemType Directory
        Set-Content "$etc/os-release" "NAME=`"Ubuntu`"`nID=ubuntu`nVERSION_CODENAME=noble"
        Set-Content "$etc/apt/sources.list" @'
deb http://line.test/ubuntu noble main
deb [trusted=yes] http://option.test/ubuntu noble main
deb [arch=amd64 trusted=yes] http://limited.test/ubuntu noble main
# deb http://comment.test/ubuntu noble main
'@
        Set-Content "$etc/apt/sources.list.d/own.list" 'deb http://file.test/ubuntu noble main'
        Set-Content "$etc/apt/sources.list.d/ubuntu.sources" @'
# The system's own.
Types: deb
URIs: http://stanza.test/ubuntu/
Suites: noble noble-updates
Components: main universe
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://limited-stanza.test/ubuntu/
Suites: noble
Components: main
architectures: amd64


Types: deb
URIs: http://last-stanza.test/ubuntu/
Suites: noble-security
Components: main
'@
        # The indexes that apt itself would get: architecture and site.
        function Get-Index {
            $listed = Invoke-Required 'apt-get' 'apt-get' @('indextargets', '--no-release-info', '-o', "Dir::Etc=$etc/apt", '-o', 'APT::Architecture=amd64',
                '-o', 'APT::Architectures=amd64,arm64', '--format', '$(ARCHITECTURE) $(SITE)', 'Created-By: Packages')
            @($listed.Output -split "`n" | Where-Object { $_ -notlike 'all *' } | Sort-Object -Unique)
        }
        function Get-Source { Get-ChildItem "$etc/apt" -File -Recurse | ForEach-Object { $_.FullName; Get-Content $_.FullName } }
        function Add-Port { Invoke-Required 'ubuntu-ports.sh' "$Repository/build/ubuntu-ports.sh" (Split-Path $etc) }
    }

    It 'have arm64 from the ports alone, and what they had of the others' {
        $before = Get-Index
        @($before -like 'arm64 *').Count | Should -BeGreaterThan 3
        $null = Add-Port
        $after = Get-Index
        $after -like 'amd64 *' | Should -Be ($before -like 'amd64 *')
        $after -like 'arm64 *' | Should -Be 'arm64 http://ports.ubuntu.com/ubuntu-ports'
    }

    It 'are changed once' {
        $null = Add-Port
        $once = Get-Source
        $null = Add-Port
        Get-Source | Should -Be $once
    }

    It 'are left as they are on another system' {
        Set-Content "$etc/os-release" 'ID=debian'
        $before = Get-Source
        $null = Add-Port
        Get-Source | Should -Be $before
    }
}

Describe 'a skipped test' {
    It 'fails where it has no reason, and is told with the one it has' {
        Set-Content "$TestDrive/Skipped.Tests.ps1" @'
Describe 'some' {
    It 'passes' { }
    It 'has a reason' { Set-ItResult -Skipped -Because 'of that' }
    It 'has none' -Skip { }
    It 'has none either' { Set-ItResult -Skipped }
}
Describe 'all' -Skip { It 'has none' { } }
'@
        $first, $rest = @(Get-PowerShellLine) + "$Repository/tests/module/Invoke-ModuleTests.ps1" + '-Folder' + "$TestDrive"
        $result = Invoke-Program -File $first -Arguments $rest
        $result.ExitCode | Should -Be 1
        $lines = @($result.Output -split "`n")
        $lines[-1] | Should -Be '1 passed, 3 failed, 1 skipped'
        $lines -like 'skip *' | Should -Be 'skip some.has a reason: of that'
        @($lines -like 'not ok *: is skipped without a reason *').Count | Should -Be 3
    }
}

Describe 'the PowerShell that is restored' {
    It 'is compiled ahead: its assembly has a header of native code (ECMA-335 II.25.3.3, ManagedNativeHeader)' {
        if (-not $PSHOME.StartsWith("$Repository/target/", [StringComparison]::Ordinal)) { Skip-Test 'this machine has a PowerShell of its own' }
        $file = [IO.File]::OpenRead("$PSHOME/System.Management.Automation.dll")
        try { ([Reflection.PortableExecutable.PEReader]::new($file)).PEHeaders.CorHeader.ManagedNativeHeaderDirectory.Size | Should -BeGreaterThan 0 }
        finally { $file.Dispose() }
    }
}
