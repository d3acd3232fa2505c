# Errors of jobs: what ends a job and what does not, what the record tells, and what ends the call.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'errors of jobs' {
    It 'an error of a statement does not end its job: <Statement>' -ForEach @(
        @{ Statement = '1/0' }
        @{ Statement = 'Get-Unknown-Command' }
        @{ Statement = "[int]::Parse('x')" }
        @{ Statement = '$null.Method()' }
        @{ Statement = "Write-Error 'e'" }
        @{ Statement = 'Get-Item /absent/file' }
    ) {
        $run = Invoke-Script "1 | Invoke-RustParallel { 'before'; $Statement; 'after' }"
        $run.Failure | Should -BeNullOrEmpty
        ConvertTo-Line $run.Output | Should -BeExactly 'before', 'after'
        $run.Errors.Count | Should -Be 1
    }

    It 'a throw ends that job with one error: <Block>' -ForEach @(
        @{ Block = "{ 'before'; throw 'no'; 'after' }" }
        @{ Block = "{ process { 'before'; throw 'no'; 'after' } }" }
        @{ Block = "{ 'before'; & { throw 'no' }; 'after' }" }
        @{ Block = "{ 'before'; Write-Error 'no' -ErrorAction Stop; 'after' }" }
        @{ Block = "{ `$ErrorActionPreference = 'Stop'; 'before'; Write-Error 'no'; 'after' }" }
        @{ Block = "{ 'before'; throw [InvalidOperationException] 'no'; 'after' }" }
    ) {
        $run = Invoke-Script "1..3 | Invoke-RustParallel $Block; 'went on'"
        $run.Failure | Should -BeNullOrEmpty
        ConvertTo-Line $run.Output | Should -BeExactly 'before', 'before', 'before', 'went on'
        ConvertTo-Line $run.Errors | Should -BeExactly 'no', 'no', 'no'
    }

    It 'one whose arguments do not bind has Failed: <Call>' -ForEach @(
        @{ Call = "'x' | Invoke-RustParallel { param([int] `$n) `$n } -AsObject" }
        @{ Call = "'x' | Invoke-RustParallel { [CmdletBinding()] param([int] `$n) `$n } -AsObject" }
        @{ Call = "'x' | Invoke-RustParallel { param([Parameter(ValueFromPipeline)] [int] `$n) process { `$n } } -AsObject" }
        @{ Call = "'x' | Invoke-RustParallel { param([ValidateRange(1, 5)] [int] `$n, `$Other) process { `$n } } -AsObject" }
        @{ Call = "'x' | Invoke-RustParallel { [CmdletBinding()] param([Parameter(Mandatory)] [int] `$n, [switch] `$Other) `$n } -AsObject" }
        @{ Call = "'x' | Invoke-RustParallel -CommandName Get-N -ParameterName n -AsObject" }
        @{ Call = "'x' | Invoke-RustParallel -CommandName Start-Sleep -ParameterName Seconds -AsObject" }
        @{ Call = "Invoke-RustParallel x { [CmdletBinding()] param([int] `$n) `$n } -AsObject" }
    ) {
        $setup = 'function Get-N([int] $n) { $n }'
        $rows = @((Invoke-CleanScript "$setup; $Call").Output)
        $rows.Count | Should -Be 1
        "$($rows[0].Status) $(@($rows[0].Errors).Count) $($rows[0].Output)" | Should -BeExactly 'Failed 1 '
        $run = Invoke-Script "$setup; `$job = $($Call -replace '-AsObject', '-AsJob'); `$null = Wait-Job `$job; `$job.State; Remove-Job `$job"
        ConvertTo-Line $run.Output | Should -BeExactly 'Failed'
    }

    It 'arguments that do not bind in the midst of it do not end it: <Block>' -ForEach @(
        @{ Block = "{ [CmdletBinding()] param(`$n) Start-Sleep -Seconds x; 5 }" }
        @{ Block = "{ process { & { param([int] `$n) } x; 5 } }" }
        @{ Block = "([scriptblock]::Create('[CmdletBinding()] param(`$n) Invoke-Expression ''Start-Sleep -Seconds x''; 5'))" }
        @{ Block = "{ param([Parameter(ValueFromPipeline)] `$n) process { & { [CmdletBinding()] param([int] `$n) } x; 5 } }" }
    ) {
        $row = (Invoke-CleanScript "1 | Invoke-RustParallel $Block -AsObject").Output[0]
        "$($row.Status) $(@($row.Errors).Count) $($row.Output)" | Should -BeExactly 'Completed 1 5'
    }

    It 'exit, break and return end that job only: <Statement>' -ForEach @(
        @{ Statement = 'exit'; Written = @() }
        @{ Statement = 'exit 3'; Written = @() }
        @{ Statement = 'break'; Written = @() }
        @{ Statement = 'continue'; Written = @() }
        @{ Statement = 'break label'; Written = @() }
        @{ Statement = 'return'; Written = @() }
        @{ Statement = "return 'value'"; Written = @('value') }
        @{ Statement = '& { exit }'; Written = @() }
        @{ Statement = 'function Leave { exit }; Leave'; Written = @() }
        @{ Statement = "try { exit } finally { 'cleaned' }"; Written = @('cleaned') }
    ) {
        $lines = Get-Line "1..3 | Invoke-RustParallel { 'before'; if (`$_ -eq 2) { $Statement }; if (`$_ -ne 2) { 'after' } } -ThrottleLimit 1; 'went on'"
        $lines | Should -BeExactly (@('before', 'after', 'before') + $Written + @('before', 'after', 'went on'))
    }

    It '<_> ends a bound job only' -ForEach 'exit', 'break', 'return' {
        Get-SortedLine "1..3 | Invoke-RustParallel { process { `$_; $_; 'after' } }" | Should -BeExactly '1', '2', '3'
    }

    It 'a job that exits is completed' {
        (Get-Table "Invoke-RustParallel a { 'before'; exit }")['a'].ToString() | Should -BeExactly 'before'
    }

    It 'a thrown error record keeps its id, category and target' {
        $run = Invoke-Script "1 | Invoke-RustParallel { throw [Management.Automation.ErrorRecord]::new([IO.IOException] 'io', 'OwnId', 'DeviceError', 'own target') }"
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'OwnId'
        $run.Errors[0].CategoryInfo.Category | Should -Be 'DeviceError'
        $run.Errors[0].TargetObject | Should -BeExactly 'own target'
        $run.Errors[0].Exception.Message | Should -BeLikeExactly '*io*'
    }

    It 'a written error keeps its id, category and target' {
        $run = Invoke-Script "1 | Invoke-RustParallel { Write-Error 'm' -ErrorId OwnId -Category DeviceError -TargetObject 'own target' }"
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'OwnId'
        $run.Errors[0].CategoryInfo.Category | Should -Be 'DeviceError'
        $run.Errors[0].TargetObject | Should -BeExactly 'own target'
    }

    It 'an error of a host names it as remoting does: <_>' -ForEach "Write-Error 'e'", "throw 'e'" {
        $run = Invoke-Script "Invoke-RustParallel server1 { $_ }"
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].GetType() | Should -Be ([Management.Automation.Runspaces.RemotingErrorRecord])
        $run.Errors[0].OriginInfo.PSComputerName | Should -BeExactly 'server1'
    }

    It 'an error of an item has it as a property: <_>' -ForEach "Write-Error 'e'", "throw 'e'", '1/0' {
        $item = New-Object object
        $run = Invoke-Script ", `$item | Invoke-RustParallel { $_ } -ErrorVariable kept; `$kept | ForEach-Object { , `$_.InputObject }" @{ item = $item }
        $run.Output.Count | Should -Be 1
        [object]::ReferenceEquals($item, $run.Output[0].PSObject.BaseObject) | Should -BeTrue
    }

    It 'errors in jobs are Continue, whatever the caller has' {
        Get-Line '$ErrorActionPreference = "SilentlyContinue"; 1 | Invoke-RustParallel { $ErrorActionPreference }' | Should -BeExactly 'Continue'
    }

    It 'the preference of the caller comes by name' {
        $run = Invoke-Script "`$ErrorActionPreference = 'Stop'; 1 | Invoke-RustParallel { `$ErrorActionPreference; Write-Error 'e'; 'after' } -Variables ErrorActionPreference -ErrorAction Continue"
        ConvertTo-Line $run.Output | Should -BeExactly 'Stop'
        $run.Errors.Count | Should -Be 1
    }

    It 'Stop of the caller ends the call at the first error: <Before><Argument>' -ForEach @(
        @{ Before = ''; Argument = '-ErrorAction Stop' }
        @{ Before = "`$ErrorActionPreference = 'Stop'; "; Argument = '' }
    ) {
        $run = Invoke-Script "${Before}1..8 | Invoke-RustParallel { if (`$_ -eq 3) { Write-Error 'stop here' } else { Start-Sleep 30 } } -ThrottleLimit 8 $Argument"
        $run.Failure.Message | Should -BeLikeExactly '*stop here*'
        # The others of these jobs would take 30 seconds.
        $run.Duration.TotalSeconds | Should -BeLessThan 5
    }

    It 'a Stop can be caught and leaves no runspace behind' {
        $before = Get-Runspace
        Get-Line 'try { 1..4 | Invoke-RustParallel { Write-Error e; Start-Sleep 30 } -ErrorAction Stop } catch { "caught $_" }' | Should -BeExactly 'caught e'
        Get-LeftRunspace $before | Should -BeNullOrEmpty
    }

    It 'the stack trace names the line of the caller: <_>' -ForEach "Write-Error 'e'", '1/0', "throw 'e'" {
        $run = Invoke-Script "'line 1'`n'line 2'`nInvoke-RustParallel a {`n    'line 4'`n    $_`n}"
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].ScriptStackTrace | Should -BeLikeExactly '*line 5*'
    }

    It 'the error list and exit code of a job are gone for the next' {
        Get-Line '1, 2 | Invoke-RustParallel -ThrottleLimit 1 { "$($Error.Count) <$LASTEXITCODE>"; Write-Error e; $global:LASTEXITCODE = 7 } -ErrorAction SilentlyContinue' |
            Should -BeExactly '0 <>', '0 <>'
    }

    It 'an error is in the list of the caller once' {
        ConvertTo-Line (Invoke-Script '$Error.Clear(); 1 | Invoke-RustParallel { Write-Error e }; $Error.Count').Output | Should -BeExactly '1'
    }

    It 'try and catch work in a job' {
        Get-Line '1 | Invoke-RustParallel { try { 1/0 } catch [DivideByZeroException] { "caught $($_.FullyQualifiedErrorId)" } }' | Should -BeExactly 'caught RuntimeException'
    }

    It 'a trap works in a job' {
        Get-Line "1 | Invoke-RustParallel { trap { 'trapped'; continue } 1/0; 'after' }" | Should -BeExactly 'trapped', 'after'
    }
}
