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

    It 'is nothing for a variable that stays $null' {
        Get-Line '$none = $null; 1..2 | Invoke-RustParallel { "<$using:none>" }' | Should -Be '<>', '<>'
    }

    It 'is the value at the beginning for any other variable' {
        Get-Line '$n = 5; 1..2 | ForEach-Object { $n++; $_ } | Invoke-RustParallel { $using:n }' | Should -Be '5', '5'
    }
}
