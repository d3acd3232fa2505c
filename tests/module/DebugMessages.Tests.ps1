# -Debug, and -Verbose beside it: which lines come of jobs and of the call. That nothing is asked needs a
# host that can be asked, and is tested elsewhere.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'debug messages' {
    It 'debug alone writes no lines about the call' {
        $run = Invoke-CleanScript '1 | Invoke-RustParallel { Write-Debug d } -Debug'
        ConvertTo-Line $run.Debug | Should -BeExactly 'd'
        $run.Verbose.Count | Should -Be 0
    }

    It 'lines about the call come where they are asked for: <Before><Argument>' -ForEach @(
        @{ Before = ''; Argument = '-Debug -Verbose' }
        @{ Before = "`$VerbosePreference = 'Continue'; "; Argument = '-Debug' }
        @{ Before = "`$VerbosePreference = 'Continue'; "; Argument = '' }
    ) {
        $run = Invoke-CleanScript "${Before}1 | Invoke-RustParallel { Write-Verbose 'v' } $Argument"
        $lines = @(ConvertTo-Line $run.Verbose)
        @($lines -ceq 'v').Count | Should -Be 1
        @($lines -ceq 'All threads finished.').Count | Should -Be 1
    }

    It 'what jobs write is shown with Debug' {
        Get-Line "1 | Invoke-RustParallel { Write-Debug 'd'; Write-Warning 'w'; Write-Verbose 'v' -Verbose } -Debug 3>&1 4>&1 5>&1 | ForEach-Object { `"`$_`" }" |
            Should -BeExactly 'd', 'w', 'v'
    }
}
