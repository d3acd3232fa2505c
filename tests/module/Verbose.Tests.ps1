# -Verbose of probes: the lines of the runspace template, in its wording and order.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    $Time = '\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]'

    # The verbose lines of a script that writes no error.
    function Get-VerboseLine([string] $Script) { ConvertTo-Line (Invoke-CleanScript $Script).Verbose }

    # Fails unless there are just these lines, and what a busy machine did to the call.
    function Assert-Line([string[]] $Lines, [string[]] $Patterns) {
        $Lines = @($Lines -notlike 'On the way: *')
        $Lines.Count | Should -Be $Patterns.Count -Because "these are the lines:`n$($Lines -join "`n")"
        for ($i = 0; $i -lt $Lines.Count; $i++) { $Lines[$i] | Should -MatchExactly $Patterns[$i] }
    }
}

Describe 'verbose lines of probes' {
    It 'the lines of a short call are those of the template' {
        Use-Echo
        Assert-Line (Get-VerboseLine 'Invoke-RustParallel 127.0.0.1, 127.0.0.2, 127.0.0.3 -Verbose') @(
            "^$Time Script started\.$"
            '^Expected to take \d+[.,]\d{3} seconds at the longest for the 3 hosts known so far\.$'
            '^Waiting for 3 threads to finish\. Waited for 0[.,]\d{3} seconds\.$'
            '^3 threads have finished\.$'
            '^All threads finished\.$'
            '^Closing runspace pool\.$'
            '^Closing the runspace pool took \d+[.,]\d{3} seconds\.$'
            "^$Time Script finished\.$"
            '^Total minutes elapsed: 0[.,]\d{5}$'
        )
    }

    It 'what finishes is counted between the waits' -Tag 'Laboratory' {
        Use-Laboratory
        Assert-Line (Get-VerboseLine "Invoke-RustParallel 127.0.0.1, 127.0.0.2, $($Laboratory.Silent), $($Laboratory.Silent2) -Count 3 -IntervalMilliseconds 150 -ReplyTimeoutMilliseconds 100 -Verbose") @(
            'Script started'
            '^Expected to take'
            '^Waiting for 4 threads to finish'
            '^2 threads have finished.$'
            '^Waiting for 2 threads to finish'
            '^2 threads have finished.$'
            '^All threads finished.$'
            '^Closing runspace pool.$'
            '^Closing the runspace pool took'
            'Script finished'
            '^Total minutes elapsed'
        )
    }

    It 'the rhythm begins while input still comes' -Tag 'Laboratory', 'Slow' {
        Use-Laboratory
        $lines = @(Get-VerboseLine @"
& {
    '$($Laboratory.Silent)'; Start-Sleep -Milliseconds 300
    '127.0.0.1'; Start-Sleep -Milliseconds 300
    '127.0.0.2'; Write-Verbose 'Input ends.' -Verbose
} | Invoke-RustParallel -Count 11 -IntervalMilliseconds 100 -ReplyTimeoutMilliseconds 100 -Verbose
"@)
        $end = [Array]::IndexOf($lines, 'Input ends.')
        $end | Should -BeGreaterThan 0
        @($lines[0..$end] -clike 'Waiting for*').Count | Should -Be 2
    }

    It 'the last line tells the true duration' -Tag 'Laboratory' {
        Use-Laboratory
        $run = Invoke-CleanScript "Invoke-RustParallel $($Laboratory.Silent) -Count 3 -IntervalMilliseconds 250 -ReplyTimeoutMilliseconds 100 -Verbose"
        $last = @(ConvertTo-Line $run.Verbose)[-1]
        $last | Should -MatchExactly '^Total minutes elapsed: '
        $seconds = 60 * [double]::Parse($last.Substring('Total minutes elapsed: '.Length), [Globalization.CultureInfo]::CurrentCulture)
        $seconds | Should -BeGreaterOrEqual 0.599
        $seconds | Should -BeLessOrEqual $run.Duration.TotalSeconds
    }

    It 'the expected duration is that of silent hosts: <Hosts> with <Arguments>' -ForEach @(
        @{ Arguments = '-Count 2 -IntervalMilliseconds 300 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 10'; Hosts = 3; Seconds = 1.1 } # 3 x 2 / 10 + 0.3 + 0.2
        @{ Arguments = '-Count 2 -IntervalMilliseconds 300 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 0'; Hosts = 3; Seconds = 0.5 }
        @{ Arguments = '-Count 1 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1000'; Hosts = 100; Seconds = 0.3 }
        @{ Arguments = '-TcpPort 1 -Count 2 -IntervalMilliseconds 300 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1'; Hosts = 3; Seconds = 0.5 }
    ) {
        Use-Echo
        $told = 'Expected to take {0:N3} seconds at the longest for the {1} hosts known so far.' -f $Seconds, $Hosts
        Get-VerboseLine "Invoke-RustParallel 127.0.0.1-$Hosts $Arguments -Verbose" | Where-Object { $_ -clike 'Expected*' } | Should -BeExactly $told
    }

    It 'the maximum wait is told in the words of the template' -Tag 'Laboratory' {
        Use-Laboratory
        $run = Invoke-Script "Invoke-RustParallel 127.0.0.1, $($Laboratory.Silent) -Count 50 -ReplyTimeoutMilliseconds 200 -MaximumWaitTimeSeconds 0.4 -Verbose"
        Assert-Line (ConvertTo-Line $run.Verbose) @(
            'Script started'
            '^Expected to take'
            '^Waiting for 2 threads to finish'
            '^1 threads have finished.$'
            '^Waiting for 1 threads to finish'
            '^Timeout of 0[.,]4 seconds reached\. Waited 0[.,][4-9]\d* seconds\.$'
            '^Closing runspace pool.$'
            '^Closing the runspace pool took'
            'Script finished'
            '^Total minutes elapsed'
        )
    }

    It 'nothing untrue is said' {
        Use-Echo
        $lines = @(Get-VerboseLine 'Invoke-RustParallel 127.0.0.1 -Verbose')
        $lines.Count | Should -BeGreaterThan 0
        $lines -cmatch 'EndInvoke|ispos' | Should -BeNullOrEmpty
    }

    It 'nothing is said unasked' { Use-Echo; (Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1').Verbose.Count | Should -Be 0 }

    It 'a call without hosts says that it began and ended' {
        Use-Echo
        $lines = @(Get-VerboseLine '@() | Invoke-RustParallel -Verbose')
        $lines[0] | Should -MatchExactly 'Script started'
        @($lines -ceq 'All threads finished.').Count | Should -Be 1
        $lines -clike 'Waiting*' | Should -BeNullOrEmpty
        $lines[-1] | Should -MatchExactly '^Total minutes elapsed'
    }
}
