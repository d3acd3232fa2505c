# Progress and verbose lines of calls with script jobs: the call's own, and those of its jobs below it.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # The records of one activity.
    function Select-Activity($Run, [string] $Activity) { $Run.Progress | Where-Object { $_.Activity -clike $Activity } }

    # Those that say what is done, not that it is over.
    function Select-Processing($Records) { $Records | Where-Object { $_.RecordType -eq 'Processing' } }
}

Describe 'progress of jobs' {
    It 'the progress of each worker has its own id below that of the command' {
        $barrier = New-Object Threading.Barrier 3
        $run = Invoke-CleanScript '1..3 | Invoke-RustParallel { $null = ($using:barrier).SignalAndWait(20000); Write-Progress -Activity "a$_" -Status s -PercentComplete 40 } -ThrottleLimit 3' @{ barrier = $barrier }
        $shown = @(Select-Activity $run 'a*')
        @($shown | ForEach-Object { $_.ActivityId } | Sort-Object -Unique).Count | Should -Be 3
        @($shown | Where-Object { $_.ActivityId -eq $_.ParentActivityId }).Count | Should -Be 0
        @($shown | ForEach-Object { $_.ParentActivityId } | Sort-Object -Unique).Count | Should -Be 1
        $processing = @(Select-Processing $shown)
        $processing.Count | Should -Be 3
        $processing | ForEach-Object { $_.PercentComplete | Should -Be 40 }
    }

    It 'at most four records a second come of a worker' {
        $run = Invoke-CleanScript '1 | Invoke-RustParallel { for ($i = 0; $i -lt 300; $i++) { Write-Progress -Activity a -Status $i; if ($i % 10 -eq 0) { Start-Sleep -Milliseconds 10 } } }'
        $shown = @(Select-Processing (Select-Activity $run 'a')).Count
        $shown | Should -BeGreaterOrEqual 1
        $shown | Should -BeLessOrEqual (1 + [Math]::Floor(4 * $run.Duration.TotalSeconds))
    }

    It 'it is completed once when the job ends: <_>' -ForEach @(
        'Write-Progress -Activity a -Status s'
        "Write-Progress -Activity a -Status s; throw 'no'"
        'Write-Progress -Activity a -Status s; Start-Sleep 30'
        'Write-Progress -Activity a -Status s; Write-Progress -Activity a -Completed'
    ) {
        $run = Invoke-Script "1 | Invoke-RustParallel { $_ } -JobTimeoutSeconds 0.4"
        $shown = @(Select-Activity $run 'a')
        @($shown | Where-Object { $_.RecordType -eq 'Completed' }).Count | Should -Be 1
        @($shown | ForEach-Object { $_.ActivityId } | Sort-Object -Unique).Count | Should -Be 1
    }

    It 'the call shows its own progress after a second' -Tag 'Slow' {
        $shown = @(Watch-Progress (Start-Script '1..4 | Invoke-RustParallel { if ($_ -eq 4) { Start-Sleep -Milliseconds 1500 } } -ThrottleLimit 4'))
        $shown[0].Record.Activity | Should -BeExactly 'Invoke-RustParallel'
        $shown[0].Record.PercentComplete | Should -Be 75
        $shown[0].Seconds | Should -BeGreaterOrEqual 1
        $shown[-1].Record.RecordType | Should -Be 'Completed'
    }

    It 'a short call shows none' { (Invoke-CleanScript '1..4 | Invoke-RustParallel { $_ }').Progress.Count | Should -Be 0 }
}

Describe 'verbose lines of calls with jobs' {
    It 'they are those of the probe form' {
        $lines = @(ConvertTo-Line (Invoke-CleanScript '1..3 | Invoke-RustParallel { $_ } -Verbose').Verbose)
        $position = 0
        foreach ($pattern in @(
                'Script started', '^Waiting for [123] threads to finish', '^[123] threads have finished', '^All threads finished'
                '^Closing runspace pool', '^Closing the runspace pool took', 'Script finished', '^Total minutes elapsed')) {
            while ($position -lt $lines.Count -and $lines[$position] -cnotmatch $pattern) { $position++ }
            $position | Should -BeLessThan $lines.Count -Because "'$pattern' must follow in:`n$($lines -join "`n")"
        }
    }

    It 'the maximum wait is told in the words of the template' {
        $run = Invoke-Script '1, 2 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } } -ThrottleLimit 2 -TimeoutSeconds 0.4 -Verbose'
        @(ConvertTo-Line $run.Verbose) -cmatch '^Timeout of 0[.,]4 seconds reached\. Waited 0[.,][4-9]' | Should -Not -BeNullOrEmpty
    }
}
