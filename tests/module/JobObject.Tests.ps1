# -AsJob: what the job's object says of a call: its state and why, its command, its child jobs, and
# which of the caller's preferences count.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # Starts a job by the call, waits for its end, and runs the script with it as $job.
    function Get-JobLine([string] $Call, [string] $Script, $Variables = @{}) {
        Get-Line "`$job = $Call; `$null = Wait-Job `$job; $Script; Remove-Job `$job -Force" $Variables
    }
}

Describe 'the state of a background job' {
    It 'is <State> for: <Call>' -ForEach @(
        @{ State = 'Completed'; Call = '1, 2 | Invoke-RustParallel { $_ } -AsJob' }
        @{ State = 'Completed'; Call = '1, 2 | Invoke-RustParallel { Write-Error no; 1 / 0; $_ } -AsJob' }
        @{ State = 'Completed'; Call = '1, 2 | Invoke-RustParallel { exit 3 } -AsJob' }
        @{ State = 'Failed'; Call = '1, 2 | Invoke-RustParallel { throw "no" } -AsJob' }
        @{ State = 'Failed'; Call = '1, 2, 3 | Invoke-RustParallel { if ($_ -eq 2) { throw "no" } } -AsJob' }
        @{ State = 'Failed'; Call = '1, 2 | Invoke-RustParallel { throw "no" } -AsJob -ErrorAction SilentlyContinue' }
        @{ State = 'Failed'; Call = 'Invoke-RustParallel a, b { if ($_ -eq "b") { throw "no" } } -AsJob' }
        @{ State = 'Failed'; Call = '1, 2 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } } -JobTimeoutSeconds 0.3 -AsJob' }
        @{ State = 'Failed'; Call = '1, 2 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } } -TimeoutSeconds 0.3 -AsJob' }
        @{ State = 'Failed'; Call = '1 | Invoke-RustParallel { 1 } -InitializationScript { throw "no" } -AsJob' }
        @{ State = 'Failed'; Call = "'127.0.0.1', '300.1.1.1/99' | Invoke-RustParallel -TcpPort 1 -AsJob" }
        @{ State = 'Completed'; Call = "'127.0.0.1', 'no-such-host.invalid' | Invoke-RustParallel -TcpPort 1 -AsJob" }
    ) {
        Get-JobLine $Call '"$($job.State)"' | Should -Be $State
    }

    It 'has no reason where it is Completed' {
        Get-JobLine '1 | Invoke-RustParallel { 1 } -AsJob' '$null -eq $job.JobStateInfo.Reason' | Should -Be 'True'
    }

    It 'has a reason that says how many failed, and the first' {
        $line = Get-JobLine '5..1 | Invoke-RustParallel { if ($_ % 2 -eq 0) { throw "bad $_" } } -AsJob' '$job.JobStateInfo.Reason.Message; $job.JobStateInfo.Reason.InnerException.Message'
        $line[0] | Should -Match "2 of 5.*'4'.*bad 4"
        $line[1] | Should -Be 'bad 4'
    }

    It 'has a reason for an error of the call itself' {
        Get-JobLine '1 | Invoke-RustParallel { 1 } -InitializationScript { throw "not ready" } -AsJob' '$job.JobStateInfo.Reason.Message' | Should -Match 'not ready'
        Get-JobLine '1 | Invoke-RustParallel { Start-Sleep 30 } -TimeoutSeconds 0.3 -AsJob' '$job.JobStateInfo.Reason.Message' | Should -Match 'maximum wait'
    }

    It 'is Stopped, without a reason, where somebody stopped it' {
        Get-Line '$job = 1 | Invoke-RustParallel { "begun"; Start-Sleep 30 } -AsJob; while ($job.Output.Count -lt 1) { Start-Sleep -Milliseconds 5 }; Stop-Job $job; "$($job.State) <$($job.JobStateInfo.Reason)>"; Remove-Job $job' |
            Should -Be 'Stopped <>'
    }
}

Describe 'the command of a background job' {
    It 'is the block, or the command: <Call>' -ForEach @(
        @{ Call = '1 | Invoke-RustParallel { "the block" } -AsJob'; Command = ' "the block" ' }
        @{ Call = '1 | Invoke-RustParallel -CommandName Write-Output -ParameterName InputObject -AsJob'; Command = 'Write-Output' }
    ) {
        Get-JobLine $Call '$job.Command' | Should -Be $Command
    }
}

Describe 'child jobs' {
    It 'are one for each item, in order, with what it wrote and how it ended' {
        Get-JobLine '1..4 | Invoke-RustParallel { if ($_ -eq 3) { throw "bad $_" }; Write-Warning "w$_"; Write-Error "e$_"; $_ * 10 } -AsJob' `
            '$job.ChildJobs | ForEach-Object { "$($_.InputObject) $($_.State) <$($_.Output)> <$($_.Warning)> <$($_.Error)> <$($_.JobStateInfo.Reason.Message)>" }' |
            Should -Be '1 Completed <10> <w1> <e1> <>', '2 Completed <20> <w2> <e2> <>', '3 Failed <> <> <> <bad 3>', '4 Completed <40> <w4> <e4> <>'
    }

    It 'are not there until somebody asks' {
        Get-JobLine '1..3 | Invoke-RustParallel { $_ } -AsJob' @'
            $field = [Management.Automation.Job].GetProperty('ChildJobs')
            $field.GetValue($job).Count; $null = $job.ChildJobs; $field.GetValue($job).Count
'@ | Should -Be '0', '3'
    }

    It 'get what comes after the question, and the job still gives all of it' {
        $events = 1..3 | ForEach-Object { New-Object Threading.ManualResetEventSlim }
        Get-Line @'
            $job = 0..2 | Invoke-RustParallel { "first $_"; $null = ($using:events)[$_].Wait(20000); "last $_" } -ThrottleLimit 3 -AsJob
            while ($job.Output.Count -lt 3) { Start-Sleep -Milliseconds 5 }
            ($job.ChildJobs | ForEach-Object { $_.Output }) -join ','
            "$($job.HasMoreData) $($job.Output.Count)"
            $events[1].Set()
            $null = Wait-Job $job.ChildJobs[1]
            ($job.ChildJobs | ForEach-Object { $_.State }) -join ','
            $events[0].Set(); $events[2].Set(); $null = Wait-Job $job
            (Receive-Job $job | Sort-Object) -join ','; $job.HasMoreData; Remove-Job $job
'@ @{ events = $events } | Should -Be 'first 0,first 1,first 2', 'True 0', 'Running,Completed,Running', 'first 0,first 1,first 2,last 0,last 1,last 2', 'False'
    }

    It 'have what nobody has received' {
        $go = New-Object Threading.ManualResetEventSlim
        Get-Line @'
            $job = 1..3 | Invoke-RustParallel { $_; $null = ($using:go).Wait(20000); $_ * 10 } -ThrottleLimit 3 -AsJob
            while ($job.Output.Count -lt 3) { Start-Sleep -Milliseconds 5 }
            $null = Receive-Job $job
            $go.Set(); $null = Wait-Job $job
            ($job.ChildJobs | ForEach-Object { "$($_.Output)" }) -join ','; Remove-Job $job
'@ @{ go = $go } | Should -Be '10,20,30'
    }

    It 'of hosts that are probed have their targets' {
        Get-JobLine "Invoke-RustParallel 127.0.0.1, 127.0.0.4/31 -TcpPort 1 -AsObject -AsJob" '$job.ChildJobs | ForEach-Object { "$($_.InputObject) $($_.State) $($_.Output.Count)" }' |
            Should -Be '127.0.0.1 Completed 1', '127.0.0.4/31 Completed 2'
    }

    It 'cost nothing where nobody asks' -Tag Slow {
        # The states of 100,000 items are a byte each, and what items write is received as it comes.
        Get-JobLine '1..100000 | Invoke-RustParallel { } -AsJob' '$job.State; $job.StatusMessage -replace "\D"' | Should -Be 'Completed', '100000100000'
    }
}

Describe 'the preferences of the caller' {
    It 'count in the background: <Arguments><Before>' -ForEach @(
        @{ Arguments = '-WarningAction SilentlyContinue'; Before = ''; Expected = 'Completed 2 0' }
        @{ Arguments = '-WarningAction Ignore'; Before = ''; Expected = 'Completed 2 0' }
        @{ Arguments = ''; Before = '$WarningPreference = "SilentlyContinue"'; Expected = 'Completed 2 0' }
        @{ Arguments = '-WarningAction Continue'; Before = '$WarningPreference = "SilentlyContinue"'; Expected = 'Completed 2 2' }
        @{ Arguments = '-WarningAction Stop'; Before = ''; Expected = 'Failed 0 1' }
    ) {
        Get-Line "$Before; `$job = 1, 2 | Invoke-RustParallel { Write-Warning w; `$_ } -ThrottleLimit 1 -AsJob $Arguments; `$null = Wait-Job `$job; `"`$(`$job.State) `$(`$job.Output.Count) `$(`$job.Warning.Count)`"; Remove-Job `$job" |
            Should -Be $Expected
    }

    It 'count for information' {
        Get-JobLine '1 | Invoke-RustParallel { Write-Information i } -AsJob -InformationAction Ignore' '$job.Information.Count' | Should -Be '0'
        Get-JobLine '1 | Invoke-RustParallel { Write-Information i } -AsJob' '$job.Information.Count' | Should -Be '1'
    }
}
