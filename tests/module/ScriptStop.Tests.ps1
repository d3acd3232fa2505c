# Calls of script jobs that are ended before their time, by a command downstream and by Ctrl+C: what ends
# with them. How soon is tested elsewhere.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'calls that are ended early' {
    It 'Select-Object -First ends the input, too' {
        $entered = New-Object 'Collections.Concurrent.ConcurrentQueue[int]'
        $lines = @(Get-Line '1..200 | ForEach-Object { $entered.Enqueue($_); $_; Start-Sleep -Milliseconds 20 } | Invoke-RustParallel { $_ } | Select-Object -First 1' @{ entered = $entered })
        $lines.Count | Should -Be 1
        $entered.Count | Should -BeGreaterOrEqual 1
        $entered.Count | Should -BeLessOrEqual 60
    }

    It 'Ctrl+C runs the finally blocks of jobs' {
        $begun, $cleaned = (New-Object Threading.ManualResetEventSlim), (New-Object Threading.ManualResetEventSlim)
        $run = Start-Script '1 | Invoke-RustParallel { try { $null = ($using:begun).Set(); Start-Sleep 30 } finally { ($using:cleaned).Set() } }' @{ begun = $begun; cleaned = $cleaned }
        $begun.Wait($LongestSeconds * 1000) | Should -BeTrue
        $null = Stop-Script $run
        $cleaned.IsSet | Should -BeTrue
        (Wait-Script $run).Failure | Should -BeOfType ([Management.Automation.PipelineStoppedException])
    }

    It 'Ctrl+C leaves no runspace behind' {
        $before = Get-Runspace
        $run = Start-Script "1..4 | Invoke-RustParallel { 'begun'; Start-Sleep 30 }"
        Wait-Output $run 1
        $null = Stop-Script $run
        (Wait-Script $run).Failure | Should -BeOfType ([Management.Automation.PipelineStoppedException])
        Get-LeftRunspace $before | Should -BeNullOrEmpty
    }

    It 'a call after a stopped one is as good as any' {
        $session = New-Session
        try {
            $run = Start-Script "1..4 | Invoke-RustParallel { 'begun'; [Threading.Thread]::Sleep(3000) }" -Session $session
            Wait-Output $run 1
            $null = Stop-Script $run
            $null = Wait-Script $run
            Get-SortedLine '1..3 | Invoke-RustParallel { $_ }' -Session $session | Should -BeExactly '1', '2', '3'
        }
        finally { $session.Dispose() }
    }
}
