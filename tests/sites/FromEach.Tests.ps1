# The same hosts from every session.

BeforeAll {
    . "$PSScriptRoot/Sites.ps1"
    $sites = New-Site
}

AfterAll { $sites | Remove-PSSession }

Describe 'The same hosts from every session' {
    It 'one row a host, with the answer of each site and how far it reaches' {
        # Some answer everywhere, some to one site only, some to all but rome, some to nobody.
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1, 10.76.2.7, 10.78.128.9, 10.99.0.1 -Session $sites -FromEach -AsObject -Ordered -Count 1 -ReplyTimeoutMilliseconds 1000' @{ sites = $sites }
        $run.Output.Count | Should -Be 4
        $run.Output.Reach -join ' ' | Should -Be 'Everywhere Some Some Nowhere'
        foreach ($row in $run.Output) { $row.Sites -join ' ' | Should -Be 'lima oslo paris rome' }
        $run.Output[1].Answers | Where-Object Ping | ForEach-Object ObservedFrom | Should -Be 'oslo'
        ($run.Output[2].Answers | Where-Object { -not $_.Ping }).ObservedFrom | Should -Be 'rome'
        $run.Output[2].Ping | Should -BeTrue
        $run.Output[2].Latencies.Count | Should -Be 4
        $run.Output[2].Latencies[3] | Should -BeNullOrEmpty
        $run.Output[2].Latency | Should -Be ($run.Output[2].Latencies | Measure-Object -Minimum).Minimum
        $run.Output[3].Answers.Status -join ' ' | Should -Be 'TimedOut TimedOut TimedOut TimedOut'
    }

    It 'shows as a matrix' {
        $text = (Invoke-CleanScript 'Invoke-RustParallel 10.76.2.7, 10.99.0.1 -Session $sites -FromEach -AsObject -Ordered -Count 1 -ReplyTimeoutMilliseconds 1000 | Out-String -Width 150' @{ sites = $sites }).Output -join ''
        $text | Should -Match 'ComputerName\s+Reach\s+Answers\(ms\)'
        $text | Should -Match '10\.76\.2\.7\s+Some\s+lima=Unreachable  oslo=\d+[.,]\d+\s+paris=Unreachable  rome=Unreachable'
    }

    It 'many hosts: each once, in a hashtable too' {
        $table = Get-Table 'Invoke-RustParallel 127.0.0.0/20, rome -Session $sites -FromEach' @{ sites = $sites }
        $table.Count | Should -Be 4095
        @($table.Values | Where-Object { $_.Reach -ne 'Everywhere' }) | Should -BeNullOrEmpty
        $table['rome'].Answers.Count | Should -Be 4
    }

    It 'a site that dies leaves its answers open, and every host has its row' {
        $own = New-Site 'paris', 'oslo', 'lima'
        $process = Get-SiteProcess $own[1]
        $run = Start-Script 'Invoke-RustParallel 127.0.0.0/20 -Session $own -FromEach -AsObject -PacketsPerSecond 500' @{ own = $own }
        Wait-Output $run 100
        kill -KILL $process
        $null = Wait-Script $run
        Get-WrongCount $run.Output 4094 | Should -Be $NoneWrong
        $lost = @($run.Output | Where-Object { $_.Answers[1].Status -eq 'Lost' })
        $lost.Count | Should -BeGreaterThan 1000
        $lost.Count | Should -BeLessThan 4094
        @($run.Output | Where-Object { -not $_.Answers[0].Ping -or -not $_.Answers[2].Ping }) | Should -BeNullOrEmpty
        $run.Warnings[-1].Message | Should -Match "'oslo' was lost.*have no answer from there"
        $own | Remove-PSSession
    }

    It 'the maximum wait ends it with a row for every host' {
        $run = Invoke-Script 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -FromEach -AsObject -PacketsPerSecond 500 -MaximumWaitTimeSeconds 1' @{ sites = $sites }
        $run.Duration.TotalSeconds | Should -BeLessThan 6
        $rest = @($run.Output | Where-Object { $_.Status -eq 'NotStarted' })
        $rest.Count | Should -Be 1
        $names = @($run.Output | Where-Object { $_.Status -ne 'NotStarted' } | ForEach-Object ComputerName)
        @($names | Sort-Object -Unique).Count | Should -Be $names.Count
        $rest[0].Detail | Should -Be "$(4094 - $names.Count) of 4094 hosts were not begun"
    }

    It 'needs sessions, and says how to get them: <_>' -ForEach '127.0.0.1 -FromEach', '{ 1 } -FromEach', '-ScriptBlock { 1 } -FromEach -JobTimeoutSeconds 20', '-CommandName Get-Date -FromEach', '1 { 1 } -RetryLost' {
        $failure = Get-Failure "Invoke-RustParallel $_"
        Get-ErrorId $failure | Should -Be 'SessionRequired'
        "$failure" | Should -Match 'New-PSSession.*-Session \$sessions'
    }
}
