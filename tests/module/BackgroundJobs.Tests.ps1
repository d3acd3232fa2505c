# -AsJob: a call as a background job, for the commands that PowerShell has for jobs. Jobs that Receive-Job
# -AutoRemoveJob gets take a while: it removes one twice, and says so, that ends between its registration
# and its first reading.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'background jobs' {
    It 'the call returns a job at once' {
        $run = Invoke-CleanScript '$job = 1 | Invoke-RustParallel { Start-Sleep 30 } -AsJob; $job; $job.State; Remove-Job $job -Force'
        $run.Output.Count | Should -Be 2
        $run.Output[0].PSObject.BaseObject | Should -BeOfType ([Management.Automation.Job])
        $run.Output[1].ToString() | Should -BeExactly 'Running'
        # Its job would take 30 seconds.
        $run.Duration.TotalSeconds | Should -BeLessThan 5
    }

    It 'Get-Job finds it' {
        Get-Line '$job = 1 | Invoke-RustParallel { 1 } -AsJob; (Get-Job -Id $job.Id) -eq $job; $job.PSJobTypeName; $null = Wait-Job $job; Remove-Job $job' |
            Should -BeExactly 'True', 'RustParallelJob'
    }

    It 'Wait-Job waits for its end' {
        Get-Line '$job = 1..3 | Invoke-RustParallel { Start-Sleep -Milliseconds 100 } -AsJob; (Wait-Job $job).State; Remove-Job $job' | Should -BeExactly 'Completed'
    }

    It 'Receive-Job gives output once, and -Keep leaves it' {
        Get-Line @'
$job = 1..3 | Invoke-RustParallel { $_ } -ThrottleLimit 1 -AsJob; $null = Wait-Job $job
"$(Receive-Job $job -Keep)"; "$(Receive-Job $job)"; "<$(Receive-Job $job)>"; Remove-Job $job
'@ | Should -BeExactly '1 2 3', '1 2 3', '<>'
    }

    It 'Receive-Job -Wait -AutoRemoveJob leaves no job' {
        Get-Line '(1..3 | Invoke-RustParallel { Start-Sleep -Milliseconds 100; $_ } -ThrottleLimit 1 -AsJob | Receive-Job -Wait -AutoRemoveJob); @(Get-Job).Count' |
            Should -BeExactly '1', '2', '3', '0'
    }

    It 'output can be received while the job runs' {
        Get-Line @'
$job = 1 | Invoke-RustParallel { 'first'; $null = ($using:go).Wait(20000); 'last' } -AsJob
while (-not $job.HasMoreData) { Start-Sleep -Milliseconds 5 }
Receive-Job $job; $job.HasMoreData
$null = $go.Set(); $null = Wait-Job $job; Receive-Job $job; Remove-Job $job
'@ @{ go = New-Object Threading.ManualResetEventSlim } | Should -BeExactly 'first', 'False', 'last'
    }

    It 'Stop-Job ends it and its jobs' {
        Get-Line @'
$job = 1..4 | Invoke-RustParallel { 'begun'; try { Start-Sleep 30 } finally { ($using:cleaned).Enqueue($_) } } -ThrottleLimit 2 -AsJob
while ($job.Output.Count -lt 2) { Start-Sleep -Milliseconds 5 }
Stop-Job $job; $job.State; $cleaned.Count; Remove-Job $job; @(Get-Job).Count
'@ @{ cleaned = New-Object 'Collections.Concurrent.ConcurrentQueue[object]' } | Should -BeExactly 'Stopped', '2', '0'
    }

    It 'Stop-Job returns in time although native code runs' {
        $lines = @(Get-Line @'
$job = 1 | Invoke-RustParallel { 'begun'; [Threading.Thread]::Sleep(4000) } -AsJob
while ($job.Output.Count -lt 1) { Start-Sleep -Milliseconds 5 }
[int] (Measure-Command { Stop-Job $job }).TotalMilliseconds; $job.State; Remove-Job $job
'@)
        # The grace time of the worker, and what a busy machine adds.
        [int] $lines[0] | Should -BeLessOrEqual 1500
        $lines[1] | Should -BeExactly 'Stopped'
    }

    It 'Remove-Job needs -Force while it runs' {
        Get-Line '$job = 1 | Invoke-RustParallel { Start-Sleep 30 } -AsJob; Remove-Job $job -ErrorAction SilentlyContinue; @(Get-Job).Count; Remove-Job $job -Force; @(Get-Job).Count' |
            Should -BeExactly '1', '0'
    }

    It 'a removed job leaves no runspace' {
        $session = New-Session
        try {
            $before = Get-Runspace
            $null = Invoke-CleanScript @'
$job = 1..4 | Invoke-RustParallel { 'begun'; Start-Sleep 30 } -AsJob
while ($job.Output.Count -lt 1) { Start-Sleep -Milliseconds 5 }
Remove-Job $job -Force
'@ -Session $session
            Get-LeftRunspace $before | Should -BeNullOrEmpty
        }
        finally { $session.Dispose() }
    }

    It 'HasMoreData tells whether there is something to receive' {
        Get-Line "`$job = 1 | Invoke-RustParallel { 'out' } -AsJob; `$null = Wait-Job `$job; `$job.HasMoreData; `$null = Receive-Job `$job; `$job.HasMoreData; Remove-Job `$job" |
            Should -BeExactly 'True', 'False'
    }

    It 'each stream keeps its order' {
        $run = Invoke-Script '1 | Invoke-RustParallel { 1..50 | ForEach-Object { $_; Write-Warning "w$_"; Write-Error "e$_" }; Start-Sleep -Milliseconds 200 } -AsJob | Receive-Job -Wait -AutoRemoveJob'
        ConvertTo-Line $run.Output | Should -BeExactly (1..50 | ForEach-Object { "$_" })
        ConvertTo-Line $run.Warnings | Should -BeExactly (1..50 | ForEach-Object { "w$_" })
        ConvertTo-Line $run.Errors | Should -BeExactly (1..50 | ForEach-Object { "e$_" })
    }

    It 'all streams can be received' {
        Get-Line @'
$VerbosePreference = 'Continue'; $DebugPreference = 'Continue'
$job = 1 | Invoke-RustParallel { Write-Verbose 'verb'; Write-Debug 'debug'; Write-Information 'info' } -AsJob
$null = Wait-Job $job; "$($job.Verbose) $($job.Debug) $($job.Information)"; Remove-Job $job
'@ | Should -BeExactly 'verb debug info'
    }

    It 'Stop of the caller ends it Failed at the first error: <Before><Argument>' -ForEach @(
        @{ Before = ''; Argument = '-ErrorAction Stop' }
        @{ Before = "`$ErrorActionPreference = 'Stop'; "; Argument = '' }
    ) {
        Get-Line ($Before + @'
$job = 1..4 | Invoke-RustParallel { if ($_ -eq 2) { Write-Error 'stop here' } else { Start-Sleep 30 } } -ThrottleLimit 4 -AsJob ARGUMENT
$null = Wait-Job $job; "$($job.State) $($job.Error.Count) $($job.Error[0])"; Remove-Job $job
'@.Replace('ARGUMENT', $Argument)) | Should -BeExactly 'Failed 1 stop here'
    }

    It 'an error action that hides errors keeps them out of it: <_>' -ForEach 'SilentlyContinue', 'Ignore' {
        Get-Line "`$job = 1..3 | Invoke-RustParallel { Write-Error 'e'; `$_ } -AsJob -ErrorAction $_; `$null = Wait-Job `$job; `"`$(`$job.State) `$(`$job.Output.Count) `$(`$job.Error.Count)`"; Remove-Job `$job" |
            Should -BeExactly 'Completed 3 0'
    }

    It 'starting it writes no verbose lines' {
        (Invoke-CleanScript '$job = 1 | Invoke-RustParallel { 1 } -AsJob -Verbose; $null = Wait-Job $job; Remove-Job $job').Verbose.Count | Should -Be 0
    }

    It 'the host form gives its hashtable' {
        $table = Get-Table 'Invoke-RustParallel a, b { Start-Sleep -Milliseconds 200; "<$_>" } -AsJob | Receive-Job -Wait -AutoRemoveJob'
        $table['a'].ToString() | Should -BeExactly '<a>'
        $table.Count | Should -Be 2
    }

    It 'the probe form gives its hashtable' {
        Use-Echo
        $table = Get-Table 'Invoke-RustParallel 127.0.0.1, 127.0.0.2 -Count 2 -IntervalMilliseconds 200 -Statistics -AsJob | Receive-Job -Wait -AutoRemoveJob'
        $table['127.0.0.1'].Status | Should -BeExactly 'Success'
        $table.Count | Should -Be 2
    }

    It 'the probe form streams its results on request' {
        Use-Echo
        Get-SortedLine "'127.0.0.1', '127.0.0.2' | Invoke-RustParallel -Count 2 -IntervalMilliseconds 200 -Statistics -AsObject -AsJob | Receive-Job -Wait -AutoRemoveJob | ForEach-Object { `$_.ComputerName }" |
            Should -BeExactly '127.0.0.1', '127.0.0.2'
    }

    It 'progress and unfinished items are told' {
        Get-Line @'
$job = 1..3 | Invoke-RustParallel { if ($_ -ne 2) { $null = ($using:go).Wait(20000) } } -ThrottleLimit 3 -AsJob
while ($job.StatusMessage -ne '1 of 3 finished') { Start-Sleep -Milliseconds 5 }
"$($job.Unfinished | Sort-Object)"; $job.StatusMessage
$null = $go.Set(); $null = Wait-Job $job; $job.Unfinished.Count; $job.StatusMessage; Remove-Job $job
'@ @{ go = New-Object Threading.ManualResetEventSlim } | Should -BeExactly '1 3', '1 of 3 finished', '0', '3 of 3 finished'
    }

    It 'the maximum wait applies' {
        $run = Invoke-Script '$job = 1..3 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } $_ } -ThrottleLimit 3 -TimeoutSeconds 0.9 -AsJob; $null = Wait-Job $job; "<$($job.Unfinished)>"; Receive-Job $job; Remove-Job $job'
        $lines = @(ConvertTo-Line $run.Output)
        $lines[0] | Should -BeExactly '<2>'
        $lines | Select-Object -Skip 1 | Sort-Object | Should -BeExactly '1', '3'
        # Receive-Job adds the reason of a job that failed.
        $run.Errors | ForEach-Object { Get-ErrorId $_ } | Should -BeExactly 'MaximumWaitReached', 'JobStateFailed'
    }

    It 'an initialization script that fails makes it Failed' {
        $run = Invoke-Script '$job = 1 | Invoke-RustParallel { 1 } -InitializationScript { throw "no" } -AsJob; $null = Wait-Job $job; $job.State; Receive-Job $job; Remove-Job $job'
        ConvertTo-Line $run.Output | Should -BeExactly 'Failed'
        $run.Errors | ForEach-Object { Get-ErrorId $_ } | Should -BeExactly 'InitializationScriptFailed', 'JobStateFailed'
    }

    It 'a refused call makes no job' {
        Get-Line 'try { 1 | Invoke-RustParallel { $using:absent } -AsJob } catch { "refused" }; @(Get-Job).Count' | Should -BeExactly 'refused', '0'
    }

    It 'two jobs run beside each other' {
        Get-Line '$jobs = 1, 2 | ForEach-Object { $_ | Invoke-RustParallel { ($using:barrier).SignalAndWait(20000); Start-Sleep -Milliseconds 200 } -ThrottleLimit 1 -AsJob }; $jobs | Receive-Job -Wait -AutoRemoveJob' @{ barrier = New-Object Threading.Barrier 2 } |
            Should -BeExactly 'True', 'True'
    }
}
