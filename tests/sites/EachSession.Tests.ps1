# A script block once on each session; the far side needs no module.

BeforeAll {
    . "$PSScriptRoot/Sites.ps1"
    $sites = New-Site
}

AfterAll { $sites | Remove-PSSession }

Describe 'A block once on each session' {
    It 'its output stands under the name of the computer, with arguments and $using:' {
        $table = Get-Table '$there = "over there"; Invoke-RustParallel -Session $sites -FromEach -ScriptBlock { param($Word) "$Word $using:there $env:SITE"; if ($env:SITE -eq "oslo") { 2 } } -ArgumentList hello' @{ sites = $sites }
        $table.Count | Should -Be 4
        $table['paris'] | Should -Be 'hello over there paris'
        $table['oslo'] -join ', ' | Should -Be 'hello over there oslo, 2'
    }

    It 'the block sees what it would see alone' {
        $block = { param($Word) "$Word $(@($input).Count) $($Error.Count) $?"; @(Get-PSCallStack).Count; Get-Variable | ForEach-Object Name; $Host.Name; Write-Error 'bad' }
        $own = New-Site 'paris', 'oslo'
        $plain = Invoke-Command -Session $own[0] $block -ArgumentList hello -ErrorVariable failed -ErrorAction SilentlyContinue
        $ours = (Invoke-Script 'Invoke-RustParallel -Session $own -FromEach -AsObject -ScriptBlock ([ScriptBlock]::Create($block)) -ArgumentList hello' @{ own = $own[1]; block = "$block" }).Output[0]
        $own | Remove-PSSession
        $plain.Count | Should -BeGreaterThan 20
        $ours.Output -join ' ' | Should -Be ($plain -join ' ')
        "$($ours.Errors) $($ours.Errors.FullyQualifiedErrorId)" | Should -Be "$failed $($failed.FullyQualifiedErrorId)"
        "$($ours.Errors)" | Should -Be 'bad'
    }

    It 'an endpoint that takes no text is given the commands of the block, and what has more than commands fails' {
        $own = New-PSSession -HostName rome -Subsystem restricted
        $name = 'Get-Help'
        (Get-Table '$name = "Get-Help"; Invoke-RustParallel -Session $own -FromEach { Get-Command $using:name }' @{ own = $own })['rome'].Name | Should -Be $name
        (Get-Table 'Invoke-RustParallel -Session $own -FromEach { param($Name) Get-Command $Name | Select-Object Name } -ArgumentList Get-Help' @{ own = $own })['rome'].Name | Should -Be $name
        $run = Invoke-Script 'Invoke-RustParallel -Session $own -FromEach { Get-Command none }; Invoke-RustParallel -Session $own -FromEach { $x = 1; Get-Command }' @{ own = $own }
        $own | Remove-PSSession
        ($run.Errors | ForEach-Object FullyQualifiedErrorId) -join ' ' | Should -Match '^CommandNotFoundException\S* ScriptsNotAllowed$'
    }

    It 'runs once in a session that is named twice' {
        $table = Get-Table 'Invoke-RustParallel -Session $one, $one -FromEach -ScriptBlock { 1 }' @{ one = $sites[0] }
        @($table.Keys) | Should -Be 'lima'
        $table['lima'] | Should -Be 1
    }

    It 'needs no module on the far side' {
        $folder = "$env:RUSTRUNSPACES_SITES_FOLDER/rome/modules/RustRunspaces"
        Remove-Item $folder -Force
        $own = New-Site 'rome'
        $table = Get-Table 'Invoke-RustParallel -Session $own -FromEach -ScriptBlock { @(Get-Module -ListAvailable RustRunspaces).Count }' @{ own = $own }
        $own | Remove-PSSession
        $null = New-Item -ItemType SymbolicLink $folder -Target $ModuleFolder
        $table['rome'] | Should -Be 0
    }

    It 'records say how it ended on each, and errors are the far side''s own' {
        $run = Invoke-CleanScript 'Invoke-RustParallel -Session $sites -FromEach -AsObject -ScriptBlock { switch ($env:SITE) { lima { Write-Error "a word" -ErrorId Word; "on" } oslo { throw "away" } paris { Start-Sleep 60 } rome { "done" } } } -JobTimeoutSeconds 3' @{ sites = $sites }
        $run.Duration.TotalSeconds | Should -BeLessThan 8
        $rows = @{}
        foreach ($row in $run.Output) { $rows[$row.ComputerName] = $row }
        ('lima', 'oslo', 'paris', 'rome' | ForEach-Object { $rows[$_].Status }) -join ' ' | Should -Be 'Completed Failed TimedOut Completed'
        $rows['lima'].Output | Should -Be 'on'
        $rows['lima'].Errors[0].FullyQualifiedErrorId | Should -Match '^Word'
        $rows['lima'].Errors[0].OriginInfo.PSComputerName | Should -Be 'lima'
        "$($rows['oslo'].Errors[0])" | Should -Be 'away'
        Get-ErrorId $rows['paris'].Errors[0] | Should -Be 'JobTimedOut'
        $rows['rome'].ObservedFrom | Should -Be 'rome'
    }

    It 'warnings and verbose lines come once' {
        $run = Invoke-CleanScript 'Invoke-RustParallel -Session $one -FromEach -ScriptBlock { Write-Warning careful; Write-Verbose much -Verbose; Write-Information aside }' @{ one = $sites[0] }
        $run.Warnings.Message -join ' ' | Should -Be 'careful'
        @($run.Verbose.Message -eq 'much').Count | Should -Be 1
        $run.Information.MessageData -join ' ' | Should -Be 'aside'
    }

    It 'what is written to the host comes once, as information' {
        $run = Invoke-CleanScript 'Invoke-RustParallel -Session $one -FromEach -ScriptBlock { Write-Host aside }' @{ one = $sites[0] }
        $run.Information.Count | Should -Be 1
        "$($run.Information[0])" | Should -Be 'aside'
    }

    It 'whatever asks fails at once: <_>' -ForEach 'Read-Host x', '$Host.UI.PromptForChoice("a", "b", @("&c"), 0)', 'Get-Credential x', 'Set-Variable x 5 -Confirm' {
        $run = Invoke-CleanScript "Invoke-RustParallel -Session `$one -FromEach -AsObject -ScriptBlock { `$ErrorActionPreference = 'Stop'; $_ }" @{ one = $sites[0] }
        $run.Output[0].Status | Should -Be 'Failed'
        $run.Duration.TotalSeconds | Should -BeLessThan 3
    }

    It 'a machine that dies is Lost and named, one that hangs is TimedOut, the others are there' {
        $own = New-Site 'paris', 'oslo', 'lima'
        $process = Get-SiteProcess $own[2]
        $hanging = Get-SiteProcess $own[1]
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive dies)).FullName
        $run = Start-Script 'Invoke-RustParallel -Session $own -FromEach -ScriptBlock { $null = New-Item "$using:folder/$env:SITE"; if ($env:SITE -ne "lima") { Start-Sleep 60 }; "fine" } -JobTimeoutSeconds 5' @{ own = $own; folder = $folder }
        Wait-Until $run { (Get-Item $folder/*).Count -eq 3 }
        kill -KILL $process
        kill -STOP $hanging
        $null = Wait-Script $run
        $run.Duration.TotalSeconds | Should -BeLessThan 10
        ($run.Errors | ForEach-Object { "$(Get-ErrorId $_) $($_.TargetObject)" } | Sort-Object) -join ', ' | Should -Be 'JobTimedOut oslo, SessionLost paris'
        $table = $run.Output[0].PSObject.BaseObject
        @($table.Keys) -join ' ' | Should -Be 'lima'
        kill -CONT $hanging
    }

    It 'the errors of those name them' {
        $own = New-Site 'paris', 'oslo'
        $process = Get-SiteProcess $own[1]
        $begun = Join-Path $TestDrive begun
        $run = Start-Script 'Invoke-RustParallel -Session $own -FromEach -ScriptBlock { if ($env:SITE -eq "paris") { $null = New-Item $using:begun }; Start-Sleep 60 } -MaximumWaitTimeSeconds 4' @{ own = $own; begun = $begun }
        Wait-Until $run { Test-Path $begun }
        kill -KILL $process
        $null = Wait-Script $run
        $run.Duration.TotalSeconds | Should -BeLessThan 8
        ($run.Errors | ForEach-Object { "$(Get-ErrorId $_) $($_.TargetObject)" }) -join ', ' | Should -Be 'SessionLost paris, MaximumWaitReached oslo'
        Invoke-Command -Session $own[0] { 'usable again' } | Should -Be 'usable again'
        $own | Remove-PSSession
    }

    It 'Ctrl+C gives the caller back within a second, whatever the far side does' {
        Measure-Stop {
            $begun = Join-Path $TestDrive "stop $(New-Guid)"
            $run = Start-Script 'Invoke-RustParallel -Session $own -FromEach -ScriptBlock { $null = New-Item "$using:begun $env:SITE"; [Threading.Thread]::Sleep(8000) }' @{ own = New-Site 'paris', 'oslo'; begun = $begun }
            Wait-Until $run { (Get-Item "$begun *").Count -eq 2 }
            $run
        } | Should -BeLessThan 1.3
    }

    It 'runs in the background, a child job for each session' {
        $run = Invoke-CleanScript '$job = Invoke-RustParallel -Session $sites -FromEach -ScriptBlock { $env:SITE } -AsObject -AsJob; $null = Wait-Job $job; $job.State; $job.ChildJobs.Count; (Receive-Job $job).Output | Sort-Object' @{ sites = $sites }
        ConvertTo-Line $run.Output | Should -Be 'Completed', '4', 'lima', 'oslo', 'paris', 'rome'
    }

    It 'the block may stand first, as everywhere: <_>' -ForEach '', '-AsObject', '-JobTimeoutSeconds 20', '-ArgumentList 2', '-AsObject -JobTimeoutSeconds 20 -MaximumWaitTimeSeconds 20' {
        "$((Invoke-CleanScript "Invoke-RustParallel { `$env:SITE } -Session `$sites -FromEach $_" @{ sites = $sites[0] }).Output[0] | ForEach-Object { $_.lima, $_.Output })".Trim() | Should -Be 'lima'
    }

    It 'progress of the blocks stands below that of the call' {
        $run = Invoke-CleanScript 'Invoke-RustParallel -Session $sites -FromEach -ScriptBlock { 1..40 | ForEach-Object { Write-Progress -Activity $env:SITE -Status "$_"; Start-Sleep -Milliseconds 50 } }' @{ sites = $sites }
        $shown = @($run.Progress | Where-Object { $_.Activity -eq 'oslo' })
        @($shown | Where-Object { $_.RecordType -eq 'Completed' }).Count | Should -Be 1
        $shown.Count | Should -BeGreaterThan 2
        # Four a second at most.
        $shown.Count | Should -BeLessOrEqual (2 + 4 * $run.Duration.TotalSeconds)
        @($run.Progress | Where-Object { $_.Activity -in 'lima', 'oslo', 'paris', 'rome' } | ForEach-Object ActivityId | Sort-Object -Unique).Count | Should -Be 4
    }

    It 'a command runs once on each, with its parameters, also where no text is taken' {
        $own = New-PSSession -HostName rome -Subsystem restricted
        $run = Invoke-CleanScript 'Invoke-RustParallel -CommandName Get-Command -Parameters @{ Name = "Get-Help", "Get-Command" } -Session $all -FromEach -AsObject -JobTimeoutSeconds 20' @{ all = @($sites[0]) + $own }
        ($run.Output | Sort-Object ComputerName | ForEach-Object { "$($_.ComputerName) $($_.Status) $(($_.Output.Name | Sort-Object) -join ' ')" }) -join ', ' |
            Should -Be 'lima Completed Get-Command Get-Help, rome Completed Get-Command Get-Help'
        $run = Invoke-Script 'Invoke-RustParallel -Session $all -CommandName none -FromEach' @{ all = @($sites[0]) + $own }
        $own | Remove-PSSession
        ($run.Errors | ForEach-Object { "$(Get-ErrorId $_) $($_.TargetObject)" } | Sort-Object) -join ', ' | Should -Be 'CommandNotFoundException none, CommandNotFoundException none'
    }

    It 'takes no input: <_>' -ForEach '-ScriptBlock { 1 }', '{ 1 }', '-CommandName Get-Date' {
        Get-ErrorId (Get-Failure "1, 2 | Invoke-RustParallel $_ -Session `$sites -FromEach" @{ sites = $sites }) | Should -Be 'InputNotAllowed'
    }

    It 'takes no hosts, and says so: <_>' -ForEach @(
        '-ComputerName a, b -ScriptBlock { 1 } -FromEach', 'a, b { 1 } -FromEach', 'a { 1 } -FromEach', 'a, b -ScriptBlock { 1 } -FromEach',
        'a -CommandName Get-Date -FromEach', '-FromEach -ComputerName a { 1 }', 'a { 1 } -FromEach -ArgumentList 2 -JobTimeoutSeconds 5'
    ) {
        Get-ErrorId (Get-Failure "Invoke-RustParallel $_ -Session `$sites" @{ sites = $sites }) | Should -Be 'FromEachRunsBlockOnce'
        Get-ErrorId (Get-Failure "Invoke-RustParallel $_") | Should -Be 'SessionRequired'
    }
}
