# -TcpPort: what is said of each port, and what follows for the host.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # A refusal's time is a round trip where the system sends one SYN, which Wine does not promise.
    function Test-RefusalLatency($Latency) {
        if (Test-Wine) { return $Latency | Should -Be $null }
        $Latency | Should -BeGreaterOrEqual 0.0001
        $Latency | Should -BeLessOrEqual 200
    }
    Set-StrictMode -Version 2.0

    function Get-PortResult([string] $Address, [int[]] $Ports) {
        Get-Result "Invoke-RustParallel $Address -TcpPort $($Ports -join ', ') -ReplyTimeoutMilliseconds 200 -AsObject"
    }
}

Describe 'TCP ports' {
    BeforeEach { $opened = New-Object Collections.Generic.List[object] }
    AfterEach { $opened | ForEach-Object { Close-Port $_ } }

    It 'has Success for an open port' {
        $open = New-OpenPort
        $opened.Add($open)
        $result = Get-PortResult 127.0.0.1 $open.Number
        $result.Status | Should -BeExactly 'Success'
        $result.Ping | Should -BeTrue
        @($result.OpenPorts) | Should -Be @($open.Number)
        $result.Latency | Should -BeGreaterOrEqual 0.0001
        $result.Latency | Should -BeLessOrEqual 200
        $result.Address | Should -BeExactly '127.0.0.1'
        $result.Sent | Should -Be 1
        $result.Received | Should -Be 1
    }

    It 'reaches the listener' {
        $open = New-OpenPort
        $opened.Add($open)
        $null = Get-PortResult 127.0.0.1 $open.Number
        Measure-Connection $open | Should -Be 1
    }

    It 'has a refusal for an answer of the host' {
        $closed = New-RefusedPort
        $opened.Add($closed)
        $result = Get-PortResult 127.0.0.1 $closed.Number
        $result.Status | Should -BeExactly 'Refused'
        $result.Ping | Should -BeTrue
        @($result.OpenPorts).Count | Should -Be 0
        Test-RefusalLatency $result.Latency
    }

    # Time for a second SYN, after one second, and for its answer; longer where the system repeats refused ones.
    It 'waits two seconds for a silent port by default' -Tag 'Slow' {
        $silent = New-SilentPort
        $opened.Add($silent)
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -TcpPort $port -AsObject' @{ port = $silent.Number }
        $run.Output[0].Status | Should -BeExactly 'TimedOut'
        $least = if (Test-Wine) { 2.5 } else { 2 }
        $run.Duration.TotalSeconds | Should -BeGreaterOrEqual ($least - 0.05)
        $run.Duration.TotalSeconds | Should -BeLessThan ($least + 0.45)
    }

    It 'has TimedOut for a silent port' {
        $silent = New-SilentPort
        $opened.Add($silent)
        $result = Get-PortResult 127.0.0.1 $silent.Number
        $result.Status | Should -BeExactly 'TimedOut'
        $result.Ping | Should -BeFalse
        $result.Latency | Should -Be $null
        $result.Sent | Should -Be 1
        $result.Received | Should -Be 0
    }

    It 'connects as often as -Count says to a silent port' {
        $silent = New-SilentPort
        $opened.Add($silent)
        (Get-Result "Invoke-RustParallel 127.0.0.1 -TcpPort $($silent.Number) -Count 3 -IntervalMilliseconds 60 -ReplyTimeoutMilliseconds 50 -AsObject").Sent |
            Should -Be 3
    }

    It 'ends the attempts with the answer of a port that is <State>' -ForEach @{ State = 'open' }, @{ State = 'closed' } {
        $port = if ($State -eq 'open') { New-OpenPort } else { New-RefusedPort }
        $opened.Add($port)
        (Get-Result "Invoke-RustParallel 127.0.0.1 -TcpPort $($port.Number) -Count 5 -IntervalMilliseconds 10 -AsObject").Sent | Should -Be 1
    }

    It 'lets an open port decide over refused and silent ones' {
        $open, $closed, $silent = (New-OpenPort), (New-RefusedPort), (New-SilentPort)
        $opened.AddRange(@($open, $closed, $silent))
        $result = Get-PortResult 127.0.0.1 $silent.Number, $closed.Number, $open.Number
        $result.Status | Should -BeExactly 'Success'
        $result.Ping | Should -BeTrue
    }

    It 'lets a refused port decide over silent ones' {
        $closed, $silent = (New-RefusedPort), (New-SilentPort)
        $opened.AddRange(@($closed, $silent))
        $result = Get-PortResult 127.0.0.1 $silent.Number, $closed.Number
        $result.Status | Should -BeExactly 'Refused'
        $result.Ping | Should -BeTrue
    }

    It 'lets the first port decide without open and refused ones' -Tag 'Laboratory' {
        Use-Laboratory
        $result = Get-PortResult $Laboratory.Unreachable 2, 1
        $result.Status | Should -BeExactly 'DestinationHostUnreachable'
        $result.Ping | Should -BeFalse
        $result.Ports.ToString() | Should -BeExactly '2:DestinationHostUnreachable 1:DestinationHostUnreachable'
    }

    It 'lists ports in the order given, each with status and latency' {
        $open, $closed, $silent = (New-OpenPort), (New-RefusedPort), (New-SilentPort)
        $opened.AddRange(@($open, $closed, $silent))
        $ports = @((Get-PortResult 127.0.0.1 $silent.Number, $open.Number, $closed.Number).Ports)
        ($ports | ForEach-Object { $_.Port }) | Should -Be $silent.Number, $open.Number, $closed.Number
        ($ports | ForEach-Object { $_.Status }) | Should -BeExactly 'TimedOut', 'Success', 'Refused'
        $ports[0].Latency | Should -Be $null
        $ports[1].Latency | Should -BeGreaterOrEqual 0.0001
        $ports[1].Latency | Should -BeLessOrEqual 200
        Test-RefusalLatency $ports[2].Latency
    }

    It 'lists open ports in the order given' {
        $first, $second, $closed = (New-OpenPort), (New-OpenPort), (New-RefusedPort)
        $opened.AddRange(@($first, $second, $closed))
        $descending = @($first.Number, $second.Number | Sort-Object -Descending)
        (Get-PortResult 127.0.0.1 $descending[0], $closed.Number, $descending[1]).OpenPorts | Should -Be $descending
    }

    It 'lists the ports of each host for itself' {
        $here, $there = (New-OpenPort 127.0.0.41), (New-OpenPort 127.0.0.42)
        $opened.AddRange(@($here, $there))
        $table = Get-Table "Invoke-RustParallel 127.0.0.40-43 -TcpPort $($here.Number), $($there.Number) -ReplyTimeoutMilliseconds 200"
        @($table['127.0.0.41'].OpenPorts) | Should -Be @($here.Number)
        @($table['127.0.0.42'].OpenPorts) | Should -Be @($there.Number)
        $table['127.0.0.40'].Status | Should -BeExactly 'Refused'
        $table['127.0.0.43'].Status | Should -BeExactly 'Refused'
    }

    It 'tries the addresses of a name until one is open' -Tag 'Laboratory' {
        Use-Laboratory
        # The other address, which is an IPv6 one, comes first and refuses.
        $open = New-OpenPort 127.0.0.22
        $opened.Add($open)
        $result = Get-PortResult $Laboratory.NameWithTwoAddresses $open.Number
        $result.Status | Should -BeExactly 'Success'
        $result.Address | Should -BeExactly '127.0.0.22'
    }

    It 'takes -Port for the parameter' {
        $open = New-OpenPort
        $opened.Add($open)
        (Get-Result "Invoke-RustParallel 127.0.0.1 -Port $($open.Number) -AsObject").Status | Should -BeExactly 'Success'
    }

    It 'is complete and right for a thousand hosts with three ports' {
        $open = New-OpenPort 127.0.1.7
        $opened.Add($open)
        $table = Get-Table "Invoke-RustParallel 127.0.0.0/22 -TcpPort $($open.Number), 1, 2"
        $table.Count | Should -Be 1022
        @($table.Values | Where-Object { $_.Status -eq 'Success' } | ForEach-Object { $_.Address }) | Should -BeExactly @('127.0.1.7')
    }
}
