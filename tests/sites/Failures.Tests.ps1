# Sessions that die, hang, lose their connection, or cannot take part: no host is lost or counted twice.

BeforeAll { . "$PSScriptRoot/Sites.ps1" }

# The sweeps last long enough for every session to say what it is: one that is not needed is not waited for.

Describe 'Sessions that cannot take part' {
    BeforeAll { $folder = "$env:RUSTRUNSPACES_SITES_FOLDER/rome/modules/RustRunspaces" }

    AfterEach {
        rm -rf $folder
        $null = New-Item -ItemType SymbolicLink $folder -Target $ModuleFolder
    }

    # In place of the module, one that has these functions.
    BeforeEach {
        function Set-RomeModule([string] $Functions) {
            # Of a link the link, not what it leads to.
            rm -rf $folder
            if (-not $Functions) { return }
            $null = New-Item -ItemType Directory $folder
            Set-Content "$folder/RustRunspaces.psm1" $Functions
        }
    }

    It 'one error names those that have no module, and how to get it there; the others go on' {
        Set-RomeModule ''
        $sites = New-Site
        $run = Invoke-Script 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        $sites | Remove-PSSession
        Get-WrongCount $run.Output 4094 | Should -Be $NoneWrong
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -Be 'SessionNotUsable'
        "$($run.Errors[0])" | Should -Match "'rome': it has no RustRunspaces.*Install-Module RustRunspaces"
        "$($run.Errors[0])" | Should -Not -Match 'paris'
    }

    It 'an older version, and one that speaks another protocol, are named as such' {
        foreach ($module in 'function Invoke-RustParallel {}',
            'function Invoke-RustParallel {}; function Invoke-RustParallelSite($Source, $Work) { , [byte[]] (99, 1, 1, 0, 0, 0) }') {
            Set-RomeModule $module
            $sites = New-Site
            $run = Invoke-Script 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
            $sites | Remove-PSSession
            Get-WrongCount $run.Output 4094 | Should -Be $NoneWrong
            "$($run.Errors[0])" | Should -Match "'rome': it has another version of RustRunspaces"
        }
    }

    It 'none left is a terminating error' {
        Set-RomeModule ''
        $sites = New-Site 'rome'
        $failure = Get-Failure 'Invoke-RustParallel 127.0.0.1 -Session $sites' @{ sites = $sites }
        $sites | Remove-PSSession
        Get-ErrorId $failure | Should -Be 'NoUsableSession'
    }

    It 'one that answers nonsense is lost, and what it had goes to the others' {
        Set-RomeModule @"
function Invoke-RustParallel {}
function Invoke-RustParallelSite(`$Source, `$Work) {
    `$hello = [IO.MemoryStream]::new(); `$hello.Write([byte[]] (1, 1, 1, 0, 0, 0), 0, 6)
    `$payload = [Text.Encoding]::UTF8.GetBytes('$((Import-PowerShellDataFile $ModuleManifest).ModuleVersion)')
    `$packed = [IO.Compression.DeflateStream]::new(`$hello, [IO.Compression.CompressionMode]::Compress, `$true)
    `$packed.WriteByte(`$payload.Length + 1); `$packed.Write(`$payload, 0, `$payload.Length); `$packed.Dispose()
    , `$hello.ToArray()
    Start-Sleep -Milliseconds 300
    'nonsense'
    Start-Sleep 60
}
"@
        $sites = New-Site 'rome', 'oslo'
        $run = Invoke-Script 'Invoke-RustParallel 127.0.0.0/21 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        $sites | Remove-PSSession
        Get-WrongCount $run.Output 2046 | Should -Be $NoneWrong
        "$($run.Warnings[-1])" | Should -Match "session to 'rome' was lost: it answered nonsense.*nonsense"
    }

    It 'a session that is busy is named' {
        $sites = New-Site 'oslo', 'paris'
        $busy = Invoke-Command -Session $sites[0] -AsJob { Start-Sleep 20 }
        while ($sites[0].Availability -ne 'Busy') { Start-Sleep -Milliseconds 10 }
        $run = Invoke-Script 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        Stop-Job $busy
        $sites | Remove-PSSession
        Get-WrongCount $run.Output 4094 | Should -Be $NoneWrong
        "$($run.Errors[0])" | Should -Match "'oslo': "
    }
}

Describe 'Endpoints of other kinds' {
    BeforeAll {
        function New-Endpoint([string] $Kind) { New-PSSession -HostName rome -Subsystem $Kind -ErrorAction Stop }
    }

    It 'one that does not offer the command is a session that lacks it: <_>' -ForEach 'restricted', 'lacking' {
        $sites = @(New-Site 'oslo') + (New-Endpoint $_)
        $run = Invoke-Script 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 1500' @{ sites = $sites }
        Get-WrongCount $run.Output 4094 | Should -Be $NoneWrong
        @($run.Output.ObservedFrom | Sort-Object -Unique) | Should -Be 'oslo'
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -Be 'SessionNotUsable'
        "$($run.Errors[0])" | Should -Match "'rome': (it has no RustRunspaces|The syntax is not supported)"
        foreach ($call in 'Invoke-RustParallel 127.0.0.1 -Session $sites', '1 | Invoke-RustParallel { 1 } -Session $sites') {
            Get-ErrorId (Get-Failure $call @{ sites = $sites[1] }) | Should -Be 'NoUsableSession'
        }
        $sites | Remove-PSSession
    }

    It 'in constrained language mode jobs are constrained, and hosts are probed' {
        $sites = New-Endpoint 'constrained'
        $run = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.0/28 -Session $sites -AsObject' @{ sites = $sites }
        Get-WrongCount $run.Output 14 | Should -Be $NoneWrong
        $run = Invoke-Script '1 | Invoke-RustParallel { "$($ExecutionContext.SessionState.LanguageMode)"; [Environment]::CurrentDirectory = "/"; [Console]::Beep() } -Session $sites' @{ sites = $sites }
        $sites | Remove-PSSession
        ConvertTo-Line $run.Output | Should -Be 'ConstrainedLanguage'
        $run.Errors.Count | Should -Be 2
        foreach ($record in $run.Errors) { "$record" | Should -Match 'language mode' }
    }
}

# One sweep and one call with script jobs over sessions to which everything happens that can. What hangs or is cut
# off is known to be lost after 30 seconds: the tests look at what is left then.
Describe 'Sessions that are lost on the way' -Tag Slow {
    BeforeAll {
        # What runs in a namespace of its own has these open while it sends.
        function Get-EchoSocket([string] $Site) {
            @(ip netns exec $Site cat /proc/net/raw /proc/net/icmp | Where-Object { $_ -match '^\s*\d+:' }).Count
        }

        function Get-Growth([string] $File) {
            $before = (Get-Item $File).Length
            Start-Sleep -Milliseconds 1500
            (Get-Item $File).Length - $before
        }

        $sites = New-Site
        $old = New-PSSession -HostName rome -Subsystem old -Name old
        $workers = New-Site 'paris', 'oslo', 'lima'
        $process = @{}
        foreach ($session in $sites + $workers) { $process[$session.ComputerName] += @(Get-SiteProcess $session) }
        # All of them have begun before anything happens to one.
        Invoke-Command -Session $sites { Import-Module RustRunspaces }
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive 'work')).FullName
        $sweep = Start-Script 'Invoke-RustParallel 127.0.0.0/20, 10.78.128.0/21, 127.0.16.0-127.0.255.254, 10.99.0.0/24 -Session $sites -AsObject -Count 1 -ReplyTimeoutMilliseconds 500 -PacketsPerSecond 2000 -MaximumWaitTimeSeconds 0' @{ sites = $sites + $old }
        $jobs = Start-Script '1..30 | Invoke-RustParallel { while ($env:SITE -ne "paris") { [IO.File]::AppendAllText("$using:folder/$env:SITE", "."); Start-Sleep -Milliseconds 100 }; $_ } -Session $workers -MaximumThreadCount 2 -AsObject' @{ workers = $workers; folder = $folder }
        Wait-Output $sweep 7000
        Wait-Until $jobs { (Test-Path $folder/oslo) -and (Test-Path $folder/lima) }
        $growth = Get-Growth $folder/lima
        $socketsBefore = Get-EchoSocket 'lima'
        kill -KILL $process.paris[0]
        kill -STOP $process.oslo
        ip -n wire link set to-lima down
        $null = Wait-Script $sweep
        $null = Wait-Script $jobs
        Start-Sleep -Seconds 2
        $sockets = Get-EchoSocket 'lima'
        $growthAfter = Get-Growth $folder/lima
        ip -n wire link set to-lima up
        kill -CONT $process.oslo
    }

    It 'one killed, one stopped, one cut off, one of another version, one that cannot reach some hosts: one answer a host' {
        Get-WrongCount $sweep.Output (4094 + 2046 + 61439 + 254) | Should -Be $NoneWrong
        @($sweep.Output | Where-Object { $_.ComputerName -like '127.*' -and -not $_.Ping }) | Should -BeNullOrEmpty
        @($sweep.Output | Where-Object { $_.ComputerName -like '10.99.*' -and $_.Status -ne 'TimedOut' }) | Should -BeNullOrEmpty
        $unreached = @($sweep.Output | Where-Object { $_.ComputerName -like '10.78.*' -and -not $_.Ping })
        @($unreached | Where-Object { $_.ObservedFrom -notlike 'rome (*)' -or $_.Status -notmatch '^Destination' }) | Should -BeNullOrEmpty
        $unreached.Count | Should -BeGreaterThan 0
        $unreached.Count | Should -BeLessThan 2046
    }

    It 'a warning says which and why, an error names the one that never took part' {
        ($sweep.Warnings.Message | ForEach-Object { $_ -replace '^The session to .(\w+). was lost: .*', '$1' } | Sort-Object) -join ' ' | Should -Be 'lima oslo paris'
        ($sweep.Warnings.Message -match "'oslo'") | Should -Match 'no sign of life for 30 seconds'
        ($sweep.Errors | ForEach-Object { Get-ErrorId $_ }) -join ' ' | Should -Be 'SessionNotUsable'
        "$($sweep.Errors[0])" | Should -Match "'rome \(old\)': it has another version"
    }

    It 'script jobs of the stopped and the cut off one are Lost and named, the others are done' {
        $jobs.Output.Count | Should -Be 30
        @($jobs.Output.InputObject | Sort-Object -Unique).Count | Should -Be 30
        $lost = @($jobs.Output | Where-Object { $_.Status -ne 'Completed' })
        ($lost | ForEach-Object { "$($_.Status) $($_.ObservedFrom)" } | Sort-Object -Unique) -join ', ' | Should -Be 'Lost lima, Lost oslo'
        foreach ($record in $lost) { Get-ErrorId $record.Errors[0] | Should -Be 'JobLost' }
        @($jobs.Warnings.Message -match 'jobs are Lost').Count | Should -Be 2
    }

    It 'what was cut off has ended by its lease, while nobody could reach it: no socket, no job' {
        $socketsBefore | Should -BeGreaterThan 0
        $sockets | Should -Be 0
        $growth | Should -BeGreaterThan 0
        $growthAfter | Should -Be 0
    }

    It 'what was stopped ends when it goes on, and its session and that of the link can be used again' {
        $clock = [Diagnostics.Stopwatch]::StartNew()
        while ((Get-EchoSocket 'oslo') -gt 0 -and $clock.Elapsed.TotalSeconds -lt 10) { Start-Sleep -Milliseconds 100 }
        Get-EchoSocket 'oslo' | Should -Be 0
        Get-Growth $folder/oslo | Should -Be 0
        $alive = @($sites + $workers | Where-Object { $_.ComputerName -in 'oslo', 'lima' })
        while (@($alive | Where-Object { $_.Availability -ne 'Available' }) -and $clock.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Milliseconds 100 }
        $rows = (Invoke-CleanScript 'Invoke-RustParallel { 5 } -Session $alive -FromEach -AsObject -JobTimeoutSeconds 20' @{ alive = $alive }).Output
        ($rows | ForEach-Object { "$($_.ObservedFrom -replace ' .*') $($_.Status) $($_.Output)" } | Sort-Object) -join ', ' |
            Should -Be 'lima Completed 5, lima Completed 5, oslo Completed 5, oslo Completed 5'
        @($sites) + $workers + $old | Remove-PSSession
    }
}

Describe 'Sessions of which none is left' {
    It 'all of them gone: what there is comes back, with an error' {
        $sites = New-Site 'paris', 'oslo'
        $process = $sites | ForEach-Object { Get-SiteProcess $_ }
        $run = Start-Script 'Invoke-RustParallel 127.0.0.0/16 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        Wait-Output $run 300
        kill -KILL $process
        $null = Wait-Script $run
        Get-ErrorId $run.Errors[0] | Should -Be 'AllSessionsLost'
        $answered = @($run.Output | Where-Object Ping)
        @($answered.ComputerName | Sort-Object -Unique).Count | Should -Be $answered.Count
        ($run.Output | Where-Object Status -eq 'NotStarted').Detail | Should -Be "$(65534 - $answered.Count) of 65534 hosts were not begun"
    }

    It 'Ctrl+C gives the caller back within a second when a site hangs' {
        $sites = New-Site 'paris', 'oslo'
        $process = Get-SiteProcess $sites[0]
        $run = Start-Script 'Invoke-RustParallel 127.0.0.0/16 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        Wait-Output $run 300
        kill -STOP $process
        (Stop-Script $run).TotalSeconds | Should -BeLessThan 1.3
        kill -CONT $process
    }
}
