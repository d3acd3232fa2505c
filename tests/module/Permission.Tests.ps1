# What a user without the right to raw sockets may do: in a child process that has lost it, in a
# network of its own, whose ping_group_range is the system's default (closed) or open.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"

    # A new network's range is closed; 0 is the group of the child.
    $Closed = 'true'
    $Open = 'echo 0 0 >/proc/sys/net/ipv4/ping_group_range'

    function Get-LineWithoutRawSocket([string] $Permit, [string] $Script) {
        $setup = "ip link set lo up && $Permit && exec setpriv --bounding-set -net_raw --inh-caps -net_raw -- `"`$@`""
        Get-ChildLine "Import-Module `$Manifest; $Script" -Prefix 'unshare', '--net', '--', '/bin/sh', '-c', $setup, 'sh'
    }
}

Describe 'permission' -Tag 'Laboratory' {
    BeforeEach {
        Use-Laboratory
        if (-not (Get-Command setpriv -CommandType Application -ErrorAction Ignore)) { Skip-Test 'there is no setpriv to take a right away' }
    }

    It 'is missing for an echo: IcmpNotPermitted, which says how to permit it' {
        $lines = @(Get-LineWithoutRawSocket $Closed 'try { Invoke-RustParallel 127.0.0.1 } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.Exception.Message }')
        $lines.Count | Should -Be 3
        $lines[0] | Should -BeExactly 'IcmpNotPermitted,RustRunspaces.InvokeRustParallelCommand'
        $lines[1] | Should -BeExactly 'PermissionDenied'
        # No more than it takes: the group of who asks, not all.
        $lines[2] | Should -MatchExactly 'net\.ipv4\.ping_group_range="\$\(id -g\) \$\(id -g\)"'
        $lines[2] | Should -MatchExactly 'cap_net_raw'
        $lines[2] | Should -MatchExactly '-TcpPort'
    }

    It 'ends the call before the input ends where it is missing' {
        Get-LineWithoutRawSocket $Closed '$delivered = 0; try { 1..100 | ForEach-Object { $delivered++; ''127.0.0.1'' } | Invoke-RustParallel -AsObject } catch { }; $delivered' |
            Should -BeExactly '1'
    }

    It 'is not needed for names and ports' {
        Get-LineWithoutRawSocket $Closed '(Invoke-RustParallel 127.0.0.1 -TcpPort 1 -ResolveName -AsObject).Status' | Should -BeExactly 'Refused'
    }

    It 'is given by a group in the range, without raw sockets' {
        Get-LineWithoutRawSocket $Open '$r = Invoke-RustParallel 127.0.0.0/28, ::1; $r.Count; @($r.Values | Where-Object Ping).Count' | Should -BeExactly '15', '15'
    }
}
