# A block runs as its author wrote it: what it sees of itself, what it does and leaves undone, and what its errors show. Both ways
# that the module has of running blocks give the same.

BeforeDiscovery {
    $ways = @(@{ Way = 'the class of Invoke-Command'; Script = $false }, @{ Way = 'a script'; Script = $true })
}

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    $loop = [RustRunspaces.InvokeRustParallelCommand].Assembly.GetType('RustRunspaces.Scripts.Workers.LoopCommands')
    function Get-LoopProperty([string] $Name) { $loop.GetProperty($Name, [Reflection.BindingFlags] 'Static,NonPublic') }
    # A file with the text, and what a script that runs it writes.
    function Invoke-File([string] $Text, $Variables = @{}) {
        $file = Join-Path $TestDrive 'blocks.ps1'
        Set-Content -LiteralPath $file -Value $Text
        Invoke-Script '. $file' (@{ file = $file } + $Variables)
    }
}

Describe 'a job by way of <Way>' -ForEach $ways {
    BeforeAll { (Get-LoopProperty UsesScript).SetValue($null, $Script) }
    AfterAll { (Get-LoopProperty UsesScript).SetValue($null, $false) }

    It 'writes what it wrote before it threw, and that is its error' {
        $run = Invoke-Script '1, 2 | Invoke-RustParallel { "before $_"; if ($_ -eq 1) { throw "thrown" }; "after $_" } -ThrottleLimit 1'
        ConvertTo-Line $run.Output | Should -Be 'before 1', 'before 2', 'after 2'
        ConvertTo-Line $run.Errors | Should -Be 'thrown'
    }

    It 'goes on after a statement that failed: <Statement>' -ForEach @(
        @{ Statement = "[int] 'x'" }
        @{ Statement = '1/0' }
        @{ Statement = 'Get-Item /absent/file' }
        @{ Statement = 'Get-UnknownCommand' }
        @{ Statement = "Write-Error 'x'" }
    ) {
        $run = Invoke-Script "1 | Invoke-RustParallel { $Statement; 'went on' }"
        ConvertTo-Line $run.Output | Should -Be 'went on'
        $run.Errors.Count | Should -Be 1
    }

    It 'is the only one that ends by <Statement>' -ForEach @(
        @{ Statement = 'return' }
        @{ Statement = 'exit 3' }
        @{ Statement = 'break outer' }
        @{ Statement = 'continue' }
        @{ Statement = 'throw 1' }
    ) {
        $run = Invoke-Script "1, 2 | Invoke-RustParallel { `$_; if (`$_ -eq 1) { $Statement }; 'end' } -ThrottleLimit 1"
        ConvertTo-Line $run.Output | Should -Be '1', '2', 'end'
    }

    It 'has a scope of its own' {
        Get-Line '1..3 | Invoke-RustParallel { $count += 1; $count } -ThrottleLimit 1' | Should -Be '1', '1', '1'
    }

    It 'has no arguments and no input but what it is given' {
        Get-Line '7 | Invoke-RustParallel { "$_ $($args.Count) $(@($input).Count)" }' | Should -Be '7 0 0'
        Get-Line '7 | Invoke-RustParallel { param($x) "$x $($args.Count) $(@($input).Count)" } -ArgumentList 8, 9' | Should -Be '7 2 0'
    }

    It 'finds its item as the first argument where it has no other name for it' {
        Get-Line '7 | Invoke-RustParallel { "$($args[0]) $($args.Count)" } -ArgumentList 8' | Should -Be '7 2'
        Get-Line '7 | Invoke-RustParallel { "$_ $($args[0])" }' | Should -Be '7 7'
        Get-Line '7 | Invoke-RustParallel { begin { return } process { "$_ $($args[0])" } }' | Should -Be '7 7'
        Get-Line '7 | Invoke-RustParallel { "$_ $args" } -ArgumentList 8' | Should -Be '7 8'
        Get-Line '7 | Invoke-RustParallel { "$_ $($args[0])" } -ArgumentList 8' | Should -Be '7 8'
    }

    It 'finds it there where $_ means something else: <Block>' -ForEach @(
        @{ Block = '{ 1 | ForEach-Object { $x = $_ }; $args[0] }' }
        @{ Block = '{ 1 | % -Process { $x = $_ }; $args[0] }' }
        @{ Block = '{ $args[0] | ForEach-Object { & { $_ } } }' }
        @{ Block = '{ $null = 1 | Where-Object { $_ }; $args[0] }' }
        @{ Block = '{ $null = 2, 1 | Sort-Object { $_ } | Select-Object @{ n = "n"; e = { $_ } }; $args[0] }' }
        @{ Block = '{ $null = (1, 2).ForEach({ $_ }).Where({ $_ }); $args[0] }' }
        @{ Block = '{ try { throw 1 } catch { $null = "$_" }; $args[0] }' }
        @{ Block = '{ trap { $null = "$_"; continue }; switch ($args[0]) { { $_ } { $_ } default { $_ } } }' }
    ) {
        Get-Line "7 | Invoke-RustParallel $Block -ArgumentList 8" | Should -Be '7'
    }

    It 'finds it as $_ where that is the block''s own: <Block>' -ForEach @(
        @{ Block = '{ $x = $args; 1 | ForEach-Object -Begin { "$_ $x" } -Process { } }' }
        @{ Block = '{ $x = $args; 1 | ForEach-Object { "$_ $x" } { } }' }
        @{ Block = '{ & { "$_ $args" } @args }' }
        @{ Block = '{ switch ($_) { 7 { "$_ $args" } } }' }
        @{ Block = '{ try { "$_ $args" } catch { } }' }
        @{ Block = '{ 1 | ForEach-Object { } ; try { throw 1 } catch { $null = $_ }; "$_ $args" }' }
        @{ Block = '{ function Show { "$_ $args" } Show @args }' }
        @{ Block = '{ $_ | ForEach-Object { $null = $_ }; "$PSItem $args" }' }
    ) {
        Get-Line "7 | Invoke-RustParallel $Block -ArgumentList 8" | Should -Be '7 8'
    }

    It 'keeps begin, process and end apart: <Block>' -ForEach @(
        @{ Block = '{ begin { $x = 1; return } process { "p$x"; return; "not" } end { "e$x" } }'; Expected = 'p1', 'e1' }
        @{ Block = '{ begin { $_ = 1; "b$_" } process { "p$_" } }'; Expected = 'b1', 'p7' }
        @{ Block = '{ begin { trap { "t"; continue } throw 1 } process { "p" } }'; Expected = 't', 'p' }
        @{ Block = '{ process { "p$($input.Count)" } end { "e$(@($input).Count)" } }'; Expected = 'p1', 'e0' }
        @{ Block = '{ param($x, $y = 2) begin { $z = 3 } process { "$x$y$z$_$($args.Count)" } }'; Expected = '72370' }
        @{ Block = '{ begin { try { throw 1 } catch { } } process { "p$_" } end { switch (1) { 1 { } } "e$_" } }'; Expected = 'p7', 'e7' }
        @{ Block = '{ begin { function Get-It { return 5 } } process { & { return 4 }; Get-It } }'; Expected = '4', '5' }
        @{ Block = '{ begin { "b" } process { throw "x" } end { "not" } }'; Expected = 'b' }
        @{ Block = '{ process { [int] "x"; "p" } end { "e" } }'; Expected = 'p', 'e' }
        @{ Block = '{ process { } }'; Expected = $null }
    ) {
        ConvertTo-Line (Invoke-Script "7 | Invoke-RustParallel $Block").Output | Should -Be $Expected
    }

    It 'has a trap' {
        Get-Line '1 | Invoke-RustParallel { trap { "trapped $_"; continue } throw 1; "after" }' | Should -Be 'trapped 1', 'after'
    }

    It 'converts and checks its parameters: <Block>' -ForEach @(
        @{ Block = '{ param([int] $n) $n + 1 }'; Item = "'7'"; Expected = '8' }
        @{ Block = "{ param([ValidateSet('7')] `$n, `$d = 'default') `"`$n `$d`" }"; Item = "'7'"; Expected = '7 default' }
        @{ Block = '{ [CmdletBinding()] param([int] $n) $n + 1 }'; Item = "'7'"; Expected = '8' }
        @{ Block = '{ param([switch] $on) $on.IsPresent }'; Item = '$true'; Expected = 'True' }
        @{ Block = '{ begin { "b$_" } process { "p$_" } end { "e$_" } }'; Item = '7'; Expected = 'b7', 'p7', 'e7' }
        @{ Block = '{ [CmdletBinding()] param($x) begin { try { throw 1 } catch { } "$_" } process { "$x$_" } }'; Item = '7'; Expected = '7', '77' }
    ) {
        Get-Line "$Item | Invoke-RustParallel $Block" | Should -Be $Expected
    }

    It 'does not begin with a value that does not fit: <Block>' -ForEach @(
        @{ Block = '{ param([int] $n, $d = $n + 1) "ran $n $d" }' }
        @{ Block = '{ param([ValidateSet("a", "b")] $n) "ran $n" }' }
        @{ Block = '{ [CmdletBinding()] param([int] $n) "ran $n" }' }
    ) {
        $run = Invoke-Script "'no' | Invoke-RustParallel $Block"
        $run.Output.Count | Should -Be 0
        $run.Errors.Count | Should -Be 1
    }

    It 'takes its arguments as a call by & does: <Block> <Arguments>' -ForEach @(
        @{ Block = '{ [CmdletBinding()] param([Parameter(Mandatory)] $x) "<$x>" }' }
        @{ Block = '{ [CmdletBinding()] param([Parameter(Mandatory)] [string] $x, $y = 2) "<$x$y>" }' }
        @{ Block = '{ param([Parameter(Mandatory)] [Alias("n")] [int[]] $x) "<$x>" }' }
        @{ Block = '{ [CmdletBinding()] param([string] $x) "<$x>" }' }
        @{ Block = '{ param([ValidateSet("7")] $x, [int] $d = "3") "<$($x)$d>" }' }
        @{ Block = '{ [CmdletBinding()] param($x) "<$x>" }'; Arguments = '8' }
        @{ Block = '{ [CmdletBinding()] param($x, [Parameter(Mandatory)] $y) "<$x$y>" }'; Arguments = '8' }
        @{ Block = '{ [CmdletBinding()] param($x, $y) "<$x$y>" }'; Arguments = '8' }
        @{ Block = '{ [CmdletBinding()] param($x, [AllowNull()] $y) "<$x$y>" }'; Arguments = '8' }
        @{ Block = '{ [CmdletBinding(PositionalBinding = $false)] param([Parameter(Position = 0)] $x, $y) "<$x$y>" }' }
        @{ Block = '{ [CmdletBinding()] param($x) "$($null -eq $PSCmdlet) $($MyInvocation.BoundParameters.Count)" }' }
        @{ Block = '{ [CmdletBinding()] param($x) function Get-Caller { $null -eq $PSCmdlet } Get-Caller }' }
        @{ Block = '{ [CmdletBinding()] param($x) "$args" }' }
        @{ Block = '{ param([Parameter(Mandatory)] [string] $x, [int] $y = "2") "<$x$y>" }' }
        @{ Block = '{ param([Parameter()] $x) [int] "x"; Write-Error "e$x" }' }
        @{ Block = '{ [CmdletBinding()] param([Parameter(Mandatory)] $x) begin { $b = "b" } process { "<$b$x>" } end { "e$x" } }' }
        @{ Block = '{ [CmdletBinding()] param([string] $x, $y = 3) process { "<$x$y>"; Write-Error "e$x"; [int] "x" } end { "e" } }' }
        @{ Block = '{ param([Alias("n")] [Parameter(Mandatory)] [int] $x) process { throw "t$x" } end { "not" } }' }
        @{ Block = '{ [CmdletBinding()] param($x) begin { "$($null -eq $PSCmdlet)" } process { "$x" } }' }
        @{ Block = '{ [CmdletBinding()] param($x) process { "$x$(@($input).Count)" } }' }
    ) {
        $given = if ($Arguments) { "-ArgumentList $Arguments" }
        $run = Invoke-Script @"
`$block = $Block
foreach (`$item in 7, 'a', '', `$null, @(), @(1, 2), @('', `$null)) {
    `$seen = foreach (`$way in { & `$block `$item $Arguments }, { , `$item | Invoke-RustParallel `$block $given }) {
        `$output = & `$way 2>&1
        (@(`$output) | ForEach-Object { if (`$_ -is [Management.Automation.ErrorRecord]) { `$_.FullyQualifiedErrorId.Split(',')[0] } else { "`$_" } }) -join '|'
    }
    if (`$seen[0] -ne `$seen[1]) { "`$(`$seen[0]) <> `$(`$seen[1])" }
}
"@
        ConvertTo-Line $run.Output | Should -BeNullOrEmpty
    }

    It 'takes the properties of its item: <Block>' -ForEach @(
        @{ Block = '{ param([Parameter(ValueFromPipelineByPropertyName)] $Name, [Parameter(ValueFromPipelineByPropertyName)] $Port) "$Name $Port" }' }
        @{ Block = '{ param([Parameter(ValueFromPipelineByPropertyName)] $Name, $Port = 22) process { "$Name $Port" } }' }
        @{ Block = '{ param([Parameter(ValueFromPipelineByPropertyName)] [Alias("Name")] $Host1, [Parameter(ValueFromPipelineByPropertyName)] $Port) process { "$Host1 $Port" } }' }
        @{ Block = '{ param($Item, [Parameter(ValueFromPipelineByPropertyName)] $Port) process { "$($Item.Name) $Port" } }' }
    ) {
        Get-Line "[pscustomobject] @{ Name = 'a'; Port = 22 } | Invoke-RustParallel $Block" | Should -Be 'a 22'
    }

    It 'gets an item that has no such property by name' {
        Get-Line "'a' | Invoke-RustParallel { param([Parameter(ValueFromPipelineByPropertyName)] `$Name) `$Name }" | Should -Be 'a'
        (Get-Table 'Invoke-RustParallel a { param([Parameter(ValueFromPipelineByPropertyName)] $ComputerName) $ComputerName }')['a'] | Should -Be 'a'
    }

    It 'keeps its item over a catch: <Block>' -ForEach @(
        @{ Block = '{ try { throw 1 } catch { } "$_" }' }
        @{ Block = '{ function Show { try { throw 1 } catch { } "$_" } $null = Show; try { throw 1 } catch { } "$_" }' }
        @{ Block = '{ param($x) try { throw 1 } catch { } "$_" }' }
        @{ Block = '{ [CmdletBinding()] param($x) try { throw 1 } catch { } "$_" }' }
        @{ Block = '{ process { try { throw 1 } catch { } "$_" } }' }
    ) {
        Get-Line "7 | Invoke-RustParallel $Block" | Should -Be '7'
    }

    It 'keeps its item in a block that cleans up' {
        Use-PowerShell7
        Get-Line '7 | Invoke-RustParallel { begin { try { throw 1 } catch { } "b$_" } process { "p$_" } end { "e$_" } clean { $null = 1 } }' | Should -Be 'b7', 'p7', 'e7'
    }

    It 'gives a program its parameters as one text each' {
        Use-Linux
        Get-Line "'zz' | Invoke-RustParallel -CommandName /bin/echo -ParameterName n -Parameters @{ abc = 1 }" | Should -Be 'zz -abc:1'
    }

    It 'sees its parameters alone in $PSBoundParameters' {
        Get-Line '7 | Invoke-RustParallel { param($x) "$_ $($PSBoundParameters.Keys)" }' | Should -Be '7 x'
    }

    It 'sees no variable of the module: <Form>' -ForEach @(
        @{ Form = 'plain'; Block = '{ Get-Variable | ForEach-Object Name }' }
        @{ Form = 'advanced'; Block = '{ [CmdletBinding()] param($x) Get-Variable | ForEach-Object Name }' }
    ) {
        $there = Get-Line "1 | Invoke-RustParallel $Block"
        $usual = (Get-Line '& { [CmdletBinding()] param($x) Get-Variable | ForEach-Object Name } 1') + '_', 'LASTEXITCODE'
        # The way by a script has one variable, whose name says whose it is.
        if ($Script) { $usual += 'RustParallelArguments' }
        $there | Where-Object { $_ -notin $usual } | Should -BeNullOrEmpty
    }

    It 'is stopped at once in a loop without end' {
        # The best of several: a busy machine adds what it likes.
        $best = 1..5 | ForEach-Object {
            $ended = [long[]]::new(1)
            $run = Start-Script "'ready' | Invoke-RustParallel { `$_; try { while (`$true) { } } finally { (`$using:ended)[0] = [Diagnostics.Stopwatch]::GetTimestamp() } }" @{ ended = $ended }
            Wait-Output $run 1
            $asked = [Diagnostics.Stopwatch]::GetTimestamp()
            (Stop-Script $run).TotalMilliseconds | Should -BeLessThan 3000
            $null = Wait-Script $run
            ($ended[0] - $asked) * 1000 / [Diagnostics.Stopwatch]::Frequency
        } | Sort-Object | Select-Object -First 1
        $best | Should -BeGreaterThan 0
        $best | Should -BeLessThan 50
    }

    It 'keeps file, folder and namespaces of its text' {
        $run = Invoke-File @'
using namespace System.Text
1 | Invoke-RustParallel { "$PSScriptRoot|$PSCommandPath|$([StringBuilder]::new('sb'))" }
1 | Invoke-RustParallel { [CmdletBinding()] param($x) "$PSScriptRoot|$PSCommandPath|$([StringBuilder]::new("sb"))|$_".Replace('|1', '') }
1 | Invoke-RustParallel { "$PSScriptRoot|$PSCommandPath|$([StringBuilder]::new("sb"))|$_".Replace('|1', '') }
'@
        $expected = "$TestDrive|$(Join-Path $TestDrive 'blocks.ps1')|sb"
        ConvertTo-Line $run.Output | Should -Be $expected, $expected, $expected
    }

    It 'knows its own text' {
        Get-Line '1 | Invoke-RustParallel { $inner = { "$using:none" }; "$inner|$($inner.Ast.Extent.Text)" }' |
            Should -Be ' "$using:none" |{ "$using:none" }'
    }
}

Describe 'an error of a job' {
    It 'shows the line of the file that it stands in: <Statement>' -ForEach @(
        @{ Statement = "[int] 'x'"; Shown = "    [int] 'x'"; Line = 3 }
        @{ Statement = 'Get-Item /absent/file'; Shown = '    Get-Item /absent/file'; Line = 3 }
        @{ Statement = "throw 'x'"; Shown = "    throw 'x'"; Line = 3 }
        # As everywhere, Write-Error shows the call of what it stands in.
        @{ Statement = "Write-Error 'x'"; Shown = '1 | Invoke-RustParallel {'; Line = 2 }
    ) {
        $run = Invoke-File "# first`n1 | Invoke-RustParallel {`n    $Statement`n}"
        $run.Errors.Count | Should -Be 1
        $position = $run.Errors[0].InvocationInfo
        $position.ScriptName | Should -Be (Join-Path $TestDrive 'blocks.ps1')
        $position.ScriptLineNumber | Should -Be $Line
        $position.Line.TrimEnd() | Should -Be $Shown
        $run.Errors[0].ScriptStackTrace | Should -Match 'blocks.ps1: line 3'
    }

    It 'shows the caller''s code and none of the module''s: <Block>' -ForEach @(
        @{ Block = "{ Write-Error 'x' }" }
        @{ Block = "{ [int] 'x' }" }
        @{ Block = "{ [CmdletBinding()] param(`$x) Write-Error 'x' }" }
        @{ Block = "{ [CmdletBinding()] param([datetime] `$x) 1 }" }
        @{ Block = "{ function Get-It { [CmdletBinding()] param() Write-Error 'x' } Get-It }" }
        @{ Block = "{ process { Write-Error 'x' } }" }
    ) {
        $script = "'zz' | Invoke-RustParallel $Block"
        $run = Invoke-Script $script
        $run.Errors.Count | Should -Be 1
        $shown = $run.Errors[0].InvocationInfo
        $shown.Line.Trim() | Should -Be $script
        $shown.PositionMessage | Should -Not -Match 'args|Drain|using.'
    }

    It 'shows the call of a command by name' {
        $run = Invoke-Script "'zz' | Invoke-RustParallel -CommandName Get-Item -ParameterName Path"
        $run.Errors[0].InvocationInfo.Line.Trim() | Should -BeLike "'zz' | Invoke-RustParallel -CommandName Get-Item*"
    }

    It 'is where $MyInvocation is' {
        $run = Invoke-File "# first`n1 | Invoke-RustParallel {`n    `$MyInvocation.PositionMessage`n}"
        $run.Output[0] | Should -Match 'blocks.ps1:2 char:25'
    }
}

Describe 'the choice between the ways' {
    AfterEach {
        (Get-LoopProperty UsesScript).SetValue($null, $false)
        (Get-LoopProperty NeedsTrial).SetValue($null, $false)
    }

    It 'is tried once on an engine that nobody has tried, without a trace' {
        (Get-LoopProperty NeedsTrial).SetValue($null, $true)
        $run = Invoke-Script '1 | Invoke-RustParallel { "$_ $($Error.Count)" } -ErrorVariable errors; $errors.Count'
        ConvertTo-Line $run.Output | Should -Be '1 0', '0'
        (Get-LoopProperty NeedsTrial).GetValue($null) | Should -BeFalse
        (Get-LoopProperty UsesScript).GetValue($null) | Should -BeFalse
    }
}

Describe 'a call by its full name in a job' {
    It 'is this module''s, whatever the short name means' {
        Get-Line 'function Invoke-RustParallel { "own" }; 1 | RustRunspaces\Invoke-RustParallel { Invoke-RustParallel; $_ | RustRunspaces\Invoke-RustParallel { "module $_" } } -Functions Invoke-RustParallel' |
            Should -Be 'own', 'module 1'
    }
}

Describe 'a class in a block' {
    It 'belongs to the job that defines it' {
        $run = Invoke-File @'
using namespace System.Text
1..4 | Invoke-RustParallel -ThrottleLimit 2 {
    class Runner { [guid] Where() { return [runspace]::DefaultRunspace.InstanceId } [string] Text() { return [StringBuilder]::new('sb') } }
    try { throw 1 } catch { }
    "$([Runner]::new().Where() -eq [runspace]::DefaultRunspace.InstanceId) $([Runner]::new().Text()) $($_ -gt 0) $PSScriptRoot"
    if ($_ -eq 1) { throw 'line 6' }
}
'@
        ConvertTo-Line $run.Output | Select-Object -Unique | Should -Be "True sb True $TestDrive"
        $run.Output.Count | Should -Be 4
        $run.Errors[0].InvocationInfo.ScriptLineNumber | Should -Be 6
        $run.Errors[0].InvocationInfo.ScriptName | Should -Be (Join-Path $TestDrive 'blocks.ps1')
    }

    It 'leaves the caller''s code as it is in what is shown: <Statement>' -ForEach @(
        @{ Statement = "[int] 'x'" }
        @{ Statement = "Write-Error 'x'" }
    ) {
        $line = "1 | Invoke-RustParallel { class Shown {}; $Statement }"
        $run = Invoke-File "# first`n$line"
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].InvocationInfo.Line.Trim() | Should -Be $line
        $run.Errors[0].InvocationInfo.ScriptLineNumber | Should -Be 2
    }

    It 'leaves the caller''s code as it is in what the job sees of its call' {
        $run = Invoke-File "# first`n1 | Invoke-RustParallel { enum Shown { One }; `$MyInvocation.PositionMessage }"
        $run.Output[0] | Should -BeLike '*blocks.ps1:2 char:25*ke-RustParallel { enum Shown { One }; $MyInvocation.PositionMessage }*'
    }

    It 'knows the item after a catch, its own classes and those around it: <Block>' -ForEach @(
        @{ Block = '{ class In { [In] $Next; [int] $v = 1 }; class Under : In { }; try { throw 1 } catch { }; "$_ $([Under]::new().v) $([Around]::new().v)" }' }
        @{ Block = '{ begin { class In { [int] $v = 1 } } process { try { throw 1 } catch { }; "$_ $([In]::new().v) $([Around]::new().v)" } }' }
        @{ Block = '{ param($x) class In { [int] $v = 1 }; try { throw 1 } catch { }; "$x $([In]::new().v) $([Around]::new().v)" }' }
        @{ Block = '{ [CmdletBinding()] param($x) class In { [int] $v = 1 }; try { throw 1 } catch { }; "$x $([In]::new().v) $([Around]::new().v)" }' }
    ) {
        $run = Invoke-File "class Around { [int] `$v = 2 }`n7, 7 | Invoke-RustParallel $Block -ThrottleLimit 1"
        ConvertTo-Line $run.Errors | Should -BeNullOrEmpty
        ConvertTo-Line $run.Output | Should -Be '7 1 2', '7 1 2'
    }

    It 'is defined where no tree can be taken apart, too' {
        try {
            Set-MissingMember Parent
            Get-Line '7 | Invoke-RustParallel { class In { [int] $v = 1 }; "$_ $([In]::new().v)" }' | Should -Be '7 1'
            $run = Invoke-File "using namespace System.Text`n# second`n7 | Invoke-RustParallel { class In { [StringBuilder] `$v = 'sb' }; `"`$([In]::new().v)`"`n[int] 'x' }"
            ConvertTo-Line $run.Output | Should -Be 'sb'
            $run.Errors[0].InvocationInfo.ScriptLineNumber | Should -Be 4
            $run.Errors[0].InvocationInfo.ScriptName | Should -Be (Join-Path $TestDrive 'blocks.ps1')
        }
        finally { Set-MissingMember }
    }

    It 'has its line and column in a tree that other code made of no whole text' {
        $run = Invoke-Script '
            $line = "    { class In { [int] `$v = 1 }; [In]::new().v; [int] ""x"" }"
            $at = 5, ($line.Length + 1) | ForEach-Object { New-Object Management.Automation.Language.ScriptPosition "made.ps1", 7, $_, $line }
            $extent = New-Object Management.Automation.Language.ScriptExtent $at
            $parsed = [Management.Automation.Language.Parser]::ParseInput($extent.Text.Trim("{}"), [ref] $null, [ref] $null)
            $statements = [Management.Automation.Language.StatementAst[]] $parsed.EndBlock.Statements.ForEach({ $_.Copy() })
            $body = New-Object Management.Automation.Language.StatementBlockAst $extent, $statements, $null
            $tree = New-Object Management.Automation.Language.ScriptBlockAst $extent, $null, $body, $false
            $null = New-Object Management.Automation.Language.ScriptBlockExpressionAst $extent, $tree
            7 | Invoke-RustParallel $tree.GetScriptBlock()'
        ConvertTo-Line $run.Output | Should -Be '1'
        $position = $run.Errors[0].InvocationInfo
        "$($position.ScriptName):$($position.ScriptLineNumber):$($position.OffsetInLine)" | Should -Be 'made.ps1:7:49'
    }
}
