# Wait-Debugger and breakpoints in jobs: the debugger of the caller's session gets them, in the
# foreground and by Debug-Job.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # Notes what commands give where the debugger has stopped, and goes on by the action.
    # The handler is compiled: the stop comes on a worker's thread, where no script of this session can run.
    if (-not ('DebuggerLog' -as [type])) {
        Add-Type -TypeDefinition @'
            using System.Collections.Generic;
            using System.Management.Automation;
            public sealed class DebuggerLog
            {
                private readonly string[] commands;
                private readonly DebuggerResumeAction action;
                public readonly List<string> Lines = new List<string>();
                public DebuggerLog(Debugger debugger, string[] commands, DebuggerResumeAction action)
                {
                    this.commands = commands;
                    this.action = action;
                    debugger.DebuggerStop += OnStop;
                }
                private void OnStop(object sender, DebuggerStopEventArgs stop)
                {
                    foreach (string text in commands)
                    {
                        var command = new PSCommand();
                        command.AddScript(text);
                        var output = new PSDataCollection<PSObject>();
                        ((Debugger)sender).ProcessCommand(command, output);
                        foreach (PSObject line in output) lock (Lines) Lines.Add(line.ToString().Trim());
                    }
                    stop.ResumeAction = action;
                }
            }
'@
    }
}

Describe 'a job that stops in the debugger' {
    AfterEach { Set-MissingMember }

    It 'comes to the debugger of the caller, and goes on from there' {
        $session = New-Session
        try {
            $log = New-Object DebuggerLog $session.Debugger, @('"item $_ secret $secret"'), 'Continue'
            Get-SortedLine '1, 2 | Invoke-RustParallel { $secret = "s$_"; Wait-Debugger; "after $_" }' @{} $session | Should -Be 'after 1', 'after 2'
            $log.Lines | Sort-Object | Should -Be 'item 1 secret s1', 'item 2 secret s2'
        }
        finally { $session.Dispose() }
    }

    It 'ends by the debugger''s quit, and the others go on' {
        $session = New-Session
        try {
            $null = New-Object DebuggerLog $session.Debugger, @(), 'Stop'
            $run = Invoke-Script '1, 2 | Invoke-RustParallel { if ($_ -eq 1) { Wait-Debugger }; "after $_" }' @{} $session
            ConvertTo-Line $run.Output | Should -Be 'after 2'
        }
        finally { $session.Dispose() }
    }

    It 'is stopped with the call where nobody debugs' {
        $run = Start-Script '1, 2 | Invoke-RustParallel { if ($_ -eq 2) { "here" } else { Wait-Debugger } } -ThrottleLimit 2'
        Wait-Output $run 1
        # What does not leave in its grace time is given up; 3 s are for a busy machine.
        (Stop-Script $run).TotalSeconds | Should -BeLessThan 3
    }

    It 'of a background job comes to Debug-Job' {
        $session = New-Session
        try {
            # As in a console.
            $session.Debugger.SetDebugMode('LocalScript')
            $log = New-Object DebuggerLog $session.Debugger, @('"item $_"'), 'Continue'
            $run = Invoke-Script 'function Debug-It { $job = 1 | Invoke-RustParallel { Wait-Debugger; "after $_" } -AsJob; $child = $job.ChildJobs[0]; while (-not $child.Debugger.InBreakpoint) { Start-Sleep -Milliseconds 10 }; Debug-Job $job; $null = Wait-Job $job; Receive-Job $job; Remove-Job $job }; Debug-It' @{} $session
            ConvertTo-Line $run.Output | Should -Be 'after 1'
            @($log.Lines)[0] | Should -Be 'item 1'
        }
        finally { $session.Dispose() }
    }

    It 'of a background job comes to Debug-Job although the engine did not hear the first word of it' {
        # The engine asks who listens, says that it has stopped, and then begins to wait: what it is told between is lost.
        Set-MissingMember ReleaseSavedDebugStop
        $session = New-Session
        try {
            $session.Debugger.SetDebugMode('LocalScript')
            $log = New-Object DebuggerLog $session.Debugger, @('"item $_"'), 'Continue'
            $run = Start-Script '$job = 1 | Invoke-RustParallel { Wait-Debugger; "after $_" } -AsJob; $child = $job.ChildJobs[0]; while (-not $child.Debugger.InBreakpoint) { Start-Sleep -Milliseconds 10 }; $child; Debug-Job $job; $null = Wait-Job $job; Receive-Job $job; Remove-Job $job' @{} $session
            Wait-Output $run 1
            Wait-Until $run { -not $run.Output[0].IsAsync }
            Start-Sleep -Milliseconds 600
            $run.Handle.IsCompleted | Should -BeFalse
            Set-MissingMember
            ConvertTo-Line (Wait-Script $run).Output | Select-Object -Last 1 | Should -Be 'after 1'
            $log.Lines[0] | Should -Be 'item 1'
        }
        finally {
            Set-MissingMember
            $session.Dispose()
        }
    }

    It 'of a background job lets Debug-Job end, which begins to wait for the end after it may have been' {
        $session = New-Session
        try {
            $session.Debugger.SetDebugMode('LocalScript')
            $null = New-Object DebuggerLog $session.Debugger, @(), 'Continue'
            # What Debug-Job does, with the job's end between its two steps.
            Get-Line @'
                $job = 1 | Invoke-RustParallel { Wait-Debugger; 'after' } -AsJob
                $child = $job.ChildJobs[0]
                while (-not $child.Debugger.InBreakpoint) { Start-Sleep -Milliseconds 10 }
                $debugger = [runspace]::DefaultRunspace.Debugger
                $debug = $debugger.GetType().GetMethod('DebugJob', [Reflection.BindingFlags] 'Instance, NonPublic')
                $arguments = @($job.PSObject.BaseObject) + @($false) * ($debug.GetParameters().Count - 1)
                $null = $debug.Invoke($debugger, $arguments)
                $null = Wait-Job $job
                $null = Register-ObjectEvent $job StateChanged -SourceIdentifier end
                (Wait-Event end -Timeout 10).SourceEventArgs.JobStateInfo.State
                Receive-Job $job
                Remove-Job $job
'@ @{} $session | Should -Be 'Completed', 'after'
        }
        finally { $session.Dispose() }
    }
}
