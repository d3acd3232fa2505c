# Members of the engine that the reference assembly does not have: where one is missing, what it is for goes another way.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    if (-not ('SilentDebugger' -as [type])) {
        Add-Type -TypeDefinition 'using System.Management.Automation; public sealed class SilentDebugger { public int Stops; public SilentDebugger(Debugger debugger) { debugger.DebuggerStop += (sender, stop) => Stops++; } }'
    }
}

Describe 'without a member of the engine' {
    AfterEach { Set-MissingMember }

    It 'an error is written where <Member> is missing' -ForEach @(
        @{ Member = 'WriteStreamObject' }
        @{ Member = 'System.Management.Automation.Remoting.Internal.PSStreamObjectType' }
    ) {
        Set-MissingMember $Member
        (Invoke-Script "1 | Invoke-RustParallel { Write-Error 'x' -ErrorId Own }").Errors[0].FullyQualifiedErrorId | Should -BeLike '*,RustRunspaces.InvokeRustParallelCommand'
    }

    It 'variables are put back between jobs where <_> is missing' -ForEach 'Internal', 'Variables' {
        Set-MissingMember $_
        # A constant of a job's stays only where the provider, which cannot remove it, is the way.
        Get-Line '1, 2 | Invoke-RustParallel { if ($_ -eq 1) { $global:kept = 1; New-Variable fixed 1 -Scope Global -Option Constant; return }; "<$kept> <$fixed>" } -ThrottleLimit 1' |
            Should -Be '<> <1>'
    }

    It 'jobs still write <What>' -ForEach @(
        @{ What = 'errors'; Script = "1 | Invoke-RustParallel { Write-Error 'x' -ErrorId Own } -Debug"; Stream = 'Errors' }
        @{ What = 'warnings'; Script = "1 | Invoke-RustParallel { Write-Warning 'x' } -WarningAction Continue"; Stream = 'Warnings' }
        @{ What = 'verbose lines'; Script = "1 | Invoke-RustParallel { Write-Verbose 'x' } -Verbose"; Stream = 'Verbose' }
    ) {
        # An error keeps its own id only by the engine's way, which shows that it was not taken.
        Set-MissingMember System.Management.Automation.Remoting.Internal.PSStreamObject
        $run = Invoke-Script $Script
        "$($run.$Stream)" | Should -Match 'x'
        if ($Stream -eq 'Errors') { $run.Errors[0].FullyQualifiedErrorId | Should -BeLike '*,RustRunspaces.InvokeRustParallelCommand' }
    }

    It 'a background job that failed has its state and its error, and no reason' {
        Set-MissingMember SetJobState
        Get-Line '$job = 1, 2 | Invoke-RustParallel { throw "bad $_" } -AsJob; $null = Wait-Job $job; "$($job.State) <$($job.JobStateInfo.Reason)> $($job.Error.Count)"; $job.ChildJobs | ForEach-Object { "$($_.State) <$($_.JobStateInfo.Reason)> $($_.Error)" }; Remove-Job $job' |
            Should -Be 'Failed <> 2', 'Failed <> bad 1', 'Failed <> bad 2'
    }

    It 'a job that stops in the debugger waits for Debug-Runspace: <Member>' -ForEach @(
        @{ Member = 'System.Management.Automation.Internal.PSStandaloneMonitorRunspaceInfo' }
        @{ Member = 'System.Management.Automation.Internal.DebuggerUtils' }
        @{ Member = 'StartMonitoringRunspace' }
    ) {
        Set-MissingMember $Member
        $session = New-Session
        try {
            $session.Debugger.add_DebuggerStop({ })
            $run = Start-Script '1 | Invoke-RustParallel { Wait-Debugger; "after" }' @{} $session
            Wait-Until $run { @(Get-Runspace | Where-Object { $_.Name -like 'Invoke-RustParallel*' -and $_.Debugger.InBreakpoint }).Count }
            # Twice the rhythm in which a job would be brought to the caller's debugger.
            Start-Sleep -Milliseconds 500
            $run.Handle.IsCompleted | Should -BeFalse
            $null = Stop-Script $run
        }
        finally { $session.Dispose() }
    }

    It 'a stop in the debugger comes to the caller who listens, also where nobody can ask whether he does' {
        Set-MissingMember IsDebugHandlerSubscribed
        $session = New-Session
        try {
            $seen = New-Object SilentDebugger $session.Debugger
            Get-Line '1 | Invoke-RustParallel { Wait-Debugger; "after" }' @{} $session | Should -Be 'after'
            $seen.Stops | Should -Be 1
        }
        finally { $session.Dispose() }
    }

    It 'the debugger of the caller is left where nothing can tell it that a call is over' {
        Set-MissingMember EndMonitoringRunspace
        $session = New-Session
        try {
            $seen = New-Object SilentDebugger $session.Debugger
            foreach ($call in 1, 2) {
                Get-Line '1 | Invoke-RustParallel { Wait-Debugger; "after" }' @{} $session | Should -Be 'after'
                $seen.Stops | Should -Be $call
            }
        }
        finally { $session.Dispose() }
    }

    It 'blocks have their parts and their item where no block can clean up: <Block>' -ForEach @(
        @{ Block = '{ begin { $x = "b" } process { "$x$_" } end { "e$_" } }'; Expected = 'b7', 'e7' }
        @{ Block = '{ try { throw 1 } catch { }; "$_" }'; Expected = '7' }
        @{ Block = '{ [CmdletBinding()] param($x) process { "$x$_" } }'; Expected = '77' }
    ) {
        Set-MissingMember CleanBlock
        Get-Line "7 | Invoke-RustParallel $Block" | Should -Be $Expected
    }

    It 'a block that cleans up runs as it is where no tree with such a part can be made' {
        Use-PowerShell7
        Set-MissingMember .ctor
        $run = Invoke-CleanScript '7 | Invoke-RustParallel { begin { "b$_" } process { "p$_" } clean { Write-Warning cleaned } }'
        ConvertTo-Line $run.Output | Should -Be 'b7', 'p7'
        ConvertTo-Line $run.Warnings | Should -Be 'cleaned'
    }

    It 'pauses of the collector are estimated, and calls go on, where the runtime does not tell them' {
        Set-MissingMember GetTotalPauseDuration
        $type = [RustRunspaces.InvokeRustParallelCommand].Assembly.GetType('RustRunspaces.Scripts.Workers.CollectorPauses')
        $pauses = [Activator]::CreateInstance($type, $true)
        $read = $type.GetProperty('Nanoseconds', [Reflection.BindingFlags] 'Instance, NonPublic')
        do {
            $collections, $before = [GC]::CollectionCount(1), $read.GetValue($pauses)
            Start-Sleep -Milliseconds 20
            $quiet = $read.GetValue($pauses) - $before
        } while ([GC]::CollectionCount(1) -ne $collections)
        $quiet | Should -Be 0
        Start-Sleep -Milliseconds 20
        [GC]::Collect(1)
        # The whole time since it was asked last.
        $read.GetValue($pauses) - $before | Should -BeGreaterThan 19e6
        Get-SortedLine '1..40 | Invoke-RustParallel { [GC]::Collect(1); Start-Sleep -Milliseconds 5; $_ } -ThrottleLimit 4' | Should -HaveCount 40
    }

    It 'a block that cleans up runs, and finds its item beyond its scope' {
        Use-PowerShell7
        Set-MissingMember LanguageMode, GlobalScope
        Get-Line '1, 2 | Invoke-RustParallel { begin { $script:kept += 1 } process { "$_ $script:kept" } clean { $null = 1 } } -ThrottleLimit 1' | Should -Be '1 1', '2 1'
    }
}

Describe 'where the class of Invoke-Command does not behave' {
    BeforeAll {
        $loop = [RustRunspaces.InvokeRustParallelCommand].Assembly.GetType('RustRunspaces.Scripts.Workers.LoopCommands')
        function Get-LoopProperty([string] $Name) { $loop.GetProperty($Name, [Reflection.BindingFlags] 'Static,NonPublic') }
        $trial = (Get-LoopProperty Trial).GetValue($null)
    }
    AfterEach {
        (Get-LoopProperty Trial).SetValue($null, $trial)
        (Get-LoopProperty UsesScript).SetValue($null, $false)
        (Get-LoopProperty NeedsTrial).SetValue($null, $false)
    }

    It 'jobs go by a script, and nothing of the trial shows: <What>' -ForEach @(
        @{ What = 'a statement''s error ends all'; Trial = 'param($seen) throw "x"' }
        @{ What = 'what is thrown is lost'; Trial = 'param($seen) $seen[0] = 1; "shown"; Write-Error shown' }
    ) {
        (Get-LoopProperty Trial).SetValue($null, $Trial)
        (Get-LoopProperty NeedsTrial).SetValue($null, $true)
        $run = Invoke-Script '$text = "t"; 1, 2 | Invoke-RustParallel { [int] "x"; "$_$using:text" } -ThrottleLimit 1 -ErrorVariable errors; $errors.Count'
        ConvertTo-Line $run.Output | Should -Be '1t', '2t', '2'
        (Get-LoopProperty UsesScript).GetValue($null) | Should -BeTrue
    }
}
