# The properties of a result: names, types, values; null where there is nothing to say.

BeforeDiscovery {
    $EveryProperty = @(
        @{ Name = 'ComputerName'; Type = 'string' }
        @{ Name = 'Address'; Type = 'string' }
        @{ Name = 'AddressObject'; Type = 'ipaddress' }
        @{ Name = 'Ping'; Type = 'bool' }
        @{ Name = 'Status'; Type = 'string' }
        @{ Name = 'StatusCode'; Type = 'RustRunspaces.JobStatus' }
        @{ Name = 'Latency'; Type = 'System.Nullable[double]' }
        @{ Name = 'Sent'; Type = 'int' }
        @{ Name = 'Received'; Type = 'int' }
        @{ Name = 'Ttl'; Type = 'System.Nullable[int]' }
        @{ Name = 'HostName'; Type = 'string' }
        @{ Name = 'Addresses'; Type = 'System.Collections.Generic.IReadOnlyList[string]' }
        @{ Name = 'AnsweredFrom'; Type = 'string' }
        @{ Name = 'TimeFinished'; Type = 'datetime' }
        @{ Name = 'Detail'; Type = 'string' }
    )
    $StatisticsProperty = @(
        @{ Name = 'Duplicates'; Type = 'System.Nullable[int]' }
        @{ Name = 'LossPercent'; Type = 'System.Nullable[double]' }
        @{ Name = 'Minimum'; Type = 'System.Nullable[double]' }
        @{ Name = 'Average'; Type = 'System.Nullable[double]' }
        @{ Name = 'Maximum'; Type = 'System.Nullable[double]' }
        @{ Name = 'StandardDeviation'; Type = 'System.Nullable[double]' }
    )
    $TcpProperty = @(
        @{ Name = 'Ports'; Type = 'System.Collections.IList' }
        @{ Name = 'OpenPorts'; Type = 'System.Collections.Generic.IReadOnlyList[int]' }
    )
}

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0
    $session = New-Session

    $SilentArguments = '-Count 2 -IntervalMilliseconds 50 -ReplyTimeoutMilliseconds 100'

    function Test-Property([string] $Arguments, [string] $Name, [string] $Type) {
        $result = (Get-Result "Invoke-RustParallel 127.0.0.1 $Arguments -AsObject" -Session $session).PSObject
        $result.Properties[$Name] | Should -Not -Be $null -Because "a result of '$Arguments' has the property $Name"
        $actual = $result.BaseObject.GetType().GetProperty($Name).PropertyType
        ([type] $Type).IsAssignableFrom($actual) | Should -BeTrue -Because "$Name is a $actual"
    }
}

AfterAll { $session.Dispose() }

Describe 'result properties' {
    BeforeEach { Use-Echo }

    It 'has <Name>, a <Type>, in every result' -ForEach $EveryProperty {
        foreach ($arguments in '', '-Statistics -Count 1', '-TcpPort 1', '-TcpPort 1 -Statistics') { Test-Property $arguments $Name $Type }
    }

    It 'has <Name>, a <Type>, in statistics' -ForEach $StatisticsProperty {
        foreach ($arguments in '-Statistics -Count 1', '-TcpPort 1 -Statistics') { Test-Property $arguments $Name $Type }
    }

    It 'has <Name>, a <Type>, in results of ports' -ForEach $TcpProperty {
        foreach ($arguments in '-TcpPort 1', '-TcpPort 1 -Statistics') { Test-Property $arguments $Name $Type }
    }

    It 'describes a live host' {
        $before = [DateTime]::Now
        $result = Get-Result 'Invoke-RustParallel 127.0.0.7 -AsObject'
        $after = [DateTime]::Now
        $result.ComputerName | Should -BeExactly '127.0.0.7'
        $result.Address | Should -BeExactly '127.0.0.7'
        $result.AddressObject | Should -Be ([ipaddress] '127.0.0.7')
        $result.Ping | Should -BeTrue
        $result.Status | Should -BeExactly 'Success'
        $result.StatusCode.ToString() | Should -BeExactly 'Success'
        $result.Latency | Should -BeGreaterOrEqual 0.0001
        $result.Latency | Should -BeLessOrEqual 1000
        $result.Sent | Should -Be 1
        $result.Received | Should -Be 1
        $result.Detail | Should -Be $null
        $result.TimeFinished.Kind | Should -Be 'Local'
        # The clock of the system ticks in steps of up to 16 ms.
        $result.TimeFinished | Should -BeGreaterOrEqual $before.AddMilliseconds(-16)
        $result.TimeFinished | Should -BeLessOrEqual $after.AddMilliseconds(16)
    }

    It 'has the time to live of the reply' -Tag 'Laboratory' {
        Use-Laboratory
        (Get-Result 'Invoke-RustParallel 127.0.0.1 -AsObject').Ttl | Should -Be 64
    }

    It 'describes an IPv6 host' -Tag 'Laboratory' {
        Use-Laboratory
        $result = Get-Result 'Invoke-RustParallel ::1 -AsObject'
        $result.Address | Should -BeExactly '::1'
        $result.AddressObject | Should -Be ([ipaddress]::IPv6Loopback)
        $result.Status | Should -BeExactly 'Success'
    }

    It 'has null where nothing came from a silent host' -Tag 'Laboratory' {
        Use-Laboratory
        $result = Get-Result "Invoke-RustParallel $($Laboratory.Silent) $SilentArguments -AsObject"
        $result.Status | Should -BeExactly 'TimedOut'
        $result.Ping | Should -BeFalse
        $result.Address | Should -BeExactly $Laboratory.Silent
        $result.Sent | Should -Be 2
        $result.Received | Should -Be 0
        $result.Latency | Should -Be $null
        $result.Ttl | Should -Be $null
        $result.HostName | Should -Be $null
        $result.Addresses | Should -Be $null
    }

    It 'has no NaN for a silent host: <Arguments>' -Tag 'Laboratory' -ForEach @(
        @{ Arguments = '-Statistics' }
        @{ Arguments = '-TcpPort 1, 2 -Statistics' }
        @{ Arguments = '-TcpPort 1, 2' }
    ) {
        Use-Laboratory
        $result = Get-Result "Invoke-RustParallel $($Laboratory.Silent) $SilentArguments $Arguments -AsObject"
        $result.PSObject.Properties | Where-Object { $_.Value -is [double] -and [double]::IsNaN($_.Value) } | ForEach-Object { $_.Name } |
            Should -BeNullOrEmpty
        $result.Latency | Should -Be $null
    }

    It 'has no address of an unknown name' -Tag 'Laboratory' {
        Use-Laboratory
        $result = Get-Result "Invoke-RustParallel $($Laboratory.UnknownName) -AsObject"
        $result.ComputerName | Should -BeExactly $Laboratory.UnknownName
        $result.Status | Should -BeExactly 'NameNotFound'
        $result.Ping | Should -BeFalse
        $result.Address | Should -Be $null
        $result.AddressObject | Should -Be $null
        $result.Sent | Should -Be 0
    }

    It 'has the name of the IPStatus and the number of the error where a route is <Route>, ports: "<Arguments>"' -Tag 'Laboratory' -ForEach @(
        @{ Route = 'Unreachable'; Status = 'DestinationHostUnreachable'; Number = 113; Arguments = '' }
        @{ Route = 'Unreachable'; Status = 'DestinationHostUnreachable'; Number = 113; Arguments = '-TcpPort 1' }
        @{ Route = 'Blackholed'; Status = 'DestinationUnreachable'; Number = 22; Arguments = '' }
        @{ Route = 'Blackholed'; Status = 'DestinationUnreachable'; Number = 22; Arguments = '-TcpPort 1' }
        @{ Route = 'Prohibited'; Status = 'DestinationProhibited'; Number = 13; Arguments = '' }
        @{ Route = 'Prohibited'; Status = 'DestinationProhibited'; Number = 13; Arguments = '-TcpPort 1' }
    ) {
        Use-Laboratory
        $result = Get-Result "Invoke-RustParallel $($Laboratory[$Route]) $Arguments -AsObject"
        $result.Status | Should -BeExactly $Status
        $result.Ping | Should -BeFalse
        $result.Detail | Should -MatchExactly "error $Number"
    }

    It 'reads well as CSV' {
        $open, $closed = (New-OpenPort), (New-RefusedPort)
        try { $lines = @(Get-Line "Invoke-RustParallel 127.0.0.1 -TcpPort $($open.Number), $($closed.Number) -AsObject | ConvertTo-Csv") -notlike '#*' }
        finally { $open, $closed | ForEach-Object { Close-Port $_ } }
        $lines.Count | Should -Be 2
        $names, $values = $lines[0].Split(','), $lines[1].Split(',')
        $values.Count | Should -Be $names.Count
        $row = @{}
        for ($i = 0; $i -lt $names.Count; $i++) { $row[$names[$i].Trim('"')] = $values[$i].Trim('"') }
        $row['Address'] | Should -BeExactly '127.0.0.1'
        $row['Status'] | Should -BeExactly 'Success'
        $row['Ports'] | Should -BeExactly "$($open.Number):Success $($closed.Number):Refused"
        $row['OpenPorts'] | Should -BeExactly "$($open.Number)"
    }
}
