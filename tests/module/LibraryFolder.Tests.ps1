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

    It 'gets nothing written into it' {
        $manifest = Copy-Module $parent
        $list = { Get-ChildItem -LiteralPath $parent -Recurse -Force | ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks) $($_.Length)" } }
        $before = & $list
        Test-Use (Get-ChildLine $Use $manifest) $manifest
        & $list | Should -BeExactly $before
    }

    It 'need not be writable' {
        $manifest = Copy-Module $parent
        $prefix = @()
        if ($IsOnWindows) {
            # Everyone, whatever the language calls it.
            $everyone = New-Object Security.Principal.SecurityIdentifier 'S-1-1-0'
            $deny = New-Object Security.AccessControl.FileSystemAccessRule $everyone, 'Write, Delete, DeleteSubdirectoriesAndFiles', 'ContainerInherit, ObjectInherit', 'None', 'Deny'
            $acl = Get-Acl -LiteralPath $parent
            $acl.AddAccessRule($deny)
            Set-Acl -LiteralPath $parent $acl
        } else {
            # Who is root may write whatever the mode says, but for a read-only mount.
            Use-Laboratory
            $prefix = 'unshare', '--mount', '--', '/bin/sh', '-c', 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"', $parent
        }
        $write = "try { [IO.File]::WriteAllText((Join-Path (Split-Path `$Manifest) 'written'), '') } catch { 'not writable' }`n"
        try {
            $first, $rest = @(Get-ChildLine ($write + $Use) $manifest -Prefix $prefix)
            if ($first -ne 'not writable' -and (Test-Wine)) { Skip-Test 'Wine lets root write whatever the access list says' }
            $first | Should -BeExactly 'not writable'
            Test-Use $rest $manifest
        }
        finally {
            if ($IsOnWindows) {
                $null = $acl.RemoveAccessRule($deny)
                Set-Acl -LiteralPath $parent $acl
            }
        }
    }
}

Describe 'planted libraries' {
    It 'in the working folder are not loaded' {
        $name = if ($IsOnWindows) { 'rust_runspaces.dll' } else { 'librust_runspaces.so' }
        $folder = Join-Path $TestDrive ([guid]::NewGuid())
        $null = New-Item -ItemType Directory $folder
        # Were it loaded, the call would fail.
        [IO.File]::WriteAllText((Join-Path $folder $name), 'no library')
        $here = "Set-Location -LiteralPath '$folder'; [Environment]::CurrentDirectory = '$folder'; `$env:PATH = '$folder' + [IO.Path]::PathSeparator + `$env:PATH`n"
        Test-Use (Get-ChildLine ($here + $Use)) $ModuleManifest
    }

    It 'beside the program are not loaded, neither ours nor what it needs' {
        Use-Windows
        # Of the system's libraries that ours needs one that a process without it has not: what is loaded already is
        # taken again, wherever it came from.
        $loaded = @(Get-ChildLine '(Get-Process -Id $PID).Modules | ForEach-Object { $_.ModuleName }')
        $needed = @('iphlpapi.dll', 'bcrypt.dll' | Where-Object { $loaded -notcontains $_ })[0]
        if (-not $needed) { Skip-Test 'all that the engine needs of the system is in every process here' }
        $program = (Get-Process -Id $PID).Path
        $copy = Join-Path $TestDrive ([guid]::NewGuid())
        Copy-Item -LiteralPath (Split-Path $program) -Destination $copy -Recurse
        # Were one of them loaded, the call would fail.
        foreach ($file in 'rust_runspaces.dll', $needed) { [IO.File]::WriteAllText((Join-Path $copy $file), 'no library') }
        # What Get-ChildLine starts from here.
        function Get-PowerShellCommand { Join-Path $copy (Split-Path -Leaf $program) }
        $first, $rest = @(Get-ChildLine ("(Get-Process -Id `$PID).Path`n" + $Use))
        $first | Should -Be (Get-PowerShellCommand)
        Test-Use $rest $ModuleManifest
    }
}

Describe 'a process of 32 bits' {
    BeforeAll {
        # What is said where a system's library is looked for in a folder that has none.
        function Get-Complaint([string] $System) {
            $library = [RustRunspaces.InvokeRustParallelCommand].Assembly.GetType('RustRunspaces.Native.Library')
            $locate = $library.GetMethod('Locate', [Reflection.BindingFlags] 'NonPublic, Static')
            try { $locate.Invoke($null, @("$TestDrive", $System)) }
            catch { return $_.Exception.GetBaseException().Message }
        }
    }

    It 'is told to use the 64-bit PowerShell, and its path, not of a missing file: <_>' -ForEach 'win-x86', 'win-arm' {
        $message = Get-Complaint $_
        $message | Should -MatchExactly '64-bit'
        $message.Contains('%SystemRoot%\Sysnative\WindowsPowerShell\v1.0\powershell.exe') | Should -BeTrue
    }

    It 'is none on <_>' -ForEach 'win-x64', 'win-arm64', 'linux-x64', 'linux-arm' {
        Get-Complaint $_ | Should -MatchExactly 'does not exist'
    }
}
