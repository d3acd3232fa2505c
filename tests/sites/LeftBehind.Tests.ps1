# What a call leaves in its sessions: they are as good as before, can be removed, and whatever becomes of them the caller
# lives.

BeforeAll { . "$PSScriptRoot/Sites.ps1" }

Describe 'Calls that are stopped as they begin' {
    # Races: without care a session broke after some twenty to some hundred of such calls, and after one of twenty that
    # needed no answer of a session what came next there waited for 30 seconds.
    It 'their session stays good: <_>' -ForEach 'Invoke-RustParallel -Session $sites -FromEach -ScriptBlock { [Threading.Thread]::Sleep(20) }', 'Invoke-RustParallel 127.0.0.1 -Session $sites' {
        $sites = Open-Site
        $runspace = New-Session
        $clock = [Diagnostics.Stopwatch]::StartNew()
        $longest = 0.0
        for ($round = 0; $clock.Elapsed.TotalSeconds -lt 8 -and @($sites.State) -notcontains 'Broken'; $round++) {
            $run = Start-Script $_ @{ sites = $sites } $runspace
            [Threading.Thread]::Sleep($round % 10)
            if ($round % 2) { $null = Stop-Script $run } else { $null = Wait-Script $run }
            # A busy machine may leave one to its end for longer than the call waits.
            $next = Measure-Command {
                while (@($sites.Availability) -contains 'Busy') { Start-Sleep -Milliseconds 5 }
                $null = Invoke-Command -Session $sites { 1 }
            }
            $longest = [Math]::Max($longest, $next.TotalSeconds)
        }
        $reason = "$($sites.Runspace.RunspaceStateInfo.Reason)".Trim()
        $sites | Remove-PSSession
        $runspace.Dispose()
        $reason | Should -BeNullOrEmpty -Because "of round $round"
        $longest | Should -BeLessThan 15
    }
}

Describe 'Sessions that a call left hanging' {
    # A race: with an open input one removal of twenty waited for ever.
    It 'are removed when they go on' {
        $clock = [Diagnostics.Stopwatch]::StartNew()
        do {
            $sites = New-Site
            $process = $sites | ForEach-Object { Get-SiteProcess $_ }
            kill -STOP $process
            $null = Invoke-Script 'Invoke-RustParallel 127.0.0.1 -Session $sites -AsObject -MaximumWaitTimeSeconds 0.2' @{ sites = $sites }
            $removals = foreach ($site in $sites) { Start-Script 'Remove-PSSession $site' @{ site = $site } }
            Start-Sleep -Milliseconds (Get-Random -Maximum 40)
            kill -CONT $process
            foreach ($removal in $removals) { $null = Wait-Script $removal }
        } while ($clock.Elapsed.TotalSeconds -lt 8)
        $sites.State | Should -Be (@('Closed') * 4)
    }

    # The same race, in one removal of sixty.
    It 'are removed while a call runs in them, which says so' {
        $clock = [Diagnostics.Stopwatch]::StartNew()
        do {
            $sites = New-Site
            $runs = @(
                Start-Script 'Invoke-RustParallel 127.0.0.0/16 -Session $site -FromEach -PacketsPerSecond 2000 -AsObject' @{ site = $sites[0] }
                Start-Script '1..5000 | Invoke-RustParallel { Start-Sleep -Milliseconds 100 } -Session $site' @{ site = $sites[1] }
                Start-Script 'Invoke-RustParallel { Start-Sleep 60 } -Session $site -FromEach' @{ site = $sites[2] }
                Start-Script 'Invoke-RustParallel 127.0.0.0/16 -Session $site -PacketsPerSecond 2000 -AsJob | Receive-Job -Wait' @{ site = $sites[3] }
            )
            Start-Sleep -Milliseconds (Get-Random -Maximum 1200)
            $removals = foreach ($site in $sites) { Start-Script 'Remove-PSSession $site' @{ site = $site } }
            foreach ($run in $removals + $runs) { $null = Wait-Script $run }
            foreach ($run in $runs) { "$($run.Errors) $($run.Warnings) $($run.Failure)" | Should -Match 'Clos|closed' -Because $run.Script }
        } while ($clock.Elapsed.TotalSeconds -lt 4)
        $sites.State | Should -Be (@('Closed') * 4)
    }

    It 'may die later, and the caller lives' {
        $sites = New-Site 'paris', 'oslo'
        $process = $sites | ForEach-Object { Get-SiteProcess $_ }
        $near = (Get-NearProcess 'paris'), (Get-NearProcess 'oslo')
        kill -STOP $process
        $null = Invoke-Script 'Invoke-RustParallel 127.0.0.1 -Session $sites -AsObject -MaximumWaitTimeSeconds 0.2' @{ sites = $sites }
        kill -KILL $near
        Wait-Until $null { @($sites.State -eq 'Broken').Count -eq 2 }
        [GC]::Collect()
        [GC]::WaitForPendingFinalizers()
        $sites | Remove-PSSession
        Start-Sleep -Milliseconds 300
        $sites.State | Should -Be 'Broken', 'Broken'
        kill -KILL $process
    }
}
