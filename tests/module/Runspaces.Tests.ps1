# The runspaces of jobs: shared by the jobs of one worker, or fresh for each; never shared between calls;
# closed with their call.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'runspaces of jobs' {
    It 'the jobs of a worker share its runspace' {
        $ids = Get-Line '1..20 | Invoke-RustParallel { [runspace]::DefaultRunspace.InstanceId } -ThrottleLimit 1'
        $ids.Count | Should -Be 20
        @($ids | Sort-Object -Unique).Count | Should -Be 1
    }

    It 'global functions remain for the next job, and variables do not' {
        Get-Line '1, 2 | Invoke-RustParallel { "$kept $(if ($_ -eq 2) { Get-Kept })"; $global:kept = "k"; function global:Get-Kept { "f" } } -ThrottleLimit 1' |
            Should -BeExactly ' ', ' f'
    }

    It '-UseNewRunspace gives each job its own' {
        $lines = Get-Line '1..6 | Invoke-RustParallel { "$([runspace]::DefaultRunspace.InstanceId)$kept"; $global:kept = "kept" } -ThrottleLimit 2 -UseNewRunspace'
        @($lines | Sort-Object -Unique).Count | Should -Be 6
        $lines -clike '*kept' | Should -BeNullOrEmpty
    }

    It '-UseNewRunspace runs the initialization script for each job' {
        $entered = New-Object 'Collections.Concurrent.ConcurrentQueue[int]'
        Get-Line '1..5 | Invoke-RustParallel { 1 } -UseNewRunspace -ThrottleLimit 1 -InitializationScript { ($using:entered).Enqueue(1) }' @{ entered = $entered } |
            Should -BeExactly (@('1') * 5)
        $entered.Count | Should -BeIn 5, 6
    }

    It 'a runspace and its pipeline stay on one thread' {
        $ids = Get-Line '1..20 | Invoke-RustParallel { [Threading.Thread]::CurrentThread.ManagedThreadId } -ThrottleLimit 1'
        $ids.Count | Should -Be 20
        @($ids | Sort-Object -Unique).Count | Should -Be 1
    }

    It 'a short call opens no more runspaces than it has jobs' {
        $entered = New-Object 'Collections.Concurrent.ConcurrentQueue[int]'
        $null = Invoke-CleanScript '1..2 | Invoke-RustParallel { Start-Sleep -Milliseconds 50 } -InitializationScript { ($using:entered).Enqueue(1) }' @{ entered = $entered }
        $entered.Count | Should -BeIn 1, 2
    }
}

Describe 'what remains of a call' {
    BeforeAll { $session = New-Session }

    AfterAll { $session.Dispose() }

    It 'no runspace: <_>' -ForEach @(
        '1..50 | Invoke-RustParallel { $_ }'
        '1..4 | Invoke-RustParallel { $_; Start-Sleep 30 } | Select-Object -First 1'
        '1..4 | Invoke-RustParallel { Start-Sleep 30 } -TimeoutSeconds 0.2 2>$null'
        '1..4 | Invoke-RustParallel { Start-Sleep 30 } -JobTimeoutSeconds 0.2 2>$null'
        "1..4 | Invoke-RustParallel { throw 'no' } 2>`$null"
        "try { 1..4 | Invoke-RustParallel { `$_ } | ForEach-Object { throw 'downstream' } } catch { }"
        "try { 1..4 | Invoke-RustParallel { 1 } -InitializationScript { throw 'no' } } catch { }"
        "try { & { 1; throw 'upstream' } | Invoke-RustParallel { `$_ } } catch { }"
    ) {
        $before = Get-Runspace
        (Invoke-Script $_ -Session $session).Failure | Should -BeNullOrEmpty
        Get-LeftRunspace $before | Should -BeNullOrEmpty
    }
}

Describe 'calls in calls' {
    It 'calls nest' {
        Get-SortedLine '1..3 | Invoke-RustParallel { $outer = $_; 1..3 | Invoke-RustParallel { "$using:outer$_" } }' |
            Should -BeExactly '11', '12', '13', '21', '22', '23', '31', '32', '33'
    }

    It 'a job can call the command by its full name under the prefix that the caller gave it' {
        $session = New-Session ''
        try {
            Get-Line 'Import-Module $manifest -Prefix Own; 1 | Invoke-OwnRustParallel { $_ | RustRunspaces\Invoke-OwnRustParallel { "own $_" }; $_ | RustRunspaces\Invoke-RustParallel { "plain $_" } }' @{ manifest = $ModuleManifest } $session |
                Should -Be 'own 1', 'plain 1'
        }
        finally { $session.Dispose() }
    }

    It 'calls nest by their full name: <_>' -ForEach @(
        'RustRunspaces\Invoke-RustParallel { $_ }'
        "& 'RustRunspaces\Invoke-RustParallel' { `$_ }"
        'rustrunspaces\invoke-rustparallel { 0 + $_ | RustRunspaces\Invoke-RustParallel { $_ } }'
        'RustRunspaces\Invoke-RustParallel { $_ | Invoke-RustParallel { $_ } }'
    ) {
        Get-Line "1, 2 | Invoke-RustParallel { `$_ | $_ } -MaximumThreadCount 1" | Should -BeExactly '1', '2'
    }

    It 'calls nest although each level has one worker' {
        Get-Line "1 | Invoke-RustParallel -ThrottleLimit 1 { 2 | Invoke-RustParallel -ThrottleLimit 1 { 3 | Invoke-RustParallel -ThrottleLimit 1 { 'deep' } } }" |
            Should -BeExactly 'deep'
    }

    It 'a nested host form has its own $Data' {
        (Get-Table "Invoke-RustParallel a { `$Data['outer'] = 1; (Invoke-RustParallel b { `$Data.ContainsKey('outer') })['b'] }")['a'].ToString() |
            Should -BeExactly 'False'
    }

    It 'probes run inside jobs' {
        Use-Echo
        Get-Line "'127.0.0.1' | Invoke-RustParallel { (Invoke-RustParallel `$_)[`$_].Status }" | Should -BeExactly 'Success'
    }

    It 'calls in one pipeline run beside each other' {
        Get-SortedLine '1..3 | Invoke-RustParallel { $_ + 1 } | Invoke-RustParallel { $_ * 10 }' | Should -BeExactly '20', '30', '40'
    }

    It 'calls side by side share nothing' {
        # In sessions of their own: each host's value tells whose it is, and whom its runspace has seen before.
        $runs = foreach ($caller in 1..4) {
            Start-Script @'
foreach ($round in 1..3) {
    Invoke-RustParallel (1..40 | ForEach-Object { "host$_" }) { $global:seen = "$seen$using:mine"; "$using:mine $seen" } -ThrottleLimit 3
}
'@ @{ mine = $caller }
        }
        foreach ($caller in 1..4) {
            $run = Wait-Script $runs[$caller - 1]
            $run.Failure | Should -BeNullOrEmpty
            $run.Errors.Count | Should -Be 0
            $run.Output.Count | Should -Be 3
            foreach ($table in $run.Output) {
                $table.Count | Should -Be 40
                @($table.Values | Where-Object { "$_" -cnotmatch "^$caller $caller+$" }) | Should -BeNullOrEmpty
            }
        }
    }
}
