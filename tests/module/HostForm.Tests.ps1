# -ComputerName with -ScriptBlock: the hashtable $Data, its entries, and what the host is bound to.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # The only object that the script writes, whatever errors it writes.
    function Get-TableOf($Run) {
        @($Run.Output).Count | Should -Be 1
        return $Run.Output[0].PSObject.BaseObject
    }
}

Describe 'host form' {
    It 'fills the hashtable by the block of the article' {
        $table = Get-Table '
            Invoke-RustParallel -ComputerName server1, server2, server3 -ScriptBlock {
                param($ComputerName)
                $Data[$ComputerName] = [PSCustomObject]@{ Ping = $true; TimeFinished = [DateTime]::Now }
            }'
        $table.Keys | Sort-Object | Should -BeExactly 'server1', 'server2', 'server3'
        $table.Values | ForEach-Object { $_.Ping } | Should -Be $true, $true, $true
    }

    It 'has a synchronized hashtable, which is the one returned' {
        $run = Invoke-CleanScript '$all = Invoke-RustParallel a { $Data[''table''] = $Data; $Data.IsSynchronized }; $all; [object]::ReferenceEquals($all, $all[''table''])'
        @($run.Output).Count | Should -Be 2
        $run.Output[0].PSObject.BaseObject | Should -BeOfType ([Collections.Hashtable])
        $run.Output[0].PSObject.BaseObject.IsSynchronized | Should -BeTrue
        $run.Output[1] | Should -BeTrue
    }

    It 'has one hashtable for all runspaces' {
        # Each job waits for the other's key, so each has a runspace of its own.
        $table = Get-Table '
            Invoke-RustParallel a, b -MaximumWaitTimeSeconds 20 {
                $Data["seen $_"] = $true
                $other = @{ a = ''b''; b = ''a'' }[$_]
                while (-not $Data.ContainsKey("seen $other")) { Start-Sleep -Milliseconds 5 }
                ''both''
            }'
        "$($table['a']) $($table['b'])" | Should -BeExactly 'both both'
    }

    It 'has keys that do not depend on case' {
        "$((Get-Table 'Invoke-RustParallel Server1 { 1 }')['SERVER1'])" | Should -BeExactly '1'
    }

    It 'has the entry null for a job without output' {
        $table = Get-Table 'Invoke-RustParallel a { }'
        $table.ContainsKey('a') | Should -BeTrue
        $null -eq $table['a'] | Should -BeTrue
    }

    It 'has a job''s one object as its entry' {
        (Get-Table 'Invoke-RustParallel a { [pscustomobject] @{ Name = $_ } }')['a'].Name | Should -BeExactly 'a'
    }

    It 'has an array as the entry of a job with more objects' {
        $entry = (Get-Table 'Invoke-RustParallel a { 1; ''two''; 3.0 }')['a']
        $entry.GetType() | Should -Be ([object[]])
        ConvertTo-Line $entry | Should -BeExactly '1', 'two', '3'
    }

    It 'leaves what the block set itself, and counts its output in one verbose line' {
        $run = Invoke-CleanScript 'Invoke-RustParallel a, b { $Data[$_] = ''own''; 1; 2 } -Verbose'
        $table = Get-TableOf $run
        "$($table['a']) $($table['b'])" | Should -BeExactly 'own own'
        @($run.Verbose | Where-Object { $_.Message.StartsWith('4 objects') -and $_.Message.Contains('not kept') }).Count | Should -Be 1
    }

    It 'lets a block set its entry to null' {
        $table = Get-Table 'Invoke-RustParallel a { $Data[$_] = $null; ''output'' }'
        $table.ContainsKey('a') | Should -BeTrue
        $null -eq $table['a'] | Should -BeTrue
    }

    It 'has no entry of <Job>' -ForEach @(
        @{
            Job      = 'a failed job'
            Script   = 'Invoke-RustParallel a, b { ''output''; if ($_ -eq ''a'') { throw ''no'' } }'
            Expected = 'b'
        }
        @{
            Job      = 'a timed-out job'
            Script   = 'Invoke-RustParallel a, b { ''output''; if ($_ -eq ''a'') { Start-Sleep 30 } } -JobTimeoutSeconds 0.3'
            Expected = 'b'
        }
        @{
            Job      = 'a job that was never begun'
            Script   = 'Invoke-RustParallel a, b, c { if ($_ -eq ''b'') { Start-Sleep 30 } } -MaximumThreadCount 1 -MaximumWaitTimeSeconds 0.4'
            Expected = 'a'
        }
    ) {
        (Get-TableOf (Invoke-Script $Script)).Keys | Should -BeExactly $Expected
    }

    It 'leaves an entry that the block set before it failed' {
        (Get-TableOf (Invoke-Script 'Invoke-RustParallel a { $Data[$_] = ''half''; throw ''no'' }'))['a'] | Should -BeExactly 'half'
    }

    It 'brings the host to the block: <_>' -ForEach @(
        '{ "<$_>" }'
        '{ "<$PSItem>" }'
        '{ param($ComputerName) "<$ComputerName>" }'
        '{ param($Server) "<$Server>" }'
        '{ param($Other, $ComputerName) "$Other<$ComputerName>" }'
        '{ param([string] $Name) "<$Name>" }'
        '{ param($ComputerName) "<$_>" }'
        '{ "<$($args[0])>" } -ArgumentList a'
    ) {
        "$((Get-Table "Invoke-RustParallel a $_")['a'])" | Should -BeExactly '<a>'
    }

    It 'has the argument list follow the host: <_>' -ForEach @(
        '{ param($ComputerName, $One, $Two) "$ComputerName $One $Two" }'
        '{ param($One, $ComputerName, $Two) "$ComputerName $One $Two" }'
        '{ param($ComputerName, [switch] $Off, $One, $Two) "$ComputerName $One $Two" }'
        '{ param($ComputerName) "$ComputerName $args" }'
        '{ "$_ $args" }'
        '{ param($ComputerName) process { "$ComputerName $args" } }'
    ) {
        "$((Get-Table "Invoke-RustParallel a $_ -ArgumentList 1, 2")['a'])" | Should -BeExactly 'a 1 2'
    }

    It 'leaves an argument that is an array one' {
        "$((Get-Table 'Invoke-RustParallel a { param($ComputerName, $List) $List.Count } -ArgumentList (, (1, 2, 3))')['a'])" | Should -BeExactly '3'
    }

    It 'takes null as an argument' {
        $script = 'Invoke-RustParallel a { param($ComputerName, $One, $Two) "$($null -eq $One) $Two" } -ArgumentList $null, 2'
        "$((Get-Table $script)['a'])" | Should -BeExactly 'True 2'
    }

    It 'reads hosts from objects as the probe form does: <_>' -ForEach @(
        '[pscustomobject] @{ ComputerName = ''a'' }'
        '[pscustomobject] @{ HostName = ''a'' }'
        '[pscustomobject] @{ IPAddress = ''a'' }'
    ) {
        (Get-Table "Invoke-RustParallel ($_) { `$_ }").Keys | Should -BeExactly 'a'
    }

    It 'has one error for a null, and the others run' {
        $run = Invoke-Script 'Invoke-RustParallel a, $null, b { $_ }'
        @($run.Errors).Count | Should -Be 1
        (Get-TableOf $run).Keys | Sort-Object | Should -BeExactly 'a', 'b'
    }

    It 'gives an empty hashtable for an empty list of hosts' {
        (Get-Table 'Invoke-RustParallel -ComputerName @() -ScriptBlock { 1 }').Count | Should -Be 0
    }

    It 'has a maximum wait of 300 seconds' {
        # Told by the parameter's default; a test that waits for it would take that long.
        $seconds = (Invoke-CleanScript '(Get-Command Invoke-RustParallel).ImplementingType.GetConstructor(@()).Invoke(@()).MaximumWaitTimeSeconds').Output
        @($seconds).Count | Should -Be 1
        $seconds[0].PSObject.BaseObject | Should -Be ([double] 300)
    }
}
