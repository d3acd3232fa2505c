# Calls that are ended before their time: what follows for the input, and for calls after. How soon
# they end is measured in C#, which knows how late the machine is.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'early stop' {
    It 'ends the input when Select-Object has enough' {
        Use-Echo
        $delivered = New-Object Collections.Concurrent.ConcurrentQueue[int]
        $run = Invoke-CleanScript @'
1..200 | ForEach-Object { $delivered.Enqueue($_); "127.0.0.$_"; Start-Sleep -Milliseconds 20 } |
    Invoke-RustParallel -AsObject | Select-Object -First 1
'@ @{ delivered = $delivered }
        @($run.Output).Count | Should -Be 1
        $delivered.Count | Should -BeGreaterOrEqual 1
        $delivered.Count | Should -BeLessOrEqual 20
    }

    It 'leaves the next call as good as any' -Tag 'Laboratory' {
        Use-Laboratory
        $session = New-Session
        try {
            $stopped = Start-Script "Invoke-RustParallel $($Laboratory.SilentNetwork) -Count 100 -ReplyTimeoutMilliseconds 200 -Verbose" -Session $session
            Wait-Until $stopped { $stopped.Verbose.Count -gt 0 }
            $null = Stop-Script $stopped
            (Get-Table 'Invoke-RustParallel 127.0.0.1' -Session $session)['127.0.0.1'].Status | Should -BeExactly 'Success'
        }
        finally { $session.Dispose() }
    }
}
