# -Ordered: output leaves in the order of the input, streaming from the front; what has to wait is
# bounded, and neither a time limit nor a stop waits for it.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'ordered output' {
    It 'keeps the order of the input although later items end first' {
        $gate = New-Object Threading.CountdownEvent 3
        Get-Line '1..4 | Invoke-RustParallel { if ($_ -eq 1) { $null = ($using:gate).Wait(20000) } else { $null = ($using:gate).Signal() }; "out$_" } -ThrottleLimit 4 -Ordered' @{ gate = $gate } |
            Should -Be 'out1', 'out2', 'out3', 'out4'
    }

    It 'has the output of one item together, whoever writes between' {
        $barrier = New-Object Threading.Barrier 2
        Get-Line '1, 2 | Invoke-RustParallel { foreach ($i in 1..3) { $null = ($using:barrier).SignalAndWait(20000); "$_.$i" } } -ThrottleLimit 2 -Ordered' @{ barrier = $barrier } |
            Should -Be '1.1', '1.2', '1.3', '2.1', '2.2', '2.3'
    }

    It 'streams the output of the first item that is not finished' {
        $go = New-Object Threading.ManualResetEventSlim
        $run = Start-Script "1, 2 | Invoke-RustParallel { `"`$_ first`"; `$null = (`$using:go).Wait(20000); `"`$_ last`" } -ThrottleLimit 2 -Ordered" @{ go = $go }
        Wait-Output $run 1
        ConvertTo-Line $run.Output | Should -Be '1 first'
        $go.Set()
        ConvertTo-Line (Wait-Script $run).Output | Should -Be '1 first', '1 last', '2 first', '2 last'
    }

    It 'streams what waited as soon as it has become the first' {
        $events = 1..2 | ForEach-Object { New-Object Threading.ManualResetEventSlim }
        $begun = New-Object Threading.CountdownEvent 1
        $run = Start-Script '0, 1 | Invoke-RustParallel { if ($_) { "second begins"; $null = ($using:begun).Signal() } ; $null = ($using:events)[$_].Wait(20000); "end $_" } -ThrottleLimit 2 -Ordered' @{ events = $events; begun = $begun }
        $begun.Wait(20000) | Should -BeTrue
        $run.Output.Count | Should -Be 0
        $events[0].Set()
        Wait-Output $run 2
        ConvertTo-Line $run.Output | Should -Be 'end 0', 'second begins'
        $events[1].Set()
        ConvertTo-Line (Wait-Script $run).Output | Should -Be 'end 0', 'second begins', 'end 1'
    }

    It 'goes past items that fail, are refused or run into their time limit' {
        $run = Invoke-Script '1, 2, 3, { a block }, 5 | Invoke-RustParallel { if ($_ -eq 2) { throw "no" } elseif ($_ -eq 3) { "before"; Start-Sleep 30 }; $_ } -ThrottleLimit 4 -JobTimeoutSeconds 0.5 -Ordered'
        ConvertTo-Line $run.Output | Where-Object { $_ -ne ' a block ' } | Should -Be '1', 'before', '5'
        ($run.Errors | Where-Object { (Get-ErrorId $_) -in 'no', 'ScriptBlockFailed', 'JobTimedOut' }).Count | Should -Be 2
    }

    It 'orders records of -AsObject: <Call>' -ForEach @(
        @{ Call = '1..6 | Invoke-RustParallel { Start-Sleep -Milliseconds (80 - 10 * $_) } -AsObject -Ordered -ThrottleLimit 6 | ForEach-Object { $_.InputObject }' }
        @{ Call = 'Invoke-RustParallel a1, a2, a3, a4, a5, a6 { Start-Sleep -Milliseconds (80 - 10 * [int] $_.Substring(1)) } -AsObject -Ordered -ThrottleLimit 6 | ForEach-Object { $_.ComputerName.Substring(1) }' }
    ) {
        Get-Line $Call | Should -Be '1', '2', '3', '4', '5', '6'
    }

    It 'orders probes: the rows of a slow target come before those of quick ones after it' -Tag 'Laboratory' {
        Use-Laboratory
        Get-Line "Invoke-RustParallel $($Laboratory.Silent), 127.0.0.8/30, no-such-host.invalid, 127.0.0.1 -Count 1 -ReplyTimeoutMilliseconds 300 -AsObject -Ordered | ForEach-Object { `$_.ComputerName }" |
            Should -Be $Laboratory.Silent, '127.0.0.9', '127.0.0.10', 'no-such-host.invalid', '127.0.0.1'
    }

    It 'orders probes of several ports' {
        $silent, $closed = (New-SilentPort), (New-RefusedPort)
        try {
            Get-Line "Invoke-RustParallel 127.0.0.1 -TcpPort $($silent.Number), $($closed.Number) -ReplyTimeoutMilliseconds 300 -AsObject -Ordered | ForEach-Object { `$_.Status }" | Should -Be 'Refused'
            Get-Line "'127.0.0.1', '127.0.0.3' | Invoke-RustParallel -TcpPort $($silent.Number), $($closed.Number) -ReplyTimeoutMilliseconds 300 -AsObject -Ordered | ForEach-Object { `$_.ComputerName }" |
                Should -Be '127.0.0.1', '127.0.0.3'
        }
        finally { Close-Port $silent; Close-Port $closed }
    }

    It 'orders the rows of hosts that the maximum wait cut off' -Tag 'Laboratory' {
        Use-Laboratory
        Get-Line "Invoke-RustParallel $($Laboratory.Silent), 127.0.0.1, $($Laboratory.Silent2) -Count 100 -AsObject -Ordered -MaximumWaitTimeSeconds 0.3 3>`$null | ForEach-Object { `$_.ComputerName }" |
            Should -Be $Laboratory.Silent, '127.0.0.1', $Laboratory.Silent2
    }

    It 'is refused where there is nothing to order: <Call>' -ForEach @(
        @{ Call = 'Invoke-RustParallel 127.0.0.1 -Ordered' }
        @{ Call = 'Invoke-RustParallel a { 1 } -Ordered' }
    ) {
        Get-ErrorId (Get-Failure $Call) | Should -Be 'OrderedNeedsAsObject'
    }

    It 'works in the background' {
        Get-Line '1..6 | Invoke-RustParallel { Start-Sleep -Milliseconds (80 - 10 * $_); $_ } -Ordered -ThrottleLimit 6 -AsJob | Receive-Job -Wait -AutoRemoveJob' |
            Should -Be '1', '2', '3', '4', '5', '6'
    }
}

Describe 'the bound of what waits' {
    # The first item is held back; the other worker writes until it may not write more.
    BeforeAll {
        function Wait-ForStandstill($Counter) {
            $clock = [Diagnostics.Stopwatch]::StartNew()
            do { $before = $Counter[0]; Start-Sleep -Milliseconds 400 } while (($Counter[0] -ne $before -or $before -eq 0) -and $clock.Elapsed.TotalSeconds -lt 20)
            return $Counter[0]
        }
    }

    It 'lets a worker wait that is too far ahead, and all of its output come: <Name>' -ForEach @(
        @{ Name = 'one job that writes much'; Items = '1, 2'; Block = 'for ($i = 0; $i -lt 10000; $i++) { ($using:written)[0]++; $i }'; Total = 10000; Record = '' }
        @{ Name = 'many jobs that write little'; Items = '1..10001'; Block = '($using:written)[0]++; $_'; Total = 10000; Record = '' }
        @{ Name = 'many records'; Items = '1..10001'; Block = '($using:written)[0]++; $_'; Total = 10001; Record = '-AsObject' }
    ) {
        $go = New-Object Threading.ManualResetEventSlim
        $written = [int[]]::new(1)
        $run = Start-Script "$Items | Invoke-RustParallel { if (`$_ -eq 1) { `$null = (`$using:go).Wait(25000) } else { $Block } } -ThrottleLimit 2 -Ordered $Record" @{ go = $go; written = $written }
        Wait-ForStandstill $written | Should -BeIn (2000..4200)
        $go.Set()
        (Wait-Script $run).Output.Count | Should -Be $Total
    }

    It 'lets a block of hosts wait for the host before it, and all of its rows come in order' -Tag Laboratory, Slow {
        Use-Laboratory
        # 131,072 hosts of this machine take less than a second; the first target takes three to be given up.
        $run = Start-Script "'$($Laboratory.Silent)', '127.8.0.0/15' | Invoke-RustParallel -Count 1 -ReplyTimeoutMilliseconds 3000 -PacketsPerSecond 1000000 -AsObject -Ordered -Verbose | ForEach-Object { `$_.ComputerName }"
        Start-Sleep -Milliseconds 2700
        $run.Output.Count | Should -Be 0
        # What has finished meanwhile is what may be open, and a part that was taken in just before.
        $waiting = $run.Verbose | ForEach-Object { if ("$_" -match 'Waiting for (\d+)') { [int] $Matches[1] } } | Measure-Object -Minimum
        131071 - $waiting.Minimum | Should -BeIn (16384..81920)
        $names = @((Wait-Script $run).Output)
        $names.Count | Should -Be 131071
        $expected = foreach ($address in 1..131070) { '127.{0}.{1}.{2}' -f (8 + [Math]::Floor($address / 65536)), ([Math]::Floor($address / 256) % 256), ($address % 256) }
        ($names | Select-Object -Skip 1) -join ' ' | Should -BeExactly ($expected -join ' ')
    }

    It 'has one child job for a block that went to the engine in parts' -Tag Laboratory {
        Use-Laboratory
        Get-Line '$job = "127.0.0.0/17", "127.1.0.1" | Invoke-RustParallel -PacketsPerSecond 1000000 -AsObject -Ordered -AsJob; $null = Wait-Job $job; $job.State; $job.ChildJobs | ForEach-Object { "$($_.InputObject) $($_.State) $($_.Output.Count) $($_.Output[-1].ComputerName)" }; Remove-Job $job' |
            Should -Be 'Completed', '127.0.0.0/17 Completed 32766 127.0.127.254', '127.1.0.1 Completed 1 127.1.0.1'
    }

    It 'says once of a block that was cut off how much of it was not begun' -Tag Laboratory {
        Use-Laboratory
        $run = Invoke-Script "'$($Laboratory.Silent)', '127.0.0.0/8' | Invoke-RustParallel -Count 1 -ReplyTimeoutMilliseconds 10000 -AsObject -Ordered -MaximumWaitTimeSeconds 1 | Where-Object { `$_.Ping -ne `$true } | ForEach-Object { `$_.ComputerName }"
        $names = ConvertTo-Line $run.Output
        $names[0] | Should -Be $Laboratory.Silent
        $names[-1] | Should -Be '127.0.0.0/8'
        @($names | Where-Object { $_ -eq '127.0.0.0/8' }).Count | Should -Be 1
        $run.Duration.TotalSeconds | Should -BeLessThan 15
    }

    It 'keeps no stop waiting' {
        $go = New-Object Threading.ManualResetEventSlim
        $written = [int[]]::new(1)
        $run = Start-Script '1, 2 | Invoke-RustParallel { if ($_ -eq 1) { $null = ($using:go).Wait(25000) } else { for ($i = 0; $i -lt 10000; $i++) { ($using:written)[0]++; $i } } } -ThrottleLimit 2 -Ordered' @{ go = $go; written = $written }
        $null = Wait-ForStandstill $written
        # A job in native code is given up after its grace time; 3 s are for a busy machine.
        (Stop-Script $run).TotalSeconds | Should -BeLessThan 3
        $go.Set()
    }

    It 'keeps no time limit waiting' {
        $run = Invoke-Script '1, 2 | Invoke-RustParallel { if ($_ -eq 1) { Start-Sleep 2 } else { for ($i = 0; $i -lt 10000; $i++) { $i } } } -ThrottleLimit 2 -Ordered -JobTimeoutSeconds 0.5'
        # The end of the first makes room for the second, which may be just in time.
        $ids = @($run.Errors | ForEach-Object { Get-ErrorId $_ })
        $ids[0] | Should -Be 'JobTimedOut'
        $ids.Count | Should -BeIn 1, 2
        $run.Duration.TotalSeconds | Should -BeLessThan 10
    }

    It 'keeps no maximum wait waiting: <Name>' -Tag Slow -ForEach @(
        @{ Name = 'one job that writes much'; Items = '1, 2'; Block = 'for ($i = 0; $i -lt 10000; $i++) { ($using:written)[0]++; $i }'; Record = '' }
        @{ Name = 'many jobs that write little'; Items = '1..10001'; Block = '($using:written)[0]++; $_'; Record = '' }
        @{ Name = 'many records'; Items = '1..10001'; Block = '($using:written)[0]++; $_'; Record = '-AsObject' }
    ) {
        $go = New-Object Threading.ManualResetEventSlim
        $written = [int[]]::new(1)
        $run = Start-Script "$Items | Invoke-RustParallel { if (`$_ -eq 1) { `$null = (`$using:go).Wait(25000) } else { $Block } } -ThrottleLimit 2 -Ordered -MaximumWaitTimeSeconds 2 $Record" @{ go = $go; written = $written }
        # Without the bound all of it would be written; when the wait is over nothing holds the jobs until they are stopped.
        Wait-ForStandstill $written | Should -BeIn (1000..4200)
        $null = Wait-Script $run
        $run.Errors | ForEach-Object { Get-ErrorId $_ } | Should -Be 'MaximumWaitReached'
        $run.Errors[0].TargetObject[0] | Should -Be 1
        $run.Duration.TotalSeconds | Should -BeLessThan 10
        $go.Set()
    }

    It 'does not count the time that a finished job waits for its turn' {
        $run = Invoke-CleanScript '1..6000 | Invoke-RustParallel { if ($_ -eq 1) { Start-Sleep 1.5 } } -ThrottleLimit 2 -Ordered -AsObject -JobTimeoutSeconds 5'
        @($run.Output | Where-Object { $_.Status -ne 'Completed' }).Count | Should -Be 0
        ($run.Output | Select-Object -Skip 1 | Measure-Object -Property { $_.Duration.TotalSeconds } -Maximum).Maximum | Should -BeLessThan 1
    }
}
