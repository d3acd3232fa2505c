# Very many jobs, and many ways to end at a time: nothing is lost, nothing comes twice, and there are as
# many workers as the work needs.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"

    # The beginning of a child's script: its memory after a collection.
    $MemoryScript = @'
Import-Module $Manifest
function Get-Memory {
    $Error.Clear(); [GC]::Collect(); [GC]::WaitForPendingFinalizers(); [GC]::Collect()
    [Environment]::WorkingSet
}

'@

    # What jobs share to count with.
    function New-Counter { return , (New-Object 'Collections.Concurrent.ConcurrentQueue[int]') }
}

Describe 'many jobs' {
    It 'however jobs end, each has exactly one record: seed <_>' -Tag 'Slow' -ForEach 1, 2, 3 {
        $random = New-Object Random $_
        # .NET cannot stop a loop without a call under Wine, see JobTimeout.Tests.ps1.
        $loop = if (Test-Wine) { 'while ($true) { $null = $_.GetHashCode() }' } else { 'while ($true) { }' }
        # None loads a module, which takes its time where many do so at once.
        $ways = @(
            @{ Way = "'out'"; Status = 'Completed' }
            @{ Way = "throw 'no'"; Status = 'Failed' }
            @{ Way = 'exit'; Status = 'Completed' }
            @{ Way = 'return 1'; Status = 'Completed' }
            @{ Way = 'break'; Status = 'Completed' }
            @{ Way = '$null.Method()'; Status = 'Completed' }
            @{ Way = $loop; Status = 'TimedOut' }
            @{ Way = 'for (;;) { [Threading.Thread]::Sleep(1) }'; Status = 'TimedOut' }
            @{ Way = '1/0'; Status = 'Completed' }
            @{ Way = '[Threading.Thread]::Sleep(900)'; Status = 'TimedOut' }
        )
        # The slow ways are rare, or they are all that happens.
        $chosen = [int[]] @(foreach ($item in 0..119) { if ($random.Next(10) -eq 0) { $random.Next(6, 10) } else { $random.Next(6) } })
        $block = -join @(foreach ($number in 0..9) { "$number { $($ways[$number].Way); break } " })
        $run = Invoke-Script "0..119 | Invoke-RustParallel { `$ways = `$using:chosen; switch (`$ways[`$_]) { $block } } -JobTimeoutSeconds 0.6 -ThrottleLimit 8 -AsObject" @{ chosen = $chosen }
        $run.Failure | Should -BeNullOrEmpty
        $found = $run.Output | Sort-Object { [int] $_.InputObject } | ForEach-Object { "$($_.InputObject) $($ways[$chosen[$_.InputObject]].Way): $($_.Status)" }
        $found | Should -BeExactly @(foreach ($item in 0..119) { "$item $($ways[$chosen[$item]].Way): $($ways[$chosen[$item]].Status)" })
    }

    It 'however a call is stopped, no item comes twice: seed <_>' -ForEach 1, 2, 3 {
        $random = New-Object Random $_
        foreach ($round in 1..4) {
            $begun = New-Counter
            $run = Start-Script "1..5000 | Invoke-RustParallel { (`$using:begun).Enqueue(`$_); if (`$_ % 7 -eq 0) { throw 'no' }; if (`$_ % 11 -eq 0) { exit }; `$_ } 2>`$null" @{ begun = $begun }
            $enough = $random.Next(1, 400)
            while ($begun.Count -lt $enough) {
                if ($run.Clock.Elapsed.TotalSeconds -gt $LongestSeconds) { throw "only $($begun.Count) jobs have begun" }
                Start-Sleep -Milliseconds 1
            }
            $null = Stop-Script $run
            $null = Wait-Script $run
            $items = $begun.ToArray()
            $items.Count | Should -BeGreaterOrEqual $enough
            @($items | Sort-Object -Unique).Count | Should -Be $items.Count
            $lines = @(ConvertTo-Line $run.Output)
            @($lines | Sort-Object -Unique).Count | Should -Be $lines.Count
        }
    }

    It 'collections of garbage are no reason for more workers' -Tag 'Slow' {
        if (Test-Wine) { Skip-Test 'Wine does not count the cycles of a thread, by which one that waits is known' }
        # A collection stops all workers, which looks like waiting to one who only watches whether jobs end.
        $entered = New-Counter
        $run = Invoke-CleanScript '1..20000 | Invoke-RustParallel { $null = [byte[]]::new(4000); if ($_ % 500 -eq 0) { [GC]::Collect() } } -InitializationScript { ($using:entered).Enqueue(1) }' @{ entered = $entered }
        $entered.Count | Should -BeGreaterOrEqual 1
        $entered.Count | Should -BeLessOrEqual ([Environment]::ProcessorCount + 1)
        $run.Warnings.Count | Should -Be 0
    }

    It 'jobs that wait get more workers than cores' {
        $entered = New-Counter
        $null = Invoke-CleanScript '1..60 | Invoke-RustParallel { Start-Sleep -Milliseconds 100 } -InitializationScript { ($using:entered).Enqueue(1) }' @{ entered = $entered }
        $entered.Count | Should -BeGreaterOrEqual ([Environment]::ProcessorCount + 2)
        $entered.Count | Should -BeLessOrEqual 32
    }

    It 'the hashtable of many hosts has all of them' {
        $table = Get-Table 'Invoke-RustParallel (1..10000 | ForEach-Object { "host$_" }) { param($ComputerName) $Data[$ComputerName] = $ComputerName }'
        $table.Count | Should -Be 10000
        @(1..10000 | Where-Object { $table["host$_"] -cne "host$_" }).Count | Should -Be 0
    }

    # In processes of their own, which have nothing that other tests left.
    It 'of a hundred thousand jobs none is lost, and the memory grows by less than 60 MB' -Tag 'Slow' {
        $count, $sum, $grown = -split (Get-ChildLine ($MemoryScript + @'
$null = 1..2000 | Invoke-RustParallel { $_ }
$before = Get-Memory; $most = 0; $count = 0; $sum = 0
1..100000 | Invoke-RustParallel { $_ } | ForEach-Object {
    $count++; $sum += $_
    if ($count % 20000 -eq 0) { $now = [Environment]::WorkingSet; if ($now -gt $most) { $most = $now } }
}
"$count $sum $($most - $before)"
'@))
        $count | Should -Be 100000
        $sum | Should -Be (100000L * 100001 / 2)
        [long] $grown | Should -BeLessThan 60000000
    }

    It 'a flood with a slow consumer stays in its queue' -Tag 'Slow' {
        # 200 MB in all; 4,096 records of 2,000 bytes a worker and two workers are 16 MB.
        $count, $grown = -split (Get-ChildLine ($MemoryScript + @'
$null = 1..4 | Invoke-RustParallel { $_ }
$before = Get-Memory; $most = 0; $count = 0
1, 2 | Invoke-RustParallel { for ($i = 0; $i -lt 50000; $i++) { , [byte[]]::new(2000) } } -ThrottleLimit 2 | ForEach-Object {
    $count++
    if ($count % 20000 -eq 0) { Start-Sleep -Milliseconds 100; $now = Get-Memory; if ($now -gt $most) { $most = $now } }
}
"$count $($most - $before)"
'@))
        $count | Should -Be 100000
        [long] $grown | Should -BeLessThan 100000000
    }
}
