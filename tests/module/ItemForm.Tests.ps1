# The pipeline or -InputObject with a block: output streams, and the names of ForEach-Object -Parallel's
# parameters work.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'item form' {
    It 'writes output while its job still runs' {
        $go = New-Object Threading.ManualResetEventSlim
        $run = Start-Script '1 | Invoke-RustParallel { ''first''; $null = ($using:go).Wait(20000); ''last'' }' @{ go = $go }
        try {
            Wait-Output $run 1
            ConvertTo-Line $run.Output | Should -BeExactly 'first'
        }
        finally { $go.Set() }
        ConvertTo-Line (Wait-Script $run).Output | Should -BeExactly 'first', 'last'
    }

    It 'runs jobs while input still comes' {
        $go = New-Object Threading.ManualResetEventSlim
        Get-Line '& { 1; $null = $go.Wait(20000); 2 } | Invoke-RustParallel { $_; ($using:go).Set() } -ThrottleLimit 1' @{ go = $go } |
            Should -BeExactly '1', '2'
    }

    It 'writes output while input still comes' {
        $go = New-Object Threading.ManualResetEventSlim
        $run = Start-Script '& { 1; while (-not $go.IsSet) { Start-Sleep -Milliseconds 5; 2 } } | Invoke-RustParallel { $_ }' @{ go = $go }
        try { Wait-Output $run 1 }
        finally { $go.Set() }
        $null = Wait-Script $run
        $run.Failure | Should -BeNullOrEmpty
        @($run.Errors).Count | Should -Be 0
    }

    It 'keeps the order of one job''s output' {
        (Get-Line '1 | Invoke-RustParallel { 1..500 }') -join ' ' | Should -BeExactly ((1..500) -join ' ')
    }

    It 'keeps the order of the input with one worker' {
        (Get-Line '1..300 | Invoke-RustParallel { $_ } -ThrottleLimit 1') -join ' ' | Should -BeExactly ((1..300) -join ' ')
    }

    It 'keeps the type and identity of an item: <_>' -ForEach @(
        '{ $_ }'
        '{ param($x) $x }'
        '{ param([Parameter(ValueFromPipeline)] $x) process { $x } }'
    ) {
        $item = New-Object object
        $run = Invoke-CleanScript ", `$item | Invoke-RustParallel $_" @{ item = $item }
        @($run.Output).Count | Should -Be 1
        [object]::ReferenceEquals($item, $run.Output[0].PSObject.BaseObject) | Should -BeTrue
    }

    It 'leaves an array one item: <_>' -ForEach '{ $_.Count }', '{ param($list) $list.Count }', '{ process { $_.Count } }' {
        Get-Line ", (1, 2, 3) | Invoke-RustParallel $_" | Should -BeExactly '3'
    }

    It 'takes null as an item: <_>' -ForEach '{ $null -eq $_ }', '{ param($x) $null -eq $x }', '{ process { $null -eq $_ } }' {
        Get-Line ", `$null | Invoke-RustParallel $_" | Should -BeExactly 'True'
    }

    It 'delivers an output of null' {
        Get-Line '1 | Invoke-RustParallel { $null; 1 }' | Should -BeExactly '$null', '1'
    }

    It 'writes an array as PowerShell does' {
        Get-Line '1 | Invoke-RustParallel { 1, 2; , (3, 4) } | ForEach-Object { "$_" }' | Should -BeExactly '1', '2', '3 4'
    }

    It 'writes nothing for an empty pipeline' {
        @(Get-Line '@() | Invoke-RustParallel { 1 }').Count | Should -Be 0
    }

    It 'gives one warning that names -ComputerName to a block that uses $Data' {
        $run = Invoke-Script '1..3 | Invoke-RustParallel { $Data[$_] = 1; $null -eq $Data }'
        @($run.Errors).Count | Should -Be 3
        ConvertTo-Line $run.Output | Should -BeExactly 'True', 'True', 'True'
        @($run.Warnings).Count | Should -Be 1
        $run.Warnings[0].Message | Should -BeLikeExactly '*-ComputerName*'
    }

    It 'gives no warning to a block that does not use $Data' {
        @((Invoke-CleanScript '1..3 | Invoke-RustParallel { $_ }').Warnings).Count | Should -Be 0
    }

    It 'ends at -TimeoutSeconds' {
        $run = Invoke-Script '1 | Invoke-RustParallel { Start-Sleep 30 } -TimeoutSeconds 0.3'
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'MaximumWaitReached'
    }

    Context 'as ForEach-Object has it: <Call>' -ForEach @(
        @{ Call = '-Parallel { 1 }' }
        @{ Call = '-Parallel { 1 } -ThrottleLimit 3' }
        @{ Call = '-Parallel { 1 } -TimeoutSeconds 100' }
        @{ Call = '-Parallel { 1 } -UseNewRunspace' }
    ) {
        It 'is a parameter' { Get-Line "1..3 | Invoke-RustParallel $Call" | Should -BeExactly '1', '1', '1' }

        It 'has the same effect there' {
            Use-PowerShell7
            Get-Line "1..3 | ForEach-Object $Call" | Should -BeExactly '1', '1', '1'
        }
    }

    Context 'written for ForEach-Object: <Call>' -ForEach @(
        @{ Call = '$factor = 3; 1..4 | COMMAND -Parallel { $_ * $using:factor } -ThrottleLimit 16'; Expected = '12', '3', '6', '9' }
        @{ Call = '''x'', ''y'' | COMMAND -Parallel { $item = $_; 1..2 | ForEach-Object { "$item$_" } }'; Expected = 'x1', 'x2', 'y1', 'y2' }
        @{ Call = '$table = @{ a = 1; b = 2 }; ''a'', ''b'' | COMMAND -Parallel { $table = $using:table; $table[$_] }'; Expected = '1', '2' }
        @{ Call = '1..4 | COMMAND -Parallel { if ($_ % 2) { return } $_ } -ThrottleLimit 2 -TimeoutSeconds 60'; Expected = '2', '4' }
        @{
            Call     = '$list = [Collections.Concurrent.ConcurrentBag[int]]::new(); 1..9 | COMMAND -Parallel { ($using:list).Add($_) }; $list'
            Expected = '1', '2', '3', '4', '5', '6', '7', '8', '9'
        }
        @{
            Call     = '(1..3 | COMMAND -Parallel { Start-Sleep -Milliseconds 200; $_ } -AsJob | Receive-Job -Wait -AutoRemoveJob)'
            Expected = '1', '2', '3'
        }
    ) {
        It 'runs by the other name' { Get-SortedLine ($Call.Replace('COMMAND', 'Invoke-RustParallel')) | Should -BeExactly $Expected }

        It 'writes the same there' {
            Use-PowerShell7
            Get-SortedLine ($Call.Replace('COMMAND', 'ForEach-Object')) | Should -BeExactly $Expected
        }
    }

    It 'has the common parameters: <Rest>' -ForEach @(
        @{ Rest = '-ErrorAction SilentlyContinue -OutVariable kept | Out-Null; $kept'; Expected = 'out' }
        @{ Rest = '-ErrorVariable kept -ErrorAction SilentlyContinue | Out-Null; $kept'; Expected = 'err' }
        @{ Rest = '-ErrorAction SilentlyContinue -WarningVariable kept -WarningAction SilentlyContinue | Out-Null; $kept'; Expected = 'warn' }
        @{ Rest = '-ErrorAction SilentlyContinue -InformationVariable kept | Out-Null; $kept'; Expected = 'info' }
        @{ Rest = '-ErrorAction SilentlyContinue -PipelineVariable each | ForEach-Object { $each }'; Expected = 'out' }
    ) {
        Get-Line "1 | Invoke-RustParallel { 'out'; Write-Error err; Write-Warning warn; Write-Information info } $Rest" | Should -BeExactly $Expected
    }

    It 'loses no output to a slow consumer' {
        $lines = @(Get-Line '1..50 | Invoke-RustParallel { $_; -$_ } | ForEach-Object { Start-Sleep -Milliseconds 1; $_ }')
        $lines.Count | Should -Be 100
        @($lines | Select-Object -Unique).Count | Should -Be 100
    }

    It 'lets jobs share an object' {
        $bag = New-Object 'Collections.Concurrent.ConcurrentBag[int]'
        $null = Invoke-CleanScript '1..200 | Invoke-RustParallel { ($using:bag).Add($_) }' @{ bag = $bag }
        (@($bag.ToArray() | Sort-Object)) -join ' ' | Should -BeExactly ((1..200) -join ' ')
    }
}
