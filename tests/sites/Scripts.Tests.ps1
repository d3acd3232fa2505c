# Script jobs shared among sessions.

BeforeAll {
    . "$PSScriptRoot/Sites.ps1"
    $sites = Open-Site
}

AfterAll { $sites | Remove-PSSession }

Describe 'Script jobs shared among sessions' {
    It 'each host has its entry, by a block that ran in one of the sessions' {
        $table = Get-Table '$word = "seen"; Invoke-RustParallel (1..200 | % { "host$_" }) -Session $sites -ScriptBlock { param($ComputerName, $Text) Start-Sleep -Milliseconds 100; "$Text $using:word $ComputerName $env:SITE" } -ArgumentList as -MaximumThreadCount 4' @{ sites = $sites }
        $table.Count | Should -Be 200
        foreach ($number in 1..200) { $table["host$number"] | Should -Match "^as seen host$number (paris|oslo|lima|rome)$" }
        @($table.Values | ForEach-Object { $_.Split(' ')[3] } | Sort-Object -Unique).Count | Should -Be 4
    }

    It 'each session has a $Data of its own, and the entries are merged' {
        $table = Get-Table 'Invoke-RustParallel a, b, c -Session $sites -ScriptBlock { param($ComputerName) $Data[$ComputerName] = "own $ComputerName"; $Data["extra $ComputerName"] = 1; "output" }' @{ sites = $sites }
        @($table.Keys | Sort-Object) -join ', ' | Should -Be 'a, b, c, extra a, extra b, extra c'
        $table['b'] | Should -Be 'own b'
    }

    It 'items come back, in order where asked, objects as Invoke-Command brings them' {
        Get-SortedLine '1..50 | Invoke-RustParallel { $_ * 2 } -Session $sites' @{ sites = $sites } | Should -Be ([string[]] (1..50 | ForEach-Object { $_ * 2 }) | Sort-Object { [string] $_ } -Culture '')
        Get-Line '1..50 | Invoke-RustParallel { Start-Sleep -Milliseconds (60 - $_); $_ } -Session $sites -Ordered' @{ sites = $sites } | Should -Be ([string[]] (1..50))
        $rows = (Invoke-CleanScript '[pscustomobject]@{ Name = "x"; Number = 5 } | Invoke-RustParallel { [pscustomobject]@{ Twice = $_.Number * 2; Name = $_.Name } } -Session $sites' @{ sites = $sites }).Output
        "$($rows[0].Name) $($rows[0].Twice)" | Should -Be 'x 10'
    }

    It 'objects keep their depth, alone and among others: <Call>' -ForEach @(
        @{ Call = '1 | Invoke-RustParallel { $block } -Session $sites' }
        @{ Call = '(1 | Invoke-RustParallel { $block } -Session $sites -AsObject).Output' }
        @{ Call = '(Invoke-RustParallel one { $block } -Session $sites)["one"]' }
    ) {
        foreach ($count in 1, 2) {
            $block = "foreach (`$i in 1..$count) { [pscustomobject] @{ Number = 7; List = 1, 2; Inner = [pscustomobject] @{ Deep = 3 } } }"
            $theirs = @(Invoke-Command -Session $sites[0] ([scriptblock]::Create($block)))
            $ours = @((Invoke-CleanScript $Call.Replace('$block', $block) @{ sites = $sites }).Output)
            $ours.Count | Should -Be $count
            foreach ($name in 'Number', 'List', 'Inner') { $ours[-1].$name.GetType() | Should -Be $theirs[-1].$name.GetType() -Because $name }
            "$($ours[-1].Inner)" | Should -Be "$($theirs[-1].Inner)"
        }
    }

    It 'the value of a pipeline variable comes with each item' {
        Get-SortedLine '1..60 | ForEach-Object { $_ } -PipelineVariable p | ForEach-Object { $_ * 10 } | Invoke-RustParallel { "$_ of $using:p" } -Session $sites' @{ sites = $sites } |
            Should -Be (Get-SortedLine '1..60 | ForEach-Object { "$($_ * 10) of $_" }')
    }

    It 'as many run at a time in each session as the limit says' {
        $rows = (Invoke-CleanScript '1..48 | Invoke-RustParallel { [DateTime]::UtcNow.Ticks; Start-Sleep -Milliseconds 200; [DateTime]::UtcNow.Ticks } -Session $sites -MaximumThreadCount 2 -AsObject' @{ sites = $sites }).Output
        $rows.Count | Should -Be 48
        # Of the jobs of one session those that run when one of them begins.
        $most = foreach ($site in $rows | Group-Object ObservedFrom) {
            ($site.Group | ForEach-Object { $begin = $_.Output[0]; @($site.Group | Where-Object { $_.Output[0] -le $begin -and $_.Output[1] -gt $begin }).Count } | Measure-Object -Maximum).Maximum
        }
        $most | Should -Be (@(2) * 4)
    }

    It 'more than a message takes comes whole' {
        $sizes = Get-SortedLine '1..40 | ForEach-Object { "x" * 20000 * ($_ % 2 + 1) } | Invoke-RustParallel { $_; 1..300 } -Session $sites | ForEach-Object { if ($_ -is [string]) { $_.Length } }' @{ sites = $sites }
        $sizes.Count | Should -Be 40
        @($sizes | Where-Object { $_ -eq '40000' }).Count | Should -Be 20
    }

    It 'what the caller brings along is there: variables, functions, a script that begins' {
        $lines = Get-Line '$number = 7; function Get-Twice($n) { 2 * $n }; 1 | Invoke-RustParallel { "$number $(Get-Twice 4) $begun" } -Variables number -Functions Get-Twice -InitializationScript { $begun = "yes" } -Session $sites' @{ sites = $sites }
        $lines | Should -Be '7 8 yes'
    }

    It 'what a script that begins outputs and says comes once from a session, its errors each time' {
        $run = Invoke-Script '1..6 | Invoke-RustParallel { $_ } -UseNewRunspace -ThrottleLimit 2 -InitializationScript { "begun"; Write-Warning "warned"; Write-Error "said" } -Session $sites[0]' @{ sites = $sites }
        ConvertTo-Line $run.Output | Sort-Object | Should -Be '1', '2', '3', '4', '5', '6', 'begun'
        $run.Warnings.Count | Should -Be 1
        $run.Errors.Count | Should -BeGreaterOrEqual 6
        $run.Errors | ForEach-Object { "$_" } | Select-Object -Unique | Should -Be 'said'
        $run = Invoke-Script 'Invoke-RustParallel a, b { $_ } -AsObject -InitializationScript { "begun"; Write-Error "said" } -ThrottleLimit 1 -Session $sites[0]' @{ sites = $sites }
        $run.Output.Output | Sort-Object | Should -Be 'a', 'b'
        $run.Errors | ForEach-Object { "$_" } | Should -Be 'said'
    }

    It 'a command runs by its name' {
        Get-Line '5 | Invoke-RustParallel -CommandName Write-Output -ParameterName InputObject -Session $sites' @{ sites = $sites } | Should -Be '5'
    }

    It 'errors, warnings and verbose lines come out of the caller''s streams, once' {
        $run = Invoke-Script 'Invoke-RustParallel one -Session $sites -ScriptBlock { Write-Error "wrong" -ErrorId Wrong; Write-Warning careful; Write-Verbose much; throw "away" } -Verbose' @{ sites = $sites }
        ($run.Errors | ForEach-Object { "$_" }) -join ', ' | Should -Be 'wrong, away'
        $run.Errors[0].FullyQualifiedErrorId | Should -Match '^Wrong'
        $run.Errors[0].OriginInfo.PSComputerName | Should -Be 'one'
        $run.Warnings.Message | Should -Be 'careful'
        @($run.Verbose.Message -eq 'much').Count | Should -Be 1
        $run.Output[0].PSObject.BaseObject.Count | Should -Be 0
    }

    It 'records say where a job ran and how it ended' {
        $rows = (Invoke-CleanScript '1..3 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 30 } elseif ($_ -eq 3) { throw "no" }; $_ } -AsObject -JobTimeoutSeconds 1 -Ordered -Session $sites' @{ sites = $sites }).Output
        $rows.Status -join ' ' | Should -Be 'Completed TimedOut Failed'
        $rows[0].ObservedFrom | Should -Match '^(paris|oslo|lima|rome)$'
        $rows.InputObject -join ' ' | Should -Be '1 2 3'
    }

    It 'what a job writes comes while it goes on: <Name>' -ForEach @(
        @{ Name = 'output'; Block = '"early"'; Stream = 'Output'; Rest = '' }
        @{ Name = 'output of the first in order'; Block = '"early"'; Stream = 'Output'; Rest = '-Ordered' }
        @{ Name = 'an error'; Block = 'Write-Error early'; Stream = 'Errors'; Rest = '' }
        @{ Name = 'a warning'; Block = 'Write-Warning early'; Stream = 'Warnings'; Rest = '-AsObject' }
    ) {
        $go = Join-Path $TestDrive "go $Name"
        $run = Start-Script "1 | Invoke-RustParallel { $Block; while (-not (Test-Path '$go')) { Start-Sleep -Milliseconds 20 }; 'late' } -Session `$sites $Rest" @{ sites = $sites }
        Wait-Until $run { $run.$Stream.Count -ge 1 }
        $run.Handle.IsCompleted | Should -BeFalse
        "$($run.$Stream[0])" | Should -Be 'early'
        $null = New-Item $go
        $null = Wait-Script $run
        "$($run.Output[-1])" | Should -Match 'late|Completed'
    }

    It 'with -Ordered later ones wait for the first' {
        $go = Join-Path $TestDrive 'go'
        $run = Start-Script "1..20 | Invoke-RustParallel { `$_; if (`$_ -eq 2) { while (-not (Test-Path '$go')) { Start-Sleep -Milliseconds 20 } }; `"end of `$_`" } -Session `$sites -Ordered" @{ sites = $sites }
        Wait-Output $run 3
        Start-Sleep -Milliseconds 500
        ConvertTo-Line $run.Output | Should -Be '1', 'end of 1', '2'
        $null = New-Item $go
        $null = Wait-Script $run
        ConvertTo-Line $run.Output | Should -Be (1..20 | ForEach-Object { "$_"; "end of $_" })
    }

    It 'progress of jobs stands below the one record of the call, each worker''s its own, and ends' {
        $run = Invoke-CleanScript '1..4 | Invoke-RustParallel { Write-Progress -Activity "a$_" -Status s -PercentComplete 40; Start-Sleep 2 } -Session $sites -MaximumThreadCount 1' @{ sites = $sites }
        $shown = @($run.Progress | Where-Object { $_.Activity -clike 'a?' })
        $processing = @($shown | Where-Object { $_.RecordType -eq 'Processing' })
        @($processing.Activity | Sort-Object -Unique) -join ' ' | Should -Be 'a1 a2 a3 a4'
        @($processing.ActivityId | Sort-Object -Unique).Count | Should -Be 4
        @($processing.PercentComplete | Sort-Object -Unique) | Should -Be 40
        @($shown | Where-Object { $_.RecordType -eq 'Completed' }).Count | Should -Be 4
        $own = @($run.Progress | Where-Object { $_.Activity -clike 'Invoke-RustParallel*' })
        @($own.ActivityId | Sort-Object -Unique) | Should -Be @($shown.ParentActivityId | Sort-Object -Unique)
    }

    It 'a failing beginning is told by the site, and none left ends the call' {
        $failure = Get-Failure '1 | Invoke-RustParallel { 1 } -InitializationScript { throw "not here" } -Session $sites' @{ sites = $sites }
        Get-ErrorId $failure | Should -Be 'NoUsableSession'
        "$failure" | Should -Match 'not here'
    }

    It 'the maximum wait ends it, and Ctrl+C within a second' {
        $run = Invoke-Script '1..500 | Invoke-RustParallel { Start-Sleep 20; $_ } -Session $sites -MaximumWaitTimeSeconds 2 -AsObject' @{ sites = $sites }
        $run.Duration.TotalSeconds | Should -BeLessThan 8
        $run.Output.Count | Should -Be 500
        @($run.Output | Where-Object { $_.Status -notin 'Stopped', 'NotStarted' }) | Should -BeNullOrEmpty
        Measure-Stop {
            $run = Start-Script '1..500 | Invoke-RustParallel { $_; Start-Sleep -Milliseconds 300 } -Session $sites -MaximumThreadCount 4' @{ sites = $sites }
            Wait-Output $run 4
            $run
        } | Should -BeLessThan 1.3
        @(Invoke-Command -Session $sites { 1 }).Count | Should -Be 4
    }

    It 'jobs of a session that dies are Lost and named; every other one is done' {
        $own = Open-Site 'paris', 'oslo', 'lima'
        $process = Get-SiteProcess $own[1]
        $run = Start-Script '1..120 | Invoke-RustParallel { Start-Sleep -Milliseconds 200; $_ } -Session $own -MaximumThreadCount 4 -AsObject' @{ own = $own }
        Wait-Until $run { @($run.Output.ObservedFrom | Sort-Object -Unique).Count -eq 3 }
        kill -KILL $process
        $null = Wait-Script $run
        $own | Remove-PSSession
        @($run.Output.InputObject | Sort-Object -Unique).Count | Should -Be 120
        $run.Output.Count | Should -Be 120
        $lost = @($run.Output | Where-Object { $_.Status -eq 'Lost' })
        $lost.Count | Should -BeGreaterThan 0
        $lost.Count | Should -BeLessThan 30
        Get-ErrorId $lost[0].Errors[0] | Should -Be 'JobLost'
        "$($run.Warnings[-1])" | Should -Match "'oslo' was lost.*jobs are Lost"
        @($run.Output | Where-Object { $_.Status -eq 'Completed' }).Count | Should -Be (120 - $lost.Count)
    }

    It 'with -RetryLost they run again in the other sessions, and nothing is said twice' {
        $own = Open-Site 'paris', 'oslo'
        $process = Get-SiteProcess $own[1]
        $begun = Join-Path $TestDrive 'begun'
        $run = Start-Script "1..40 | Invoke-RustParallel { `"`$_ begins`"; if (`$env:SITE -eq 'paris') { `$null = New-Item '$begun' -Force }; Start-Sleep -Milliseconds 300; `"`$_ ends`" } -Session `$own -MaximumThreadCount 4 -RetryLost" @{ own = $own }
        Wait-Until $run { (Test-Path $begun) -and $run.Output.Count -ge 8 }
        kill -KILL $process
        $null = Wait-Script $run
        $own | Remove-PSSession
        ConvertTo-Line ($run.Output | Sort-Object) | Should -Be (1..40 | ForEach-Object { "$_ begins"; "$_ ends" } | Sort-Object)
        $run.Errors | Should -BeNullOrEmpty
        "$($run.Warnings[-1])" | Should -Match 'jobs run again in the other sessions'
    }

    It 'all sessions gone: what ran is Lost, what never began is NotStarted, with an error' {
        $own = New-Site 'paris', 'oslo'
        $process = $own | ForEach-Object { Get-SiteProcess $_ }
        foreach ($retry in $false, $true) {
            if ($retry) { $own = New-Site 'paris', 'oslo'; $process = $own | ForEach-Object { Get-SiteProcess $_ } }
            $run = Start-Script '1..100 | Invoke-RustParallel { if ($_ -gt 8) { Start-Sleep 60 }; $_ } -Session $own -MaximumThreadCount 4 -AsObject -RetryLost:$retry' @{ own = $own; retry = $retry }
            Wait-Output $run 8
            kill -KILL $process
            $null = Wait-Script $run
            @($run.Output.InputObject | Sort-Object -Unique).Count | Should -Be 100
            $run.Output.Count | Should -Be 100
            $status = $run.Output | Group-Object Status -AsHashTable
            $status['Completed'].Count | Should -Be 8
            $status['Lost'].Count | Should -BeGreaterThan 1
            $status['NotStarted'].Count | Should -Be (92 - $status['Lost'].Count)
            Get-ErrorId $status['Lost'][0].Errors[-1] | Should -Be 'JobLost'
            Get-ErrorId $run.Errors[-1] | Should -Be 'AllSessionsLost'
        }
    }

    It 'runs in the background' {
        $run = Invoke-CleanScript '$job = 1..20 | Invoke-RustParallel { $_ } -Session $sites -AsJob; $null = Wait-Job $job; $job.State; @(Receive-Job $job).Count' @{ sites = $sites }
        ConvertTo-Line $run.Output | Should -Be 'Completed', '20'
    }
}
