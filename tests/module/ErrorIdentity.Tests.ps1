# What identifies a job's own error at the caller: its id, its position, its host or item. Whatever the
# caller does with errors.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    $Show = '"$($e.FullyQualifiedErrorId) $($e.CategoryInfo.Activity) $($e.InvocationInfo.ScriptLineNumber)"'

    # An advanced function's error has the function's name in its id, as a cmdlet's has its class. Line 4 is the call of it.
    $Block = @'
{
    function Get-Own { [CmdletBinding()] param() $PSCmdlet.WriteError([Management.Automation.ErrorRecord]::new([FormatException] 'm', 'OwnId', 'InvalidData', 7)) }
    'written'
    Get-Own
}
'@
}

Describe 'identity of errors' {
    It 'the id is the one it has in the job: <_>' -ForEach @(
        'Get-Item /absent/file'
        '1/0'
        'Get-Unknown-Command'
        "[int]::Parse('x')"
        "Write-Error 'm' -ErrorId OwnId"
    ) {
        foreach ($call in '1 | Invoke-RustParallel', 'Invoke-RustParallel a') {
            $lines = @(Get-Line "`$r = $call { $_; `$Error[0].FullyQualifiedErrorId } -ErrorVariable kept -ErrorAction SilentlyContinue; if (`$r -is [Collections.IDictionary]) { `$r['a'] } else { `$r }; `$kept[0].FullyQualifiedErrorId")
            $lines.Count | Should -Be 2 -Because $call
            $lines[0] | Should -Not -BeNullOrEmpty -Because $call
            $lines[1] | Should -BeExactly $lines[0] -Because $call
        }
    }

    It 'the id of what was thrown is its own: <Statement>' -ForEach @(
        @{ Statement = "throw 'm'"; Id = 'm' }
        @{ Statement = "throw [Management.Automation.ErrorRecord]::new([Exception] 'm', 'OwnId', 'DeviceError', 1)"; Id = 'OwnId' }
    ) {
        $run = Invoke-Script "1 | Invoke-RustParallel { $Statement }; `$null = Invoke-RustParallel a { $Statement }"
        $run.Failure | Should -BeNullOrEmpty
        $run.Errors | ForEach-Object { $_.FullyQualifiedErrorId } | Should -BeExactly $Id, $Id
    }

    It 'id and position are those of the job: <_>' -ForEach @(
        '$e = INVOKE -ErrorAction Continue 2>&1 | Where-Object { $_ -is [Management.Automation.ErrorRecord] }'
        '$null = INVOKE -ErrorAction SilentlyContinue -ErrorVariable kept; $e = $kept[0]'
        '$null = INVOKE -ErrorAction SilentlyContinue; $e = $Error[0]'
        'try { $null = INVOKE -ErrorAction Stop } catch { $e = $_ }'
        '$ErrorActionPreference = ''Stop''; try { $null = INVOKE } catch { $e = $Error[0] }'
    ) {
        foreach ($call in "1 | Invoke-RustParallel $Block", "Invoke-RustParallel a $Block") {
            Get-Line ($_.Replace('INVOKE', $call) + "; $Show") | Should -BeExactly 'OwnId,Get-Own Get-Own 4' -Because $call
        }
    }

    It 'with Ignore there is no trace of an error: <_>' -ForEach '1 | Invoke-RustParallel', 'Invoke-RustParallel a' {
        Get-Line "`$Error.Clear(); `$null = $_ { Write-Error 'e'; throw 'f' } -ErrorAction Ignore -ErrorVariable kept; `"`$(`$Error.Count) `$(`$kept.Count)`"" |
            Should -BeExactly '0 0'
    }

    It 'the errors of the engine itself have the id and position of the call' {
        $run = Invoke-Script "`n1 | Invoke-RustParallel { `$Host.UI.ReadLine() }"
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].FullyQualifiedErrorId | Should -BeExactly 'JobCannotAsk,RustRunspaces.InvokeRustParallelCommand'
        $run.Errors[0].InvocationInfo.ScriptLineNumber | Should -Be 2
    }

    It 'a catch block learns the host from the exception: <_>' -ForEach "Write-Error 'e'", "throw 'e'", '1/0' {
        Get-Line "try { Invoke-RustParallel server1 { $_ } -ErrorAction Stop } catch { `$_.Exception.PSComputerName }" | Should -BeExactly 'server1'
    }

    It 'a catch block learns the item from the exception: <_>' -ForEach "Write-Error 'e'", "throw 'e'", '1/0' {
        Get-Line "try { 7 | Invoke-RustParallel { $_ } -ErrorAction Stop } catch { `$_.Exception.InputObject }" | Should -BeExactly '7'
    }

    It 'a job that stops itself has failed with one error: <_>' -ForEach @(
        'throw [Management.Automation.PipelineStoppedException]::new()'
        '& { throw [Management.Automation.PipelineStoppedException]::new() }'
        '[runspace]::DefaultRunspace.CloseAsync(); while ($true) { }'
    ) {
        $run = Invoke-Script "1..3 | Invoke-RustParallel { if (`$_ -eq 1) { $_ }; `"went on `$_`" } -ThrottleLimit 1 -Verbose"
        ConvertTo-Line $run.Output | Should -BeExactly 'went on 2', 'went on 3'
        $run.Errors.Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'PipelineStopped'
        @($run.Verbose).Count | Should -BeGreaterThan 0
        ConvertTo-Line $run.Verbose | Where-Object { $_ -clike 'Timeout*' } | Should -BeNullOrEmpty
    }

    It 'the record of a job that stops itself says Failed' {
        Get-Line '1, 2 | Invoke-RustParallel { if ($_ -eq 1) { throw [Management.Automation.PipelineStoppedException]::new() } } -ThrottleLimit 1 -AsObject | ForEach-Object { "$($_.Status) $($_.Errors.Count)" }' |
            Should -BeExactly 'Failed 1', 'Completed 0'
    }
}
