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

    It 'at most four records a second come of a worker, and its last state' {
        $run = Invoke-CleanScript '1 | Invoke-RustParallel { for ($i = 0; $i -lt 300; $i++) { Write-Progress -Activity a -Status $i; if ($i % 10 -eq 0) { Start-Sleep -Milliseconds 10 } } }'
        $shown = @(Select-Processing (Select-Activity $run 'a'))
        $shown.Count | Should -BeGreaterOrEqual 2
        $shown.Count | Should -BeLessOrEqual (2 + [Math]::Floor(4 * $run.Duration.TotalSeconds))
        $shown[-1].StatusDescription | Should -Be '299'
    }

    It 'the last state comes although its job goes on without another one' -Tag 'Slow' {
        $shown = @(Watch-Progress (Start-Script '1 | Invoke-RustParallel { 1..5 | ForEach-Object { Write-Progress -Activity a -Status $_ }; Start-Sleep -Milliseconds 1500 }') | Where-Object { $_.Record.Activity -eq 'a' })
        ($shown | ForEach-Object { "$($_.Record.StatusDescription) $($_.Record.RecordType)" }) | Should -Be '1 Processing', '5 Processing', '5 Completed'
        # At the next moment of the rhythm, and not when the job ends.
        ($shown[2].Seconds - $shown[1].Seconds) | Should -BeGreaterThan 0.5
    }

    It 'an activity that is over leaves the last state of another one' -Tag 'Slow' {
        $shown = @(Watch-Progress (Start-Script '1 | Invoke-RustParallel { Write-Progress -Id 1 a s1; Write-Progress -Id 1 a s2; Write-Progress -Id 2 b t1; Write-Progress -Id 2 b -Completed; Start-Sleep -Milliseconds 1500 }') | Where-Object { $_.Record.Activity -in 'a', 'b' })
        ($shown | ForEach-Object { "$($_.Record.StatusDescription) $($_.Record.RecordType)" }) | Should -Be 's1 Processing', 's2 Processing', 's2 Completed'
        # With the job, not with the other activity.
        ($shown[2].Seconds - $shown[1].Seconds) | Should -BeGreaterThan 0.5
    }

    It 'the last state of many short jobs comes' {
        $run = Invoke-CleanScript '1..200 | Invoke-RustParallel { Write-Progress -Activity a -Status $_ } -ThrottleLimit 1'
        $shown = @(Select-Processing (Select-Activity $run 'a'))
        $shown[-1].StatusDescription | Should -Be '200'
        $shown.Count | Should -BeLessOrEqual (2 + [Math]::Floor(4 * $run.Duration.TotalSeconds))
    }

    It 'no more records come than ForEach-Object -Parallel has for jobs that end their own progress' {
        Use-PowerShell7
        $block = '{ Write-Progress -Activity a -Status s; Write-Progress -Activity a -Completed } -ThrottleLimit 2'
        $theirs = (Invoke-CleanScript "1..4 | ForEach-Object -Parallel $block").Progress.Count
        (Invoke-CleanScript "1..4 | Invoke-RustParallel $block").Progress.Count | Should -BeLessOrEqual $theirs
    }

    It 'what is not known is -1, items are items, and a slow rate has a decimal' -Tag 'Slow' {
        $shown = @(Watch-Progress (Start-Script '1..4 | Invoke-RustParallel { if ($_ -eq 1) { Start-Sleep -Milliseconds 1500 } elseif ($_ -eq 2) { Start-Sleep -Milliseconds 800 } } -ThrottleLimit 1') | Where-Object { $_.Record.RecordType -eq 'Processing' } | ForEach-Object { $_.Record })
        $shown[0].StatusDescription | Should -MatchExactly '^0 of 4 items done, 0 a second$'
        $shown[0].SecondsRemaining | Should -Be -1
        $last = $shown[-1]
        $last.StatusDescription | Should -MatchExactly '^1 of 4 items done, 0[.,][456] a second$'
        $last.SecondsRemaining | Should -BeIn (4..8)
    }

    It 'hosts are hosts' -Tag 'Slow' {
        $shown = @(Watch-Progress (Start-Script 'Invoke-RustParallel a { Start-Sleep -Milliseconds 1300 }'))
        $shown[0].Record.StatusDescription | Should -MatchExactly '^0 of 1 hosts done, 0 a second$'
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

    It '-ProgressAction and the preference hide it, here and in the background: <Arguments><Before>' -ForEach @(
        @{ Arguments = '-ProgressAction Continue'; Shown = $true }
        @{ Arguments = '-ProgressAction SilentlyContinue'; Shown = $false }
        @{ Arguments = '-ProgressAction Ignore'; Shown = $false }
        @{ Arguments = '-ProgressAction Continue'; Before = '$ProgressPreference = "SilentlyContinue"'; Shown = $true }
        @{ Before = '$ProgressPreference = "SilentlyContinue"'; Shown = $false }
        @{ Shown = $true }
    ) {
        if ($Arguments -and -not (Get-Command Invoke-RustParallel).Parameters.ContainsKey('ProgressAction')) { Skip-Test 'this PowerShell has no -ProgressAction' }
        $call = "1 | Invoke-RustParallel { Write-Progress a s } $Arguments"
        (Select-Activity (Invoke-CleanScript "$Before; $call") 'a').Count -gt 0 | Should -Be $Shown
        # Kept in the job, and shown by who receives it.
        $received = Invoke-CleanScript "$Before; `$job = $call -AsJob; `$null = Wait-Job `$job; `$job.Progress.Count -gt 0; Receive-Job `$job; Remove-Job `$job"
        ConvertTo-Line $received.Output | Should -Be "$Shown"
        if (-not $Before) { (Select-Activity $received 'a').Count -gt 0 | Should -Be $Shown }
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
