# Where the module lies and what lies around it: folders with unusual names and without the right to write,
# planted libraries, processes of 32 bits. In child processes, with copies of the module.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"

    # The library's path as the process has it, and a job's output.
    $Use = @'
Import-Module $Manifest
1 | Invoke-RustParallel { 'done' }
if ([Environment]::OSVersion.Platform -eq 'Win32NT') {
    (Get-Process -Id $PID).Modules | Where-Object { $_.ModuleName -eq 'rust_runspaces.dll' } | ForEach-Object { $_.FileName }
} else {
    [IO.File]::ReadAllLines('/proc/self/maps') | Where-Object { $_ -clike '*rust_runspaces*' } |
        ForEach-Object { $_.Substring($_.IndexOf('/')) } | Select-Object -Unique
}
'@

    # The one library of its name is that of this copy of the module.
    function Test-Use([string[]] $Lines, [string] $Manifest) {
        $Lines.Count | Should -Be 2
        $Lines[0] | Should -BeExactly 'done'
        $folder = (Join-Path (Split-Path $Manifest) 'native') + [IO.Path]::DirectorySeparatorChar
        # The loader's forms of shares and of long paths.
        $path = $Lines[1] -replace '^(\\\\\?\\)?UNC\\', '\\' -replace '^\\\\\?\\', ''
        $path.StartsWith($folder, [StringComparison]::OrdinalIgnoreCase) | Should -BeTrue -Because "'$path' is in '$folder'"
    }
}

Describe 'the folder of the module' {
    BeforeEach { $parent = Join-Path $TestDrive ([guid]::NewGuid()) }

    It 'may have spaces, brackets and letters of any script in its name' {
        $manifest = Copy-Module (Join-Path $parent "R$([char] 0xfc)st [1] $([char] 0x65e5)$([char] 0x672c) & Co")
        Test-Use (Get-ChildLine $Use $manifest) $manifest
    }

    It 'may be longer than MAX_PATH' {
        $name = 'a folder with a name of some length, which others follow'
        $folder = $parent
        while ($folder.Length -lt 300) { $folder = Join-Path $folder $name }
        $null = New-Item -ItemType Directory $folder
        $manifest = Copy-Module (Join-Path $folder 'RustRunspaces')
        $manifest.Length | Should -BeGreaterThan 300
        Test-Use (Get-ChildLine $Use $manifest) $manifest
    }

    It 'may be on a share' {
        Use-Windows
        if (Test-Wine) {
            # Where Wine has its shares.
            $root = 'Z:' + $env:WINEPREFIX.Replace('/', '\') + '\dosdevices\unc\tests\share'
            $null = New-Item -ItemType Directory -Force $root
            $share = '\\tests\share'
        } else {
            $share = '\\localhost\{0}$\{1}' -f "$TestDrive"[0], "$TestDrive".Substring(3)
        }
        if (-not (Test-Path -LiteralPath $share)) { Skip-Test "there is no share $share" }
        $folder = "$share\$([guid]::NewGuid())"
        try {
            $manifest = Copy-Module $folder
            Test-Use (Get-ChildLine $Use $manifest) $manifest
        }
        finally { Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction Ignore }
    }

    It 'need not be writable, and nothing is written there' {
        $manifest = Copy-Module $parent
        $items = @(Get-Item -LiteralPath $parent) + @(Get-ChildItem -LiteralPath $parent -Recurse -Force)
        if ($IsOnWindows) { $items | Where-Object { -not $_.PSIsContainer } | ForEach-Object { $_.IsReadOnly = $true } }
        else { & chmod -R a-w $parent }
        $list = { Get-ChildItem -LiteralPath $parent -Recurse -Force | ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks) $($_.Length)" } }
        $before = & $list
        try {
            Test-Use (Get-ChildLine $Use $manifest) $manifest
            & $list | Should -BeExactly $before
        }
        finally {
            if ($IsOnWindows) { $items | Where-Object { -not $_.PSIsContainer } | ForEach-Object { $_.IsReadOnly = $false } }
            else { & chmod -R u+w $parent }
        }
    }
}

Describe 'planted libraries' {
    It 'in the working folder are not loaded' {
        $name = if ($IsOnWindows) { 'rust_runspaces.dll' } else { 'librust_runspaces.so' }
        $folder = Join-Path $TestDrive ([guid]::NewGuid())
        $null = New-Item -ItemType Directory $folder
        # Were one of them loaded, the call would fail. The engine needs the second.
        foreach ($file in $name, 'iphlpapi.dll') { [IO.File]::WriteAllText((Join-Path $folder $file), 'no library') }
        $here = "Set-Location -LiteralPath '$folder'; [Environment]::CurrentDirectory = '$folder'; `$env:PATH = '$folder' + [IO.Path]::PathSeparator + `$env:PATH`n"
        Test-Use (Get-ChildLine ($here + $Use)) $ModuleManifest
    }

    It 'beside the program are not loaded' {
        Use-Windows
        $planted = Join-Path (Split-Path (Get-Process -Id $PID).Path) 'rust_runspaces.dll'
        if (Test-Path -LiteralPath $planted) { Skip-Test "there is a $planted" }
        try { [IO.File]::WriteAllText($planted, 'no library') }
        catch { Skip-Test "PowerShell's folder is not writable here" }
        try { Test-Use (Get-ChildLine $Use) $ModuleManifest }
        finally { Remove-Item -LiteralPath $planted }
    }
}

Describe 'a process of 32 bits' {
    It 'is told to use the 64-bit PowerShell, and its path: <_>' -ForEach 'win-x86', 'win-arm' {
        $library = [RustRunspaces.InvokeRustParallelCommand].Assembly.GetType('RustRunspaces.Native.Library')
        $message = $library.GetMethod('OfThirtyTwoBits', [Reflection.BindingFlags] 'NonPublic, Static').Invoke($null, @($_))
        $message | Should -MatchExactly '64-bit'
        $message.Contains('%SystemRoot%\Sysnative\WindowsPowerShell\v1.0\powershell.exe') | Should -BeTrue
    }

    It 'is none on <_>' -ForEach 'win-x64', 'win-arm64', 'linux-x64', 'linux-arm' {
        $library = [RustRunspaces.InvokeRustParallelCommand].Assembly.GetType('RustRunspaces.Native.Library')
        $library.GetMethod('OfThirtyTwoBits', [Reflection.BindingFlags] 'NonPublic, Static').Invoke($null, @($_)) | Should -BeNullOrEmpty
    }
}
