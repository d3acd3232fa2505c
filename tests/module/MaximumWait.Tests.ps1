# -MaximumWaitTimeSeconds: what is returned when it has passed, and the warnings before and after.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0

    $Forever = '-Count 100 -ReplyTimeoutMilliseconds 200'

    # The warnings that the maximum wait was reached.
    function Get-ReachedWarning($Run) { @(ConvertTo-Line $Run.Warnings) -clike 'The maximum wait of *' }
}

Describe 'the maximum wait' -Tag 'Laboratory' {
    BeforeEach { Use-Laboratory }

    It 'leaves what finished in the hashtable, and no more' {
        $run = Invoke-CleanScript "Invoke-RustParallel 127.0.0.1, $($Laboratory.Silent), 127.0.0.2 $Forever -MaximumWaitTimeSeconds 0.3"
        @($run.Output).Count | Should -Be 1
        @($run.Output[0].Keys | Sort-Object) | Should -BeExactly '127.0.0.1', '127.0.0.2'
        foreach ($result in $run.Output[0].Values) { $result.Ping | Should -BeTrue }
    }

    It 'gives each host begun a row Stopped' {
        $rows = @((Invoke-CleanScript "Invoke-RustParallel 127.0.0.1, $($Laboratory.Silent), $($Laboratory.Silent2) $Forever -MaximumWaitTimeSeconds 0.3 -AsObject").Output)
        @($rows | ForEach-Object { $_.ComputerName } | Sort-Object) | Should -BeExactly $Laboratory.Silent, $Laboratory.Silent2, '127.0.0.1'
        foreach ($row in $rows | Where-Object { $_.ComputerName -ne '127.0.0.1' }) {
            $row.Status | Should -BeExactly 'Stopped'
            $row.Ping | Should -BeFalse
            $row.Latency | Should -Be $null
            $row.Sent | Should -Be 1
        }
    }

    It 'gives each expression not begun one row NotStarted' {
        # Of the first block 256 hosts are begun at once, of the second none at one a second.
        $rows = @((Invoke-CleanScript "Invoke-RustParallel 10.99.1.0/22, 10.99.8.0/24, $($Laboratory.Silent) $Forever -PacketsPerSecond 1 -MaximumWaitTimeSeconds 0.3 -AsObject").Output)
        $notStarted = @($rows | Where-Object { $_.Status -ceq 'NotStarted' })
        @($notStarted | ForEach-Object { $_.ComputerName } | Sort-Object) | Should -BeExactly $Laboratory.Silent, '10.99.1.0/22', '10.99.8.0/24'
        foreach ($row in $notStarted) {
            $row.Ping | Should -BeFalse
            $row.Sent | Should -Be 0
        }
        ($notStarted | Where-Object { $_.ComputerName -eq '10.99.8.0/24' }).Detail | Should -MatchExactly '254 of 254 hosts'
        $others = @($rows | Where-Object { $_.Status -cne 'NotStarted' })
        $others.Count | Should -BeGreaterOrEqual 256
        $others.Count | Should -BeLessOrEqual 260
        @($others | Where-Object { $_.Status -cne 'Stopped' }) | Should -BeNullOrEmpty
    }

    It 'has Success for a host whose ports were partly answered if one was open' {
        $open, $silent = (New-OpenPort), (New-SilentPort)
        try { $row = Get-Result "Invoke-RustParallel 127.0.0.1 -TcpPort $($open.Number), $($silent.Number) $Forever -MaximumWaitTimeSeconds 0.3 -AsObject" }
        finally { $open, $silent | ForEach-Object { Close-Port $_ } }
        $row.Status | Should -BeExactly 'Success'
        @($row.Ports | ForEach-Object { $_.Status }) | Should -BeExactly 'Success', 'Stopped'
    }

    It 'gives the number and the first names in one warning' {
        $run = Invoke-CleanScript "Invoke-RustParallel 127.0.0.1, $($Laboratory.Silent), $($Laboratory.Silent2) $Forever -MaximumWaitTimeSeconds 0.3"
        $warnings = @(Get-ReachedWarning $run)
        $warnings.Count | Should -Be 1
        $warnings[0] | Should -MatchExactly '0\.3 seconds'
        $warnings[0] | Should -MatchExactly '2 hosts'
        $warnings[0].EndsWith("$($Laboratory.Silent), $($Laboratory.Silent2)") | Should -BeTrue
    }

    It 'cuts many names in the warning' {
        $warnings = @(Get-ReachedWarning (Invoke-CleanScript "Invoke-RustParallel 10.99.0.0/24 $Forever -MaximumWaitTimeSeconds 0.3"))
        $warnings.Count | Should -Be 1
        $warnings[0] | Should -MatchExactly '254 hosts'
        $warnings[0] | Should -MatchExactly ', \.\.\.$'
        $warnings[0].Length | Should -BeGreaterOrEqual 50
        $warnings[0].Length | Should -BeLessOrEqual 300
    }

    It 'does not warn of a call that finishes' {
        $run = Invoke-CleanScript "Invoke-RustParallel 127.0.0.1, $($Laboratory.Silent) -Count 1 -ReplyTimeoutMilliseconds 100 -MaximumWaitTimeSeconds 5"
        @($run.Warnings).Count | Should -Be 0
        $run.Output[0].Count | Should -Be 2
    }

    It 'counts from the beginning of the call' {
        $run = Invoke-CleanScript @'
& { '127.0.0.1'; Start-Sleep -Milliseconds 600; '127.0.0.2'; '127.0.0.3' } |
    Invoke-RustParallel -MaximumWaitTimeSeconds 0.3 -Count 1 -ReplyTimeoutMilliseconds 100
'@
        @($run.Output[0].Keys) | Should -BeExactly @('127.0.0.1')
        $warnings = @(Get-ReachedWarning $run)
        $warnings.Count | Should -Be 1
        $warnings[0] | Should -MatchExactly '127\.0\.0\.2, 127\.0\.0\.3'
    }

    It 'is no limit where it is zero' {
        $run = Invoke-CleanScript "Invoke-RustParallel $($Laboratory.Silent) -Count 3 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 100 -MaximumWaitTimeSeconds 0"
        $run.Output[0][$Laboratory.Silent].Status | Should -BeExactly 'TimedOut'
        @($run.Warnings).Count | Should -Be 0
    }

    It 'does not warn of long calls where it is zero' {
        @((Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -Count 1000 -IntervalMilliseconds 3600000 -MaximumWaitTimeSeconds 0').Warnings).Count | Should -Be 0
    }

    It 'is 300 seconds by default' {
        # 300 intervals of a second and the reply timeout are too long, 299 are not.
        @((Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -Count 300 -ReplyTimeoutMilliseconds 200').Warnings).Count | Should -Be 0
        $warnings = @(ConvertTo-Line (Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -Count 301 -ReplyTimeoutMilliseconds 900').Warnings)
        $warnings.Count | Should -Be 1
        $warnings[0] | Should -MatchExactly 'maximum wait of 300 seconds'
    }

    It 'warns of a host that came too late for it' {
        $warnings = @(ConvertTo-Line (Invoke-CleanScript "& { '127.0.0.1'; Start-Sleep 2; '127.0.0.2' } | Invoke-RustParallel -Count 1 -ReplyTimeoutMilliseconds 2500 -MaximumWaitTimeSeconds 4").Warnings)
        $warnings.Count | Should -Be 1
        $warnings[0] | Should -Match 'leaves no more than that.*-MaximumWaitTimeSeconds \d.*-ReplyTimeoutMilliseconds'
    }

    It 'is -TimeoutSeconds, too' {
        @(Get-ReachedWarning (Invoke-CleanScript "Invoke-RustParallel $($Laboratory.Silent) $Forever -TimeoutSeconds 0.2")).Count | Should -Be 1
    }

    It 'says which wait a call needs that may take too long' {
        # 10 hosts x 2 / 1 + 1 x 10 + 0.2 seconds.
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1-10 -Count 2 -IntervalMilliseconds 10000 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1 -MaximumWaitTimeSeconds 20'
        $warnings = @(ConvertTo-Line $run.Warnings)
        $warnings.Count | Should -Be 1
        $warnings[0] | Should -MatchExactly 'may take'
        $warnings[0] | Should -MatchExactly '30\.2 seconds'
        $warnings[0] | Should -MatchExactly '-MaximumWaitTimeSeconds 31'
    }

    It 'does not warn again with the wait that was named' {
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1-10 -Count 2 -IntervalMilliseconds 10000 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1 -MaximumWaitTimeSeconds 31'
        @($run.Warnings).Count | Should -Be 0
    }

    It 'warns as soon as the hosts known make it true' {
        # The first host alone would fit into the wait; the pipeline goes on once the warning is there.
        $go = New-Object Threading.ManualResetEventSlim
        $run = Start-Script @'
& { '127.0.0.1'; '127.0.0.2-254'; while (-not $go.IsSet) { Start-Sleep -Milliseconds 10 } } |
    Invoke-RustParallel -Count 1 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 10 -MaximumWaitTimeSeconds 20
'@ @{ go = $go }
        try { Wait-Until $run { $run.Warnings.Count -gt 0 } }
        finally { $go.Set() }
        $warnings = @(ConvertTo-Line (Wait-Script $run).Warnings)
        $warnings.Count | Should -Be 1
        $warnings[0] | Should -MatchExactly '254 hosts'
    }

    It 'warns once, however many hosts follow' {
        $run = Invoke-CleanScript '''127.0.0.1'', ''127.0.0.2'', ''127.0.0.3'' | Invoke-RustParallel -Count 400'
        @(@(ConvertTo-Line $run.Warnings) -clike '*may take*').Count | Should -Be 1
    }
}
