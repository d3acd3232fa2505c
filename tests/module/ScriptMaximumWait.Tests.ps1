# -MaximumWaitTimeSeconds over script jobs: results first, then one error that names what is unfinished.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'maximum wait over script jobs' {
    It 'one error after the results names the unfinished' {
        $run = Invoke-Script '1..5 | Invoke-RustParallel { if ($_ -gt 2) { Start-Sleep 30 } "done $_" } -ThrottleLimit 2 -MaximumWaitTimeSeconds 0.8'
        ConvertTo-Line $run.Output | Sort-Object | Should -BeExactly 'done 1', 'done 2'
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'MaximumWaitReached'
        $run.Errors[0].CategoryInfo.Category | Should -Be 'OperationTimeout'
        $run.Errors[0].Exception.GetType() | Should -Be ([TimeoutException])
        $run.Errors[0].TargetObject.GetType() | Should -Be ([object[]])
        ConvertTo-Line $run.Errors[0].TargetObject | Sort-Object | Should -BeExactly '3', '4', '5'
        $run.Errors[0].Exception.Message | Should -BeLikeExactly '*3 jobs*'
    }

    It 'the unfinished are named in the order they came' {
        $run = Invoke-Script '1..8 | Invoke-RustParallel { Start-Sleep 30 } -ThrottleLimit 3 -MaximumWaitTimeSeconds 0.8'
        $run.Errors.Count | Should -Be 1
        ConvertTo-Line $run.Errors[0].TargetObject | Should -BeExactly '1', '2', '3', '4', '5', '6', '7', '8'
        $run.Errors[0].Exception.Message | Should -BeLikeExactly '*1, 2, 3, 4, 5, ...*'
    }

    It 'a call that fails does not say that its time was up' {
        $run = Invoke-Script "1 | Invoke-RustParallel { 1 } -InitializationScript { throw 'no' } -Verbose"
        $run.Verbose.Count | Should -BeGreaterThan 0
        @(ConvertTo-Line $run.Verbose) -clike 'Timeout*' | Should -BeNullOrEmpty
    }

    It 'the hashtable comes before the error' {
        Get-Line "Invoke-RustParallel a, b { if (`$_ -eq 'b') { Start-Sleep 30 } 1 } -MaximumWaitTimeSeconds 0.8 2>&1 | ForEach-Object { `$_.GetType().Name }" |
            Should -BeExactly 'SyncHashtable', 'ErrorRecord'
    }

    It 'what was written before is delivered first' {
        $run = Invoke-Script '1 | Invoke-RustParallel { 1..200; Start-Sleep 30 } -MaximumWaitTimeSeconds 0.8'
        $run.Output.Count | Should -Be 200
        $run.Errors.Count | Should -Be 1
    }

    It 'the call returns in time while its input still comes' -Tag 'Slow' {
        $run = Invoke-Script '& { 1; 2; Start-Sleep -Milliseconds 1100; 3 } | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } $_ } -TimeoutSeconds 0.7'
        ConvertTo-Line $run.Output | Should -BeExactly '1'
        $run.Errors.Count | Should -Be 1
        ConvertTo-Line $run.Errors[0].TargetObject | Sort-Object | Should -BeExactly '2', '3'
    }

    It 'a call that finishes in time says nothing' {
        $run = Invoke-CleanScript '1..20 | Invoke-RustParallel { $_ } -TimeoutSeconds 20'
        $run.Output.Count | Should -Be 20
        $run.Warnings.Count | Should -Be 0
    }

    It 'zero is no limit' {
        (Get-Table 'Invoke-RustParallel a { Start-Sleep -Milliseconds 300; 1 } -MaximumWaitTimeSeconds 0')['a'].ToString() | Should -BeExactly '1'
    }

    It 'stuck threads are counted in a verbose line' {
        $run = Invoke-Script '1, 2 | Invoke-RustParallel { [Threading.Thread]::Sleep(3000) } -TimeoutSeconds 0.4 -ThrottleLimit 2 -Verbose'
        @(ConvertTo-Line $run.Verbose) -clike '2 threads sit in code*' | Should -Not -BeNullOrEmpty
    }
}
