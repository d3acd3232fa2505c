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
        $run = Invoke-UntilSaid 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        $sites | Remove-PSSession
        Get-WrongCount $run.Output 4094 | Should -Be $NoneWrong
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -Be 'SessionNotUsable'
        "$($run.Errors[0])" | Should -Match "'rome': it has no RustRunspaces.*Install-Module RustRunspaces"
        "$($run.Errors[0])" | Should -Not -Match 'paris'
    }

    It 'one that hangs from the beginning does not hide them' {
        Set-RomeModule ''
        $sites = New-Site 'rome', 'oslo', 'paris'
        $process = Get-SiteProcess ($sites | Where-Object ComputerName -eq 'oslo')
        kill -STOP $process
        $run = Invoke-UntilSaid 'Invoke-RustParallel 127.0.0.0/22 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        kill -CONT $process
        $sites | Remove-PSSession
        Get-WrongCount $run.Output 1022 | Should -Be $NoneWrong
        ($run.Errors | ForEach-Object { Get-ErrorId $_ }) -join ' ' | Should -Be 'SessionNotUsable'
        "$($run.Errors[0])" | Should -Match "'rome': it has no RustRunspaces"
        "$($run.Errors[0])" | Should -Not -Match 'oslo'
    }

    It 'an older version, and one that speaks another protocol, are named as such' {
        foreach ($module in 'function Invoke-RustParallel {}',
            'function Invoke-RustParallel {}; function Invoke-RustParallelSite($Source, $Work) { , [byte[]] (99, 1, 1, 0, 0, 0) }') {
            Set-RomeModule $module
            $sites = New-Site
            $run = Invoke-UntilSaid 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
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

    It 'a session that is busy is named' {
        $sites = New-Site 'oslo', 'paris'
        $busy = Invoke-Command -Session $sites[0] -AsJob { Start-Sleep 20 }
        while ($sites[0].Availability -ne 'Busy') { Start-Sleep -Milliseconds 10 }
        $run = Invoke-UntilSaid 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        Stop-Job $busy
        $sites | Remove-PSSession
        Get-WrongCount $run.Output 4094 | Should -Be $NoneWrong
        "$($run.Errors[0])" | Should -Match "'oslo': "
    }
}

Describe 'Sessions that answer nonsense' {
    BeforeAll {
        $folder = "$env:RUSTRUNSPACES_SITES_FOLDER/rome/modules/RustRunspaces"
        # A far side that greets as it should and then does what the file says. It has words for the messages.
        rm -rf $folder
        $null = New-Item -ItemType Directory $folder
        Set-Content "$folder/version" (Import-PowerShellDataFile $ModuleManifest).ModuleVersion
        Set-Content "$folder/RustRunspaces.psm1" @'
function Number([decimal] $Value) { while ($Value -ge 128) { [byte] ($Value % 128 + 128); $Value = [Math]::Floor($Value / 128) }; [byte] $Value }
function Signed([decimal] $Value) { if ($Value -lt 0) { Number (-2 * $Value - 1) } else { Number (2 * $Value) } }
function Text([string] $Value) { $bytes = [Text.Encoding]::UTF8.GetBytes($Value); Number ($bytes.Length + 1); $bytes }
function Message([byte] $Kind, [int] $Count, [byte[]] $Payload) {
    $message = [IO.MemoryStream]::new()
    $message.Write([byte[]] ((1, $Kind) + [BitConverter]::GetBytes($Count)), 0, 6)
    $packed = [IO.Compression.DeflateStream]::new($message, [IO.Compression.CompressionMode]::Compress, $true)
    $packed.Write($Payload, 0, $Payload.Length)
    $packed.Dispose()
    , $message.ToArray()
}
# Results of consecutive hosts of a chunk's only target; a column of equal values is one, then no differences.
function Answer([int] $Chunk, [long] $First, [int] $Count = 1, [byte] $Status = 0, [long] $Address = $first, [long] $Time = [DateTime]::UtcNow.Ticks / 10) {
    function Column([long] $Value, [long] $Step = 0) { Signed $Value; $next = @(Signed $Step); for ($i = 1; $i -lt $Count; $i++) { $next } }
    Message 2 $Count @(
        0, 0, 0; Column $Chunk; Column 0; Column $First 1; , 4 * $Count; Column $Address 1; , $Status * $Count; , 9 * $Count
        Column $Time; Column 1; Column 1; Column 64)
}
function Ended([int] $Number, [byte] $Status = 8) { Message 6 1 @(1; Number $Number; $Status; 9, 1, 0, 0, 0) }
# The next message of a kind.
function Wait-Message([byte] $Kind) { while ($Source.MoveNext()) { if ($Source.Current[1] -eq $Kind) { return , [byte[]] $Source.Current } } }
# The first and the last address of a chunk's only target, in 127.0.0.0/16.
function Read-Chunk([byte[]] $Message) {
    $text = [IO.MemoryStream]::new()
    [IO.Compression.DeflateStream]::new([IO.MemoryStream]::new($Message, 6, $Message.Length - 6), [IO.Compression.CompressionMode]::Decompress).CopyTo($text)
    [regex]::Matches([Text.Encoding]::ASCII.GetString($text.ToArray()), '127\.0\.(\d+)\.(\d+)') | ForEach-Object { 0x7f000000 + 256 * $_.Groups[1].Value + $_.Groups[2].Value }
}
function Invoke-RustParallel {}
function Invoke-RustParallelSite($Source, $Work) {
    Message 1 1 (Text ([IO.File]::ReadAllText("$PSScriptRoot/version").Trim()))
    . ([scriptblock]::Create([IO.File]::ReadAllText("$PSScriptRoot/says.ps1")))
}
'@
        function Set-Answer([string] $Body) { Set-Content "$folder/says.ps1" $Body }

        # What was lost ends a moment after the call.
        function Wait-Session {
            $clock = [Diagnostics.Stopwatch]::StartNew()
            while ($sites.Availability -ne 'Available' -and $clock.Elapsed.TotalSeconds -lt 10) { Start-Sleep -Milliseconds 20 }
        }
        $sites = New-Site 'rome', 'oslo'
        $rome = $sites | Where-Object ComputerName -eq 'rome'
    }

    AfterAll {
        $sites | Remove-PSSession
        rm -rf $folder
        $null = New-Item -ItemType SymbolicLink $folder -Target $ModuleFolder
    }

    It 'one that does is lost, and what it had goes to the others: <Name>' -ForEach @(
        @{ Name = 'a text'; Answer = '''nonsense''' }
        @{ Name = 'a message that is too short'; Answer = ', [byte[]] (1, 2)' }
        @{ Name = 'a damaged stream'; Answer = ', [byte[]] (1, 2, 1, 0, 0, 0, 255, 255, 255, 255)' }
        @{ Name = 'an unknown kind'; Answer = 'Message 99 0' }
        @{ Name = 'more results than it has'; Answer = 'Message 2 2147483647 @(0, 0, 0)' }
        @{ Name = 'a second answer for a host'; Answer = 'Answer 1 0 -Address $first; Answer 1 0 -Address $first' }
        @{ Name = 'the address of another host'; Answer = 'Answer 1 1 -Address $first' }
        @{ Name = 'a host that was not asked for'; Answer = 'Answer 1 1000000' }
        @{ Name = 'a chunk that was not sent'; Answer = 'Answer 5 0' }
        @{ Name = 'a time before all times'; Answer = 'Answer 1 0 -Time -1' }
        @{ Name = 'Completed'; Answer = 'Answer 1 0 -Status 8' }
        @{ Name = 'Stopped'; Answer = 'Answer 1 0 -Status 9' }
        @{ Name = 'NotStarted'; Answer = 'Answer 1 0 -Status 10' }
        @{ Name = 'Lost'; Answer = 'Answer 1 0 -Status 11' }
        @{ Name = 'more begun than it was given'; Answer = 'Message 3 1 (Number 1000000)' }
        @{ Name = 'fewer begun than none'; Answer = 'Message 3 1 (Number 18446744073709551615)' }
        @{ Name = 'a target that was not sent'; Answer = 'Message 4 1 @(Number 1; Number 9; Text no)' }
        @{ Name = 'jobs'; Answer = 'Ended 1' }
    ) {
        Set-Answer "`$first = @(Read-Chunk (Wait-Message 64))[0]; $Answer; Start-Sleep 60"
        $run = Invoke-UntilSaid 'Invoke-RustParallel 127.0.0.0/22 -Session $sites -AsObject -PacketsPerSecond 1000 -MaximumWaitTimeSeconds 20' @{ sites = $sites } { Wait-Session }
        Get-WrongCount $run.Output 1022 | Should -Be $NoneWrong
        @($run.Output | Where-Object { -not $_.Ping }) | Should -BeNullOrEmpty
        $run.Warnings.Count | Should -Be 1
        "$($run.Warnings[0])" | Should -Match "session to 'rome' was lost: it answered nonsense"
    }

    It 'one that says that it has begun nothing is not left without work' {
        Set-Answer @'
while ($chunk = Wait-Message 64) {
    $first, $last = Read-Chunk $chunk
    Answer (++$number) 0 ($last - $first + 1) -Address $first
    Message 3 1 0
}
'@
        $run = Invoke-Script 'Invoke-RustParallel 127.0.0.0/22 -Session $rome -AsObject -PacketsPerSecond 1000 -MaximumWaitTimeSeconds 20' @{ rome = $rome }
        Wait-Session
        Get-WrongCount $run.Output 1022 | Should -Be $NoneWrong
        @($run.Output.Status | Sort-Object -Unique) | Should -Be 'Success'
    }

    It 'its script jobs are Lost and named, and the others are done: <Name>' -ForEach @(
        @{ Name = 'a text'; Answer = '''nonsense''' }
        @{ Name = 'entries of $Data where there is none'; Answer = 'Message 7 1 @(Text key; 0; 0)' }
        @{ Name = 'a last word before the end'; Answer = 'Message 7 0 1' }
        @{ Name = 'progress of the two-thousand-millionth worker'; Answer = 'Message 6 1 @(8, 0; Number 1500000000; Text a; Text s; 0, 0, 0, 0)' }
        @{ Name = 'output of no job'; Answer = 'Message 6 1 @(6, 0, 0)' }
        @{ Name = 'a job that was not sent'; Answer = 'Ended 1000' }
        @{ Name = 'a job that was not begun'; Answer = 'Ended 1 -Status 10' }
        @{ Name = 'an end that stops in the middle'; Answer = 'Message 6 1 @(1, 1, 8, 9, 1, 0, 0, 1)' }
        @{ Name = 'an object that is none'; Answer = 'Message 6 1 @(6, 1; Text "<Objs><")' }
        @{ Name = 'an error without an end'; Answer = 'Message 6 1 @(7, 1; Text no)' }
    ) {
        Set-Answer "`$null = Wait-Message 66; $Answer; Start-Sleep 60"
        $run = Invoke-UntilSaid '1..20 | Invoke-RustParallel { Start-Sleep -Milliseconds 100; $_ } -Session $sites -MaximumThreadCount 2 -AsObject -MaximumWaitTimeSeconds 20' @{ sites = $sites } { Wait-Session }
        ($run.Output.InputObject | Sort-Object) -join ' ' | Should -Be ((1..20) -join ' ')
        $lost = @($run.Output | Where-Object { $_.Status -ne 'Completed' })
        $lost.Count | Should -BeGreaterThan 0
        foreach ($record in $lost) { "$($record.Status) $($record.ObservedFrom) $(Get-ErrorId $record.Errors[0])" | Should -Be 'Lost rome JobLost' }
        $run.Warnings.Count | Should -Be 1
        "$($run.Warnings[0])" | Should -Match "session to 'rome' was lost: it answered nonsense .*Its $($lost.Count) jobs are Lost.*: $(($lost.InputObject | Sort-Object) -join ', ')$"
    }

    It 'one that leaves without its last word is not waited for' {
        Set-Answer 'while ($jobs = Wait-Message 66) { for ($left = [BitConverter]::ToInt32($jobs, 2); $left -gt 0; $left--) { Ended (++$number) } }'
        $run = Invoke-Script '1..20 | Invoke-RustParallel { Start-Sleep -Milliseconds 100; $_ } -Session $sites -MaximumThreadCount 2 -AsObject -MaximumWaitTimeSeconds 20' @{ sites = $sites }
        Wait-Session
        @($run.Output.Status | Sort-Object -Unique) | Should -Be 'Completed'
        $run.Output.Count | Should -Be 20
        $run.Duration.TotalSeconds | Should -BeLessThan 15
        "$($run.Warnings)" | Should -Match "session to 'rome' was lost: its pipeline ended without a word"
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
        # A block on each: one whose link is cut, one that is stopped, one that is only quiet, one that can have no lease.
        $blocks = @(New-Site 'lima', 'oslo', 'paris') + (New-PSSession -HostName rome -Subsystem constrained)
        $process = @{}
        foreach ($session in $sites + $workers + $blocks) { $process[$session.ComputerName] += @(Get-SiteProcess $session) }
        # All of them have begun before anything happens to one.
        Invoke-Command -Session $sites { Import-Module RustRunspaces }
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive 'work')).FullName
        # A caller of its own, whose process the engine ended a minute after a stop that nobody acknowledged.
        $caller = Join-Path $TestDrive 'caller.ps1'
        Set-Content $caller @'
param($Tests)
. "$Tests/Sites.ps1"
$sites = New-Site 'oslo', 'paris', 'rome', 'rome'
$process = $sites | ForEach-Object { Get-SiteProcess $_ }
$near = Get-NearProcess 'paris'
kill -STOP $process
$null = Invoke-Script 'Invoke-RustParallel 127.0.0.1 -Session $sites -MaximumWaitTimeSeconds 0.2' @{ sites = $sites[0, 2] }
$null = Invoke-Script 'Invoke-RustParallel { 1 } -Session $sites -FromEach -MaximumWaitTimeSeconds 0.2' @{ sites = $sites[1, 3] }
kill -KILL $near $process[0]
Wait-Until $null { @($sites.State -eq 'Broken').Count -eq 2 }
$sites[0, 1] | Remove-PSSession
Start-Sleep 62
kill -CONT $process[2] $process[3]
Start-Sleep 2
"alive $($sites.State)"
[Environment]::Exit(0)
'@
        $pwsh = if ($env:POWERSHELL) { $env:POWERSHELL } else { 'pwsh' }
        $later = Start-Process sh "-c `"exec $pwsh -NoProfile -File $caller $PSScriptRoot`"" -PassThru -RedirectStandardOutput "$caller.out" -RedirectStandardError "$caller.err"
        # Beside the others two that are quiet for longer than a session may be silent: the far side's work, and the caller.
        $quiet = New-Site 'paris', 'rome'
        $patient = Start-Script '1 | Invoke-RustParallel { Start-Sleep 36; 5 } -Session $site' @{ site = $quiet[0] }
        $slow = Start-Script 'Invoke-RustParallel 127.0.0.0/21 -Session $site -AsObject | ForEach-Object { if (++$n -eq 5) { Start-Sleep 36 }; $_ }' @{ site = $quiet[1] }
        $jobs = Start-Script '1..30 | Invoke-RustParallel { while ($env:SITE -ne "paris") { [IO.File]::AppendAllText("$using:folder/$env:SITE", "."); Start-Sleep -Milliseconds 100 }; $_ } -Session $workers -MaximumThreadCount 2 -AsObject' @{ workers = $workers; folder = $folder }
        $each = Start-Script 'Invoke-RustParallel -Session $blocks -FromEach -AsObject -ScriptBlock { while ($env:SITE -eq "lima") { Add-Content "$using:folder/each" . -NoNewline; Start-Sleep -Milliseconds 100 }; Start-Sleep 36; 5 }' @{ blocks = $blocks; folder = $folder }
        Wait-Until $jobs { (Test-Path $folder/oslo) -and (Test-Path $folder/lima) -and (Test-Path $folder/each) }
        $growth = (Get-Growth $folder/lima), (Get-Growth $folder/each)
        # Last, for it takes ten seconds, and is to be far from its end when the sessions are lost.
        $sweep = Start-Script 'Invoke-RustParallel 127.0.0.0/20, 10.78.128.0/21, 127.0.16.0-127.0.255.254, 10.99.0.0/24 -Session $sites -AsObject -Count 1 -ReplyTimeoutMilliseconds 500 -PacketsPerSecond 2000 -MaximumWaitTimeSeconds 0' @{ sites = $sites + $old }
        Wait-Output $sweep 7000
        Wait-Until $sweep { @($sweep.Output.ObservedFrom | Sort-Object -Unique).Count -eq 4 }
        $socketsBefore = Get-EchoSocket 'lima'
        kill -KILL $process.paris[0]
        kill -STOP $process.oslo
        ip -n wire link set to-lima down
        $null = Wait-Script $sweep
        $null = Wait-Script $jobs
        Start-Sleep -Seconds 2
        $sockets = Get-EchoSocket 'lima'
        $growthAfter = (Get-Growth $folder/lima), (Get-Growth $folder/each)
        ip -n wire link set to-lima up
        kill -CONT $process.oslo
        $null = Wait-Script $patient
        $null = Wait-Script $slow
        $null = Wait-Script $each
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

    It 'what was cut off has ended by its lease, while nobody could reach it: no socket, no job, no block' {
        $socketsBefore | Should -BeGreaterThan 0
        $sockets | Should -Be 0
        foreach ($bytes in $growth) { $bytes | Should -BeGreaterThan 0 }
        $growthAfter | Should -Be 0, 0
    }

    It 'a block on each: the cut off and the stopped one are Lost and named, the quiet ones are done, with a lease and without' {
        $rows = @{}
        foreach ($row in $each.Output) { $rows[$row.ComputerName] = $row }
        ($rows.Keys | Sort-Object | ForEach-Object { "$_ $($rows[$_].Status) $($rows[$_].Output)".Trim() }) -join ', ' | Should -Be 'lima Lost, oslo Lost, paris Completed 5, rome Completed 5'
        foreach ($site in 'lima', 'oslo') { "$($rows[$site].Errors[0])" | Should -Match "session to '$site' was lost .*no sign of life for 30 seconds" }
    }

    It 'a minute after a call left sessions hanging the caller lives, whether they have died or not, and one that goes on is as it was' {
        $hasEnded = $later.WaitForExit(1000 * $LongestSeconds)
        "$hasEnded $(Get-Content "$caller.out")$(Get-Content "$caller.err")" | Should -Be 'True alive Broken Broken Opened Opened'
    }

    It 'a healthy one is not lost for being quiet, nor because the caller takes nothing for so long' {
        foreach ($run in $patient, $slow) {
            $run.Duration.TotalSeconds | Should -BeGreaterThan 35
            @($run.Errors) + $run.Warnings | Should -BeNullOrEmpty
        }
        ConvertTo-Line $patient.Output | Should -Be '5'
        Get-WrongCount $slow.Output 2046 | Should -Be $NoneWrong
        @($slow.Output | Where-Object { -not $_.Ping }) | Should -BeNullOrEmpty
        $quiet | Remove-PSSession
    }

    It 'what was stopped ends when it goes on, and its session and that of the link can be used again' {
        $clock = [Diagnostics.Stopwatch]::StartNew()
        while ((Get-EchoSocket 'oslo') -gt 0 -and $clock.Elapsed.TotalSeconds -lt 10) { Start-Sleep -Milliseconds 100 }
        Get-EchoSocket 'oslo' | Should -Be 0
        Get-Growth $folder/oslo | Should -Be 0
        $alive = @($sites + $workers + $blocks | Where-Object { $_.ComputerName -in 'oslo', 'lima' })
        while (@($alive | Where-Object { $_.Availability -ne 'Available' }) -and $clock.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Milliseconds 100 }
        $rows = (Invoke-CleanScript 'Invoke-RustParallel { 5 } -Session $alive -FromEach -AsObject -JobTimeoutSeconds 20' @{ alive = $alive }).Output
        ($rows | ForEach-Object { "$($_.ObservedFrom -replace ' .*') $($_.Status) $($_.Output)" } | Sort-Object) -join ', ' |
            Should -Be ((@('lima Completed 5') * 3 + @('oslo Completed 5') * 3) -join ', ')
        @($sites) + $workers + $blocks + $old | Remove-PSSession
    }
}

Describe 'The near end of a session' {
    It 'its ssh is killed: one answer a host and job, one warning each, and the caller lives' {
        $sites = Open-Site 'paris', 'oslo'
        $workers = Open-Site 'paris', 'lima'
        $near = (Get-NearProcess 'oslo'), (Get-NearProcess 'lima')
        $sweep = Start-Script 'Invoke-RustParallel 127.0.0.0/20 -Session $sites -AsObject -PacketsPerSecond 1000' @{ sites = $sites }
        $jobs = Start-Script '1..60 | Invoke-RustParallel { Start-Sleep -Milliseconds 200; $_ } -Session $workers -MaximumThreadCount 4 -AsObject' @{ workers = $workers }
        foreach ($run in $sweep, $jobs) { Wait-Until $run { @($run.Output.ObservedFrom | Sort-Object -Unique).Count -eq 2 } }
        kill -KILL $near
        $null = Wait-Script $sweep
        $null = Wait-Script $jobs
        Get-WrongCount $sweep.Output 4094 | Should -Be $NoneWrong
        @($sweep.Output | Where-Object { -not $_.Ping }) | Should -BeNullOrEmpty
        ($sweep.Warnings.Message -replace ' was lost: .*') -join ', ' | Should -Be "The session to 'oslo'"
        ($jobs.Output.InputObject | Sort-Object) -join ' ' | Should -Be ((1..60) -join ' ')
        @($jobs.Output | Where-Object Status -ne 'Completed' | ForEach-Object { "$($_.Status) $($_.ObservedFrom)" } | Sort-Object -Unique) | Should -Be 'Lost lima'
        ($jobs.Warnings.Message -replace ' was lost: .*') -join ', ' | Should -Be "The session to 'lima'"
        @(@($sites) + $workers | Where-Object State -eq 'Opened' | ForEach-Object ComputerName) | Should -Be 'paris', 'paris'
        # What the engine throws on threads of its own ends the process: in a while, or when it looks for what is no longer used.
        [GC]::Collect()
        [GC]::WaitForPendingFinalizers()
        @($sites) + $workers | Remove-PSSession
        Start-Sleep -Milliseconds 300
    }
}

Describe 'Sessions of which none is left' {
    It 'all of them gone: what there is comes back, with an error' {
        $sites = New-Site 'paris', 'oslo'
        $process = $sites | ForEach-Object { Get-SiteProcess $_ }
        $run = Start-Script 'Invoke-RustParallel 127.0.0.0/16 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
        Wait-Until $run { @($run.Output.ObservedFrom | Sort-Object -Unique).Count -eq 2 }
        kill -KILL $process
        $null = Wait-Script $run
        Get-ErrorId $run.Errors[0] | Should -Be 'AllSessionsLost'
        $answered = @($run.Output | Where-Object Ping)
        @($answered.ComputerName | Sort-Object -Unique).Count | Should -Be $answered.Count
        ($run.Output | Where-Object Status -eq 'NotStarted').Detail | Should -Be "$(65534 - $answered.Count) of 65534 hosts were not begun"
    }

    It 'Ctrl+C gives the caller back within a second when a site hangs' {
        Measure-Stop {
            $sites = New-Site 'paris', 'oslo'
            $process = Get-SiteProcess $sites[0]
            $run = Start-Script 'Invoke-RustParallel 127.0.0.0/16 -Session $sites -AsObject -PacketsPerSecond 500' @{ sites = $sites }
            Wait-Until $run { @($run.Output.ObservedFrom | Sort-Object -Unique).Count -eq 2 }
            kill -STOP $process
            $run
        } | Should -BeLessThan 1.3
    }
}
