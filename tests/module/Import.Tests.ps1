# What jobs get from the caller by name: -Variables, -Functions, -ModuleNames; and -InitializationScript.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    function Write-ModuleFile([string] $Name, [string] $Text) {
        $file = Join-Path $TestDrive "$Name.psm1"
        [IO.File]::WriteAllText($file, $Text)
        return $file
    }
}

Describe 'import' {
    It 'brings nothing of the caller''s unasked' {
        Get-Line '
            $mine = 1; function Get-Mine { 2 }
            1 | Invoke-RustParallel { $null -eq $mine; $null -eq (Get-Command Get-Mine -ErrorAction Ignore) }' | Should -BeExactly 'True', 'True'
    }

    Context 'variables' {
        It 'come by name and pattern: <_>' -ForEach @(
            '-Variables one, two'
            '-Variable one, two'
            '-Variables o*, tw?'
            '-Variables *'
            '-Variables ONE, TWO'
        ) {
            Get-Line "`$one = 1; `$two = 2; 1 | Invoke-RustParallel { `"`$one `$two`" } $_" | Should -BeExactly '1 2'
        }

        It 'come only where the pattern matches' {
            Get-Line '$one = 1; $two = 2; 1 | Invoke-RustParallel { "$one $two" } -Variables o*' | Should -BeExactly '1 '
        }

        It 'do not replace what a session has itself, asked for all' {
            Get-Line '$PSDefaultParameterValues[''x:y''] = 1; 7 | Invoke-RustParallel { $_; $PSDefaultParameterValues.Count; $WarningPreference; $Error.Count } -Variables *' |
                Should -BeExactly '7', '0', 'Continue', '0'
        }

        It 'leave script blocks behind, asked for all' {
            Get-Line '$block = { 1 }; $one = 1; 1 | Invoke-RustParallel { "$($null -eq $block) $one" } -Variables *' | Should -BeExactly 'True 1'
        }

        It 'come from the calling function' {
            Get-Line 'function Start-It { $x = ''local''; 1 | Invoke-RustParallel { $x } -Variables x }; Start-It' | Should -BeExactly 'local'
        }

        It 'do not change the caller''s where a job changes them' {
            Get-Line '$x = 1; 1 | Invoke-RustParallel { $x = 2; $x } -Variables x; $x' | Should -BeExactly '2', '1'
        }

        It 'are named one by one with escaped wildcards' {
            Get-Line '${v[x]} = 7; $vx = 8; 1 | Invoke-RustParallel { "${v[x]} $vx" } -Variables ''v`[x`]''' | Should -BeExactly '7 '
        }

        It 'leave alone a constant that every session has: <_>' -ForEach 'true', 'null', 'Error' {
            Get-Line "1 | Invoke-RustParallel { `"`$true `$(`$Error.Count)`" } -Variables $_ 6>&1" | Should -BeExactly 'True 0'
        }

        It 'come where they are the caller''s own constants' {
            Get-Line 'Set-Variable own 5 -Option Constant; 1 | Invoke-RustParallel { $own } -Variables own' | Should -BeExactly '5'
        }

        It 'are each worker''s own where they are default parameters' {
            Get-Line '
                $PSDefaultParameterValues[''Join-Path:ChildPath''] = ''first''
                1 | Invoke-RustParallel { $PSDefaultParameterValues[''Join-Path:ChildPath'']; $PSDefaultParameterValues[''Join-Path:ChildPath''] = ''left'' } -Variables PSDefaultParameterValues
                $PSDefaultParameterValues[''Join-Path:ChildPath'']' | Should -BeExactly 'first', 'first'
        }
    }

    Context 'functions' {
        It 'come by name and pattern: <_>' -ForEach @(
            '-Functions Get-One, Get-Two'
            '-Function Get-One, Get-Two'
            '-Functions Get-O*, Get-T??'
            '-Functions *'
        ) {
            Get-Line "function Get-One { 1 }; function Get-Two(`$x = 2) { `$x }; 1 | Invoke-RustParallel { `"`$(Get-One) `$(Get-Two)`" } $_" |
                Should -BeExactly '1 2'
        }

        It 'stay filters' {
            Get-Line 'filter Get-Double { $_ * 2 }; 1 | Invoke-RustParallel { 1, 2 | Get-Double } -Functions Get-Double' | Should -BeExactly '2', '4'
        }

        It 'are whole with attributes and blocks' {
            Get-Line '
                function Get-Sum { [CmdletBinding()] param([Parameter(ValueFromPipeline)] [int] $Number) begin { $sum = 0 } process { $sum += $Number } end { $sum } }
                1 | Invoke-RustParallel { 1..4 | Get-Sum } -Functions Get-Sum' | Should -BeExactly '10'
        }

        It 'are named one by one with escaped wildcards' {
            Get-Line 'function Fo[1] { ''one'' }; 1 | Invoke-RustParallel { Fo[1] } -Functions ''Fo`[1`]''' | Should -BeExactly 'one'
        }
    }

    It 'refuses a name that is not there: <Arguments>' -ForEach @(
        @{ Arguments = '-Variables absent'; Id = 'VariableNotFound' }
        @{ Arguments = '-Functions Get-Absent'; Id = 'FunctionNotFound' }
    ) {
        $failure = Get-Failure "1 | Invoke-RustParallel { 1 } $Arguments"
        Get-ErrorId $failure | Should -BeExactly $Id
        "$failure" | Should -BeLikeExactly '*bsent*'
    }

    It 'takes a pattern that matches nothing: <_>' -ForEach '-Variables absent*', '-Functions Get-Absent*', '-ModuleNames Absent*' {
        Get-Line "1 | Invoke-RustParallel { 1 } $_" | Should -BeExactly '1'
    }

    Context 'modules' {
        It 'come by name, path and pattern: <_>' -ForEach @(
            '-ModuleNames Imported'
            '-ModuleName Imported'
            '-ModuleNames Imp*'
            '-ModuleNames $file'
        ) {
            $file = Write-ModuleFile 'Imported' '$state = ''of the module''; function Get-Imported { $state }'
            Get-Line "Import-Module `$file; 1 | Invoke-RustParallel { Get-Imported } $_" @{ file = $file } | Should -BeExactly 'of the module'
        }

        It 'come by a path relative to the caller''s place' {
            $file = Write-ModuleFile 'Relative' 'function Get-Relative { 1 }'
            Get-Line 'Set-Location (Split-Path $file); 1 | Invoke-RustParallel { Get-Relative } -ModuleNames ./Relative.psm1' @{ file = $file } |
                Should -BeExactly '1'
        }

        It 'fail the call where they cannot be imported: <_>' -ForEach 'AbsentModule', '/absent/Module.psm1' {
            $failure = Get-Failure "1..3 | Invoke-RustParallel { 1 } -ModuleNames $_"
            Get-ErrorId $failure | Should -BeExactly 'ModuleNotImported'
            "$failure" | Should -BeLikeExactly "*$($_.Replace('/', [string] [IO.Path]::DirectorySeparatorChar))*"
        }

        It 'fail the call where their script fails' {
            $failure = Get-Failure '1 | Invoke-RustParallel { 1 } -ModuleNames $file' @{ file = Write-ModuleFile 'Broken' 'throw ''broken inside''' }
            Get-ErrorId $failure | Should -BeExactly 'ModuleNotImported'
            "$failure" | Should -BeLikeExactly '*broken inside*'
        }

        It 'fail the call where they ask' {
            $file = Write-ModuleFile 'Asking' '$null = $Host.UI.ReadLine(); function Get-Asked { 1 }'
            $failure = Get-Failure '1..3 | Invoke-RustParallel { ''ran'' } -ModuleNames $file' @{ file = $file }
            Get-ErrorId $failure | Should -BeExactly 'ModuleNotImported'
            "$failure" | Should -BeLikeExactly '*cannot ask*'
        }

        It 'are whole in each of many workers that load them at a time' {
            $files = foreach ($number in 1..4) {
                Write-ModuleFile "Together$number" ((1..30 | ForEach-Object { "function Get-T${number}x$_ { $number }" }) -join "`n")
            }
            $barrier = New-Object Threading.Barrier 16
            $lines = Get-Line '
                1..16 | Invoke-RustParallel -ThrottleLimit 16 -ModuleNames $files {
                    $null = ($using:barrier).SignalAndWait(20000)
                    (Get-Command Get-T?x* -CommandType Function).Count
                }' @{ files = $files; barrier = $barrier }
            $lines -join ' ' | Should -BeExactly ((@('120') * 16) -join ' ')
        }
    }

    Context 'initialization script' {
        It 'runs once in each runspace' {
            $entered = New-Object 'Collections.Concurrent.ConcurrentBag[int]'
            $barrier = New-Object Threading.Barrier 3
            $lines = Get-Line '
                1..30 | Invoke-RustParallel -ThrottleLimit 3 -InitializationScript { ($using:entered).Add(1); $global:ready = ''ready'' } {
                    if ($_ -le 3) { $null = ($using:barrier).SignalAndWait(20000) }
                    $ready
                }' @{ entered = $entered; barrier = $barrier }
            $lines -join ' ' | Should -BeExactly ((@('ready') * 30) -join ' ')
            $entered.Count | Should -Be 3
        }

        It 'sees modules and variables' {
            $file = Write-ModuleFile 'Before' 'function Get-Before { ''module'' }'
            Get-Line '$x = ''variable''; 1 | Invoke-RustParallel { $made } -InitializationScript { $made = "$(Get-Before) $x" } -ModuleNames $file -Variables x' @{ file = $file } |
                Should -BeExactly 'module variable'
        }

        It 'leaves what it defines to the jobs' {
            Get-Line '1 | Invoke-RustParallel { "$(Get-Made) $kept" } -InitializationScript { function Get-Made { ''made'' }; $kept = ''variable'' }' |
                Should -BeExactly 'made variable'
        }

        It 'leaves a class to the jobs' {
            Get-Line '1 | Invoke-RustParallel { Get-Made } -InitializationScript { class Made { }; function Get-Made { [Made]::new().GetType().Name } }' |
                Should -BeExactly 'Made'
        }

        It 'writes no result' {
            $table = Get-Table 'Invoke-RustParallel a { ''job'' } -InitializationScript { ''preparation'' }'
            "$($table['a'])" | Should -BeExactly 'job'
        }

        It 'fails the call where it fails: <_>' -ForEach @(
            'throw ''broken inside'''
            'Write-Error ''broken inside'' -ErrorAction Stop'
            'Get-BrokenInside'
            '[Enum]::Parse([DayOfWeek], ''broken inside'')'
            'function Connect-It { [Enum]::Parse([DayOfWeek], ''broken inside'') }; Connect-It'
        ) {
            $run = Invoke-Script "try { 1..3 | Invoke-RustParallel { 'ran' } -InitializationScript { $_ } } catch { throw }"
            $run.Failure | Should -BeOfType ([Management.Automation.RuntimeException])
            $failure = $run.Failure.ErrorRecord
            Get-ErrorId $failure | Should -BeExactly 'InitializationScriptFailed'
            "$failure" | Should -BeLikeExactly '*-InitializationScript*'
            "$failure" | Should -Match 'broken ?inside'
            @($run.Output).Count | Should -Be 0
            @($run.Errors).Count | Should -Be 0
        }

        It 'fails the call where it asks' {
            $run = Invoke-Script 'try { 1..3 | Invoke-RustParallel { ''ran'' } -InitializationScript { $null = $Host.UI.ReadLine(); $made = 1 } } catch { throw }'
            $run.Failure | Should -BeOfType ([Management.Automation.RuntimeException])
            $failure = $run.Failure.ErrorRecord
            Get-ErrorId $failure | Should -BeExactly 'InitializationScriptFailed'
            "$failure" | Should -BeLikeExactly '*cannot ask*'
            @($run.Output).Count | Should -Be 0
            @($run.Errors).Count | Should -Be 0
        }

        It 'goes on where it writes an error: <_>' -ForEach @(
            'Write-Error ''no connection'''
            'try { [int]::Parse(''x'') } catch { Write-Error ''no connection'' }'
        ) {
            $run = Invoke-Script "1 | Invoke-RustParallel { `$made } -ThrottleLimit 1 -InitializationScript { $_; `$made = 'made' }"
            ConvertTo-Line $run.Output | Should -BeExactly 'made'
            ConvertTo-Line $run.Errors | Should -BeExactly 'no connection'
        }

        It 'may return early' {
            Get-Line '1 | Invoke-RustParallel { "$made $late" } -InitializationScript { $made = 1; return; $late = 2 }' | Should -BeExactly '1 '
        }
    }
}
