# -CommandName: a named command over a set, without a block.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    function Write-File([string] $Name, [string] $Text) {
        $file = Join-Path $TestDrive $Name
        [IO.File]::WriteAllText($file, $Text)
        return $file
    }
}

Describe 'command form' {
    It 'runs a cmdlet with the item bound by name' {
        Get-SortedLine '''/x/a'', ''/x/b'' | Invoke-RustParallel -CommandName Split-Path -ParameterName Path -Parameters @{ Leaf = $true }' |
            Should -BeExactly 'a', 'b'
    }

    It 'gives every job the same parameters' {
        $table = Get-Table '
            function Get-Greeting { param($ComputerName, $Word, [switch] $Loud) "$Word $ComputerName $Loud" }
            Invoke-RustParallel a, b -CommandName Get-Greeting -Parameters @{ Word = ''hello''; Loud = $true }'
        "$($table['a'])" | Should -BeExactly 'hello a True'
        "$($table['b'])" | Should -BeExactly 'hello b True'
    }

    It 'brings a function of the session along' {
        Get-Line 'function Show-It { param($ComputerName) "<$ComputerName>" }; 1 | Invoke-RustParallel -CommandName Show-It' | Should -BeExactly '<1>'
    }

    It 'brings a filter of the session along' {
        Get-Line 'filter Test-It($ComputerName) { ''filtered'' }; 1 | Invoke-RustParallel -CommandName Test-It' | Should -BeExactly 'filtered'
    }

    It 'resolves an alias of the session' {
        Get-Line 'Set-Alias leafer Split-Path; ''/a/b'' | Invoke-RustParallel -CommandName leafer -ParameterName Path -Parameters @{ Leaf = $true }' |
            Should -BeExactly 'b'
    }

    It 'takes a script file as a command' {
        $file = Write-File 'it''s.ps1' 'param($ComputerName) "file $ComputerName"'
        Get-Line '1 | Invoke-RustParallel -CommandName $file' @{ file = $file } | Should -BeExactly 'file 1'
    }

    It 'runs a module''s function in its module' {
        $file = Write-File 'Own.psm1' '$secret = ''inner''; function Get-Inner { param($ComputerName) "$secret $ComputerName" }'
        Get-Line 'Import-Module $file; 1 | Invoke-RustParallel -CommandName Get-Inner -ModuleNames Own' @{ file = $file } | Should -BeExactly 'inner 1'
    }

    It 'brings a function''s module along: <Prepare>; <Command>' -ForEach @(
        @{ Prepare = 'Import-Module $file'; Command = 'Get-Inner' }
        @{ Prepare = 'Import-Module $file'; Command = 'Own\Get-Inner' }
        @{ Prepare = 'Import-Module $file; function Get-Inner { ''another'' }'; Command = 'Own\Get-Inner' }
        @{ Prepare = 'Import-Module $file -Prefix My'; Command = 'Get-MyInner' }
        @{ Prepare = 'Import-Module $file; Set-Alias inner Get-Inner'; Command = 'inner' }
    ) {
        $file = Write-File 'Own.psm1' '$secret = ''inner''; function Get-Inner { param($ComputerName) "$secret $ComputerName" }'
        Get-Line "$Prepare; 1 | Invoke-RustParallel -CommandName $Command" @{ file = $file } | Should -BeExactly 'inner 1'
    }

    It 'brings a nested module''s function along with the outer module' {
        $null = Write-File 'Inner.psm1' 'function Get-Inner { param($ComputerName) "$(Get-Outer) $ComputerName" }'
        $null = Write-File 'Outer.psm1' 'function Get-Outer { ''outer'' }'
        $file = Write-File 'Outer.psd1' '@{ ModuleVersion = ''1.0''; RootModule = ''Outer.psm1''; NestedModules = ''Inner.psm1''; FunctionsToExport = ''*'' }'
        Get-Line 'Import-Module $file; 1 | Invoke-RustParallel -CommandName Get-Inner' @{ file = $file } | Should -BeExactly 'outer 1'
    }

    It 'refuses a function that its module does not export' {
        $file = Write-File 'Own.psm1' '
            function Get-Inner { param($ComputerName) }
            function Start-It { 1 | Invoke-RustParallel -CommandName Get-Inner }
            Export-ModuleMember Start-It'
        $failure = Get-Failure 'Import-Module $file; Start-It' @{ file = $file }
        Get-ErrorId $failure | Should -BeExactly 'CommandNotAvailableInJobs'
        "$failure" | Should -BeLikeExactly '*''Own'' does not export it*'
    }

    It 'refuses a function of a module without a file' {
        $failure = Get-Failure '
            $null = New-Module Made { function Get-Inner { param($ComputerName) } } | Import-Module -PassThru
            1 | Invoke-RustParallel -CommandName Get-Inner'
        Get-ErrorId $failure | Should -BeExactly 'CommandNotAvailableInJobs'
        "$failure" | Should -BeLikeExactly '*-Functions*'
    }

    It 'runs a copy of such a function' {
        Get-Line '
            $null = New-Module Made { function Get-Inner { param($ComputerName) "<$ComputerName>" } } | Import-Module -PassThru
            1 | Invoke-RustParallel -CommandName Get-Inner -Functions Get-Inner' | Should -BeExactly '<1>'
    }

    It 'runs the cmdlet that was named' {
        Get-Line '
            function Split-Path { ''function'' }
            ''/a/b'' | Invoke-RustParallel -CommandName Microsoft.PowerShell.Management\Split-Path -ParameterName Path -Parameters @{ Leaf = $true } -Functions Split-Path' |
            Should -BeExactly 'b'
    }

    It 'runs the command itself' {
        Get-Line '
            $inner = @{ CommandName = ''Split-Path''; ParameterName = ''Path''; Parameters = @{ Leaf = $true } }
            ''/a/b'' | Invoke-RustParallel -CommandName Invoke-RustParallel -ParameterName InputObject -Parameters $inner' | Should -BeExactly 'b'
    }

    It 'finds a program by its path' {
        Use-Linux
        # The name is an alias of PowerShell's own, too.
        $file = Write-File 'echo' "#!/bin/sh`necho `"program `$2`"`n"
        chmod 500 $file
        Get-Line '
            Set-Location (Split-Path $file)
            ''a'' | Invoke-RustParallel -CommandName ./echo -ParameterName n
            ''b'' | Invoke-RustParallel -CommandName $file -ParameterName n' @{ file = $file } | Should -BeExactly 'program a', 'program b'
    }

    It 'refuses a command that does not exist before anything runs' {
        $failure = Get-Failure '1..3 | Invoke-RustParallel -CommandName Get-Nothing'
        Get-ErrorId $failure | Should -BeExactly 'CommandNotFound'
        "$failure" | Should -BeLikeExactly '*Get-Nothing*'
    }

    It 'refuses a parameter that is bound twice' {
        Get-ErrorId (Get-Failure 'Invoke-RustParallel a -CommandName Get-Date -Parameters @{ computername = ''b'' }') | Should -BeExactly 'ParameterBoundTwice'
    }

    It 'refuses a parameter that the command does not have before anything runs: <_>' -ForEach @(
        '1..3 | Invoke-RustParallel -CommandName Split-Path -ParameterName Nowhere'
        '1..3 | Invoke-RustParallel -CommandName Split-Path -ParameterName Path -Parameters @{ Leaf = $true; Nowhere = 1 }'
        'Invoke-RustParallel a, b -CommandName Test-It -Parameters @{ Nowhere = 1 }'
        'Invoke-RustParallel a, b -CommandName $file -ParameterName Nowhere'
    ) {
        $file = Write-File 'Test.ps1' '[CmdletBinding()] param($ComputerName)'
        $failure = Get-Failure "function Test-It { [CmdletBinding()] param(`$ComputerName) }; $_" @{ file = $file }
        Get-ErrorId $failure | Should -BeExactly 'ParameterNotFound'
        "$failure" | Should -BeLikeExactly '*''Nowhere''*'
    }

    It 'refuses a parameter that a command of all providers has at none of them: <_>' -ForEach @(
        '-CommandName Get-Item -ParameterName Nowhere'
        '-CommandName Get-Content -ParameterName Path -Parameters @{ Nowhere = 1 }'
        '-CommandName Test-Path -ParameterName Path -Parameters @{ PathTyp = ''Any''; Nowhere = 1 }'
    ) {
        Get-ErrorId (Get-Failure "1 | Invoke-RustParallel $_") | Should -BeExactly 'ParameterNotFound'
    }

    It 'takes a parameter that a command has at one provider only, whatever the caller''s location' {
        $file = Write-File 'lines.txt' "one`ntwo"
        # -Raw and -Encoding are the file system's.
        Get-Line 'Set-Location Variable:; $file | Invoke-RustParallel -CommandName Get-Content -ParameterName LiteralPath -Parameters @{ Raw = $true; Encoding = ''ascii'' } | ForEach-Object { $_.Trim().Length }' @{ file = $file } |
            Should -BeExactly '7'
    }

    It 'leaves to the jobs what only a function''s own dynamic parameters can tell' {
        Get-Line 'function Get-Dynamic { [CmdletBinding()] param($ComputerName) dynamicparam {
                $attributes = New-Object Collections.ObjectModel.Collection[Attribute]; $attributes.Add((New-Object Management.Automation.ParameterAttribute))
                $found = New-Object Management.Automation.RuntimeDefinedParameterDictionary
                $found.Add("Extra", (New-Object Management.Automation.RuntimeDefinedParameter "Extra", ([string]), $attributes)); $found } end { $PSBoundParameters["Extra"] } }
            1 | Invoke-RustParallel -CommandName Get-Dynamic -Parameters @{ Extra = "more" }' | Should -BeExactly 'more'
    }

    It 'refuses a command without the default parameter, with the way to name another' {
        $failure = Get-Failure 'Invoke-RustParallel a -CommandName Split-Path'
        Get-ErrorId $failure | Should -BeExactly 'ParameterNotFound'
        "$failure" | Should -BeLikeExactly '*-ParameterName*'
    }

    It 'finds a parameter by alias and beginning: <_>' -ForEach 'Host', 'Computer', 'Hos' {
        Get-Line "
            function Get-Greeting { [CmdletBinding()] param([Alias('Host')] `$ComputerName, [Alias('Text')] `$Greeting) `"`$ComputerName `$Greeting`" }
            1 | Invoke-RustParallel -CommandName Get-Greeting -ParameterName $_ -Parameters @{ Tex = 'hello' }" | Should -BeExactly '1 hello'
    }

    It 'runs a command that may take more than it declares: <Kind>' -ForEach @(
        @{ Kind = 'without param'; Function = 'function Get-Any { "$args" }'; Expected = '-Nowhere 1' }
        @{
            Kind     = 'remaining arguments'
            Function = 'function Get-Any { param([Parameter(ValueFromRemainingArguments)] $Rest) "$Rest" }'
            Expected = '-Nowhere 1'
        }
        @{
            Kind     = 'dynamic parameters'
            Function = 'function Get-Any {
                [CmdletBinding()] param()
                dynamicparam {
                    $all = [Management.Automation.RuntimeDefinedParameterDictionary]::new()
                    $all[''Nowhere''] = [Management.Automation.RuntimeDefinedParameter]::new(''Nowhere'', [object], [Attribute[]] [Parameter]::new())
                    $all
                }
                end { "$($PSBoundParameters[''Nowhere''])" }
            }'
            Expected = '1'
        }
    ) {
        Get-Line "$Function; 1 | Invoke-RustParallel -CommandName Get-Any -ParameterName Nowhere" | Should -BeExactly $Expected
    }

    It 'takes no name with a quote as code' {
        Get-ErrorId (Get-Failure '1 | Invoke-RustParallel -CommandName "x''; ''injected''; ''"') | Should -BeExactly 'CommandNotFound'
    }

    It 'takes no parameter''s name as code' {
        $failure = Get-Failure '1 | Invoke-RustParallel -CommandName Split-Path -ParameterName ''Path x; "injected"; #'''
        Get-ErrorId $failure | Should -BeExactly 'ParameterArgumentValidationError'
    }
}
