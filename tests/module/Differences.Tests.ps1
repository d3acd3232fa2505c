# The help's table of what differs from ForEach-Object -Parallel is true: each row, in the table's order, has a script for both
# sides and what each writes. What a script of a line cannot show has a test elsewhere, which the row names.
#
# Theirs, Ours: the row. Theirs7 writes Theirs7Is; Script writes Is. Slow: one of them waits for seconds. Test: 'file: name'.

BeforeDiscovery {
    # How many jobs were open when no more came: the one that is the Nth looks after a while.
    $count = '$here = New-Object Threading.SemaphoreSlim 0; $go = New-Object Threading.ManualResetEventSlim; 1..40 | COMMAND { if (($using:here).Release() + 1 -eq N) { Start-Sleep -Milliseconds 300; ($using:here).CurrentCount; ($using:go).Set() }; $null = ($using:go).Wait(20000) }'
    # The second of two items ends first.
    $order = '$go = New-Object Threading.ManualResetEventSlim; 1, 2 | COMMAND { if ($_ -eq 1) { $null = ($using:go).Wait(20000); Start-Sleep -Milliseconds 200 } else { ($using:go).Set() }; $_ }'
    # Lines in a file.
    $file = '$file = Join-Path ([IO.Path]::GetTempPath()) "$([guid]::NewGuid()).ps1"; Set-Content -LiteralPath $file -Value "using namespace System.Text","", "1 | COMMAND {", "BLOCK }"; & $file 2> $null; Remove-Item -LiteralPath $file'
    $server = 'class Server { [int] $Number; [int] Twice() { return $this.Number * 2 } }; $server = [Server] @{ Number = 3 }; '
    $ids = '$b = { 1 }; { 1 | COMMAND { $using:absent } }, { 1 | COMMAND { $using:b } }, { , { 1 } | COMMAND { 1 } } | ForEach-Object { try { & $_ 2>&1 } catch { $_ } } | ForEach-Object { $_.FullyQualifiedErrorId.Split(",")[0] }'
    $parallel, $ours = 'ForEach-Object -Parallel', 'Invoke-RustParallel'

    $rows = @(
        @{ Theirs = '5 jobs at a time, no upper bound to -ThrottleLimit'; Ours = '32, at most 1,024'
            Theirs7 = $count.Replace('COMMAND', $parallel).Replace('eq N', 'eq 5') + '; 1 | ForEach-Object -Parallel { "ran" } -ThrottleLimit 5000'; Theirs7Is = '5', 'ran'
            Script = $count.Replace('COMMAND', $ours).Replace('eq N', 'eq 32') + '; ((Get-Command Invoke-RustParallel).Parameters.MaximumThreadCount.Attributes | Where-Object { $_ -is [Management.Automation.ValidateRangeAttribute] }).MaxRange'; Is = '32', '1024' }
        @{ Theirs = 'on Windows jobs are in an MTA'; Ours = 'the same; those of -ComputerName in an STA, -ApartmentState says another'; Needs = 'Windows'
            Theirs7 = '1 | ForEach-Object -Parallel { [Threading.Thread]::CurrentThread.GetApartmentState() }'; Theirs7Is = 'MTA'
            Script = '$block = { "$([Threading.Thread]::CurrentThread.GetApartmentState())" }; 1 | Invoke-RustParallel $block; (Invoke-RustParallel a $block).a; (Invoke-RustParallel a $block -ApartmentState MTA).a'; Is = 'MTA', 'STA', 'MTA' }
        @{ Theirs = '-ErrorAction, -WarningAction, -InformationAction, -ProgressAction and -PipelineVariable are refused'; Ours = 'work, as all common parameters do'
            Theirs7 = '"ErrorAction", "WarningAction", "InformationAction", "ProgressAction", "PipelineVariable" | ForEach-Object { $it = @{ $_ = "Ignore" }; try { 1 | ForEach-Object -Parallel { 1 } @it } catch { $_.FullyQualifiedErrorId.Split(",")[0] } }'; Theirs7Is = @('ParallelCommonParametersNotSupported') * 5
            Script = '1 | Invoke-RustParallel { Write-Error 1; Write-Warning 1; Write-Information 1; 7 } -ErrorAction Ignore -WarningAction Ignore -InformationAction Ignore -PipelineVariable p *>&1 | ForEach-Object { "$_ $p" }'; Is = '7 7'
            Test = 'JobProgress.Tests.ps1: -ProgressAction and the preference hide it, here and in the background: <Arguments><Before>' }
        @{ Theirs = '-Verbose and -Debug show nothing'; Ours = "show the messages of jobs, -Verbose the cmdlet's own lines, too"
            Theirs7 = '@(1 | ForEach-Object -Parallel { Write-Verbose own; Write-Debug bug } -Verbose -Debug *>&1).Count'; Theirs7Is = '0'
            Script = '1 | Invoke-RustParallel { Write-Verbose own; Write-Debug bug } -Verbose -Debug *>&1 | Where-Object { "$_" -in "own", "bug" }; @(1 | Invoke-RustParallel { 1 } -Verbose 4>&1).Count -gt 2'; Is = 'own', 'bug', 'True' }
        @{ Theirs = '$InformationPreference is SilentlyContinue in jobs'; Ours = "Continue; the caller's preference decides what is shown"
            Theirs7 = '1 | ForEach-Object -Parallel { "$InformationPreference" }'; Theirs7Is = 'SilentlyContinue'
            Script = '1 | Invoke-RustParallel { "$InformationPreference" }'; Is = 'Continue' }
        @{ Theirs = '$Host.UI.WriteLine, Out-Host and the text of -WhatIf are lost'; Ours = 'are information records'
            Theirs7 = '@(1 | ForEach-Object -Parallel { $Host.UI.WriteLine("x"); "y" | Out-Host; New-Item never.txt -WhatIf } *>&1).Count'; Theirs7Is = '0'
            Script = '1 | Invoke-RustParallel { $Host.UI.WriteLine("x"); "y" | Out-Host; New-Item never.txt -WhatIf } *>&1 | ForEach-Object { "$($_.GetType().Name) $_".Substring(0, 19) }'; Is = 'InformationRecord x', 'InformationRecord y', 'InformationRecord W' }
        @{ Theirs = '-WhatIf and -Confirm are taken and do nothing'; Ours = 'do not exist'
            Theirs7 = '1 | ForEach-Object -Parallel { "ran" } -WhatIf; 1 | ForEach-Object -Parallel { "ran" } -Confirm'; Theirs7Is = 'ran', 'ran'
            Script = '"WhatIf", "Confirm" | ForEach-Object { (Get-Command Invoke-RustParallel).Parameters.ContainsKey($_) }'; Is = 'False', 'False' }
        @{ Theirs = '$ErrorActionPreference is Continue in jobs'; Ours = "the same, unless -Variables ErrorActionPreference brings the caller's"
            Theirs7 = '$ErrorActionPreference = "Stop"; 1 | ForEach-Object -Parallel { "$ErrorActionPreference" }'; Theirs7Is = 'Continue'
            Script = '$ErrorActionPreference = "Stop"; 1 | Invoke-RustParallel { "$ErrorActionPreference" }; 1 | Invoke-RustParallel { "$ErrorActionPreference" } -Variables ErrorActionPreference'; Is = 'Continue', 'Stop' }
        @{ Theirs = '-TimeoutSeconds: whole seconds'; Ours = 'parts of a second count'
            Theirs7 = '(Get-Command ForEach-Object).Parameters.TimeoutSeconds.ParameterType.Name'; Theirs7Is = 'Int32'
            Script = '1 | Invoke-RustParallel { Start-Sleep 20 } -TimeoutSeconds 0.4 -ErrorVariable e 2> $null; $e[0].FullyQualifiedErrorId.Split(",")[0]'; Is = 'MaximumWaitReached' }
        @{ Theirs = 'at the timeout each running job writes "The pipeline has been stopped", waiting items are dropped without a word'
            Ours = 'one error, MaximumWaitReached, a TimeoutException with all unfinished items as its TargetObject'; Slow = $true
            Theirs7 = '1..4 | ForEach-Object -Parallel { Start-Sleep 20 } -ThrottleLimit 2 -TimeoutSeconds 3 -ErrorVariable e 2> $null; $e | ForEach-Object { $_.Exception.Message }'; Theirs7Is = @('The pipeline has been stopped.') * 2
            Script = '1..4 | Invoke-RustParallel { Start-Sleep 20 } -ThrottleLimit 2 -TimeoutSeconds 1 -ErrorVariable e 2> $null; $e | ForEach-Object { "$($_.FullyQualifiedErrorId.Split(",")[0]) $($_.Exception.GetType().Name) $($_.TargetObject)" }'; Is = 'MaximumWaitReached TimeoutException 1 2 3 4' }
        @{ Theirs = 'the timeout waits for a job in native code'; Ours = 'returns within 250 ms'; Slow = $true
            Theirs7 = '(Measure-Command { 1 | ForEach-Object -Parallel { [Threading.Thread]::Sleep(5000) } -TimeoutSeconds 2 2> $null }).TotalSeconds -ge 5'; Theirs7Is = 'True'
            # What a busy machine adds is less than what would be without. Theirs has to have begun by then.
            Script = '(Measure-Command { 1 | Invoke-RustParallel { [Threading.Thread]::Sleep(5000) } -TimeoutSeconds 2 2> $null }).TotalSeconds -lt 4'; Is = 'True' }
        @{ Theirs = '-AsJob cannot have a timeout; the job has a child per item'; Ours = 'can have one; a property Unfinished; a child per item when ChildJobs is read'
            Theirs7 = 'try { 1 | ForEach-Object -Parallel { 1 } -AsJob -TimeoutSeconds 5 } catch { "refused" }; $job = 1, 2 | ForEach-Object -Parallel { 1 } -AsJob; $null = Wait-Job $job; $job.ChildJobs.Count; Remove-Job $job'; Theirs7Is = 'refused', '2'
            Script = '$job = 1, 2 | Invoke-RustParallel { if ($_ -eq 2) { Start-Sleep 20 } } -AsJob -TimeoutSeconds 0.9; $null = Wait-Job $job; $job.ChildJobs.Count; "<$($job.Unfinished)>"; Remove-Job $job'; Is = '2', '<2>'
            Test = 'JobObject.Tests.ps1: are not there until somebody asks' }
        @{ Theirs = 'a job that has failed has no Reason'; Ours = 'a Reason that says how many items failed, and the first'
            Theirs7 = '$job = 1, 2 | ForEach-Object -Parallel { throw "x" } -AsJob; $null = Wait-Job $job; "$($job.State) $($null -eq $job.JobStateInfo.Reason)"; Remove-Job $job'; Theirs7Is = 'Failed True'
            Script = '$job = 1, 2 | Invoke-RustParallel { throw "x" } -AsJob -ThrottleLimit 1; $null = Wait-Job $job; "$($job.State) $($job.JobStateInfo.Reason.Message)"; Remove-Job $job'; Is = "Failed 2 of 2 were ended by an error; the first is '1': x" }
        @{ Theirs = 'output comes in the order in which items end'; Ours = 'the same; -Ordered keeps the order of the input'
            Theirs7 = $order.Replace('COMMAND', $parallel); Theirs7Is = '2', '1'
            Script = $order.Replace('COMMAND', $ours) + '; ' + $order.Replace('COMMAND', "$ours -Ordered"); Is = '2', '1', '1', '2' }
        @{ Theirs = 'what ends a job (throw, Stop) is PSTaskException without a line, its target an internal object'; Ours = 'keeps its own id, target and position, as all errors do'
            Theirs7 = '1, 2 | ForEach-Object -Parallel { if ($_ -eq 1) { throw "x" }; Write-Error "y" -ErrorId Own -TargetObject 5 -ErrorAction Stop } -ThrottleLimit 1 -ErrorVariable e 2> $null; $e | ForEach-Object { "$($_.FullyQualifiedErrorId) <$($_.InvocationInfo.ScriptLineNumber)> $($_.TargetObject.GetType().Name)" }'; Theirs7Is = @('PSTaskException <> PSTask') * 2
            Script = '1, 2 | Invoke-RustParallel { if ($_ -eq 1) { throw "x" }; Write-Error "y" -ErrorId Own -TargetObject 5 -ErrorAction Stop } -ThrottleLimit 1 -ErrorVariable e 2> $null; $e | ForEach-Object { "$($_.FullyQualifiedErrorId) <$($_.InvocationInfo.ScriptLineNumber)> $($_.TargetObject)" }'; Is = 'x <1> x', 'Own <1> 5' }
        @{ Theirs = 'errors do not say whose they are'; Ours = 'have a property InputObject'
            Theirs7 = '7 | ForEach-Object -Parallel { Write-Error "x" } -ErrorVariable e 2> $null; "<$($e[0].InputObject)>"'; Theirs7Is = '<>'
            Script = '7 | Invoke-RustParallel { Write-Error "x" } -ErrorVariable e 2> $null; "<$($e[0].InputObject)>"'; Is = '<7>' }
        @{ Theirs = "lines of errors count from the block's first"; Ours = 'from the beginning of its file'
            Theirs7 = "`n`n1 | ForEach-Object -Parallel {`n1/0 } -ErrorVariable e 2> `$null; `$e[0].InvocationInfo.ScriptLineNumber"; Theirs7Is = '2'
            Script = "`n`n1 | Invoke-RustParallel {`n1/0 } -ErrorVariable e 2> `$null; `$e[0].InvocationInfo.ScriptLineNumber"; Is = '4' }
        @{ Theirs = 'closures run without their variables'; Ours = 'are refused if they read them: ClosureNotAllowed'
            Theirs7 = '$x = 7; $b = { "<$x>" }.GetNewClosure(); 1 | ForEach-Object -Parallel $b'; Theirs7Is = '<>'
            Script = '$x = 7; $b = { "<$x>" }.GetNewClosure(); try { 1 | Invoke-RustParallel $b } catch { $_.FullyQualifiedErrorId.Split(",")[0] }'; Is = 'ClosureNotAllowed' }
        @{ Theirs = 'objects with script code give wrong values or hang, silently'; Ours = 'the same, with a warning that names the type; the call ends all the same'; Slow = $true
            Theirs7 = $server + '$server | ForEach-Object -Parallel { $_.Number } *>&1; @(1..8 | ForEach-Object { [Server] @{ Number = $_ } } | ForEach-Object -Parallel { foreach ($i in 1..50) { $null = $_.Twice() } } -TimeoutSeconds 2 2>&1).Count -gt 0'; Theirs7Is = '3', 'True'
            Script = $server + '$server | Invoke-RustParallel { $_.Number } *>&1 | ForEach-Object { "$($_.GetType().Name) $_" -replace "(type Server).*", "`$1" }; @(1..8 | ForEach-Object { [Server] @{ Number = $_ } } | Invoke-RustParallel { foreach ($i in 1..50) { $null = $_.Twice() }; "done" } 3> $null | Where-Object { $_ -eq "done" }).Count'; Is = 'WarningRecord An item of the type Server', 'Int32 3', '8'
            Test = "ForeignCode.Tests.ps1: ends, though it has no limit" }
        @{ Theirs = "`$MyInvocation.MyCommand is the block, its position is empty"; Ours = "`$null for a block without attributes; its position is in the caller's file"
            Theirs7 = '1 | ForEach-Object -Parallel { "$($MyInvocation.MyCommand)|$($MyInvocation.PositionMessage)|" }'; Theirs7Is = ' "$($MyInvocation.MyCommand)|$($MyInvocation.PositionMessage)|" ||'
            Test = 'BlocksAsWritten.Tests.ps1: is where $MyInvocation is'
            Script = '$x = 1; 1 | Invoke-RustParallel { $null -eq $MyInvocation.MyCommand }; 1 | Invoke-RustParallel { $using:x; $null -eq $MyInvocation.MyCommand }; 1 | Invoke-RustParallel { process { $null -eq $MyInvocation.MyCommand } }; 1 | Invoke-RustParallel { [CmdletBinding()] param($x) $null -eq $MyInvocation.MyCommand }'; Is = 'True', '1', 'True', 'True', 'False' }
        @{ Theirs = 'param($x) in the block is empty'; Ours = '$x is the item'
            Theirs7 = '7 | ForEach-Object -Parallel { param($x) "<$x>" }'; Theirs7Is = '<>'
            Script = '7 | Invoke-RustParallel { param($x) "<$x>" }'; Is = '<7>' }
        @{ Theirs = '$args[0] in the block is empty'; Ours = 'is the item, in a block without param'
            Theirs7 = '7 | ForEach-Object -Parallel { "<$($args[0])>" }'; Theirs7Is = '<>'
            Script = '7 | Invoke-RustParallel { "<$($args[0])>" }; 7 | Invoke-RustParallel { "<$_$($args[0])>" }'; Is = '<7>', '<77>' }
        @{ Theirs = 'properties of the item fill no parameters'; Ours = 'fill those that ask for them by property name'
            Theirs7 = '[pscustomobject] @{ Port = 22 } | ForEach-Object -Parallel { param([Parameter(ValueFromPipelineByPropertyName)] $Port) process { "<$Port>" } }'; Theirs7Is = '<>'
            Script = '[pscustomobject] @{ Port = 22 } | Invoke-RustParallel { param([Parameter(ValueFromPipelineByPropertyName)] $Port) process { "<$Port>" } }'; Is = '<22>' }
        @{ Theirs = '$_ in a process block is empty'; Ours = '$_ is the item'
            Theirs7 = '7 | ForEach-Object -Parallel { process { "<$_>" } }'; Theirs7Is = '<>'
            Script = '7 | Invoke-RustParallel { process { "<$_>" } }'; Is = '<7>' }
        @{ Theirs = 'all functions remain'; Ours = 'those made as function global: do'
            Theirs7 = '1, 2 | ForEach-Object -Parallel { if ($_ -eq 2) { Get-Kept } else { function Get-Kept { "kept" } } } -ThrottleLimit 1'; Theirs7Is = 'kept'
            Script = '1, 2 | Invoke-RustParallel { if ($_ -eq 2) { [bool] (Get-Command Get-Kept -ErrorAction Ignore); Get-All } else { function Get-Kept { "kept" }; function global:Get-All { "all" } } } -ThrottleLimit 1'; Is = 'False', 'all' }
        @{ Theirs = 'a $using: of an upstream -PipelineVariable is empty'; Ours = 'is the value that came with the item'
            Theirs7 = '7 | ForEach-Object { $_ } -PipelineVariable p | ForEach-Object -Parallel { "<$using:p>" }'; Theirs7Is = '<>'
            Script = '7 | ForEach-Object { $_ } -PipelineVariable p | Invoke-RustParallel { "<$using:p>" }'; Is = '<7>' }
        @{ Theirs = 'a $using: of a block for Start-Job must be set by the caller, or the call is refused'; Ours = "is the job's variable"; Slow = $true
            Theirs7 = 'try { 1 | ForEach-Object -Parallel { $own = 5; Start-Job { $using:own } | Receive-Job -Wait -AutoRemoveJob } } catch { $_.FullyQualifiedErrorId.Split(",")[0] }'; Theirs7Is = 'UsingVariableIsUndefined'
            Script = '1 | Invoke-RustParallel { $own = 5; Start-Job { $using:own } | Receive-Job -Wait -AutoRemoveJob }'; Is = '5' }
        @{ Theirs = "`$PSScriptRoot and the file's `"using namespace`" are missing"; Ours = "are those of the block's file"
            Theirs7 = $file.Replace('COMMAND', $parallel).Replace('BLOCK', '`"<`$PSScriptRoot>`"; [StringBuilder]::new(7).Capacity'); Theirs7Is = '<>'
            Script = $file.Replace('COMMAND', $ours).Replace('BLOCK', '`$PSScriptRoot -eq [IO.Path]::GetTempPath().TrimEnd(`"/\`"); [StringBuilder]::new(7).Capacity'); Is = 'True', '7' }
        @{ Theirs = "a location on a drive of the caller's own becomes the process's current directory"; Ours = 'the same place in the file system'
            Theirs7 = '$null = New-PSDrive Own FileSystem ([IO.Path]::GetTempPath()); Set-Location Own:/; 1 | ForEach-Object -Parallel { (Get-Location).ProviderPath -eq [Environment]::CurrentDirectory }'; Theirs7Is = 'True'
            Script = '$null = New-PSDrive Own FileSystem ([IO.Path]::GetTempPath()); Set-Location Own:/; 1 | Invoke-RustParallel { (Get-Location).ProviderPath.TrimEnd("/\") -eq [IO.Path]::GetTempPath().TrimEnd("/\") }'; Is = 'True' }
        @{ Theirs = 'a prompt is an error, then the job goes on'; Ours = 'is the error JobCannotAsk and ends the job'
            Theirs7 = '1 | ForEach-Object -Parallel { $null = $Host.UI.ReadLine(); "on" } 2> $null'; Theirs7Is = 'on'
            Script = '1 | Invoke-RustParallel { $null = $Host.UI.ReadLine(); "on" } -ErrorVariable e 2> $null; "$($e[0].FullyQualifiedErrorId)"'; Is = 'JobCannotAsk,RustRunspaces.InvokeRustParallelCommand' }
        @{ Theirs = 'a program that writes to standard error ends the call under $ErrorActionPreference Stop'; Ours = 'is an error record, and the job goes on'; Needs = 'Linux'
            Theirs7 = '$ErrorActionPreference = "Stop"; try { 1 | ForEach-Object -Parallel { sh -c "echo x >&2"; "on" } } catch { "ended" }'; Theirs7Is = 'ended'
            Script = '$ErrorActionPreference = "Stop"; 1 | Invoke-RustParallel { sh -c "echo x >&2"; "on" } *>&1 | ForEach-Object { "$_" }'; Is = 'x', 'on' }
        @{ Theirs = '$Host.Name is Default Host'; Ours = "the caller's"
            Theirs7 = '1 | ForEach-Object -Parallel { $Host.Name }'; Theirs7Is = 'Default Host'
            Script = '1 | Invoke-RustParallel { $Host.Name }'; Is = (Get-Host).Name }
        @{ Theirs = 'a use of entries of $Data, which does not exist, is an error'; Ours = 'is that, too, with a warning naming -ComputerName'
            Theirs7 = '1 | ForEach-Object -Parallel { $Data["x"] = 1 } *>&1 | ForEach-Object { $_.FullyQualifiedErrorId }'; Theirs7Is = 'NullArray'
            Script = '1 | Invoke-RustParallel { $Data["x"] = 1 } *>&1 | ForEach-Object { if ($_ -is [Management.Automation.ErrorRecord]) { $_.FullyQualifiedErrorId } else { "$($_.Message)" -match "use -ComputerName" } }'; Is = 'True', 'NullArray' }
        @{ Theirs = 'ids: UsingVariableIsUndefined, ParallelUsingVariableCannotBeScriptBlock, ParallelPipedInputObjectCannotBeScriptBlock'; Ours = 'UsingVariableNotSet, ScriptBlockNotAllowed (both cases)'
            Theirs7 = $ids.Replace('COMMAND', $parallel); Theirs7Is = 'UsingVariableIsUndefined', 'ParallelUsingVariableCannotBeScriptBlock', 'ParallelPipedInputObjectCannotBeScriptBlock'
            Script = $ids.Replace('COMMAND', $ours); Is = 'UsingVariableNotSet', 'ScriptBlockNotAllowed', 'ScriptBlockNotAllowed' }
    )
}

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'the table of differences' {
    It 'has these rows and no others' -ForEach @{ Rows = $rows } {
        $help = [IO.File]::ReadAllText((Join-Path $ModuleFolder 'en-US/about_RustRunspaces.help.txt')).Replace("`r", '')
        $table = [regex]::Match($help, '(?s)\n    -{10,}  -{10,}\n(.+?)\n\n').Groups[1].Value.Split("`n")
        # A column's words one after the other; a word that is broken at a hyphen of the table's own is one word.
        $left = ($table | ForEach-Object { $_.PadRight(38).Substring(4, 34).Trim() } | Where-Object { $_ }) -join ' '
        $right = ($table | ForEach-Object { $_.PadRight(39).Substring(38).Trim() } | Where-Object { $_ }) -join ' '
        ($left -replace 'CannotBe- ', 'CannotBe' -replace 'Input- ', 'Input') | Should -BeExactly (($Rows | ForEach-Object { $_.Theirs }) -join ' ')
        $right | Should -BeExactly (($Rows | ForEach-Object { $_.Ours }) -join ' ')
    }

    It 'names for what a row does not show a test that there is: <Test>' -ForEach @($rows | Where-Object { $_.Test }) {
        $name, $title = $Test -split ': ', 2
        $tree = [Management.Automation.Language.Parser]::ParseFile((Join-Path $PSScriptRoot $name), [ref] $null, [ref] $null)
        $tests = $tree.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] -and $args[0].GetCommandName() -eq 'It' }, $true)
        @($tests | ForEach-Object { $_.CommandElements[1].Value }) | Should -Contain $title
    }
}

Describe 'a row of the table' {
    BeforeAll {
        # As a console would: with the host of the tests.
        function Get-RowLine([string] $Script) {
            $state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
            if ($IsOnWindows) { $state.ExecutionPolicy = 'Bypass' }
            $null = $state.ImportPSModule($ModuleManifest)
            $session = [RunspaceFactory]::CreateRunspace($Host, $state)
            $session.Open()
            try { ConvertTo-Line (Invoke-Script $Script @{} $session).Output } finally { $session.Dispose() }
        }
    }

    It 'is true of ForEach-Object -Parallel: <Theirs>' -ForEach @($rows | Where-Object { -not $_.Slow }) {
        Use-PowerShell7
        if ($Needs) { & "Use-$Needs" }
        Get-RowLine $Theirs7 | Should -Be $Theirs7Is
    }

    It 'is true of Invoke-RustParallel: <Ours>' -ForEach @($rows | Where-Object { -not $_.Slow }) {
        if ($Needs) { & "Use-$Needs" }
        Get-RowLine $Script | Should -Be $Is
    }

    It 'is true of ForEach-Object -Parallel after a while: <Theirs>' -Tag Slow -ForEach @($rows | Where-Object { $_.Slow }) {
        Use-PowerShell7
        Get-RowLine $Theirs7 | Should -Be $Theirs7Is
    }

    It 'is true of Invoke-RustParallel after a while: <Ours>' -Tag Slow -ForEach @($rows | Where-Object { $_.Slow }) {
        Get-RowLine $Script | Should -Be $Is
    }
}

Describe 'what is the same' {
    BeforeAll {
        function Assert-Same([string] $Call) {
            Use-PowerShell7
            $ours = ConvertTo-Line (Invoke-Script $Call.Replace('COMMAND', 'Invoke-RustParallel')).Output
            $ours | Should -Be (ConvertTo-Line (Invoke-Script $Call.Replace('COMMAND', 'ForEach-Object')).Output)
            $ours | Should -Not -BeNullOrEmpty
        }
    }

    It 'for changing the name is the migration: <Call>' -ForEach @(
        @{ Call = '1..3 | COMMAND -Parallel { $_; return; 4 } -ThrottleLimit 1' }
        @{ Call = 'COMMAND -InputObject (1, 2) -Parallel { "<$_>" } -ThrottleLimit 1' }
        @{ Call = '1, 2 | COMMAND -Parallel { $_ } -ThrottleLimit 1 -AsJob | Receive-Job -Wait -AutoRemoveJob' }
        @{ Call = '1, 2 | COMMAND -Parallel { [bool] (Get-Command Get-Kept -ErrorAction Ignore); function global:Get-Kept { } } -ThrottleLimit 1' }
        @{ Call = '1, 2 | COMMAND -Parallel { [bool] (Get-Command Get-Kept -ErrorAction Ignore); function global:Get-Kept { } } -ThrottleLimit 1 -UseNewRunspace' }
        @{ Call = '[cultureinfo]::CurrentCulture = "de-DE"; [cultureinfo]::CurrentUICulture = "fr-FR"; Set-Location ([IO.Path]::GetTempPath()); 1 | COMMAND -Parallel { "$PWD $((Get-Culture).Name) $((Get-UICulture).Name)" }' }
        @{ Call = '$null, 1 | COMMAND -Parallel { "<$_>" } -ThrottleLimit 1; @() | COMMAND -Parallel { "not" }' }
        @{ Call = '1, 2 | COMMAND -Parallel { $_; if ($_ -eq 1) { exit 3 } else { break }; "not" } -ThrottleLimit 1; "after $LASTEXITCODE"' }
        @{ Call = '$x = @{ Object = "a" }; 1 | COMMAND -Parallel { $using:x.Object; $using:x["Object"]; Write-Output @using:x; & { $using:x.Count }; "$using:env:NONE" }' }
        @{ Call = '1, 2 | COMMAND -Parallel { $script:n++; $global:m++; "$script:n $global:m $OFS"; $global:OFS = "-"; Set-Location / } -ThrottleLimit 1' }
        @{ Call = '1 | COMMAND -Parallel { Write-Warning w; Write-Host h; Write-Error e; $?; [int] "x"; trap { "t"; continue }; throw "y" } *>&1 | ForEach-Object { "$($_.GetType().Name) $_" }' }
        @{ Call = '1 | COMMAND -Parallel { @($input).Count; Import-Module Microsoft.PowerShell.Utility; (Get-Module Microsoft.PowerShell.U*).Name } 3>&1' }
    ) {
        Assert-Same $Call
    }

    It 'for changing the name is the migration after a while: <Call>' -Tag Slow -ForEach @{ Call = '1, 2 | COMMAND -Parallel { if ($_ -eq 1) { Start-Sleep 20 }; $_ } -TimeoutSeconds 3 2> $null' } {
        Assert-Same $Call
    }
}
