# What native programs write to their standard error in jobs is relayed as error records that end
# nothing, also where the caller stops at errors.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    # A program that writes two lines to its standard error and one to its output.
    $Program = if ($IsOnWindows) { '& $env:ComSpec /c "echo e1 1>&2 & echo e2 1>&2 & echo out"' } else { "sh -c 'echo e1 >&2; echo e2 >&2; echo out'" }
}

Describe 'the standard error of a native program' {
    It 'does not end the call where errors do: <Before> <Arguments>' -ForEach @(
        @{ Before = '$ErrorActionPreference = "Stop"'; Arguments = '' }
        @{ Before = '$ErrorActionPreference = "Stop"'; Arguments = '-ThrottleLimit 1' }
        @{ Before = ''; Arguments = '-ErrorAction Stop' }
    ) {
        $run = Invoke-Script "$Before; 1..3 | Invoke-RustParallel { $Program } $Arguments"
        $run.Failure | Should -BeNullOrEmpty
        @(ConvertTo-Line $run.Output | ForEach-Object { $_.Trim() }) | Should -Be 'out', 'out', 'out'
        ($run.Errors | ForEach-Object { "$_".Trim() } | Sort-Object) | Should -Be 'e1', 'e1', 'e1', 'e2', 'e2', 'e2'
        ($run.Errors | ForEach-Object { $_.FullyQualifiedErrorId } | Sort-Object -Unique) | Should -Be 'NativeCommandError', 'NativeCommandErrorMessage'
    }

    It 'keeps whose it is' {
        $run = Invoke-Script "`$ErrorActionPreference = 'Stop'; Invoke-RustParallel a { $Program }"
        ($run.Errors | ForEach-Object { $_.OriginInfo.PSComputerName }) | Should -Be 'a', 'a'
        @($run.Output[0].PSObject.BaseObject.Keys) | Should -Be 'a'
    }

    It 'can be redirected and collected there' {
        Get-Line "`$ErrorActionPreference = 'Stop'; @(1 | Invoke-RustParallel { $Program } 2>&1).Count; `$null = 1 | Invoke-RustParallel { $Program } 2>`$null; 'end'" | Should -Be '3', 'end'
    }

    It 'does not end the call where the engine''s own way is not to be had' {
        Set-MissingMember _WriteErrorSkipAllowCheck
        try {
            $run = Invoke-Script "`$ErrorActionPreference = 'Stop'; 1, 2 | Invoke-RustParallel { $Program }"
            $run.Failure | Should -BeNullOrEmpty
            $run.Errors.Count | Should -Be 4
        }
        finally { Set-MissingMember }
    }

    It 'does not end a background job' {
        Get-Line "`$ErrorActionPreference = 'Stop'; `$job = 1 | Invoke-RustParallel { $Program } -AsJob; `$null = Wait-Job `$job; `"`$(`$job.State) `$(`$job.Error.Count)`"; Remove-Job `$job" | Should -Be 'Completed 2'
    }

    It 'is not what errors are: those of the block still end the call' {
        (Get-Failure "`$ErrorActionPreference = 'Stop'; 1 | Invoke-RustParallel { $Program; Write-Error no }").FullyQualifiedErrorId | Should -Match 'WriteErrorException|no'
    }
}
