# What makes a runspace ready (-InitializationScript, -ModuleNames) and waits, runs in all workers side
# by side, as far as jobs wait.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'a slow initialization' {
    It 'of eight workers runs side by side' -Tag Slow {
        $run = Invoke-CleanScript '1..8 | Invoke-RustParallel { Start-Sleep 1; $_ } -InitializationScript { Start-Sleep 2 } -ThrottleLimit 8'
        $run.Output.Count | Should -Be 8
        # 3 s at best; two by two it would be 9, or 5 where early workers take a second job.
        $run.Duration.TotalSeconds | Should -BeLessThan 4.6
    }

    It 'makes no more workers than jobs' -Tag Slow {
        $inits = New-Object 'Collections.Concurrent.ConcurrentQueue[int]'
        $null = Invoke-CleanScript '1..3 | Invoke-RustParallel { Start-Sleep -Milliseconds 300 } -InitializationScript { ($using:inits).Enqueue(1); Start-Sleep -Milliseconds 700 } -ThrottleLimit 16' @{ inits = $inits }
        $inits.Count | Should -BeLessOrEqual 3
    }

    It 'that only computes does not make more workers than the processors can use' -Tag Slow {
        $cores = [Environment]::ProcessorCount
        $inits = New-Object 'Collections.Concurrent.ConcurrentQueue[int]'
        $script = 'Measure-Command { 1..200 | Invoke-RustParallel { } -InitializationScript { ($using:inits).Enqueue(1); $end = [DateTime]::UtcNow.AddMilliseconds(300); while ([DateTime]::UtcNow -lt $end) { $x++ } } -ThrottleLimit 32 }'
        $null = Invoke-CleanScript $script @{ inits = $inits }
        # One more each while it is not yet known that the first ones compute.
        $inits.Count | Should -BeLessOrEqual (3 * $cores)
    }

    It 'ends with the call' -Tag Slow {
        $run = Start-Script '1..8 | Invoke-RustParallel { 1 } -InitializationScript { Start-Sleep 20 } -ThrottleLimit 8'
        Start-Sleep -Milliseconds 800
        (Stop-Script $run).TotalSeconds | Should -BeLessThan 3
    }
}
