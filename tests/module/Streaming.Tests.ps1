# -AsObject: each result the moment it is there, also while the pipeline still delivers hosts.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0
}

Describe '-AsObject' {
    BeforeEach { Use-Echo }

    It 'writes results while input still comes' {
        # Commands before and after the one under test note what passes them, in one common order.
        $log = New-Object Collections.Concurrent.ConcurrentQueue[string]
        $null = Invoke-CleanScript @'
& {
    '127.0.0.1'; Start-Sleep -Milliseconds 200; $log.Enqueue('second')
    '127.0.0.2'; Start-Sleep -Milliseconds 200; $log.Enqueue('third')
    '127.0.0.3'
} | Invoke-RustParallel -AsObject | ForEach-Object { $log.Enqueue($_.ComputerName) }
'@ @{ log = $log }
        # A result may come with the host itself, and does so at the latest with the next one.
        $order = $log.ToArray()
        $order.Count | Should -Be 5
        [Array]::IndexOf($order, '127.0.0.1') | Should -BeGreaterOrEqual 0
        [Array]::IndexOf($order, '127.0.0.1') | Should -BeLessThan ([Array]::IndexOf($order, 'third'))
    }

    It 'probes while input still comes' {
        $port = New-OpenPort
        try {
            $line = Get-Line @'
& {
    '127.0.0.1'
    for ($i = 0; $i -lt 500 -and -not $listener.Pending(); $i++) { Start-Sleep -Milliseconds 10 }
    $global:hasComeBeforeTheEnd = $listener.Pending()
} | Invoke-RustParallel -TcpPort $number | Out-Null
$hasComeBeforeTheEnd
'@ @{ listener = $port.Sockets[0]; number = $port.Number }
            $line | Should -BeExactly 'True'
            Measure-Connection $port | Should -Be 1
        }
        finally { Close-Port $port }
    }

    It 'lets a slow host delay no other result' -Tag 'Laboratory' {
        Use-Laboratory
        $rows = @((Invoke-CleanScript (
            '$clock = [Diagnostics.Stopwatch]::StartNew(); ' +
            "Invoke-RustParallel $($Laboratory.Silent), 127.0.0.1 -Count 4 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 200 -AsObject | " +
            'ForEach-Object { @{ Name = $_.ComputerName; At = $clock.Elapsed.TotalMilliseconds } }')).Output)
        @($rows | ForEach-Object { $_.Name }) | Should -BeExactly '127.0.0.1', $Laboratory.Silent
        # The silent host takes 3 x 200 + 200 ms.
        $rows[1].At - $rows[0].At | Should -BeGreaterThan 600
    }

    It 'writes a row each for hosts that are equal but for case' {
        Get-SortedLine '(Invoke-RustParallel localhost, LOCALHOST, LocalHost -AsObject).ComputerName' | Should -BeExactly 'LOCALHOST', 'LocalHost', 'localhost'
    }

    It 'writes a row for each occurrence of a host' {
        $run = Invoke-CleanScript '''127.0.0.1'', ''127.0.0.1'', ''127.0.0.1'' | Invoke-RustParallel -AsObject'
        @($run.Output).Count | Should -Be 3
    }

    It 'writes a <Type> with "<Arguments>"' -ForEach @(
        @{ Arguments = ''; Type = 'HostResult' }
        @{ Arguments = '-Statistics -Count 1'; Type = 'HostStatistics' }
        @{ Arguments = '-TcpPort 1'; Type = 'TcpHostResult' }
        @{ Arguments = '-TcpPort 1 -Statistics'; Type = 'TcpHostStatistics' }
    ) {
        (Get-Result "Invoke-RustParallel 127.0.0.1 -AsObject $Arguments").PSObject.BaseObject.GetType().FullName | Should -BeExactly "RustRunspaces.$Type"
    }

    It 'writes nothing for no hosts' { @(Get-Line '@() | Invoke-RustParallel -AsObject').Count | Should -Be 0 }

    It 'takes results that are piped back' {
        Get-SortedLine '((Invoke-RustParallel 127.0.0.1, 127.0.0.2).Values | Invoke-RustParallel -AsObject).ComputerName' | Should -BeExactly '127.0.0.1', '127.0.0.2'
    }
}
