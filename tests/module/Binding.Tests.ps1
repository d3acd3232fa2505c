# Blocks that need PowerShell's parameter binder get it: attributes, switches, begin, process and end.
# Others run without, and no difference shows.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # A case is named in one line: \n stands for its line ends.
    function Split-Line([string] $Text) { return $Text.Replace('\n', "`n") }
}

Describe 'binding' {
    It 'binds the item: <Block>' -ForEach @(
        @{ Block = '{ [CmdletBinding()] param($ComputerName) "$ComputerName $($PSBoundParameters.Count)" }'; Expected = 'a 1' }
        @{ Block = '{ param([Parameter(Mandatory)] $ComputerName) $ComputerName }'; Expected = 'a' }
        @{ Block = '{ param([Parameter(ValueFromPipeline)] $ComputerName) process { $ComputerName } }'; Expected = 'a' }
        @{ Block = '{ param([Parameter(ValueFromPipeline = $true)] $Server) process { $Server } }'; Expected = 'a' }
        @{ Block = '{ param([Parameter(Position = 1)] $Second, [Parameter(Position = 0)] $ComputerName) $ComputerName }'; Expected = 'a' }
        @{ Block = '{ param([Alias(''CN'')] $ComputerName) $ComputerName }'; Expected = 'a' }
        @{ Block = '{ param([ValidateSet(''a'', ''b'')] $ComputerName) $ComputerName }'; Expected = 'a' }
        @{ Block = '{ param($ComputerName, [switch] $Fast) "$ComputerName $($Fast.IsPresent)" }'; Expected = 'a False' }
        @{ Block = '{ begin { $x = 1 } process { "$_$x" } }'; Expected = 'a1' }
        @{ Block = '{ process { $_ } }'; Expected = 'a' }
        @{ Block = '{ begin { 1 } process { $_ } end { 2 } }'; Expected = '1', 'a', '2' }
        @{ Block = '{ end { $_; ''end'' } }'; Expected = 'a', 'end' }
        @{ Block = '{ param($ComputerName = ''default'') $ComputerName }'; Expected = 'a' }
        @{ Block = '{ [CmdletBinding()] param($x) process { "$x$_" } }'; Expected = 'aa' }
        @{ Block = '{ [CmdletBinding()] param($x) begin { $_ } process { $_ } end { $_ } }'; Expected = 'a', 'a', 'a' }
        @{ Block = '{ [CmdletBinding()] param($x) begin { try { throw 1 } catch { } $_ } }'; Expected = 'a' }
        @{ Block = '{ param([Parameter(Mandatory)] $x) process { $PSItem } }'; Expected = 'a' }
        @{ Block = '{ param([Parameter()] ${odd name}) "<${odd name}>" }'; Expected = '<a>' }
        @{ Block = '{ param([Parameter()] ${it''s}, $Rest) "<${it''s}>" }'; Expected = '<a>' }
        @{ Block = '{ param([Parameter(Mandatory)] ${a`}b}) "<${a`}b}>" }'; Expected = '<a>' }
        @{ Block = '{ param($ComputerName) # a comment\n $ComputerName # another }\n}'; Expected = 'a' }
    ) {
        Get-Line "'a' | Invoke-RustParallel $(Split-Line $Block)" | Should -BeExactly $Expected
    }

    It 'costs a job no pipeline where nothing needs one: <Block>' -ForEach @(
        @{ Block = '{ param([Parameter()] $x) $null = $x }' }
        @{ Block = '{ [CmdletBinding()] param([Parameter(Mandatory)] [string] $x) $null = "$x$_" }' }
        @{ Block = '{ process { $null = $_ } }' }
        @{ Block = '{ param($x) begin { $n = 1 } process { $n += $x } end { $null = $n } }' }
    ) {
        Use-PowerShell7
        # A pipeline takes 15,000 bytes, all else of a job 3,000; a first call has the engine compile the block.
        $bytes = Get-Line "`$block = $Block; `$null = 1..200 | Invoke-RustParallel `$block; `$before = [GC]::GetTotalAllocatedBytes(`$true); `$null = 1..3000 | Invoke-RustParallel `$block -ThrottleLimit 1; [int] (([GC]::GetTotalAllocatedBytes(`$true) - `$before) / 3000)"
        [int] $bytes | Should -BeLessThan 10000
    }

    It 'takes no parameter''s place for what comes along: <Block>' -ForEach @(
        @{ Block = '{ param($_) $_ }'; Expected = 'a' }
        @{ Block = '{ param($Data) $Data }'; Expected = 'a' }
        @{ Block = '{ param($x, $_ = ''b'') "$x$_" }'; Expected = 'ab' }
        @{ Block = '{ param() "$_$($args.Count)" }'; Expected = 'a0' }
        @{ Block = '{ "$_$($args.Count)$using:text" }'; Expected = 'a0b' }
        @{ Block = '{ param <# ( #> ($x) "$x$_$using:text" }'; Expected = 'aab' }
        @{ Block = '{ param(\n    [string] $x,\n    $y = 2)\n    "$x$_$y$using:text$($args.Count)" }'; Expected = 'aa2b0' }
        @{ Block = '{ param($x) "$x${using:odd name}$using:text" }'; Expected = 'acb' }
        @{ Block = '{ $PSBoundParameters.Count }'; Expected = '0' }
        @{ Block = '{ function Get-It { "$_$using:text" } Get-It }'; Expected = 'ab' }
    ) {
        Get-Line "`$text = 'b'; `${odd name} = 'c'; 'a' | Invoke-RustParallel $(Split-Line $Block) 3> `$null" | Should -BeExactly $Expected
    }

    It 'binds an item to a switch by its value' {
        Get-Line '$true, $false | Invoke-RustParallel { param([switch] $On, $Other) "$On$Other" } -MaximumThreadCount 1' | Should -BeExactly 'True', 'False'
    }

    It 'takes a text that begins with using namespace: <_>' -ForEach @(
        'using namespace System.Text; [StringBuilder].Name'
        'using namespace System.Text\n[StringBuilder].Name'
        'using namespace System.Text\nparam($x) [StringBuilder].Name'
        'using namespace System.Text\n[CmdletBinding()] param($x)\n[StringBuilder].Name'
        'using namespace System.Text\nprocess { [StringBuilder].Name }'
    ) {
        Get-Line '1 | Invoke-RustParallel ([scriptblock]::Create($text))' @{ text = Split-Line $_ } | Should -BeExactly 'StringBuilder'
    }

    It 'takes an initialization script whose text begins with using namespace' {
        $text = "using namespace System.Text`n`$global:name = [StringBuilder].Name"
        Get-Line '1 | Invoke-RustParallel { $global:name } -InitializationScript ([scriptblock]::Create($text))' @{ text = $text } |
            Should -BeExactly 'StringBuilder'
    }

    It 'lets a block''s own variable be called Data: <_>' -ForEach @(
        '{ $data = 4; $data }'
        '{ [int] $data = 4; $data }'
        '{ foreach ($data in 4) { $data } }'
        '{ $x = 4; & { param($Data) $Data } $x }'
    ) {
        Get-Line "1 | Invoke-RustParallel $_" | Should -BeExactly '4'
    }

    It 'converts the item to the parameter''s type: <_>' -ForEach @(
        '{ param([int] $Number) $Number.GetType().Name }'
        '{ [CmdletBinding()] param([int] $Number) $Number.GetType().Name }'
    ) {
        Get-Line "'17' | Invoke-RustParallel $_" | Should -BeExactly 'Int32'
    }

    It 'has an item that does not fit as that job''s error: <_>' -ForEach @(
        '{ param([int] $Number) $Number }'
        '{ param([ValidateRange(1, 3)] [int] $Number) $Number }'
    ) {
        $run = Invoke-Script "'x', '2' | Invoke-RustParallel $_"
        ConvertTo-Line $run.Output | Should -BeExactly '2'
        @($run.Errors).Count | Should -Be 1
    }

    It 'fills with its default what the argument list does not' {
        Get-Line '''a'' | Invoke-RustParallel { param($ComputerName, $Speed = ''fast'') "$ComputerName $Speed" }' | Should -BeExactly 'a fast'
    }

    It 'runs a block made of text as a literal one' {
        Get-Line '''a'' | Invoke-RustParallel ([scriptblock]::Create(''param($x) "<$x>" # end''))' | Should -BeExactly '<a>'
    }

    It 'runs the body of a function as a literal block' {
        Get-Line 'function Show($x) { "<$x>" }; ''a'' | Invoke-RustParallel ${function:Show}' | Should -BeExactly '<a>'
    }

    It 'keeps the item through catch blocks and nested pipelines: <_>' -ForEach @(
        '{ try { throw 1 } catch { } $_ }'
        '{ try { throw 1 } catch { $null = $_ } finally { } ; $_ }'
        '{ $null = 1, 2 | ForEach-Object { $_ }; $_ }'
        '{ function Nested { 5 | Where-Object { $_ } | Out-Null }; Nested; $_ }'
        '{ switch (7) { 7 { $null = $_ } } ; $_ }'
        '{ process { try { throw 1 } catch { } $_ } }'
    ) {
        Get-Line "'a' | Invoke-RustParallel $_" | Should -BeExactly 'a'
    }

    It 'shows the item to functions that the block calls' {
        Get-Line '''a'' | Invoke-RustParallel { function Show { $_ }; Show }' | Should -BeExactly 'a'
    }

    It 'gives each job a scope of its own' {
        Get-Line '1..3 | Invoke-RustParallel { $count += 1; $count } -ThrottleLimit 1' | Should -BeExactly '1', '1', '1'
    }

    It 'names the line in the caller''s script with an error: <_>' -ForEach @(
        '{ param($x)\n\n  Write-Error "here" }'
        '{ [CmdletBinding()] param($x)\n\n  Write-Error "here" }'
        '{ process {\n\n  1/0 } }'
        '{\n\n  throw "here" }'
    ) {
        $run = Invoke-Script "# line 1`n# line 2`n1 | Invoke-RustParallel $(Split-Line $_)"
        @($run.Errors).Count | Should -Be 1
        $run.Errors[0].ScriptStackTrace | Should -BeLikeExactly '*line 5*'
    }
}
