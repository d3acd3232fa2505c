# Many calls: one after the other in a process, side by side, and one inside another.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"
}

Describe 'repeated calls' {
    It 'leave no memory, threads or descriptors behind after three hundred' -Tag 'Slow', 'Laboratory' {
        Use-Laboratory
        # Of every kind, ended and stopped ones; measured after as many as are needed to fill caches and pools.
        $lines = @(Get-ChildLine @'
Import-Module $Manifest
function Measure-Process {
    $Error.Clear() # the engine keeps the last 256
    [GC]::Collect(); [GC]::WaitForPendingFinalizers(); [GC]::Collect()
    Start-Sleep -Milliseconds 50
    $threads = [IO.Directory]::GetDirectories('/proc/self/task') |
        Where-Object { [IO.File]::ReadAllText("$_/comm") -notmatch '^\.NET' }
    # Files are those of the runtime, which loads assemblies as it needs them.
    $descriptors = [IO.Directory]::GetFileSystemEntries('/proc/self/fd') |
        Where-Object { [IO.FileInfo]::new($_).LinkTarget -match '^(socket|pipe|anon_inode):' }
    $resident = [IO.File]::ReadAllText('/proc/self/statm').Split(' ')[1]
    "$($threads.Count) $($descriptors.Count) $([GC]::GetTotalMemory($true)) $([long]$resident * 4096)"
}
function Invoke-Calls([int] $Number) {
    for ($i = 0; $i -lt $Number; $i++) {
        switch ($i % 5) {
            0 { Invoke-RustParallel 127.0.0.0/26, ::1, localhost }
            1 { Invoke-RustParallel 127.0.0.1, 127.0.0.2 -TcpPort 1, 2, 3 -ResolveName }
            2 { Invoke-RustParallel 127.0.0.1, 10.99.0.0/24 -Count 50 -ReplyTimeoutMilliseconds 200 -AsObject | Select-Object -First 1 }
            3 { Invoke-RustParallel 10.99.0.0/28 -Count 50 -ReplyTimeoutMilliseconds 200 -MaximumWaitTimeSeconds 0.02 -WarningAction SilentlyContinue }
            4 { Invoke-RustParallel unknown.test, 5, 127.0.0.1 -Count 2 -IntervalMilliseconds 1 -Statistics -ErrorAction SilentlyContinue }
        }
    }
}
Invoke-Calls 200 | Out-Null
Measure-Process
Invoke-Calls 300 | Out-Null
Measure-Process
'@)
        $lines.Count | Should -Be 2
        $before, $after = $lines | ForEach-Object { , [long[]] $_.Split(' ') }
        $told = "threads, descriptors, managed bytes, resident bytes were $($lines[0]) before and $($lines[1]) after"
        $before[0] | Should -BeGreaterThan 0
        $after[0] | Should -BeLessOrEqual $before[0] -Because $told
        $after[1] | Should -BeLessOrEqual $before[1] -Because $told
        # Calls that kept one result or one native buffer each would exceed these.
        $after[2] - $before[2] | Should -BeLessThan 100000 -Because $told
        $after[3] - $before[3] | Should -BeLessThan 16000000 -Because $told
    }

    It 'have each their own results side by side' {
        Use-Echo
        # The same address in all of them, and a block of each one's own.
        $runs = foreach ($caller in 1..6) {
            Start-Script @'
foreach ($round in 1..3) { Invoke-RustParallel "127.9.$caller.0/26", 127.0.0.1, localhost -Statistics -Count 2 -IntervalMilliseconds 10 }
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
