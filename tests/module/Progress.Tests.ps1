# The progress record of probes of more than a second.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'progress of probes' {
    It 'a call under a second shows none' -Tag 'Laboratory' {
        Use-Laboratory
        (Invoke-CleanScript "Invoke-RustParallel $($Laboratory.Silent) -Count 3 -IntervalMilliseconds 250 -ReplyTimeoutMilliseconds 100").Progress.Count | Should -Be 0
    }

    It 'done and total, rate and time left are shown at most four times a second' -Tag 'Laboratory', 'Slow' {
        Use-Laboratory
        $run = Start-Script "Invoke-RustParallel 127.0.0.1, 127.0.0.2, 127.0.0.3, $($Laboratory.Silent) -Count 11 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 200"
        $shown = @(Watch-Progress $run | Where-Object { $_.Record.RecordType -eq 'Processing' })
        # 2.2 s: at 1, 1.25, ... 2 s, fewer where this machine was late.
        $shown.Count | Should -BeGreaterOrEqual 3
        $shown.Count | Should -BeLessOrEqual (1 + [Math]::Floor(4 * ($run.Duration.TotalSeconds - 1)))
        $shown[0].Seconds | Should -BeGreaterOrEqual 1
        foreach ($record in $shown | ForEach-Object { $_.Record }) {
            $record.Activity | Should -BeExactly 'Invoke-RustParallel'
            $record.StatusDescription | Should -MatchExactly '^3 of 4 hosts done, \d([.,]\d)? a second$'
            $record.PercentComplete | Should -Be 75
            $record.SecondsRemaining | Should -BeIn 0, 1, 2
        }
    }

    It 'the record is completed at the end' -Tag 'Laboratory', 'Slow' {
        Use-Laboratory
        $run = Invoke-CleanScript "Invoke-RustParallel $($Laboratory.Silent) -Count 7 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 150"
        $records = @($run.Progress)
        $records[-1].RecordType | Should -Be 'Completed'
        @($records | Where-Object { $_.RecordType -eq 'Completed' }).Count | Should -Be 1
        @($records | ForEach-Object { $_.ActivityId } | Sort-Object -Unique).Count | Should -Be 1
    }
}
