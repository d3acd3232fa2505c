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
        $run = Invoke-Script 'Invoke-RustParallel 127.0.0.0/21 -Session $sites -AsObject -PacketsPerSecond 2000' @{ sites = $sites }
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

Describe 'Sessions that are lost on the way' {
    It 'one killed, one stopped, one cut off: one answer a host, a warning each, and what is left behind ends by its lease' -Tag Slow {
        $sites = New-Site
        $process = @{}
        foreach ($site in $sites) { $process[$site.ComputerName] = Get-SiteProcess $site }
        $run = Start-Script 'Invoke-RustParallel 127.0.0.0/16, 10.99.0.0/24 -Session $sites -AsObject -Count 1 -ReplyTimeoutMilliseconds 500 -PacketsPerSecond 3000 -MaximumWaitTimeSeconds 0' @{ sites = $sites }
        Wait-Output $run 3000
        kill -KILL $process.paris
        kill -STOP $process.oslo
        ip -n wire link set to-lima down
        $null = Wait-Script $run
        # The link comes back and the stopped process goes on: what they had is answered by others long since.
        $before = Get-SitePacket 'lima'
        Start-Sleep -Seconds 3
        (Get-SitePacket 'lima') - $before | Should -BeLessThan 50
        ip -n wire link set to-lima up
        kill -CONT $process.oslo
        Get-WrongCount $run.Output 65788 | Should -Be $NoneWrong
        @($run.Output | Where-Object { $_.ComputerName -like '127.*' -and -not $_.Ping }) | Should -BeNullOrEmpty
        ($run.Warnings.Message | ForEach-Object { $_ -replace '^The session to .(\w+). was lost: .*', '$1' } | Sort-Object) -join ' ' | Should -Be 'lima oslo paris'
        ($run.Warnings.Message -match "'oslo'") | Should -Match 'no sign of life for 30 seconds'
        $run.Errors | Should -BeNullOrEmpty
    }

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
