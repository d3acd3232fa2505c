# Which form of the command a call is: by position, by pipe and by name. What a form is shows in what
# comes back: a host form returns one hashtable, an item form what its jobs wrote, and a probe its results.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    $Prepare = '
        function Get-Spoken { param($ComputerName, $Name, $Mark = ''!'') "$ComputerName$Name$Mark" }
        $hosts = ''a'', ''b''
        $block = { "<$_>" }
        '
}

Describe 'parameter set' {
    It 'returns a hashtable by host: <_>' -ForEach @(
        'Invoke-RustParallel a, b { "<$_>" }'
        'Invoke-RustParallel $hosts $block'
        'Invoke-RustParallel -ComputerName a, b -ScriptBlock { "<$_>" }'
        'Invoke-RustParallel -ComputerName a, b { "<$_>" }'
        'Invoke-RustParallel a, b -ScriptBlock { "<$_>" }'
        'Invoke-RustParallel a, b -Parallel { "<$_>" }'
        'Invoke-RustParallel -CN a, b -Parallel { "<$_>" }'
        'Invoke-RustParallel -HostName a, b -ScriptBlock $block'
        'Invoke-RustParallel -ScriptBlock $block -ComputerName $hosts'
    ) {
        $table = Get-Table ($Prepare + $_)
        $table.Keys | Sort-Object | Should -BeExactly 'a', 'b'
        "$($table['a']) $($table['b'])" | Should -BeExactly '<a> <b>'
    }

    It 'writes what the jobs write: <_>' -ForEach @(
        '''a'', ''b'' | Invoke-RustParallel { "<$_>" }'
        '$hosts | Invoke-RustParallel $block'
        '''a'', ''b'' | Invoke-RustParallel -ScriptBlock { "<$_>" }'
        '''a'', ''b'' | Invoke-RustParallel -Parallel { "<$_>" }'
        '''a'', ''b'' | Invoke-RustParallel -Parallel $block -ThrottleLimit 2'
        '''a'', ''b'' | Invoke-RustParallel { "<$_>" } -MaximumThreadCount 2'
        '''a'', ''b'' | Invoke-RustParallel -ThrottleLimit 2 { "<$_>" }'
    ) {
        Get-SortedLine ($Prepare + $_) | Should -BeExactly '<a>', '<b>'
    }

    It 'takes an input object by name as one item: <_>' -ForEach @(
        'Invoke-RustParallel -InputObject a -ScriptBlock { "<$_>" }'
        'Invoke-RustParallel -InputObject a { "<$_>" }'
        'Invoke-RustParallel { "<$_>" } -InputObject a'
        'Invoke-RustParallel -Parallel $block -InputObject a'
    ) {
        Get-Line ($Prepare + $_) | Should -BeExactly '<a>'
    }

    It 'takes an array as input object as one item' {
        Get-Line 'Invoke-RustParallel -InputObject 1, 2 -ScriptBlock { $_.Count }' | Should -BeExactly '2'
    }

    It 'returns a hashtable by host from a command: <_>' -ForEach @(
        'Invoke-RustParallel a, b -CommandName Get-Spoken'
        'Invoke-RustParallel -ComputerName a, b -CommandName Get-Spoken'
        'Invoke-RustParallel -CommandName Get-Spoken -ComputerName $hosts'
        'Invoke-RustParallel $hosts -CommandName Get-Spoken -Parameters @{ Mark = ''!'' }'
    ) {
        $table = Get-Table ($Prepare + $_)
        "$($table['a']) $($table['b'])" | Should -BeExactly 'a! b!'
    }

    It 'writes what the jobs write from a command: <_>' -ForEach @(
        '''a'', ''b'' | Invoke-RustParallel -CommandName Get-Spoken'
        '''a'', ''b'' | Invoke-RustParallel -CommandName Get-Spoken -Parameter @{ Mark = ''!'' }'
        '''a'', ''b'' | Invoke-RustParallel -CommandName Get-Spoken -ParameterName Name'
    ) {
        Get-SortedLine ($Prepare + $_) | Should -BeExactly 'a!', 'b!'
    }

    It 'probes hosts without a block: <_>' -ForEach '''127.0.0.1'' | Invoke-RustParallel', 'Invoke-RustParallel 127.0.0.1' {
        Use-Echo
        (Get-Table $_)['127.0.0.1'].Status | Should -BeExactly 'Success'
    }

    It 'does not run a block after a pipe in the caller: <_>' -ForEach @(
        'Invoke-RustParallel { $ran.Enqueue([runspace]::DefaultRunspace.Id) } -Variables ran'
        'Invoke-RustParallel -ThrottleLimit 4 { $ran.Enqueue([runspace]::DefaultRunspace.Id) } -Variables ran'
        'Invoke-RustParallel -ScriptBlock { $ran.Enqueue([runspace]::DefaultRunspace.Id) } -Variables ran'
    ) {
        $ran = New-Object 'Collections.Concurrent.ConcurrentQueue[int]'
        $session = New-Session
        try { $null = Invoke-CleanScript "1..3 | $_" @{ ran = $ran } $session }
        finally { $session.Dispose() }
        $ran.Count | Should -Be 3
        $ran.ToArray() | Should -Not -Contain $session.Id
    }

    It 'takes what is piped to a block as an item, though it has a property ComputerName' {
        Get-Line '[pscustomobject] @{ ComputerName = ''a''; Name = ''n'' } | Invoke-RustParallel { $_.Name }' | Should -BeExactly 'n'
    }

    It 'takes piped IPv6 addresses as items with a block' {
        Get-Line '[ipaddress] ''::1'' | Invoke-RustParallel { $_.ToString() }' | Should -BeExactly '::1'
    }

    It 'does not mix the parameters of two forms: <_>' -ForEach @(
        'Invoke-RustParallel a { 1 } -CommandName Get-Date'
        '1 | Invoke-RustParallel { 1 } -Count 3'
        'Invoke-RustParallel a { 1 } -TcpPort 1'
        'Invoke-RustParallel 127.0.0.1 -MaximumThreadCount 3'
        '''b'' | Invoke-RustParallel -ComputerName a -ScriptBlock { 1 }'
        'Invoke-RustParallel a { 1 } -InputObject b'
    ) {
        $run = Invoke-Script $_
        $refusal = if ($run.Failure -is [Management.Automation.ParameterBindingException]) { $run.Failure } else { $run.Errors[0].Exception }
        $refusal | Should -BeOfType ([Management.Automation.ParameterBindingException])
    }

    It 'refuses <Number> jobs at a time' -ForEach @{ Number = 0; Bound = 1 }, @{ Number = 1025; Bound = 1024 } {
        $failure = Get-Failure "1 | Invoke-RustParallel { 1 } -MaximumThreadCount $Number"
        Get-ErrorId $failure | Should -BeExactly 'ParameterArgumentValidationError'
        "$failure" | Should -Match "\b$Bound\b"
    }

    It 'runs as many jobs at a time as asked' {
        # Each job goes on when all four are there, so three at a time would never end.
        $barrier = New-Object Threading.Barrier 4
        Get-Line '1..4 | Invoke-RustParallel { ($using:barrier).SignalAndWait(20000) } -ThrottleLimit 4' @{ barrier = $barrier } |
            Should -BeExactly 'True', 'True', 'True', 'True'
    }

    It 'runs no more jobs at a time than asked' {
        # Has room for three; a fourth would not get in.
        $room = New-Object Threading.SemaphoreSlim 3
        $lines = Get-Line '1..12 | Invoke-RustParallel -ThrottleLimit 3 { ($using:room).Wait(0); Start-Sleep -Milliseconds 20; $null = ($using:room).Release() }' @{ room = $room }
        $lines -join ' ' | Should -BeExactly ((@('True') * 12) -join ' ')
    }

    It 'runs thirty-two jobs at a time unless asked otherwise' {
        $barrier = New-Object Threading.Barrier 32
        $lines = Get-Line '1..32 | Invoke-RustParallel { ($using:barrier).SignalAndWait(20000) }' @{ barrier = $barrier }
        $lines -join ' ' | Should -BeExactly ((@('True') * 32) -join ' ')
    }

    It 'refuses an apartment where there is no COM' {
        Use-Linux
        $failure = Get-Failure '1 | Invoke-RustParallel { 1 } -ApartmentState STA'
        Get-ErrorId $failure | Should -BeExactly 'ApartmentStateNotSupported'
        $failure.Exception.GetType() | Should -Be ([PlatformNotSupportedException])
        $failure.Exception.Message | Should -BeLikeExactly '*-ApartmentState STA*'
    }
}
