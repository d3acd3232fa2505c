# A closure carries variables of its maker's, which jobs cannot have: one that reads them is refused. Blocks that are bound to a module
# for another reason are none: those of event actions, of modules without a name, and what stands inside of a closure. They run
# from where they stand, and where a function of another session state or module hands them on.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'a block that is no closure runs' {
    It 'in the action of an engine event' {
        Get-Line @'
$job = Register-EngineEvent tick -Action { 1..2 | Invoke-RustParallel { "host$_" } | Sort-Object }
$null = New-Event tick
while ($job.State -eq 'NotStarted' -or -not $job.HasMoreData) { Start-Sleep -Milliseconds 10 }
Start-Sleep -Milliseconds 200
Receive-Job $job
'@ | Should -Be 'host1', 'host2'
    }

    It 'in the action of an object event' {
        Get-Line @'
$timer = [Timers.Timer]::new(10)
$timer.AutoReset = $false
$job = Register-ObjectEvent $timer Elapsed -Action { $x = 7; 1..2 | Invoke-RustParallel { "$using:x host$_" } | Sort-Object }
$timer.Start()
while ($job.State -eq 'NotStarted' -or -not $job.HasMoreData) { Start-Sleep -Milliseconds 10 }
Start-Sleep -Milliseconds 200
Receive-Job $job
'@ | Should -Be '7 host1', '7 host2'
    }

    It 'in <Place>' -ForEach @(
        @{ Place = 'a function of a module without a name'; Script = '$null = New-Module { function Invoke-Mine { 7 | Invoke-RustParallel { "item $_" } } } | Import-Module; Invoke-Mine' }
        @{ Place = 'a method of such a module as an object'; Script = '(New-Module { function Run { 7 | Invoke-RustParallel { "item $_" } } } -AsCustomObject).Run()' }
        @{ Place = 'a block inside of a closure'; Script = '$y = 1; & { 7 | Invoke-RustParallel { "item $_" } }.GetNewClosure()' }
        @{ Place = 'a function by its name, from its own module'; Script = '(New-Module { function Get-Own($ComputerName) { "item $ComputerName" }; function Run { 7 | Invoke-RustParallel -CommandName Get-Own }; Export-ModuleMember Run } -AsCustomObject).Run()' }
        @{ Place = 'a function by its name, of a module without a name'; Script = 'New-Module { function Get-Own($ComputerName) { "item $ComputerName" } } | Import-Module; 7 | Invoke-RustParallel -CommandName Get-Own' }
        @{ Place = 'a function that comes along, of a module without a name'; Script = 'New-Module { function Get-Own($x) { "item $x" } } | Import-Module; 7 | Invoke-RustParallel { Get-Own $_ } -Functions Get-Own' }
        @{ Place = 'a closure that reads nothing of what it carries'; Script = '$x = 1; 7 | Invoke-RustParallel { $x = "item"; foreach ($y in $_) { "$x $y" } }.GetNewClosure()' }
        @{ Place = 'a closure that reads by $using:'; Script = '$x = "item"; $y = @{ a = $x }; 7 | Invoke-RustParallel { "$using:x $_"; $null = $using:y["a"] }.GetNewClosure()' }
        @{ Place = 'a named module'; Script = '& (New-Module Named {}) { 7 | Invoke-RustParallel { "item $_" } }' }
    ) {
        Get-Line $Script | Should -Be 'item 7'
    }
}

Describe 'a block that a function of the session hands on' {
    BeforeAll {
        $helper = 'function Invoke-Handed([scriptblock] $Block) { 7 | {0} $Block }; $z = 1; '
        $ways = if ($PSVersionTable.PSVersion.Major -ge 7) { 'Invoke-RustParallel', 'ForEach-Object -Parallel' } else { 'Invoke-RustParallel' }
    }

    It 'runs as with ForEach-Object -Parallel: <Place>' -ForEach @(
        @{ Place = 'of an engine event'; Script = '$action = { $z = 2; Invoke-Handed { "<$_ $z $($Event.SourceIdentifier)>" } }; $job = Register-EngineEvent handed -Action $action; $null = New-Event handed; while ($job.State -eq "NotStarted" -or -not $job.HasMoreData) { Start-Sleep -Milliseconds 10 }; Receive-Job $job' }
        @{ Place = 'of an object event'; Script = '$timer = [Timers.Timer]::new(10); $timer.AutoReset = $false; $job = Register-ObjectEvent $timer Elapsed -Action { Invoke-Handed { "<$_ $z $Sender>" } }; $timer.Start(); while ($job.State -eq "NotStarted" -or -not $job.HasMoreData) { Start-Sleep -Milliseconds 10 }; Receive-Job $job' }
        @{ Place = 'of a module without a name'; Script = '$null = New-Module { $z = 3; function Invoke-Mine { Invoke-Handed { "<$_ $z>" } } } | Import-Module; Invoke-Mine' }
        @{ Place = 'of such a module as an object'; Script = '(New-Module { $z = 3; function Run { Invoke-Handed { "<$_ $z>" } } } -AsCustomObject).Run()' }
        @{ Place = 'bound to such a module'; Script = 'Invoke-Handed (New-Module { $z = 3 }).NewBoundScriptBlock({ "<$_ $z>" })' }
        @{ Place = 'of a named module'; Script = '$null = New-Module Named { $z = 3; function Invoke-Mine { Invoke-Handed { "<$_ $z>" } } } | Import-Module; Invoke-Mine' }
        @{ Place = 'inside of a closure'; Script = '& { Invoke-Handed { "<$_>" } }.GetNewClosure()' }
        @{ Place = 'inside of a closure, with a variable of its own'; Script = '& { Invoke-Handed { $z = 5; "<$_ $z>" } }.GetNewClosure()' }
    ) {
        foreach ($way in $ways) {
            $run = Invoke-Script ($helper.Replace('{0}', $way) + $Script)
            $run.Failure | Should -BeNullOrEmpty
            ConvertTo-Line $run.Errors | Should -BeNullOrEmpty
            $lines = ConvertTo-Line $run.Output
            $lines | Should -Match '^<7.*>$'
            if ($way -eq 'Invoke-RustParallel') { $ours = $lines } else { $ours | Should -Be $lines }
        }
    }

    It 'as a function that comes along: <Place>' -ForEach @(
        @{ Place = 'of an event'; Script = '$job = Register-EngineEvent handed -Action { function global:Get-Own { "item 7" } }; $null = New-Event handed; while ($job.State -eq "NotStarted") { Start-Sleep -Milliseconds 10 }; 7 | Invoke-RustParallel { Get-Own } -Functions Get-Own' }
        @{ Place = 'of a closure'; Script = '& { function global:Get-Own { "item 7" } }.GetNewClosure(); 7 | Invoke-RustParallel -CommandName Get-Own -ParameterName x' }
    ) {
        Get-Line $Script | Should -Be 'item 7'
    }
}

Describe 'a closure that reads what it carries is refused' {
    It 'as <What>' -ForEach @(
        @{ What = 'the block'; Script = '$x = 1; 7 | Invoke-RustParallel { $x }.GetNewClosure()' }
        @{ What = 'the initialization script'; Script = '$x = 1; 7 | Invoke-RustParallel { 1 } -InitializationScript { $x }.GetNewClosure()' }
        @{ What = 'a function that comes along'; Script = '$x = 1; ${function:Get-It} = { $x }.GetNewClosure(); 7 | Invoke-RustParallel { Get-It } -Functions Get-It' }
        @{ What = 'the command'; Script = '$x = 1; ${function:Get-It} = { $x }.GetNewClosure(); 7 | Invoke-RustParallel -CommandName Get-It' }
        @{ What = 'a block made by another closure'; Script = '$x = 1; $maker = { param($x) { $x }.GetNewClosure() }.GetNewClosure(); 7 | Invoke-RustParallel (& $maker 2)' }
        @{ What = 'a block that changes what it carries'; Script = '& { $n = 1; $b = { $script:n += 1; $n }.GetNewClosure(); 7 | Invoke-RustParallel $b }' }
        @{ What = 'a block that a function hands on'; Script = 'function Invoke-Handed($Block) { 7 | Invoke-RustParallel $Block }; $x = 1; Invoke-Handed { $x }.GetNewClosure()' }
    ) {
        $failure = Get-Failure $Script
        Get-ErrorId $failure | Should -Be 'ClosureNotAllowed'
        "$failure" | Should -Match 'here \$[xn],'
    }
}
