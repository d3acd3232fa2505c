# Script jobs shared among sessions.

BeforeAll {
    . "$PSScriptRoot/Sites.ps1"
    $sites = New-Site
}

AfterAll { $sites | Remove-PSSession }

Describe 'Script jobs shared among sessions' {
    It 'each host has its entry, by a block that ran in one of the sessions' {
        $table = Get-Table '$word = "seen"; Invoke-RustParallel (1..200 | % { "host$_" }) -Session $sites -ScriptBlock { param($ComputerName, $Text) Start-Sleep -Milliseconds 20; "$Text $using:word $ComputerName $env:SITE" } -ArgumentList as -MaximumThreadCount 4' @{ sites = $sites }
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

    It 'what the caller brings along is there: variables, functions, a script that begins' {
        $lines = Get-Line '$number = 7; function Get-Twice($n) { 2 * $n }; 1 | Invoke-RustParallel { "$number $(Get-Twice 4) $begun" } -Variables number -Functions Get-Twice -InitializationScript { $begun = "yes" } -Session $sites' @{ sites = $sites }
        $lines | Should -Be '7 8 yes'
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

    It 'a failing beginning is told by the site, and none left ends the call' {
        $failure = Get-Failure '1 | Invoke-RustParallel { 1 } -InitializationScript { throw "not here" } -Session $sites' @{ sites = $sites }
        Get-ErrorId $failure | Should -Be 'NoUsableSession'
        "$failure" | Should -Match 'not here'
    }

    It 'the maximum wait ends it, and Ctrl+C within a second' {
        $run = Invoke-Script '1..500 | Invoke-RustParallel { Start-Sleep 20; $_ } -Session $sites -MaximumWaitTimeSeconds 2 -AsObject' @{ sites = $sites }
        $run.Duration.TotalSeconds | Should -BeLessThan 5
        $run.Output.Count | Should -Be 500
        @($run.Output | Where-Object { $_.Status -notin 'Stopped', 'NotStarted' }) | Should -BeNullOrEmpty
        $run = Start-Script '1..500 | Invoke-RustParallel { $_; Start-Sleep -Milliseconds 300 } -Session $sites -MaximumThreadCount 4' @{ sites = $sites }
        Wait-Output $run 4
        (Stop-Script $run).TotalSeconds | Should -BeLessThan 1.3
        @(Invoke-Command -Session $sites { 1 }).Count | Should -Be 4
    }

    It 'jobs of a session that dies are Lost and named; every other one is done' {
        $own = New-Site 'paris', 'oslo', 'lima'
        $process = Get-SiteProcess $own[1]
        $run = Start-Script '1..120 | Invoke-RustParallel { Start-Sleep -Milliseconds 200; $_ } -Session $own -MaximumThreadCount 4 -AsObject' @{ own = $own }
        Wait-Output $run 20
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

    It 'with -RetryLost they run again in the other sessions' {
        $own = New-Site 'paris', 'oslo'
        $process = Get-SiteProcess $own[1]
        $run = Start-Script '1..80 | Invoke-RustParallel { Start-Sleep -Milliseconds 200; $_ } -Session $own -MaximumThreadCount 4 -RetryLost' @{ own = $own }
        Wait-Output $run 10
        kill -KILL $process
        $null = Wait-Script $run
        $own | Remove-PSSession
        $run.Errors | Should -BeNullOrEmpty
        ConvertTo-Line ($run.Output | Sort-Object) | Should -Be ([string[]] (1..80))
    }

    It 'runs in the background' {
        $run = Invoke-CleanScript '$job = 1..20 | Invoke-RustParallel { $_ } -Session $sites -AsJob; $null = Wait-Job $job; $job.State; @(Receive-Job $job).Count' @{ sites = $sites }
        ConvertTo-Line $run.Output | Should -Be 'Completed', '20'
    }
}
