# Items that are no targets: an error each, no entry, and the others go on.

BeforeDiscovery {
    $NoTargets = @(
        '$null', '5', '1.5', '$true', '(Get-Date)'
        '@{}', '@{ Name = ''localhost'' }', '@{ ComputerName = 5 }', '@{ ComputerName = '''' }'
        '[PSCustomObject]@{ Name = ''localhost'' }', '[PSCustomObject]@{ ComputerName = $null }'
        '[PSCustomObject]@{ ComputerName = [PSCustomObject]@{ A = 1 } }'
        '''a host''', '''a..b''', '''999.1.1.1'''
        '''127.0.0.1/33''', '''127.0.0.1/x''', '''127.0.0.9-127.0.0.1''', '''127.0.0.9-1''', '''127.0.0.1-256'''
        '''fe80::1''', '''0.0.0.0''', '''::''', '''224.0.0.1''', '''ff02::1''', '''255.255.255.255'''
    ) | ForEach-Object { @{ Item = $_ } }
    $TooLarge = '0.0.0.0/0', '10.0.0.0/7', '10.0.0.0-11.0.0.0', 'fd00::/103', 'fd00::/64', '::/0' | ForEach-Object { @{ Expression = $_ } }
}

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0

    # All of them say only what a call did: one session is enough.
    $session = New-Session

    function Test-OneInvalidTarget($Run) {
        $Run.Failure | Should -Be $null
        @($Run.Errors).Count | Should -Be 1
        Get-ErrorId $Run.Errors[0] | Should -BeExactly 'InvalidTarget'
        $Run.Errors[0].CategoryInfo.Category | Should -Be 'InvalidArgument'
        @($Run.Output).Count | Should -Be 1
        @($Run.Output[0].Keys | Sort-Object) | Should -BeExactly '127.0.0.1', '127.0.0.2'
    }
}

AfterAll { $session.Dispose() }

Describe 'invalid targets' {
    BeforeEach { Use-Echo }

    It 'is one error as an argument, and the others go on: <Item>' -ForEach $NoTargets {
        Test-OneInvalidTarget (Invoke-Script "Invoke-RustParallel -ComputerName @('127.0.0.1', $Item, '127.0.0.2')" -Session $session)
    }

    It 'is one error as a piped item, and the others go on: <Item>' -ForEach $NoTargets {
        Test-OneInvalidTarget (Invoke-Script "@('127.0.0.1', $Item, '127.0.0.2') | Invoke-RustParallel" -Session $session)
    }

    It 'is one error and an empty hashtable as the only argument: <Item>' -ForEach $NoTargets {
        $run = Invoke-Script "Invoke-RustParallel -ComputerName ($Item)" -Session $session
        $run.Failure | Should -Be $null
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'InvalidTarget'
        @($run.Output).Count | Should -Be 1
        $run.Output[0].PSObject.BaseObject | Should -BeOfType [Collections.Hashtable]
        $run.Output[0].Count | Should -Be 0
    }

    It 'is TooManyAddresses for a block or range that is too large, and the others go on: <Expression>' -ForEach $TooLarge {
        $run = Invoke-Script "'127.0.0.1', '$Expression', '127.0.0.2' | Invoke-RustParallel" -Session $session
        $run.Failure | Should -Be $null
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'TooManyAddresses'
        $run.Errors[0].CategoryInfo.Category | Should -Be 'LimitsExceeded'
        $run.Errors[0].TargetObject | Should -BeExactly $Expression
        $run.Errors[0].ToString().Contains('16,777,216') | Should -BeTrue
        $run.Errors[0].ToString().Contains($Expression) | Should -BeTrue
        @($run.Output[0].Keys | Sort-Object) | Should -BeExactly '127.0.0.1', '127.0.0.2'
    }

    It 'takes the largest blocks: <Expression>' -Tag 'Laboratory' -ForEach @{ Expression = '10.0.0.0/8' }, @{ Expression = 'fd00:98::/104' } {
        Use-Laboratory
        $run = Start-Script "Invoke-RustParallel $Expression -Verbose -MaximumWaitTimeSeconds 0"
        Wait-Until $run { @(ConvertTo-Line $run.Verbose) -clike 'Waiting for 1677721*' }
        $null = Stop-Script $run
        @((Wait-Script $run).Errors).Count | Should -Be 0
    }

    It 'has no row with -AsObject' {
        $run = Invoke-Script '''127.0.0.1'', 5, ''127.0.0.2'' | Invoke-RustParallel -AsObject' -Session $session
        @($run.Errors).Count | Should -Be 1
        @($run.Output | ForEach-Object { $_.ComputerName } | Sort-Object) | Should -BeExactly '127.0.0.1', '127.0.0.2'
    }

    It 'is an error of its own, each' {
        $run = Invoke-Script '5, $null, ''a b'', ''127.0.0.1'' | Invoke-RustParallel' -Session $session
        @($run.Errors).Count | Should -Be 3
        @($run.Output).Count | Should -Be 1
        $run.Output[0].Count | Should -Be 1
    }

    It 'is named by the error of a string, and its target' {
        $run = Invoke-Script 'Invoke-RustParallel ''a host''' -Session $session
        @($run.Errors).Count | Should -Be 1
        $run.Errors[0].TargetObject | Should -BeExactly 'a host'
        $run.Errors[0].ToString().Contains("'a host'") | Should -BeTrue
    }

    It 'is the target of the error of an object' {
        $item = New-Object Version 1, 2
        $run = Invoke-Script '$item | Invoke-RustParallel' @{ item = $item } $session
        @($run.Errors).Count | Should -Be 1
        [object]::ReferenceEquals($item, ([psobject] $run.Errors[0].TargetObject).PSObject.BaseObject) | Should -BeTrue
    }

    It 'is told by its type and the properties looked for: <Item>' -ForEach @(
        @{ Item = '5'; Type = 'System.Int32' }
        @{ Item = '@{ Name = 1 }'; Type = 'System.Collections.Hashtable' }
        @{ Item = '[version]''1.2'''; Type = 'System.Version' }
        @{ Item = '[PSCustomObject]@{ PSTypeName = ''My.Computer''; Name = 1 }'; Type = 'My.Computer' }
    ) {
        $run = Invoke-Script "$Item | Invoke-RustParallel" -Session $session
        @($run.Errors).Count | Should -Be 1
        foreach ($word in $Type, 'ComputerName', 'CN', 'TargetName', 'HostName', 'DNSHostName', 'Server', 'IPAddress') {
            $run.Errors[0].ToString() | Should -MatchExactly ([regex]::Escape($word))
        }
    }

    It 'has a message of one line without a dot at its end' {
        $run = Invoke-Script '5, $null, ''a b'', ''10.0.0.0/7'' | Invoke-RustParallel' -Session $session
        @($run.Errors).Count | Should -Be 4
        ConvertTo-Line $run.Errors | Should -MatchExactly '^[^\n]+[^.\n]$'
    }

    It 'ends the call with -ErrorAction Stop' {
        Get-ErrorId (Get-Failure '5 | Invoke-RustParallel -ErrorAction Stop' -Session $session) | Should -BeExactly 'InvalidTarget'
    }

    It 'leaves the others with -ErrorAction SilentlyContinue' {
        (Get-Table '5, ''127.0.0.1'' | Invoke-RustParallel -ErrorAction SilentlyContinue' -Session $session).Count | Should -Be 1
    }
}
