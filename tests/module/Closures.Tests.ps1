# A closure carries variables of its maker's, which jobs cannot have: it is refused. Blocks that are bound to a module for another
# reason are none: those of event actions, of modules without a name, and what stands inside of a closure.

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
        @{ Place = 'a named module'; Script = '& (New-Module Named {}) { 7 | Invoke-RustParallel { "item $_" } }' }
    ) {
        Get-Line $Script | Should -Be 'item 7'
    }
}

Describe 'a closure is refused' {
    It 'as <What>' -ForEach @(
        @{ What = 'the block'; Script = '$x = 1; 7 | Invoke-RustParallel { $x }.GetNewClosure()' }
        @{ What = 'the initialization script'; Script = '$x = 1; 7 | Invoke-RustParallel { 1 } -InitializationScript { $x }.GetNewClosure()' }
        @{ What = 'a function that comes along'; Script = '$x = 1; ${function:Get-It} = { $x }.GetNewClosure(); 7 | Invoke-RustParallel { Get-It } -Functions Get-It' }
        @{ What = 'the command'; Script = '$x = 1; ${function:Get-It} = { $x }.GetNewClosure(); 7 | Invoke-RustParallel -CommandName Get-It' }
        @{ What = 'a block made by another closure'; Script = '$x = 1; $maker = { { $x }.GetNewClosure() }.GetNewClosure(); 7 | Invoke-RustParallel (& $maker)' }
    ) {
        Get-ErrorId (Get-Failure $Script) | Should -Be 'ClosureNotAllowed'
    }
}
