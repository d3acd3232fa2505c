# The runspaces of workers: their names, the views they know, what they say while they are made ready, and callers whose own session
# has little.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    function Get-InnerProperty([string] $Type, [string] $Name) {
        [RustRunspaces.InvokeRustParallelCommand].Assembly.GetType($Type).GetProperty($Name, [Reflection.BindingFlags] 'Static,NonPublic')
    }
}

Describe 'the runspace of a worker' {
    It 'has a name of its own' {
        $names = Get-Line '1..4 | Invoke-RustParallel { [runspace]::DefaultRunspace.Name } -UseNewRunspace -ThrottleLimit 1'
        $names | Select-Object -First 4 | Should -Be 'Invoke-RustParallel 1', 'Invoke-RustParallel 2', 'Invoke-RustParallel 3', 'Invoke-RustParallel 4'
    }

    It 'shows results as the caller sees them' {
        $outer = Get-Line '(Invoke-RustParallel 127.0.0.1 -TcpPort 9 -AsObject -ReplyTimeoutMilliseconds 200 | Select-Object -First 1 | Out-String).Trim().Split([char] 10)[0].Trim()'
        Get-Line '1 | Invoke-RustParallel { (Invoke-RustParallel 127.0.0.1 -TcpPort 9 -AsObject -ReplyTimeoutMilliseconds 200 | Out-String).Trim().Split([char] 10)[0].Trim() }' |
            Should -Be $outer
        $outer | Should -Match '^ComputerName'
    }
}

Describe 'what is said while runspaces are made ready' {
    It 'comes once from the initialization script: <Stream>' -ForEach @(
        @{ Stream = 'Warnings'; Statement = "Write-Warning 'once'" }
        @{ Stream = 'Information'; Statement = "Write-Host 'once'" }
        @{ Stream = 'Information'; Statement = "Write-Information 'once'" }
    ) {
        $run = Invoke-CleanScript "1..6 | Invoke-RustParallel { `$_ } -UseNewRunspace -ThrottleLimit 2 -InitializationScript { $Statement }"
        @($run.$Stream).Count | Should -Be 1
        "$($run.$Stream[0])" | Should -Be 'once'
    }

    It 'comes once as output of the initialization script: <Call>' -ForEach @(
        @{ Call = '' }
        @{ Call = '-Ordered' }
        @{ Call = '-AsJob | Wait-Job | Receive-Job' }
        @{ Call = '-AsJob | ForEach-Object { $null = $_.ChildJobs; $_ } | Wait-Job | Receive-Job' }
    ) {
        $lines = Get-Line "1..6 | Invoke-RustParallel { `$_ } -UseNewRunspace -ThrottleLimit 2 -InitializationScript { 'once'; `$null = 5 } $Call"
        @($lines | Sort-Object) | Should -Be '1', '2', '3', '4', '5', '6', 'once'
    }

    It 'comes as output while the script goes on' {
        $run = Start-Script '1 | Invoke-RustParallel { $_ } -InitializationScript { "ready"; Start-Sleep 20 }'
        try { Wait-Output $run 1 } finally { $null = Stop-Script $run; $null = Wait-Script $run }
        ConvertTo-Line $run.Output | Should -Be 'ready'
    }

    It 'has no place as output among records and in tables: <Call>' -ForEach @(
        @{ Call = '1, 2 | Invoke-RustParallel { $_ } -AsObject -InitializationScript { "once" } | ForEach-Object { "$($_.Output)" }'; Expected = '1', '2' }
        @{ Call = '(Invoke-RustParallel a, b { $_ } -InitializationScript { "once" }).Values'; Expected = 'a', 'b' }
        @{ Call = 'Invoke-RustParallel a, b { $_ } -AsObject -InitializationScript { "once" } | ForEach-Object Output'; Expected = 'a', 'b' }
    ) {
        Get-SortedLine $Call | Should -Be $Expected
    }

    It 'comes once from a module' {
        $folder = Join-Path $TestDrive 'Loud'
        $null = New-Item -ItemType Directory $folder
        Set-Content -LiteralPath (Join-Path $folder 'Loud.psm1') -Value "Write-Warning 'once'; function Get-Loud { 'loud' }"
        $run = Invoke-CleanScript '1..6 | Invoke-RustParallel { Get-Loud } -UseNewRunspace -ThrottleLimit 2 -ModuleNames $folder/Loud.psm1' @{ folder = $folder }
        $run.Output.Count | Should -Be 6
        @($run.Warnings).Count | Should -Be 1
    }

    It 'is each error' {
        $run = Invoke-Script '1..3 | Invoke-RustParallel { $_ } -UseNewRunspace -ThrottleLimit 1 -InitializationScript { Write-Error "each" }'
        $run.Errors.Count | Should -BeGreaterOrEqual 3
    }
}

Describe 'a caller with a session of few things' {
    BeforeAll {
        function Invoke-Restricted([string] $LanguageMode, [scriptblock] $Compose) {
            $state = [Management.Automation.Runspaces.InitialSessionState]::Create()
            $state.LanguageMode = $LanguageMode
            $state.Commands.Add((New-Object Management.Automation.Runspaces.SessionStateCmdletEntry 'Invoke-RustParallel', ([RustRunspaces.InvokeRustParallelCommand]), $null))
            $state.Commands.Add((New-Object Management.Automation.Runspaces.SessionStateCmdletEntry 'ForEach-Object', ([Microsoft.PowerShell.Commands.ForEachObjectCommand]), $null))
            $runspace = [RunspaceFactory]::CreateRunspace($state)
            $runspace.Open()
            $shell = [PowerShell]::Create()
            $shell.Runspace = $runspace
            try {
                $output = & $Compose $shell
                [PSCustomObject] @{ Output = @($output); Errors = @($shell.Streams.Error) }
            }
            finally {
                $shell.Dispose()
                $runspace.Dispose()
            }
        }
    }

    It 'needs no files: its jobs run where they are' {
        $run = Invoke-Restricted FullLanguage { param($shell) $shell.AddScript('1, 2 | Invoke-RustParallel { $_ * 2 } -ThrottleLimit 1').Invoke() }
        $run.Errors.Count | Should -Be 0
        ConvertTo-Line $run.Output | Should -Be '2', '4'
    }

    It 'runs commands by name in <_>' -ForEach 'ConstrainedLanguage', 'RestrictedLanguage', 'NoLanguage' {
        $run = Invoke-Restricted $_ {
            param($shell)
            $shell.AddCommand('Invoke-RustParallel').AddParameter('CommandName', 'ForEach-Object').AddParameter('InputObject', 'abc').AddParameter('ParameterName', 'InputObject').AddParameter('Parameters', @{ MemberName = 'Length' }).Invoke()
        }
        $run.Errors.Count | Should -Be 0
        ConvertTo-Line $run.Output | Should -Be '3'
    }
}

Describe 'the module''s assembly from bytes' {
    It 'says so, and looks nowhere' {
        $text = @"
Import-Module ([Reflection.Assembly]::Load([IO.File]::ReadAllBytes('$(Join-Path $ModuleFolder RustRunspaces.dll)')))
try { 1 | Invoke-RustParallel { 1 } } catch { "`$(`$_.FullyQualifiedErrorId.Split(',')[0]): `$_" }
"@
        $file = Join-Path $TestDrive 'bytes.ps1'
        Set-Content -LiteralPath $file -Value $text
        $program = (Get-Process -Id $PID).Path
        $arguments = @('-NoProfile', '-NonInteractive', '-File', $file)
        if ((Split-Path -Leaf $program) -like 'dotnet*') { $arguments = @((Join-Path $PSHOME 'pwsh.dll')) + $arguments }
        & $program $arguments | Should -BeLike 'NativeLibraryNotFound: *loaded from bytes*'
    }
}
