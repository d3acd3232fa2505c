# $using: of a variable that a command upstream sets by -PipelineVariable: its value at the time the item came.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe '$using: of a pipeline variable' {
    It 'is the value that belongs to the item: <Call>' -ForEach @(
        @{ Call = 'Invoke-RustParallel { "$_ of $using:p" }' }
        @{ Call = 'Invoke-RustParallel { "$_ of $using:p" } -AsObject | ForEach-Object Output' }
        @{ Call = 'Invoke-RustParallel { "$_ of $using:p" } -AsJob | Wait-Job | Receive-Job' }
        @{ Call = 'Invoke-RustParallel { $b = { "$using:p" }; "$_ of $(& $b)" }' }
    ) {
        Get-SortedLine "1..300 | ForEach-Object { `$_ } -PipelineVariable p | ForEach-Object { `$_ * 10 } | $Call" |
            Should -Be (Get-SortedLine "1..300 | ForEach-Object { `"`$(`$_ * 10) of `$_`" }")
    }

    It 'is a property or an element of it: <Using>' -ForEach @(
        @{ Using = '$using:p.N'; Value = '[pscustomobject] @{ N = $_ }' }
        @{ Using = '$using:p[0]'; Value = ', @($_, 9)' }
        @{ Using = '$using:p.N.Length'; Value = '@{ N = "x" * $_ }' }
    ) {
        Get-SortedLine "1..3 | ForEach-Object { $Value } -PipelineVariable p | ForEach-Object { 'i' } | Invoke-RustParallel { `"`$_ `$($Using)`" }" |
            Should -Be 'i 1', 'i 2', 'i 3'
    }

    It 'is the value of its item where an item between is refused' {
        $run = Invoke-Script '1..3 | ForEach-Object { $_ } -PipelineVariable p | ForEach-Object { if ($_ -eq 2) { { 1 } } else { $_ } } | Invoke-RustParallel { "$_ $using:p" } -ThrottleLimit 1'
        ConvertTo-Line $run.Output | Should -Be '1 1', '3 3'
        $run.Errors.Count | Should -Be 1
    }

    It 'is the value of its item where the command upstream writes before its first item: <Call>' -ForEach @(
        @{ Call = 'Get-Early -PipelineVariable p | {0}' }
        @{ Call = 'Get-Early -PipelineVariable P | ForEach-Object { $_ } | {0}' }
        @{ Call = '1..3 | ForEach-Object -Begin { 0 } -Process { $_ } -End { 4 } -PipelineVariable p | {0}' }
        @{ Call = '$p = 9; Get-Early -PipelineVariable p | {0}' }
    ) {
        $early = 'function Get-Early { [CmdletBinding()] param() begin { 1; 2 } process { 3 } end { 4 } }; '
        Get-SortedLine ($early + $Call.Replace('{0}', 'Invoke-RustParallel { "$_ of $using:p" }')) |
            Should -Be (Get-SortedLine ($early + $Call.Replace('{0}', 'ForEach-Object { "$_ of $p" }')))
    }

    It 'is the value at the beginning where the engine does not tell of such commands, and $null is none: <_>' -ForEach 'PipelineProcessor', 'Commands', 'CommandRuntime' {
        $early = 'function Get-Early { [CmdletBinding()] param() begin { 1; 2 } end { 3 } }; Get-Early -PipelineVariable p | Invoke-RustParallel { "$_ of $using:p" }'
        try {
            Set-MissingMember $_
            Get-SortedLine $early | Should -Be '1 of 1', '2 of 1', '3 of 1'
            Get-SortedLine '1..2 | ForEach-Object { $_ } -PipelineVariable p | Invoke-RustParallel { "$_ of $using:p" }' | Should -Be '1 of 1', '2 of 2'
        }
        finally { Set-MissingMember }
    }

    It 'is nothing for a variable that stays $null' {
        Get-Line '$none = $null; 1..2 | Invoke-RustParallel { "<$using:none>" }' | Should -Be '<>', '<>'
    }

    It 'is the value at the beginning for any other variable' {
        Get-Line '$n = 5; 1..2 | ForEach-Object { $n++; $_ } | Invoke-RustParallel { $using:n }' | Should -Be '5', '5'
    }
}
