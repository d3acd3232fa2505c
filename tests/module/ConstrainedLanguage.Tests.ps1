# A caller in Constrained Language Mode, as AppLocker and App Control make it: what docs/install.md says of
# it.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"
}

Describe 'constrained language mode' {
    BeforeEach {
        $session = New-Session
        $session.SessionStateProxy.LanguageMode = 'ConstrainedLanguage'
    }

    AfterEach { $session.Dispose() }

    It 'probes work' {
        $open = New-OpenPort
        try {
            Get-Line '"$($ExecutionContext.SessionState.LanguageMode)"; (Invoke-RustParallel 127.0.0.1 -TcpPort $port -AsObject).Status' @{ port = $open.Number } $session |
                Should -BeExactly 'ConstrainedLanguage', 'Success'
        }
        finally { Close-Port $open }
    }

    It 'a block that stores a hashtable works and is constrained, too' {
        $data = Get-Table @'
Invoke-RustParallel -ComputerName a, b -ScriptBlock {
    param($ComputerName)
    $Data[$ComputerName] = @{ Ping = $true; TimeFinished = [DateTime]::Now; Mode = "$($ExecutionContext.SessionState.LanguageMode)" }
}
'@ -Session $session
        $data.Count | Should -Be 2
        $data['b'] -is [hashtable] | Should -BeTrue
        $data['b']['Ping'] -is [bool] | Should -BeTrue
        $data['b']['Ping'] | Should -BeTrue
        $data['b']['Mode'] | Should -BeExactly 'ConstrainedLanguage'
        ([DateTime]::Now - $data['b']['TimeFinished']).TotalMinutes | Should -BeLessThan 1
    }

    # In processes of their own: a conversion that this one has made in Full Language Mode fails with other words.
    It 'a block that needs other types gets an error and stores nothing: <Body>' -Tag 'Slow' -ForEach @(
        @{ Body = '$Data[$ComputerName] = [pscustomobject] @{ Ping = $true }'; ErrorId = 'ConversionSupportedOnlyToCoreTypes' }
        @{ Body = "[IO.File]::Exists('/')"; ErrorId = 'MethodInvocationNotSupportedInConstrainedLanguage' }
    ) {
        Get-ChildLine @"
            Import-Module `$Manifest
            `$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'
            `$data = Invoke-RustParallel -ComputerName a -ErrorAction SilentlyContinue -ErrorVariable problems -ScriptBlock { param(`$ComputerName) $Body }
            "[`$(`$data["a"])]"
            `$problems | ForEach-Object { `$_.FullyQualifiedErrorId }
"@ | Should -BeExactly '[]', $ErrorId
    }
}
