# Many calls: one after the other in a process, side by side, and one inside another.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"
    # Compiled once: what the runtime compiles again in between is no growth.
    $compiledOnce = @(if (-not $IsOnWindows) { 'env', 'DOTNET_TieredCompilation=0' })
}

Describe 'repeated calls' {
    It 'leave memory, threads, descriptors, runspaces and handles where they were after five hundred of every kind' -Tag 'Slow' {
        Use-Echo
        # A busy machine takes its time, and nothing here is about that.
        $LongestChildSeconds = 240
        # Wine is slow.
        $calls = if (Test-Wine) { 300 } else { 500 }
        $lines = @(Get-ChildLine "& '$PSScriptRoot/Soak.ps1' -Manifest `$Manifest -Calls $calls" -Prefix $compiledOnce)
        # The slopes are part of what a run tells.
        Write-Host ($lines -join [Environment]::NewLine)
        $lines.Count | Should -Be 8
        # Not every system tells how much native memory there is.
        $lines | Where-Object { $_ -notmatch '^(ok |skip native bytes: )' } | Should -BeNullOrEmpty
    }

    It 'would be found to leave each of these behind' -Tag 'Slow' {
        # Where the runtime's own threads cannot be told apart, few are too few to be found.
        Use-Linux
        Use-Echo
        $LongestChildSeconds = 240
        function Get-Found([string] $Leak) {
            Get-ChildLine "& '$PSScriptRoot/Soak.ps1' -Manifest `$Manifest -Calls 300 -Leak $Leak" -Prefix $compiledOnce |
                ForEach-Object { if ($_ -match '^(not ok|skip) ([^:]+): ') { $Matches[2] } }
        }
        $found = Get-Found 'Memory, Runspace, Thread, Handle, Descriptor, Answer'
        foreach ($name in 'answers', 'managed bytes', 'threads', 'descriptors', 'runspaces', 'handles') { $found | Should -Contain $name }
        # Alone: threads and runspaces have native memory too.
        Get-Found 'Native' | Should -Be 'native bytes'
    }

    It 'have each their own results side by side' {
        Use-Echo
        # The same address in all of them, and a block of each one's own.
        $runs = foreach ($caller in 1..6) {
            Start-Script @'
foreach ($round in 1..3) { Invoke-RustParallel "127.9.$caller.0/26", 127.0.0.1, localhost -Statistics -Count 2 -IntervalMilliseconds 10 -ReplyTimeoutMilliseconds 10000 }
'@ @{ caller = $caller }
        }
        foreach ($caller in 1..6) {
            $run = Wait-Script $runs[$caller - 1]
            $run.Failure | Should -Be $null
            @($run.Errors).Count | Should -Be 0
            @($run.Output).Count | Should -Be 3
            $expected = @(@(1..62 | ForEach-Object { "127.9.$caller.$_" }) + '127.0.0.1' + 'localhost' | Sort-Object)
            foreach ($table in $run.Output) {
                @($table.Keys | Sort-Object) | Should -BeExactly $expected
                @($table.Values | Where-Object { $_.Received -ne 2 } | ForEach-Object { "$($_.ComputerName) $($_.Status) $($_.Received)" }) | Should -BeNullOrEmpty
            }
        }
    }

    It 'go on beside one that is stopped' -Tag 'Laboratory' {
        Use-Laboratory
        $stopped = Start-Script "Invoke-RustParallel $($Laboratory.SilentNetwork) -Count 100 -ReplyTimeoutMilliseconds 200 -Verbose"
        Wait-Until $stopped { $stopped.Verbose.Count -gt 0 }
        $going = Start-Script "Invoke-RustParallel 127.0.0.1, $($Laboratory.Silent) -Count 3 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 100"
        $null = Stop-Script $stopped
        $null = Wait-Script $stopped
        $table = (Wait-Script $going).Output[0]
        $table['127.0.0.1'].Status | Should -BeExactly 'Success'
        $table[$Laboratory.Silent].Status | Should -BeExactly 'TimedOut'
        $table[$Laboratory.Silent].Sent | Should -Be 3
    }

    It 'work inside the pipeline of another' {
        Use-Echo
        Get-Line 'Invoke-RustParallel 127.0.0.1-3 -AsObject | ForEach-Object { (Invoke-RustParallel $_.ComputerName -TcpPort 1)[$_.ComputerName].Status }' |
            Should -BeExactly 'Refused', 'Refused', 'Refused'
    }
}
