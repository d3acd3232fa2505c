# -AsObject: one record for each job, the moment it ends.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'records of jobs' {
    It 'a record has all properties' {
        $before = [DateTime]::Now
        $output = @((Invoke-CleanScript 'Invoke-RustParallel a { 1; 2; Start-Sleep -Milliseconds 60 } -AsObject').Output)
        $after = [DateTime]::Now
        $output.Count | Should -Be 1
        $record = $output[0]
        $record.ComputerName | Should -BeExactly 'a'
        $record.Status | Should -BeExactly 'Completed'
        $record.Output -is [object[]] | Should -BeTrue
        ConvertTo-Line $record.Output | Should -BeExactly '1', '2'
        $record.Errors -is [Management.Automation.ErrorRecord[]] | Should -BeTrue
        $record.Errors.Count | Should -Be 0
        $record.Duration | Should -BeOfType ([TimeSpan])
        $record.Duration.TotalMilliseconds | Should -BeGreaterOrEqual 55
        $record.Duration | Should -BeLessOrEqual ($after - $before)
        $record.TimeStarted | Should -BeOfType ([DateTime])
        $record.TimeStarted | Should -BeGreaterOrEqual $before.AddMilliseconds(-1)
        $record.TimeStarted | Should -BeLessOrEqual $after
        $record.TimeFinished - $record.TimeStarted | Should -Be $record.Duration
        $record.Worker | Should -BeOfType ([int])
        $record.Worker | Should -BeIn (1..32)
        $record.ToString() | Should -BeExactly 'a: Completed'
    }

    It 'the record of an item has it' {
        $output = @((Invoke-CleanScript '7 | Invoke-RustParallel { $_ * 2 } -AsObject').Output)
        $output.Count | Should -Be 1
        $output[0].InputObject | Should -BeOfType ([int])
        $output[0].InputObject | Should -Be 7
        ConvertTo-Line $output[0].Output | Should -BeExactly '14'
        $output[0].PSObject.Properties['ComputerName'] | Should -BeNullOrEmpty
    }

    It 'a record comes while other jobs run' {
        $go = New-Object Threading.ManualResetEventSlim
        $run = Start-Script '1, 2 | Invoke-RustParallel { if ($_ -eq 2) { $null = ($using:go).Wait(20000) } } -AsObject' @{ go = $go }
        Wait-Output $run 1
        ConvertTo-Line ($run.Output | ForEach-Object { $_.InputObject }) | Should -BeExactly '1'
        $go.Set()
        (Wait-Script $run).Output.Count | Should -Be 2
    }

    It 'errors are in the record only' {
        $output = @((Invoke-CleanScript "1 | Invoke-RustParallel { Write-Error 'first'; 'out'; throw 'second' } -AsObject").Output)
        $output.Count | Should -Be 1
        $output[0].Status | Should -BeExactly 'Failed'
        $output[0].Errors -is [Management.Automation.ErrorRecord[]] | Should -BeTrue
        ConvertTo-Line $output[0].Errors | Should -BeExactly 'first', 'second'
        ConvertTo-Line $output[0].Output | Should -BeExactly 'out'
    }

    It 'other streams still reach the caller' {
        ConvertTo-Line (Invoke-CleanScript "1 | Invoke-RustParallel { Write-Warning 'w' } -AsObject").Warnings | Should -BeExactly 'w'
    }

    It 'the record of a host has what the block set' {
        $output = @((Invoke-CleanScript "Invoke-RustParallel a { `$Data[`$_] = 'own' } -AsObject").Output)
        $output.Count | Should -Be 1
        $output[0].Output | Should -BeExactly 'own'
    }

    It 'a job that ran out of time says so in its record' {
        $output = @((Invoke-CleanScript "1 | Invoke-RustParallel { 'before'; Start-Sleep 30 } -JobTimeoutSeconds 0.3 -AsObject").Output)
        $output.Count | Should -Be 1
        $output[0].Status | Should -BeExactly 'TimedOut'
        ConvertTo-Line $output[0].Output | Should -BeExactly 'before'
        $output[0].Errors -is [Management.Automation.ErrorRecord[]] | Should -BeTrue
        $output[0].Errors.Count | Should -Be 1
        Get-ErrorId $output[0].Errors[0] | Should -BeExactly 'JobTimedOut'
        $output[0].Duration.TotalSeconds | Should -BeGreaterOrEqual 0.29
        $output[0].Duration.TotalSeconds | Should -BeLessOrEqual 5
    }

    It 'the maximum wait leaves records Stopped and NotStarted' {
        $run = Invoke-Script '1..3 | Invoke-RustParallel { if ($_ -gt 1) { Start-Sleep 30 } } -ThrottleLimit 1 -TimeoutSeconds 0.8 -AsObject'
        $run.Output | ForEach-Object { "$($_.InputObject) $($_.Status)" } | Sort-Object | Should -BeExactly '1 Completed', '2 Stopped', '3 NotStarted'
        $notStarted = $run.Output | Where-Object { $_.Status -eq 'NotStarted' }
        $notStarted.Worker | Should -BeExactly 0
        $notStarted.Duration | Should -BeExactly ([TimeSpan]::Zero)
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'MaximumWaitReached'
    }

    It 'there is one record for each job and no hashtable' {
        $run = Invoke-Script 'Invoke-RustParallel (1..200 | ForEach-Object { "host$_" }) { $n = [int] $_.Substring(4); if ($n % 3 -eq 0) { throw "no" }; if ($n % 5 -eq 0) { exit }; $_ } -AsObject'
        $run.Output | ForEach-Object { $_.ComputerName } | Sort-Object | Should -BeExactly (1..200 | ForEach-Object { "host$_" } | Sort-Object)
        @($run.Output | Where-Object { $_.Status -ceq 'Failed' }).Count | Should -Be 66
    }
}
