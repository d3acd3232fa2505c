# Linux machines as they are found: no language set and no ICU, a file system that is read-only and no home,
# one core, little memory and a tenth of a processor. In child processes.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"

    # A sweep of a /24 and a hundred jobs: how many hosts answered, how many jobs each gave its own item.
    $Work = @'
        $hosts = Invoke-RustParallel 127.0.0.0/24
        "$($hosts.Count) $(@($hosts.Values | Where-Object Ping).Count)"
        $items = @(1..100 | Invoke-RustParallel { $_ } | Sort-Object)
        "$($items.Count) $(@(Compare-Object $items (1..100)).Count)"
'@
    $Done = '254 254', '100 0'

    # What a script writes to the console, which needs no folder to write to; an error fails the test.
    function Get-ConsoleLine([string] $Script, [string[]] $Prefix, $Environment = @{}) {
        $command = "`$ErrorActionPreference = 'Stop'; Import-Module '$ModuleManifest'; `$lines = & {`n$Script`n}; [Console]::Out.Write(`$lines -join `"``n`")"
        $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($command))
        $run = Invoke-Process ($Prefix + @(Get-PowerShellCommand) + @('-NoProfile', '-NonInteractive', '-EncodedCommand', $encoded)) -Environment $Environment
        if ($run.ExitCode -ne 0 -or $run.Errors) { throw "exit code $($run.ExitCode): $($run.Output)$($run.Errors)" }
        return $run.Output -split "`n"
    }
}

Describe 'odd systems' -Tag 'Laboratory' {
    BeforeEach {
        Use-Linux
        Use-Laboratory
    }

    It 'without a language and without ICU names, cultures and texts are what they are' {
        $prefix = 'env', '-u', 'LC_ALL', '-u', 'LANGUAGE', 'LANG=C', 'DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1'
        $lines = @(Get-ChildLine -Prefix $prefix -Script @'
            Import-Module $Manifest
            "$([cultureinfo]::CurrentCulture.LCID)$(1 | Invoke-RustParallel { [cultureinfo]::CurrentCulture.LCID })"
            # Letters by their numbers: this is about texts, not about how files are read.
            $name = "B$([char] 0xfc)cher $([char] 0x65e5)"
            (1 | Invoke-RustParallel { $using:name }) -ceq $name
            $data = Invoke-RustParallel -ComputerName $name, 'other' { param($ComputerName) $Data[$ComputerName] = $ComputerName.ToUpperInvariant() }
            $data[$name] -ceq $name.ToUpperInvariant()
            $data.ContainsKey('OTHER')
            (1 | Invoke-RustParallel { throw $using:name } -ErrorVariable problems 2> $null); "$($problems[0])" -ceq $name
            1 | Invoke-RustParallel { '{0:N1} {1:d}' -f 1234.5, [datetime] '2021-09-29' }
            (Invoke-RustParallel mini.test -AsObject).Status
            (Invoke-RustParallel "b$([char] 0xfc)cher.test" -AsObject).Status
'@)
        $lines | Should -BeExactly '127127', 'True', 'True', 'True', 'True', '1,234.5 09/29/2021', 'Success', 'Success'
    }

    It 'on a read-only file system, without a home, everything works' {
        # As systemd's ProtectSystem=strict and PrivateTmp leave it: but for a folder for temporary files PowerShell itself ends there.
        $protect = 'while read -r _ _ _ _ place _; do case $place in /proc* | /sys* | /dev*) ;; *) mount -o remount,bind,ro "$place" || exit ;; esac; done </proc/self/mountinfo'
        $setup = "mount --make-rprivate / && $protect && ! touch /x 2>/dev/null && ! touch /tmp/x 2>/dev/null && mount -t tmpfs tmpfs /var/tmp && exec `"`$@`""
        $without = 'HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME' | ForEach-Object { '-u', $_ }
        Get-ConsoleLine $Work -Prefix (@('env') + $without + @('TMPDIR=/var/tmp', 'unshare', '--mount', '/bin/sh', '-c', $setup, 'sh')) | Should -BeExactly $Done
    }

    It 'on one core everything works' {
        if (-not (Get-Command taskset -CommandType Application -ErrorAction Ignore)) { Skip-Test 'there is no taskset' }
        Get-ChildLine "Import-Module `$Manifest; [Environment]::ProcessorCount; $Work" -Prefix 'taskset', '--cpu-list', '0' | Should -BeExactly (@('1') + $Done)
    }

    It 'in 64 MiB and with a tenth of a processor everything ends, slowly' -Tag 'Slow' {
        # Of either version; the groups are the test's own and go with it.
        $name = "rustrunspaces-test-$PID"
        $groups = if (Test-Path /sys/fs/cgroup/cgroup.controllers) {
            [ordered] @{ "/sys/fs/cgroup/$name" = @{ 'memory.max' = '67108864'; 'cpu.max' = '10000 100000' } }
        } else {
            [ordered] @{
                "/sys/fs/cgroup/memory/$name" = @{ 'memory.limit_in_bytes' = '67108864' }
                "/sys/fs/cgroup/cpu/$name"    = @{ 'cpu.cfs_period_us' = '100000'; 'cpu.cfs_quota_us' = '10000' }
            }
        }
        try {
            foreach ($group in $groups.Keys) {
                try {
                    $null = New-Item -ItemType Directory $group -ErrorAction Stop
                    foreach ($file in $groups[$group].Keys) { [IO.File]::WriteAllText("$group/$file", $groups[$group][$file]) }
                }
                catch { Skip-Test "no control group can be made here: $_" }
            }
            $enter = ($groups.Keys | ForEach-Object { "echo `$`$ >'$_/cgroup.procs' && " }) -join ''
            $LongestChildSeconds = 120
            $lines = Get-ConsoleLine "$Work; [GC]::GetGCMemoryInfo().TotalAvailableMemoryBytes -le 64MB" -Prefix '/bin/sh', '-c', ($enter + 'exec "$@"'), 'sh'
            $lines | Should -BeExactly ($Done + 'True')
            "$(Get-Content "$(@($groups.Keys)[-1])/cpu.stat")" | Should -Match 'nr_throttled [1-9]\d'
        }
        finally { $groups.Keys | Where-Object { Test-Path $_ } | ForEach-Object { [IO.Directory]::Delete($_) } }
    }
}
