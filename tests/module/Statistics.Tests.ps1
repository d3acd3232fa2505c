# -Statistics: all attempts are sent, and summed up.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0

    function Get-Statistics([string] $Arguments) {
        Get-Result "Invoke-RustParallel $Arguments -Statistics -IntervalMilliseconds 50 -ReplyTimeoutMilliseconds 100 -AsObject"
    }
}

Describe 'statistics' {
    BeforeEach { Use-Echo }

    It 'sends and counts all attempts' {
        $result = Get-Statistics '127.0.0.1 -Count 5'
        $result.Sent | Should -Be 5
        $result.Received | Should -Be 5
        $result.LossPercent | Should -Be 0.0
    }

    It 'sums latencies up in milliseconds' {
        $result = Get-Statistics '127.0.0.1 -Count 5'
        $result.Minimum | Should -BeGreaterOrEqual 0.0001
        $result.Average | Should -BeGreaterOrEqual $result.Minimum
        $result.Maximum | Should -BeGreaterOrEqual $result.Average
        $result.Maximum | Should -BeLessOrEqual 200
        # No sample's deviation is more than half its range.
        $result.StandardDeviation | Should -BeGreaterOrEqual 0
        $result.StandardDeviation | Should -BeLessOrEqual (($result.Maximum - $result.Minimum) / 2 * 1.001)
    }

    It 'counts duplicates where the system shows them' {
        Use-Linux
        (Get-Statistics '127.0.0.1 -Count 2').Duplicates | Should -Be 0
    }

    It 'has no deviation for a single reply' {
        $result = Get-Statistics '127.0.0.1 -Count 1'
        $result.StandardDeviation | Should -Be 0.0
        $result.Maximum | Should -Be $result.Minimum
        $result.Latency | Should -Be $result.Average
        $result.Latency | Should -BeGreaterThan 0
    }

    It 'has lost all of a silent host, and has no latencies' -Tag 'Laboratory' {
        Use-Laboratory
        $result = Get-Statistics "$($Laboratory.Silent) -Count 3"
        $result.Sent | Should -Be 3
        $result.Received | Should -Be 0
        $result.LossPercent | Should -Be 100.0
        foreach ($name in 'Minimum', 'Average', 'Maximum', 'StandardDeviation', 'Latency') { $result.$name | Should -Be $null }
    }

    It 'has no loss where nothing was sent' -Tag 'Laboratory' {
        Use-Laboratory
        $result = Get-Statistics "$($Laboratory.Unreachable) -Count 2"
        $result.Sent | Should -Be 0
        $result.LossPercent | Should -Be $null
    }

    It 'repeats connects and sums them up over all ports' {
        $open, $closed = (New-OpenPort), (New-RefusedPort)
        try {
            $result = Get-Statistics "127.0.0.1 -TcpPort $($open.Number), $($closed.Number) -Count 3"
            Measure-Connection $open | Should -Be 3
        }
        finally { $open, $closed | ForEach-Object { Close-Port $_ } }
        $result.Sent | Should -Be 6
        $result.Received | Should -Be 6
        $result.LossPercent | Should -Be 0.0
        $result.Average | Should -BeGreaterOrEqual $result.Minimum
        $result.Average | Should -BeLessOrEqual $result.Maximum
    }
}
