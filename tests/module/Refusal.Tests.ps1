# A script block belongs to the runspace that made it. Where one itself would get into another, the call
# is refused and says why; what holds one is not (ForeignCode.Tests.ps1).

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    $Prepare = '$block = { 1 }; $table = @{ inner = $block }; '
}

Describe 'refusal' {
    It 'refuses a script block that would travel: <_>' -ForEach @(
        '1 | Invoke-RustParallel { & $using:block }'
        '1 | Invoke-RustParallel { $using:table.inner }'
        '1 | Invoke-RustParallel { 1 } -InitializationScript { & $using:block }'
        '1 | Invoke-RustParallel { & $block } -Variables block'
        '1 | Invoke-RustParallel { param($x, $b) & $b } -ArgumentList $block'
        'Invoke-RustParallel a { 1 } -ArgumentList $block'
        'Invoke-RustParallel a -CommandName ForEach-Object -ParameterName InputObject -Parameters @{ Process = $block }'
    ) {
        $failure = Get-Failure ($Prepare + $_)
        Get-ErrorId $failure | Should -BeExactly 'ScriptBlockNotAllowed'
        $failure.CategoryInfo.Category | Should -Be ([Management.Automation.ErrorCategory]::InvalidArgument)
        "$failure" | Should -BeLikeExactly '*belongs to the runspace*'
        "$failure" | Should -MatchExactly ([regex]::Escape('[scriptblock]::Create'))
    }

    It 'has one error for an item that is one, and the others run' {
        $run = Invoke-Script "$Prepare`n& { 1; `$block; 2 } | Invoke-RustParallel { `$_ } -ThrottleLimit 1"
        ConvertTo-Line $run.Output | Should -BeExactly '1', '2'
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'ScriptBlockNotAllowed'
    }

    It 'refuses a closure: <_>' -ForEach @(
        '1 | Invoke-RustParallel ({ $x }.GetNewClosure())'
        'Invoke-RustParallel a ({ $x }.GetNewClosure())'
        '1 | Invoke-RustParallel { 1 } -InitializationScript ({ $x }.GetNewClosure())'
    ) {
        $failure = Get-Failure "`$x = 1; $_"
        Get-ErrorId $failure | Should -BeExactly 'ClosureNotAllowed'
        "$failure" | Should -BeLikeExactly '*$using:*'
    }

    It 'refuses a function that is a closure: <_>' -ForEach @(
        '1 | Invoke-RustParallel { Get-It } -Functions Get-It'
        '1 | Invoke-RustParallel -CommandName Get-It'
    ) {
        $failure = Get-Failure ('$x = 1; ${function:Get-It} = { param($ComputerName) $x }.GetNewClosure(); ' + $_)
        Get-ErrorId $failure | Should -BeExactly 'ClosureNotAllowed'
        "$failure" | Should -BeLikeExactly '*''Get-It''*'
    }

    It 'takes the text of a block' {
        Get-Line '$text = { 1 + 1 }.ToString(); 1 | Invoke-RustParallel { & ([scriptblock]::Create($using:text)) }' | Should -BeExactly '2'
    }
}
