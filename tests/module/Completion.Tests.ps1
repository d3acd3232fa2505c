# What the Tab key proposes.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # The names and values proposed at the end of a line.
    function Get-Proposal([string] $Line) {
        $session = New-Session
        $shell = [PowerShell]::Create()
        $shell.Runspace = $session
        try { $matched = [Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null, $shell).CompletionMatches }
        finally {
            $shell.Dispose()
            $session.Dispose()
        }
        $matched | Where-Object { 'ParameterValue', 'ParameterName' -contains "$($_.ResultType)" } | ForEach-Object { $_.CompletionText }
    }
}

Describe 'completion' {
    It 'proposes names of the hosts file: <_>' -Tag 'Laboratory' -ForEach @(
        'Invoke-RustParallel -ComputerName localh'
        'Invoke-RustParallel localh'
        'Invoke-RustParallel -CN LOCALH'
        'Invoke-RustParallel -ComputerName web1, localh'
    ) {
        Use-Laboratory
        @(Get-Proposal $_) -ccontains 'localhost' | Should -BeTrue
    }

    It 'proposes names of known hosts: <_>' -Tag 'Laboratory' -ForEach 'known.test', '10.96.0.9', 'ported.test' {
        Use-Laboratory
        @(Get-Proposal "Invoke-RustParallel -ComputerName $($_.Substring(0, 3))") -ccontains $_ | Should -BeTrue
    }

    It 'proposes every name once, in order, without addresses, comments, patterns and hashes' -Tag 'Laboratory' {
        Use-Laboratory
        $expected = '10.96.0.9', 'dual.test', 'known.test', 'localhost', 'mini.test', 'ported.test'
        $proposed = @(Get-Proposal 'Invoke-RustParallel -ComputerName ')
        # The machine may have a list of known hosts for all users, too.
        $proposed | Where-Object { $expected -ccontains $_ } | Should -BeExactly $expected
        @($proposed | Select-Object -Unique).Count | Should -Be $proposed.Count
        @($proposed -match '[*|# ]').Count | Should -Be 0
    }

    It 'proposes parameters' {
        @(Get-Proposal 'Invoke-RustParallel -Maximum') -ccontains '-MaximumWaitTimeSeconds' | Should -BeTrue
    }
}
