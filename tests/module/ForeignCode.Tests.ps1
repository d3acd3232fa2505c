# Objects of the caller's that carry script code: one warning that names the type, and a call, its limits and the process that end
# in any case. One rule for script blocks: a block itself is refused, what holds one is not.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"
    $prepare = @'
class Server { [int] $Number; [int] Twice() { return $this.Number * 2 } }
class Record { [int] $Number; [string] $Name }
class Derived : Server { }
$server = [Server] @{ Number = 3 }
$record = [Record] @{ Number = 3; Name = 'n' }
$property = [pscustomobject] @{ Number = 3 } | Add-Member ScriptProperty Twice { $this.Number * 2 } -PassThru
$method = [pscustomobject] @{ Number = 3 } | Add-Member ScriptMethod Twice { $this.Number * 2 } -PassThru
$block = { 1 }
$list = New-Object Collections.Generic.List[object]; $list.Add($server)
class Holder { [object] $Held }
$set = New-Object Collections.Generic.HashSet[object]; $null = $set.Add($server)
$queue = New-Object Collections.Queue; $queue.Enqueue($server)

'@
}

Describe 'an object with script code' {
    It 'gets one warning that names its type: <Script>' -ForEach @(
        @{ Script = '1..20 | ForEach-Object { [Server] @{ Number = $_ } } | Invoke-RustParallel { $_.Number }'; Type = 'Server' }
        @{ Script = '[Derived] @{ Number = 1 } | Invoke-RustParallel { $_.Number }'; Type = 'Derived' }
        @{ Script = '$property, $property | Invoke-RustParallel { $_.Number }'; Type = 'PSCustomObject' }
        @{ Script = '$method | Invoke-RustParallel { $_.Number }'; Type = 'PSCustomObject' }
        @{ Script = '1 | Invoke-RustParallel { ($using:server).Number }'; Type = 'Server' }
        @{ Script = '1 | Invoke-RustParallel { $server.Number } -Variables server'; Type = 'Server' }
        @{ Script = '1 | Invoke-RustParallel { param($x, $s) $s.Number } -ArgumentList $server'; Type = 'Server' }
        @{ Script = '@{ Server = $server } | Invoke-RustParallel { $_.Server.Number }'; Type = 'Server' }
        @{ Script = '[pscustomobject] @{ Server = $server } | Invoke-RustParallel { $_.Server.Number }'; Type = 'Server' }
        @{ Script = ', @($server, 1) | Invoke-RustParallel { $_.Count }'; Type = 'Server' }
        @{ Script = '1 | Invoke-RustParallel { ($using:list).Count }'; Type = 'Server' }
        @{ Script = ', [Collections.ArrayList] @($server) | Invoke-RustParallel { $_.Count }'; Type = 'Server' }
        @{ Script = '@{ a = @{ b = $server } } | Invoke-RustParallel { $_.a.b.Number }'; Type = 'Server' }
        @{ Script = ', @(@(1, $server), 2) | Invoke-RustParallel { $_.Count }'; Type = 'Server' }
        @{ Script = ', (@($server) * 100) | Invoke-RustParallel { $_.Count }'; Type = 'Server' }
        @{ Script = ', $set | Invoke-RustParallel { $_.Count }'; Type = 'Server' }
        @{ Script = ', $queue | Invoke-RustParallel { $_.Count }'; Type = 'Server' }
        @{ Script = '[Holder] @{ Held = $server } | Invoke-RustParallel { 1 }'; Type = 'Server' }
        @{ Script = '@{ Run = $block } | Invoke-RustParallel { $_.Count }'; Type = 'ScriptBlock' }
        @{ Script = '[pscustomobject] @{ Run = $block } | Invoke-RustParallel { 1 }'; Type = 'ScriptBlock' }
    ) {
        $run = Invoke-CleanScript ($prepare + $Script)
        $run.Warnings.Count | Should -Be 1
        $run.Warnings[0].Message | Should -Match "type (\S+\.)?$Type carries script code"
        $run.Warnings[0].Message | Should -Match 'NoRunspaceAffinity'
        $run.Warnings[0].Message | Should -Match 'plain properties'
    }

    It 'gets no warning where it has none: <Script>' -ForEach @(
        @{ Script = '$record | Invoke-RustParallel { $_.Name }' }
        @{ Script = '[Holder] @{ Held = $record } | Invoke-RustParallel { 1 }' }
        @{ Script = '$loop = @{}; $loop.Self = $loop; $loop | Invoke-RustParallel { 1 }' }
        @{ Script = 'Get-Process -Id $PID | Invoke-RustParallel { $_.Id }' }
        @{ Script = 'Get-Item . | Invoke-RustParallel { $_.Name }' }
        @{ Script = '[pscustomobject] @{ a = 1 } | Invoke-RustParallel { $_.a }' }
        @{ Script = '@{ a = 1 }, (1, 2), "text", 5, $null | Invoke-RustParallel { 1 }' }
        @{ Script = '$server | Select-Object Number | Invoke-RustParallel { $_.Number }' }
    ) {
        (Invoke-CleanScript ($prepare + $Script)).Warnings.Count | Should -Be 0
    }

    It 'gets no warning where its class has no affinity' {
        Use-PowerShell7
        if (-not ('System.Management.Automation.Language.NoRunspaceAffinityAttribute' -as [type])) { Skip-Test 'this PowerShell does not know the attribute' }
        $run = Invoke-CleanScript '[NoRunspaceAffinity()] class Free { [int] Seven() { return 7 } }; [Free]::new() | Invoke-RustParallel { $_.Seven() }'
        $run.Warnings.Count | Should -Be 0
        ConvertTo-Line $run.Output | Should -Be '7'
    }
}

Describe 'a call whose jobs use code of the caller''s session' {
    It 'ends, though it has no limit' {
        $run = Invoke-Script ($prepare + '1..8 | ForEach-Object { [Server] @{ Number = $_ } } | Invoke-RustParallel { foreach ($i in 1..50) { $null = $_.Twice() }; "done" } -ThrottleLimit 4')
        ConvertTo-Line $run.Output | Where-Object { $_ -eq 'done' } | Should -HaveCount 8
    }

    # Where nobody looks beforehand, the first job that waits shows it; a wait for each call would take 12 s.
    It 'ends within the same time, with its warning, where the code was not seen before: <Items>' -ForEach @(
        @{ Items = '(1..256) + $method' }
        @{ Items = '(1..256) + @{ a = $server } | ForEach-Object { , @(, @(, @(, @(, @(, $_))))) }' }
    ) {
        $run = Invoke-CleanScript ($prepare + "$Items | Invoke-RustParallel { `$x = `$_; while (`$x -is [array]) { `$x = `$x[0] }; if (`$x -is [hashtable]) { `$x = `$x.a }; if (`$x -isnot [int]) { foreach (`$i in 1..50) { `$null = `$x.Twice() } }; 'done' } -ThrottleLimit 4")
        @($run.Output | Where-Object { $_ -eq 'done' }).Count | Should -Be 257
        $run.Warnings.Count | Should -Be 1
        $run.Warnings[0].Message | Should -Match '^An object that a job uses carries script code'
        $run.Duration.TotalSeconds | Should -BeLessThan 8
    }

    It 'keeps its limit in the background' -Tag Slow {
        $run = Invoke-Script ($prepare + '$job = 1..8 | ForEach-Object { [Server] @{ Number = $_ } } | Invoke-RustParallel { foreach ($i in 1..100000) { $null = $_.Twice() } } -ThrottleLimit 4 -AsJob -MaximumWaitTimeSeconds 1; $null = Wait-Job $job -Timeout 10; $job.State -in "Completed", "Failed"; Remove-Job $job -Force')
        $run.Output[0] | Should -BeTrue
    }

    It 'lets the process end' -Tag 'Slow' {
        Get-ChildLine ("Import-Module `$Manifest`n$prepare" + @'
1..8 | ForEach-Object { [Server] @{ Number = $_ } } | Invoke-RustParallel { while ($true) { $null = $_.Twice() } } -ThrottleLimit 4 -MaximumWaitTimeSeconds 1 -WarningAction Ignore -ErrorAction Ignore
'ended'
'@) | Should -BeExactly 'ended'
    }
}

Describe 'a script block' {
    It 'is refused itself, wherever it would get into a job: <Script>' -ForEach @(
        @{ Script = '1 | Invoke-RustParallel { & $using:block }' }
        @{ Script = '1 | Invoke-RustParallel { $using:table.Run }' }
        @{ Script = '1 | Invoke-RustParallel { & $block } -Variables block' }
        @{ Script = '1 | Invoke-RustParallel { param($x, $b) & $b } -ArgumentList $block' }
        @{ Script = '1 | Invoke-RustParallel -CommandName ForEach-Object -ParameterName InputObject -Parameters @{ Process = $block }' }
    ) {
        Get-ErrorId (Get-Failure "`$block = { 1 }; `$table = @{ Run = `$block }; $Script") | Should -Be 'ScriptBlockNotAllowed'
    }

    It 'is one error as an item, and the others run' {
        $run = Invoke-Script '& { 1; , { 1 }; 2 } | Invoke-RustParallel { $_ } -ThrottleLimit 1'
        ConvertTo-Line $run.Output | Should -Be '1', '2'
        Get-ErrorId $run.Errors[0] | Should -Be 'ScriptBlockNotAllowed'
    }

    It 'may stand in what a job gets, as with ForEach-Object -Parallel: <Script>' -ForEach @(
        @{ Script = '1 | Invoke-RustParallel { ($using:array).Count }' }
        @{ Script = ', $array | Invoke-RustParallel { $_.Count }' }
        @{ Script = '1 | Invoke-RustParallel { $array.Count } -Variables array' }
    ) {
        Get-Line "`$array = 1, { 1 }; $Script" | Should -Be '2'
    }
}
