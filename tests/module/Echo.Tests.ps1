# The echo parameters: what they do to the packets, seen on the wire by a raw socket, and which address
# of a name is probed.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0

    # Sees the echo requests that reach this machine.
    function New-Wire {
        $socket = New-Object Net.Sockets.Socket 'InterNetwork', 'Raw', 'Icmp'
        $socket.Bind((New-Object Net.IPEndPoint ([Net.IPAddress]::Any), 0))
        return $socket
    }

    # The requests to an address: Payload, TimeToLive. Waits for the first.
    function Get-Request($Wire, [string] $To) {
        $ipHeaderSize, $icmpHeaderSize, $echoRequest = 20, 8, 8
        $packet = New-Object byte[] 65536
        $clock = [Diagnostics.Stopwatch]::StartNew()
        $requests = @()
        while (-not $requests.Count -and $clock.Elapsed.TotalSeconds -lt 5) {
            while ($Wire.Poll(10000, 'SelectRead')) {
                $length = $Wire.Receive($packet)
                if ($packet[$ipHeaderSize] -ne $echoRequest -or ($packet[16..19] -join '.') -ne $To) { continue }
                $requests += @{ Payload = $length - $ipHeaderSize - $icmpHeaderSize; TimeToLive = $packet[8] }
            }
        }
        return $requests
    }
}

Describe 'echo' {
    BeforeEach { Use-Echo }

    It 'ends the attempts with the first reply' {
        (Get-Result 'Invoke-RustParallel 127.0.0.1 -Count 5 -AsObject').Sent | Should -Be 1
    }

    It 'gives a silent host all its attempts' -Tag 'Laboratory' {
        Use-Laboratory
        (Get-Result "Invoke-RustParallel $($Laboratory.Silent) -Count 3 -IntervalMilliseconds 50 -ReplyTimeoutMilliseconds 50 -AsObject").Sent | Should -Be 3
    }

    It 'attempts four times by default' -Tag 'Laboratory' {
        Use-Laboratory
        (Get-Result "Invoke-RustParallel $($Laboratory.Silent) -IntervalMilliseconds 50 -ReplyTimeoutMilliseconds 50 -AsObject").Sent | Should -Be 4
    }

    It 'has the default times of the help: "<Arguments>" takes <Seconds> s at the longest' -ForEach @(
        # Three intervals of a second, and the last reply timeout of a second.
        @{ Arguments = ''; Seconds = 4.0 }
        @{ Arguments = '-Count 1'; Seconds = 1.0 }
        @{ Arguments = '-Count 2'; Seconds = 2.0 }
        @{ Arguments = '-TcpPort 1'; Seconds = if ([Environment]::OSVersion.Platform -eq 'Win32NT') { 2.5 } else { 2 } }
    ) {
        # At 0 packets a second no time is added for the rate.
        $run = Invoke-CleanScript "Invoke-RustParallel 127.0.0.1 -PacketsPerSecond 0 $Arguments -Verbose"
        ConvertTo-Line $run.Verbose | Should -Contain ('Expected to take {0:N3} seconds at the longest for the 1 hosts known so far.' -f $Seconds)
    }

    It 'sends the buffer size as payload: "<Arguments>" is <Size>' -Tag 'Root' -ForEach @(
        @{ Arguments = ''; Size = 32 }
        @{ Arguments = '-BufferSize 0'; Size = 0 }
        @{ Arguments = '-BufferSize 5'; Size = 5 }
        @{ Arguments = '-BufferSize 1400'; Size = 1400 }
    ) {
        Use-Linux
        $wire = New-Wire
        try {
            (Get-Result "Invoke-RustParallel 127.0.0.31 $Arguments -AsObject").Status | Should -BeExactly 'Success'
            $requests = @(Get-Request $wire '127.0.0.31')
        }
        finally { $wire.Close() }
        $requests.Count | Should -Be 1
        $requests[0].Payload | Should -Be $Size
    }

    It 'sends the largest buffer size and gets its answer' {
        (Get-Result 'Invoke-RustParallel 127.0.0.1 -BufferSize 65500 -AsObject').Status | Should -BeExactly 'Success'
    }

    It 'sends the hops as time to live: "<Arguments>" is <Hops>' -Tag 'Root' -ForEach @(
        @{ Arguments = ''; Hops = 64 }
        @{ Arguments = '-MaxHops 1'; Hops = 1 }
        @{ Arguments = '-MaxHops 17'; Hops = 17 }
    ) {
        Use-Linux
        $wire = New-Wire
        try {
            $null = Invoke-CleanScript "Invoke-RustParallel 127.0.0.32 $Arguments"
            $requests = @(Get-Request $wire '127.0.0.32')
        }
        finally { $wire.Close() }
        $requests.Count | Should -Be 1
        $requests[0].TimeToLive | Should -Be $Hops
    }

    It 'probes a name in the family asked for: <Arguments>, ports: "<Port>"' -Tag 'Laboratory' -ForEach @(
        @{ Arguments = '-IPv4'; Port = ''; Address = '127.0.0.22' }
        @{ Arguments = '-IPv4'; Port = '-TcpPort 1'; Address = '127.0.0.22' }
        @{ Arguments = '-IPv6'; Port = ''; Address = 'fd00:99::22' }
        @{ Arguments = '-IPv6'; Port = '-TcpPort 1'; Address = 'fd00:99::22' }
    ) {
        Use-Laboratory
        (Get-Result "Invoke-RustParallel $($Laboratory.NameWithTwoAddresses) $Arguments $Port -AsObject").Address | Should -BeExactly $Address
    }

    It 'probes a name at its first address' -Tag 'Laboratory' {
        Use-Laboratory
        $expected = [Net.Dns]::GetHostAddresses($Laboratory.NameWithTwoAddresses)[0].ToString()
        (Get-Result "Invoke-RustParallel $($Laboratory.NameWithTwoAddresses) -AsObject").Address | Should -BeExactly $expected
    }

    It 'has an address of the other family for an invalid target: <Address> <Arguments>' -ForEach @(
        @{ Arguments = '-IPv4'; Address = '::1' }
        @{ Arguments = '-IPv6'; Address = '127.0.0.1' }
    ) {
        $run = Invoke-Script "Invoke-RustParallel $Address $Arguments -AsObject"
        $run.Failure | Should -Be $null
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'InvalidTarget'
        ConvertTo-Line $run.Errors | Should -MatchExactly $Arguments
        @($run.Output).Count | Should -Be 0
    }

    It 'refuses both families at once' {
        Get-ErrorId (Get-Failure 'Invoke-RustParallel 127.0.0.1 -IPv4 -IPv6') | Should -BeExactly 'AddressFamilyConflict'
    }

    It 'sends no faster than the packets per second' -Tag 'Slow' {
        # 1,022 hosts: 256 at once, the rest a thousand a second.
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/22 -PacketsPerSecond 1000'
        $run.Output[0].Count | Should -Be 1022
        $run.Duration.TotalMilliseconds | Should -BeGreaterOrEqual 700
    }

    It 'does not slow connects down by the packets per second' {
        $port = New-OpenPort
        try {
            $run = Invoke-CleanScript "Invoke-RustParallel 127.0.0.0/22 -TcpPort $($port.Number) -PacketsPerSecond 100 -ReplyTimeoutMilliseconds 200"
            $run.Output[0].Count | Should -Be 1022
            $run.Duration.TotalSeconds | Should -BeLessThan 7
        }
        finally { Close-Port $port }
    }
}
