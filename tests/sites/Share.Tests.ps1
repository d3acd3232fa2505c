# Hosts shared among sessions.

BeforeAll {
    . "$PSScriptRoot/Sites.ps1"
    $sites = Open-Site
}

AfterAll { $sites | Remove-PSSession }

Describe 'Hosts shared among sessions' {
    It 'each is probed once, from one of the sites, which every result names' {
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/19, 127.1.0.1, paris -Session $sites -AsObject -PacketsPerSecond 700' @{ sites = $sites }
        Get-WrongCount $run.Output 8192 | Should -Be $NoneWrong
        @($run.Output | Where-Object { -not $_.Ping }) | Should -BeNullOrEmpty
        ($run.Output.ObservedFrom | Sort-Object -Unique) -join ' ' | Should -Be 'lima oslo paris rome'
    }

    It 'so are ranges of IPv6, named as they are here: <_>' -ForEach 'fd00:76::ffff:ff00-fd00:76::1:0:ff', 'fd00:76:0:1:ffff:ffff:ffff:ff00-fd00:76:0:2::ff' {
        $own = $sites[0, 1]
        $here = (Invoke-CleanScript 'Invoke-RustParallel $range -AsObject -Count 1 -ReplyTimeoutMilliseconds 1' @{ range = $_ }).Output.ComputerName | Sort-Object
        $run = Invoke-CleanScript 'Invoke-RustParallel $range -Session $own -AsObject -PacketsPerSecond 500' @{ own = $own; range = $_ }
        $here.Count | Should -Be 512
        $run.Output.ComputerName | Sort-Object | Should -Be $here
        @($run.Output | Where-Object { -not $_.Ping }) | Should -BeNullOrEmpty
    }

    It 'a session that is named twice is taken once' {
        foreach ($call in 'Invoke-RustParallel 127.0.0.0/28 -AsObject', '1..14 | Invoke-RustParallel { $_ } -AsObject', 'Invoke-RustParallel 127.0.0.0/28 -FromEach -AsObject') {
            $rows = (Invoke-CleanScript "$call -Session `$sites, `$sites" @{ sites = $sites[0] }).Output
            $rows.Count | Should -Be 14
            @($rows | ForEach-Object { if ($_.Answers) { $_.Answers.ObservedFrom } else { $_.ObservedFrom } } | Sort-Object -Unique) | Should -Be 'lima'
        }
    }

    It 'the last results come at once, however few they are' {
        # A result among others may wait for a tenth of a second. Where something else takes the time a later call does not.
        $time = [double] (Get-Line '
            $clock = [Diagnostics.Stopwatch]::StartNew()
            do { $time = (Measure-Command { Invoke-RustParallel 127.0.0.1 -Session $sites }).TotalMilliseconds }
            until ($time -lt 95 -or $clock.Elapsed.TotalSeconds -gt 60)
            $time' @{ sites = $sites[0] })
        $time | Should -BeLessThan 95
    }

    It 'a result has all that a local one has' {
        $local = @((Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -Statistics -Count 3 -IntervalMilliseconds 20').Output)[0]
        $there = @((Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -Statistics -Count 3 -IntervalMilliseconds 20 -Session $sites' @{ sites = $sites }).Output)[0]
        $there = @($there.Values)[0]
        $local = @($local.Values)[0]
        foreach ($name in 'ComputerName', 'Address', 'Ping', 'Status', 'Sent', 'Received', 'Ttl', 'LossPercent', 'Duplicates') {
            $there.$name | Should -Be $local.$name -Because $name
        }
        $there.Latency | Should -BeGreaterThan 0
        $there.Minimum | Should -BeGreaterThan 0
        $there.Maximum | Should -BeGreaterOrEqual $there.Average
        [Math]::Abs(([DateTime]::Now - $there.TimeFinished).TotalSeconds) | Should -BeLessThan 60
    }

    It 'ports come with their own results, in the order asked' {
        $row = @((Invoke-CleanScript 'Invoke-RustParallel paris -TcpPort 22, 1 -Session $sites -AsObject' @{ sites = $sites[1, 2] }).Output)[0]
        $row.OpenPorts -join ' ' | Should -Be '22'
        $row.Ports -join ' ' | Should -Be '22:Success 1:Refused'
    }

    It 'parts get smaller towards the end, so that no site idles then' {
        # Consecutive hosts that one site answered are a part, or a few of them side by side.
        # A busy machine measures lower rates, and gives less at a time.
        do {
            $rows = (Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/16 -Session $sites -AsObject -Ordered -PacketsPerSecond 10000' @{ sites = $sites }).Output
            $sizes = Get-PartSize $rows
        } until (($sizes[0..([int] ($sizes.Count / 2))] | Measure-Object -Maximum).Maximum -ge 3 * ($sizes[-4..-1] + 667 | Measure-Object -Maximum).Maximum -or ++$tries -eq 4)
        ($sizes | Measure-Object -Sum).Sum | Should -Be 65534
        $sizes.Count | Should -BeGreaterThan 20
        $large = ($sizes[0..([int] ($sizes.Count / 2))] | Measure-Object -Maximum).Maximum
        $large | Should -BeGreaterOrEqual 2000
        # Small ones of one site stand side by side, a twentieth of a second's work at most.
        ($sizes[-4..-1] | Measure-Object -Maximum).Maximum | Should -BeLessOrEqual ($large / 3)
    }

    It 'the packet rate is each session''s own' {
        # A busy machine makes one longer, none shorter.
        do {
            $seconds = foreach ($count in 1, 4) {
                $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/20 -Session $some -AsObject -PacketsPerSecond 2000' @{ some = $sites[0..($count - 1)] }
                $run.Duration.TotalSeconds
            }
        } until ($seconds[1] -lt $seconds[0] * 0.7 -or ++$tries -eq 4)
        # 4,094 hosts, of which a session asks 256 at once.
        $seconds[0] | Should -BeGreaterThan 1.8
        $seconds[1] | Should -BeGreaterThan 0.36
        $seconds[1] | Should -BeLessThan ($seconds[0] * 0.7)
    }

    It 'a session whose way is slow is given less, and none idles' {
        if (-not (Get-Command perl -ErrorAction Ignore) -or "$(perl -MTime::HiRes -e 'print 1')" -ne 1) { Skip-Test 'perl is not there, which delays what travels' }
        $own = @($sites | Where-Object ComputerName -ne 'lima') + (New-Site 'slow')
        # All of them have begun before it counts.
        $null = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/19 -Session $own -PacketsPerSecond 2000' @{ own = $own }
        do {
            $alone = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/18 -Session $own -AsObject -PacketsPerSecond 2000' @{ own = $own[0..2] }
            $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/18 -Session $own -AsObject -PacketsPerSecond 2000' @{ own = $own }
            Get-WrongCount $run.Output 16382 | Should -Be $NoneWrong
            $share = $run.Output | Group-Object ObservedFrom -AsHashTable
            $least = ('oslo', 'paris', 'rome' | ForEach-Object { $share[$_].Count } | Measure-Object -Minimum).Minimum
            # The last hosts of all of them end together, and the call not much later than without it.
            $ends = $share.Values | ForEach-Object { ($_.TimeFinished | Sort-Object)[-1].Ticks } | Sort-Object
            $spread = ($ends[-1] - $ends[0]) / [TimeSpan]::TicksPerSecond
            $ratio = $run.Duration.TotalSeconds / $alone.Duration.TotalSeconds
            # Others on the machine hold up now this site, now that one.
        } until (($share['slow'].Count -lt $least * 0.9 -and $spread -lt 0.7 -and $ratio -lt 1.6) -or ++$tries -eq 4)
        $own[-1] | Remove-PSSession
        $share['slow'].Count | Should -BeGreaterThan 0
        $share['slow'].Count | Should -BeLessThan ($least * 0.9)
        $spread | Should -BeLessThan 0.7
        $ratio | Should -BeLessThan 1.6
    }

    It 'the caller''s memory does not grow with the number of hosts' -Tag Slow {
        $memory = Get-Line '$n = 0; Invoke-RustParallel 127.0.0.0/14 -Session $sites -AsObject -PacketsPerSecond 0 | ForEach-Object { if (++$n -in 50000, 250000) { [GC]::GetTotalMemory($true) } }; $n' @{ sites = $sites }
        $memory[-1] | Should -Be '262142'
        ([long] $memory[1] - [long] $memory[0]) / 1MB | Should -BeLessThan 8
    }

    It 'what one site cannot reach, it says so of: every host has an answer' {
        $run = Invoke-CleanScript 'Invoke-RustParallel 10.78.128.0/21, 10.78.120.0/21 -Session $sites -AsObject -Count 1 -ReplyTimeoutMilliseconds 500 -PacketsPerSecond 800' @{ sites = $sites }
        Get-WrongCount $run.Output 4092 | Should -Be $NoneWrong
        $failed = @($run.Output | Where-Object { -not $_.Ping })
        $failed.Count | Should -BeGreaterThan 0
        @($failed | Where-Object { $_.ObservedFrom -ne 'rome' -or $_.Address -notmatch '^10\.78\.1(28|29|3\d)\.' }) | Should -BeNullOrEmpty
        $failed[0].Status | Should -Match '^Destination'
    }

    It 'texts that are no hosts are errors, and the others go on' {
        $run = Invoke-Script 'Invoke-RustParallel 1.2.3, 127.0.0.1, 0.0.0.0 -Session $sites -AsObject' @{ sites = $sites }
        @($run.Errors | ForEach-Object { "$($_.TargetObject) $(Get-ErrorId $_)" }) -join ', ' | Should -Be '1.2.3 InvalidTarget, 0.0.0.0 InvalidTarget'
        $run.Output.Count | Should -Be 1
    }

    It 'keeps the order of the input with -Ordered' {
        $names = Get-Line '(Invoke-RustParallel 127.0.0.0/22, 127.9.9.9 -Session $sites -AsObject -Ordered -PacketsPerSecond 2000).ComputerName' @{ sites = $sites }
        $names.Count | Should -Be 1023
        $names[0] | Should -Be '127.0.0.1'
        $names[511] | Should -Be '127.0.2.0'
        $names[1022] | Should -Be '127.9.9.9'
    }

    It 'hosts may be piped' {
        $run = Invoke-CleanScript '1..300 | ForEach-Object { "127.0.0.$($_ % 100 + 1)"; "127.0.1.$($_ % 100 + 1)-$($_ % 100 + 1)" } | Invoke-RustParallel -Session $sites' @{ sites = $sites }
        $run.Output[0].Count | Should -Be 200
    }

    It 'runs in the background, and what is unfinished can be asked for' {
        $run = Invoke-CleanScript '$job = Invoke-RustParallel 127.0.0.0/24 -Session $sites -AsObject -AsJob; $null = Wait-Job $job; $job.State; @(Receive-Job $job).Count; $job.Unfinished.Count' @{ sites = $sites }
        ConvertTo-Line $run.Output | Should -Be 'Completed', '254', '0'
    }

    It 'shows one progress record over all, and the verbose lines of a local call' {
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 500 -Verbose' @{ sites = $sites }
        @($run.Progress.ActivityId | Sort-Object -Unique) -join ' ' | Should -Be '1'
        $run.Verbose.Message -join "`n" | Should -Match '4094 threads have finished|All threads finished'
        @($run.Verbose.Message | Where-Object { $_ -match 'Script started' }).Count | Should -Be 1
    }

    It 'the maximum wait ends it: every host has a row, and a warning counts those without a verdict' {
        $run = Invoke-Script 'Invoke-RustParallel 10.99.0.0/18 -Session $sites -AsObject -PacketsPerSecond 500 -MaximumWaitTimeSeconds 1' @{ sites = $sites }
        $run.Duration.TotalSeconds | Should -BeLessThan 6
        $stopped = @($run.Output | Where-Object { $_.Status -eq 'Stopped' })
        $stopped.Count | Should -BeGreaterThan 100
        @($stopped.ComputerName | Sort-Object -Unique).Count | Should -Be $stopped.Count
        $rest = @($run.Output | Where-Object { $_.Status -eq 'NotStarted' })
        $rest.Count | Should -Be 1
        $rest[0].Detail | Should -Be "$(16382 - $stopped.Count) of 16382 hosts were not begun"
        $run.Warnings[0].Message | Should -Match 'leaves no more than that.*-MaximumWaitTimeSeconds \d.*-ReplyTimeoutMilliseconds'
        $run.Warnings[-1].Message | Should -Match '1 seconds was reached before 16382 hosts'
        Invoke-Command -Session $sites { 1 } | Measure-Object | ForEach-Object Count | Should -Be 4
    }

    It 'Ctrl+C gives the caller back within a second, the sending stops, and the sessions can be used again' {
        Measure-Stop {
            $run = Start-Script 'Invoke-RustParallel 127.0.0.0/10 -Session $sites -AsObject -PacketsPerSecond 1000 -MaximumWaitTimeSeconds 0' @{ sites = $sites }
            Wait-Output $run 500
            $run
        } | Should -BeLessThan 1
        # Long before it would end by its lease.
        do {
            $before = Get-SitePacket 'oslo'
            Start-Sleep -Seconds 1
            $sent = (Get-SitePacket 'oslo') - $before
        } until ($sent -lt 100 -or ++$tries -eq 5)
        $sent | Should -BeLessThan 100
        @(Invoke-Command -Session $sites { 1 }).Count | Should -Be 4
    }

    It 'Select-Object -First ends it' {
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/10 -Session $sites -AsObject -PacketsPerSecond 1000 -MaximumWaitTimeSeconds 0 | Select-Object -First 5' @{ sites = $sites }
        $run.Output.Count | Should -Be 5
        $run.Duration.TotalSeconds | Should -BeLessThan 5
    }
}

Describe 'The far side''s files' {
    It 'stay as they are: nothing is copied or written there' {
        $there = New-PSSession -HostName paris -Subsystem readonly -ErrorAction Stop
        $file = "$env:RUSTRUNSPACES_SITES_FOLDER/written"
        Invoke-Command -Session $there { try { [IO.File]::WriteAllText($using:file, ''); 'written' } catch { 'refused' } } | Should -Be 'refused'
        # Of mounts at the same place the last one counts.
        $mounts = @{}
        foreach ($line in Invoke-Command -Session $there { Get-Content /proc/self/mounts }) { $mounts[$line.Split(' ')[1]] = $line.Split(' ')[3] }
        $writable = $mounts.Keys | Where-Object { $mounts[$_] -notmatch '^ro\b' -and $_ -notmatch '^/(proc|sys|dev)(/|$)' }
        $writable | Should -Be '/var/tmp'
        # The engine's own profile of its start comes when it likes.
        $list = { Get-ChildItem /var/tmp -Recurse -Force | Where-Object Name -NotLike 'StartupProfileData*' | ForEach-Object { "$($_.FullName) $($_.Length) $($_.LastWriteTimeUtc.Ticks)" } }
        $null = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -Session $there' @{ there = $there }
        $before = Invoke-Command -Session $there $list
        foreach ($call in 'Invoke-RustParallel 127.0.0.0/24 -Session $there', '1..20 | Invoke-RustParallel { $_ } -Session $there',
            '$word = 1; function Get-Word { 2 }; Invoke-RustParallel a, b { "$word $(Get-Word) $using:word" } -Variables word -Functions Get-Word -Session $there',
            'Invoke-RustParallel 127.0.0.1 -Session $there -FromEach', 'Invoke-RustParallel { 5 } -Session $there -FromEach') {
            (Invoke-CleanScript $call @{ there = $there }).Output.Count | Should -BeGreaterThan 0
        }
        Invoke-Command -Session $there $list | Should -Be $before
        $there | Remove-PSSession
    }
}
