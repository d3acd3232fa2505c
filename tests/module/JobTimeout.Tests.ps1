# -JobTimeoutSeconds: a limit for each job from its own begin.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'timeout of a job' {
    It 'a job past its limit is one error and the others go on: <Stuck>' -ForEach @(
        @{ Stuck = 'Start-Sleep 30' }
        # Without a call, at which the runtime could stop it.
        @{ Stuck = 'while ($true) { }' }
        # With one.
        @{ Stuck = 'while ($true) { $null = $_.GetHashCode() }' }
        @{ Stuck = '[Threading.Thread]::Sleep(4000)' }
        @{ Stuck = 'try { Start-Sleep 30 } finally { [Threading.Thread]::Sleep(4000) }' }
    ) {
        # .NET asks Windows whether it is safe to stop such a loop now (CONTEXT_EXCEPTION_REPORTING); Wine does
        # not answer, and the process would hang for good.
        if ($Stuck -eq 'while ($true) { }' -and (Test-Wine)) { Skip-Test 'under Wine .NET cannot stop a loop without a call to collect garbage' }
        $run = Invoke-Script "1..4 | Invoke-RustParallel { if (`$_ -eq 2) { $Stuck } `$_ } -JobTimeoutSeconds 0.4 -ThrottleLimit 2"
        ConvertTo-Line $run.Output | Sort-Object | Should -BeExactly '1', '3', '4'
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'JobTimedOut'
        $run.Errors[0].CategoryInfo.Category | Should -Be 'OperationTimeout'
        $run.Errors[0].Exception.GetType() | Should -Be ([TimeoutException])
        $run.Errors[0].TargetObject.ToString() | Should -BeExactly '2'
        $run.Errors[0].Exception.Message | Should -BeLikeExactly '*0.4 seconds*'
    }

    It 'what was written before is delivered first' {
        Get-Line "1 | Invoke-RustParallel { 'one'; 'two'; Write-Warning 'three'; Start-Sleep 30 } -JobTimeoutSeconds 0.3 *>&1 | ForEach-Object { if (`$_ -is [Management.Automation.ErrorRecord]) { 'error' } else { `"`$_`" } }" |
            Should -BeExactly 'one', 'two', 'three', 'error'
    }

    It 'the clock of a job begins when the job does' -Tag 'Slow' {
        # Six jobs of 0.2 s one after another: the last would be past a limit that counted from the call's begin.
        Get-Line '1..6 | Invoke-RustParallel { Start-Sleep -Milliseconds 200; $_ } -JobTimeoutSeconds 0.8 -ThrottleLimit 1' |
            Should -BeExactly '1', '2', '3', '4', '5', '6'
    }

    It 'a stopped job runs its finally block' {
        $run = Invoke-Script "Invoke-RustParallel a { try { Start-Sleep 30 } finally { `$Data['cleaned'] = `$true } } -JobTimeoutSeconds 0.3"
        $run.Output.Count | Should -Be 1
        $run.Output[0].PSObject.BaseObject['cleaned'] | Should -BeTrue
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'JobTimedOut'
    }

    It 'a stopped job cannot go on in a catch block' {
        $run = Invoke-Script "1 | Invoke-RustParallel { try { Start-Sleep 30 } catch { 'caught' } 'after' } -JobTimeoutSeconds 0.3"
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'JobTimedOut'
        $run.Output.Count | Should -Be 0
    }

    It 'the runspace of a stopped job goes on' {
        $lines = @(Get-Line '1..3 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } [runspace]::DefaultRunspace.Id } -JobTimeoutSeconds 0.4 -ThrottleLimit 1 -ErrorAction SilentlyContinue')
        $lines.Count | Should -Be 2
        $lines[1] | Should -BeExactly $lines[0]
    }

    It 'a worker stuck in native code is replaced' {
        # Both of two workers are lost, and 20 jobs remain.
        $run = Invoke-Script '1..22 | Invoke-RustParallel { if ($_ -le 2) { [Threading.Thread]::Sleep(4000) } $_ } -JobTimeoutSeconds 0.3 -ThrottleLimit 2'
        ConvertTo-Line $run.Output | Sort-Object { [int] $_ } | Should -BeExactly (3..22 | ForEach-Object { "$_" })
        $run.Errors.Count | Should -Be 2
    }

    It 'what a job writes after its limit belongs to nobody' -Tag 'Slow' {
        $run = Invoke-Script "1..6 | Invoke-RustParallel { if (`$_ -eq 1) { [Threading.Thread]::Sleep(900); 'late' } else { Start-Sleep -Milliseconds 200; 'in time' } } -JobTimeoutSeconds 0.6 -ThrottleLimit 1"
        ConvertTo-Line $run.Output | Should -BeExactly (@('in time') * 5)
    }

    It 'a limit that is not reached changes nothing' {
        Get-SortedLine '1..50 | Invoke-RustParallel { $_ } -JobTimeoutSeconds 20' | Sort-Object { [int] $_ } | Should -BeExactly (1..50 | ForEach-Object { "$_" })
    }
}
