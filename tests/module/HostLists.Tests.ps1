# Lists of hosts and ports as files, command lines and other commands give them.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'white space in a list of hosts' {
    It 'is no part of the key: <Form>' -ForEach @(
        @{ Form = '$hosts | Invoke-RustParallel -TcpPort 1' }
        @{ Form = 'Invoke-RustParallel $hosts -TcpPort 1' }
        @{ Form = 'Invoke-RustParallel $hosts { $_ }' }
        @{ Form = 'Invoke-RustParallel $hosts -CommandName Write-Output -ParameterName InputObject' }
    ) {
        $table = Get-Table $Form @{ hosts = "127.0.0.1 ", "`t127.0.0.2", "localhost`r" }
        @($table.Keys) | Sort-Object | Should -Be '127.0.0.1', '127.0.0.2', 'localhost'
    }

    It 'alone is skipped, and one verbose line counts it: <Form>' -ForEach @(
        @{ Form = '$hosts | Invoke-RustParallel -TcpPort 1 -Verbose' }
        @{ Form = 'Invoke-RustParallel $hosts -TcpPort 1 -Verbose' }
        @{ Form = 'Invoke-RustParallel $hosts { $_ } -Verbose' }
    ) {
        $run = Invoke-CleanScript $Form @{ hosts = '127.0.0.1', '', "  `r", '127.0.0.2', '' }
        @($run.Output[0].PSObject.BaseObject.Keys) | Sort-Object | Should -Be '127.0.0.1', '127.0.0.2'
        @($run.Verbose | Where-Object { "$_" -match '^3 empty lines' }).Count | Should -Be 1
    }

    It 'is not told where there is none' {
        @((Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -TcpPort 1 -Verbose').Verbose | Where-Object { "$_" -match 'empty' }).Count | Should -Be 0
    }

    It 'of a file does no harm' {
        $file = Join-Path $TestDrive 'servers.txt'
        [IO.File]::WriteAllText($file, "127.0.0.1  `r`n`r`n   `r`n127.0.0.2`r`n")
        foreach ($form in '(Get-Content $file)', '((Get-Content $file -Raw) -split "`n")') {
            @((Get-Table "Invoke-RustParallel $form -TcpPort 1" @{ file = $file }).Keys) | Sort-Object | Should -Be '127.0.0.1', '127.0.0.2'
        }
    }

    It 'of a file does no harm to the example of the help' {
        Use-Echo
        $code = (Get-Help Invoke-RustParallel -Examples).examples.example.code | Where-Object { $_ -match 'Invoke-RustParallel \(Get-Content servers.txt\)' }
        $code | Should -Not -BeNullOrEmpty
        [IO.File]::WriteAllText((Join-Path $TestDrive 'servers.txt'), "127.0.0.1  `r`n`r`n`t`r`n 127.0.0.2`r`n`r`n")
        $run = Invoke-CleanScript "Set-Location -LiteralPath `$folder`n$code" @{ folder = "$TestDrive" }
        @($run.Output[0].PSObject.BaseObject.Keys) | Sort-Object | Should -Be '127.0.0.1', '127.0.0.2'
        @($run.Output[0].PSObject.BaseObject.Values.Ping) | Should -Be $true, $true
    }

    It 'leaves a $null an error' {
        $run = Invoke-Script '"127.0.0.1", $null, "" | Invoke-RustParallel -TcpPort 1'
        $run.Errors | ForEach-Object { Get-ErrorId $_ } | Should -Be 'InvalidTarget'
        $run.Output[0].PSObject.BaseObject.Count | Should -Be 1
    }

    It 'is skipped in the background, too' {
        Get-Line '"127.0.0.1 ", "" | Invoke-RustParallel -TcpPort 1 -AsObject -AsJob | Receive-Job -Wait -AutoRemoveJob | ForEach-Object { "<$($_.ComputerName)>" }' | Should -Be '<127.0.0.1>'
    }
}

Describe 'ports' {
    It 'of one string are several: <Ports>' -ForEach @(
        @{ Ports = "'1,2'"; Expected = 1, 2 }
        @{ Ports = "'1, 2,3'"; Expected = 1, 2, 3 }
        @{ Ports = "'1,2', 3"; Expected = 1, 2, 3 }
        @{ Ports = "'7'"; Expected = 7 }
        @{ Ports = '1, 2'; Expected = 1, 2 }
        @{ Ports = '([object[]] (1, "2"))'; Expected = 1, 2 }
    ) {
        ((Get-Table "Invoke-RustParallel 127.0.0.1 -TcpPort $Ports")['127.0.0.1'].Ports | ForEach-Object { $_.Port }) | Should -Be $Expected
    }

    It 'that are none are refused: <Ports>' -ForEach @(@{ Ports = "'1,x'" }, @{ Ports = "'1,'" }, @{ Ports = "'1,70000'" }, @{ Ports = "''" }) {
        (Get-Failure "Invoke-RustParallel 127.0.0.1 -TcpPort $Ports").FullyQualifiedErrorId | Should -Match '^(Parameter|CannotConvert)Argument'
    }
}

Describe 'what other commands give' {
    It 'of Test-Connection is a host: <Object>' -ForEach @(
        @{ Object = '@{ Source = "me"; Destination = "127.0.0.1"; Address = [Net.IPAddress] "127.0.0.9" }' }
        @{ Object = '@{ Source = "me"; Target = "127.0.0.1"; Port = 80 }' }
        @{ Object = '@{ Address = [Net.IPAddress] "127.0.0.1" }' }
        @{ Object = '@{ Address = "127.0.0.1"; IPV4Address = [Net.IPAddress] "127.0.0.9" }' }
    ) {
        @((Get-Table "[PSCustomObject] $Object | Invoke-RustParallel -TcpPort 1").Keys) | Should -Be '127.0.0.1'
    }

    It 'goes on from Test-Connection itself: <Arguments>' -ForEach @(@{ Arguments = '-Count 1' }, @{ Arguments = '-TcpPort 1 -Detailed -Count 1' }) {
        Use-PowerShell7
        Use-Echo
        if ($Arguments -match 'Detailed' -and $PSVersionTable.PSVersion -lt [version] '7.4') { Skip-Test 'this PowerShell has no -Detailed' }
        @((Get-Table "Test-Connection 127.0.0.1 $Arguments | Invoke-RustParallel -TcpPort 1").Keys) | Should -Be '127.0.0.1'
    }

    It 'is an address, of either family' {
        @((Get-Table '[Net.IPAddress] "::1", [Net.IPAddress] "127.0.0.1" | Invoke-RustParallel -TcpPort 1').Keys) | Sort-Object | Should -Be '::1', '127.0.0.1'
    }

    It 'without a host stays an error: <Object>' -ForEach @(@{ Object = '@{ Address = 5 }' }, @{ Object = '@{ Destination = "" }' }, @{ Object = '@{ Target = " " }' }) {
        $run = Invoke-Script "[PSCustomObject] $Object | Invoke-RustParallel -TcpPort 1"
        $run.Errors | ForEach-Object { Get-ErrorId $_ } | Should -Be 'InvalidTarget'
    }
}

Describe 'a time limit that is too short for the probes' {
    It 'is warned of at once, and the reply timeout is named: <Arguments>' -ForEach @(
        @{ Arguments = '-TimeoutSeconds 2'; Seconds = '4 seconds' }
        @{ Arguments = '-TimeoutSeconds 4'; Seconds = '4 seconds' }
        @{ Arguments = '-TcpPort 1 -TimeoutSeconds 1'; Seconds = '2 seconds'; UnderWine = '2.5 seconds' }
    ) {
        $run = Invoke-CleanScript "Invoke-RustParallel 127.0.0.1 $Arguments"
        $run.Warnings.Count | Should -Be 1
        if ($UnderWine -and (Test-Wine)) { $Seconds = $UnderWine }
        "$($run.Warnings)" | Should -Match ([regex]::Escape($Seconds))
        "$($run.Warnings)" | Should -Match '-ReplyTimeoutMilliseconds'
    }

    It 'is warned of in the background, too' {
        Get-Line '$job = Invoke-RustParallel 127.0.0.1 -TcpPort 1 -TimeoutSeconds 1 -AsJob; $null = Wait-Job $job; "$($job.Warning)"; Remove-Job $job' | Should -Match '-ReplyTimeoutMilliseconds'
    }

    It 'is not warned of where it is long enough' {
        (Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -TimeoutSeconds 5').Warnings.Count | Should -Be 0
    }
}
