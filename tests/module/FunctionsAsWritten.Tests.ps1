# Functions that come along, and -InitializationScript, run as their author wrote them: their errors show his file and lines, and
# they have their own names, kinds, namespaces and texts.

BeforeDiscovery {
    $calls = @(
        @{ Call = '7 | Invoke-RustParallel { Test-It $_ } -Functions Test-It' }
        @{ Call = '7 | Invoke-RustParallel { Test-It $_ } -Functions Test-*' }
        @{ Call = '7 | Invoke-RustParallel -CommandName Test-It -ParameterName x' }
        @{ Call = '7 | Invoke-RustParallel { $kept } -Functions Test-It -InitializationScript { $kept = Test-It 7 }'; IsBefore = $true }
    )
}

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    $file = Join-Path $TestDrive 'written.ps1'
    # What a script that runs a file with this text writes.
    function Invoke-File([string] $Text) {
        Set-Content -LiteralPath $file -Value $Text
        Invoke-Script '. $file' @{ file = $file }
    }
}

Describe 'an error of a function' {
    It 'shows the line of the file that it stands in: <Function>' -ForEach @(
        @{ Function = "function Test-It(`$x) {`n    [int] 'x'`n}" }
        @{ Function = "function Test-It { param(`$x)`n    [int] 'x'`n}" }
        @{ Function = "function Test-It { [CmdletBinding()] param(`$x)`n    [int] 'x'`n}" }
        @{ Function = "filter Test-It(`$x) {`n    [int] 'x'`n}" }
        @{ Function = "function Test-It(`$x) { begin { }`n    process { [int] 'x' }`n}" }
        @{ Function = "function Test-It(`$x) { class Own { }`n    [int] 'x'`n}" }
    ) {
        $run = Invoke-File "# first`n$Function`n7 | Invoke-RustParallel { Test-It `$_ } -Functions Test-It"
        $run.Errors.Count | Should -Be 1
        $position = $run.Errors[0].InvocationInfo
        $position.ScriptName | Should -Be $file
        $position.ScriptLineNumber | Should -Be 3
        $position.Line.Trim() | Should -Match "\[int\] 'x'"
        $run.Errors[0].ScriptStackTrace.Split("`n")[0].Trim() | Should -BeLike "at Test-It*, ${file}: line 3"
    }

    It 'shows the block that it was set as' {
        $run = Invoke-File "# first`n`${function:Test-It} = { param(`$x)`n    [int] 'x' }`n7 | Invoke-RustParallel { Test-It } -Functions Test-It"
        $run.Errors[0].InvocationInfo.ScriptName | Should -Be $file
        $run.Errors[0].InvocationInfo.ScriptLineNumber | Should -Be 3
    }

    It 'by Write-Error shows the call of the function' {
        $run = Invoke-File "function Test-It {`n    Write-Error 'x' }`n7 | Invoke-RustParallel {`n    Test-It } -Functions Test-It"
        $run.Errors[0].InvocationInfo.Line.Trim() | Should -Be 'Test-It } -Functions Test-It'
        $run.Errors[0].InvocationInfo.ScriptLineNumber | Should -Be 4
        $run.Errors[0].ScriptStackTrace | Should -BeLike "at Test-It, ${file}: line 2*"
    }
}

Describe 'a function that comes along' {
    It 'knows its file, its name and its namespaces: <Call>' -ForEach $calls {
        $run = Invoke-File "using namespace System.Text`nfunction Test-It(`$x) { `"`$PSCommandPath `$(`$MyInvocation.MyCommand.Name) `$([StringBuilder]::new('sb')) `$x`" }`n$Call"
        ConvertTo-Line $run.Errors | Should -BeNullOrEmpty
        ConvertTo-Line $run.Output | Should -Be "$file Test-It sb 7"
    }

    It 'leaves its namespaces to itself' {
        $other = Join-Path $TestDrive 'other.ps1'
        Set-Content -LiteralPath $other -Value "using namespace System.Text`nfunction Test-It { [StringBuilder]::new('sb').ToString() }"
        $run = Invoke-Script '. $other; 7 | Invoke-RustParallel { Test-It; try { [StringBuilder]::new() } catch { "none" } } -Functions Test-It' @{ other = $other }
        ConvertTo-Line $run.Output | Should -Be 'sb', 'none'
    }

    It 'has the text and the kind that it has at the caller''s: <Function>' -ForEach @(
        @{ Function = 'function Test-It($x, [int] $y = 2) { $x + $y }' }
        @{ Function = 'function Test-It() { 1 }' }
        @{ Function = 'filter Test-It { $_ }' }
        @{ Function = 'filter Test-It($x) { "$x$_" }' }
        @{ Function = 'function Test-It { [CmdletBinding()] param($x) process { $x } end { 1 } }' }
        @{ Function = 'function Test-It { class Own { [int] $v = 3 }; [Own]::new().v }' }
        @{ Function = '${function:Test-It} = { param($x) $x }' }
        @{ Function = '${function:Test-It} = [scriptblock]::Create("param(`$x) `$x")' }
    ) {
        $run = Invoke-Script "$Function; `$show = { `"`${function:Test-It}`"; (Get-Command Test-It).CommandType; (Get-Command Test-It).Parameters.Keys -join ' '; 1, 2 | Test-It }.ToString()
            `$here = Invoke-Expression `$show; `$there = 7 | Invoke-RustParallel { Invoke-Expression `$using:show } -Functions Test-It
            `$here; '--'; `$there"
        $lines = @(ConvertTo-Line $run.Output)
        $at = $lines.IndexOf('--')
        $at | Should -BeGreaterThan 2
        $lines[($at + 1)..$lines.Count] | Should -Be $lines[0..($at - 1)]
    }

    It 'knows classes around it' {
        $run = Invoke-File "class Around { [int] `$v = 2 }`nfunction Test-It { [Around]::new().v }`n7 | Invoke-RustParallel { Test-It } -Functions Test-It"
        ConvertTo-Line $run.Output | Should -Be '2'
    }

    It 'is defined where no tree can be taken apart, too: <Function>' -ForEach @(
        @{ Function = 'function Test-It { param($x) class In { [int] $v = 1 }; "$x$([In]::new().v)" }' }
        @{ Function = 'function Test-It($x) { class In { [int] $v = 1 }; "$x$([In]::new().v)" }' }
    ) {
        try {
            Set-MissingMember Parent
            Get-Line "$Function; 7 | Invoke-RustParallel { Test-It `$_ } -Functions Test-It; 7 | Invoke-RustParallel `${function:Test-It}" | Should -Be '71', '71'
        }
        finally { Set-MissingMember }
    }

    It 'is defined where no tree can be made of what cleans up, too' {
        Use-PowerShell7
        try {
            Set-MissingMember .ctor
            Get-Line 'function Test-It($x) { process { "p$x" } clean { $null = 1 } }; 7 | Invoke-RustParallel { Test-It $_ } -Functions Test-It; 7 | Invoke-RustParallel ${function:Test-It}' | Should -Be 'p7', 'p7'
        }
        finally { Set-MissingMember }
    }
}

Describe 'an initialization script' {
    It 'shows its own place in errors and $MyInvocation' {
        $run = Invoke-File "# first`n7 | Invoke-RustParallel { 1 } -ThrottleLimit 1 -InitializationScript {`n    Write-Error 'x'`n    Write-Warning `$MyInvocation.PositionMessage`n}"
        $run.Errors.Count | Should -Be 1
        foreach ($shown in $run.Errors[0].InvocationInfo.PositionMessage, "$($run.Warnings[0])") {
            $shown | Should -Match 'written.ps1:2 char:'
            $shown | Should -Match 'Invoke-RustParallel \{ 1 \}'
        }
        $run.Errors[0].ScriptStackTrace | Should -BeLike "at <ScriptBlock>, ${file}: line 3*"
        $run.Errors[0].ScriptStackTrace | Should -Not -Match 'args'
    }

    It 'that fails tells where' {
        $run = Invoke-File "try { 7 | Invoke-RustParallel { 1 } -InitializationScript {`n    [int] 'x'`n} } catch { `$_.Exception.InnerException.ErrorRecord.InvocationInfo }"
        $run.Output[0].ScriptName | Should -Be $file
        $run.Output[0].ScriptLineNumber | Should -Be 2
    }
}
