# The help's table of what differs from ForEach-Object -Parallel is true: for each row both sides, in the table's order. A row
# whose behaviour takes a test of its own names the file.

BeforeDiscovery {
    $rows = @(
        @{ Theirs = '5 jobs at a time, no upper bound to -ThrottleLimit'; Ours = '32, at most 1,024'
            Theirs7 = '(Get-Command ForEach-Object).Parameters.ThrottleLimit.Attributes.MaxRange -gt 1024'; Theirs7Is = 'True'
            Script = '((Get-Command Invoke-RustParallel).Parameters.MaximumThreadCount.Attributes | Where-Object { $_ -is [Management.Automation.ValidateRangeAttribute] }).MaxRange'; Is = '1024' }
        @{ Theirs = 'on Windows jobs are in an MTA'; Ours = 'the same; those of -ComputerName in an STA, -ApartmentState says another'; File = 'Apartments.Tests.ps1' }
        @{ Theirs = '-ErrorAction, -WarningAction, -InformationAction, -ProgressAction and -PipelineVariable are refused'; Ours = 'work, as all common parameters do'
            Theirs7 = 'try { 1 | ForEach-Object -Parallel { 1 } -ErrorAction Ignore } catch { "refused" }'; Theirs7Is = 'refused'
            Script = '1 | Invoke-RustParallel { Write-Error 1; 7 } -ErrorAction Ignore -PipelineVariable p | ForEach-Object { "$_ $p" }'; Is = '7 7' }
        @{ Theirs = '-Verbose and -Debug show nothing'; Ours = "show the messages of jobs, -Verbose the command's own lines, too"
            Theirs7 = '@(1 | ForEach-Object -Parallel { Write-Verbose own } -Verbose 4>&1).Count'; Theirs7Is = '0'
            Script = '@(1 | Invoke-RustParallel { Write-Verbose own } -Verbose 4>&1 | Where-Object { "$_" -eq "own" }).Count; @(1 | Invoke-RustParallel { 1 } -Verbose 4>&1).Count -gt 2'; Is = '1', 'True' }
        @{ Theirs = '$InformationPreference is SilentlyContinue in jobs'; Ours = "Continue; the caller's preference decides what is shown"
            Theirs7 = '1 | ForEach-Object -Parallel { "$InformationPreference" }'; Theirs7Is = 'SilentlyContinue'
            Script = '1 | Invoke-RustParallel { "$InformationPreference" }'; Is = 'Continue' }
        @{ Theirs = '$Host.UI.WriteLine, Out-Host and the text of -WhatIf are lost'; Ours = 'are information records'
            Theirs7 = '@(1 | ForEach-Object -Parallel { $Host.UI.WriteLine("x") } 6>&1).Count'; Theirs7Is = '0'
            Script = '@(1 | Invoke-RustParallel { $Host.UI.WriteLine("x") } 6>&1).Count'; Is = '1' }
        @{ Theirs = '-WhatIf and -Confirm are taken and do nothing'; Ours = 'do not exist'
            Theirs7 = '1 | ForEach-Object -Parallel { "ran" } -Confirm:$false'; Theirs7Is = 'ran'
            Script = '(Get-Command Invoke-RustParallel).Parameters.ContainsKey("WhatIf")'; Is = 'False' }
        @{ Theirs = '$ErrorActionPreference is Continue in jobs'; Ours = "the same, unless -Variables ErrorActionPreference brings the caller's"
            Theirs7 = '$ErrorActionPreference = "Stop"; 1 | ForEach-Object -Parallel { "$ErrorActionPreference" }'; Theirs7Is = 'Continue'
            Script = '$ErrorActionPreference = "Stop"; 1 | Invoke-RustParallel { "$ErrorActionPreference" }; 1 | Invoke-RustParallel { "$ErrorActionPreference" } -Variables ErrorActionPreference'; Is = 'Continue', 'Stop' }
        @{ Theirs = '-TimeoutSeconds: whole seconds'; Ours = 'parts of a second count'
            Theirs7 = '(Get-Command ForEach-Object).Parameters.TimeoutSeconds.ParameterType.Name'; Theirs7Is = 'Int32'
            Script = '(Get-Command Invoke-RustParallel).Parameters.MaximumWaitTimeSeconds.ParameterType.Name'; Is = 'Double' }
        @{ Theirs = 'at the timeout each running job writes "The pipeline has been stopped", waiting items are dropped without a word'
            Ours = 'one error, MaximumWaitReached, a TimeoutException with all unfinished items as its TargetObject'; File = 'ScriptMaximumWait.Tests.ps1' }
        @{ Theirs = 'the timeout waits for a job in native code'; Ours = 'returns within 250 ms'; File = 'ScriptMaximumWait.Tests.ps1' }
        @{ Theirs = '-AsJob cannot have a timeout; the job has a child per item'; Ours = 'can have one; a property Unfinished; a child per item when ChildJobs is read'
            Theirs7 = 'try { 1 | ForEach-Object -Parallel { 1 } -AsJob -TimeoutSeconds 5 } catch { "refused" }'; Theirs7Is = 'refused'
            Script = '$job = 1, 2 | Invoke-RustParallel { 1 } -AsJob -TimeoutSeconds 5; $null = Wait-Job $job; $job.ChildJobs.Count; $job.Unfinished.Count; Remove-Job $job'; Is = '2', '0' }
        @{ Theirs = 'a job that has failed has no Reason'; Ours = 'a Reason that says how many items failed, and the first'
            Theirs7 = '$job = 1 | ForEach-Object -Parallel { throw "x" } -AsJob; $null = Wait-Job $job; $null -eq $job.JobStateInfo.Reason; Remove-Job $job'; Theirs7Is = 'True'
            Script = '$job = 1 | Invoke-RustParallel { throw "x" } -AsJob; $null = Wait-Job $job; $null -eq $job.JobStateInfo.Reason; Remove-Job $job'; Is = 'False' }
        @{ Theirs = 'output comes in the order in which items end'; Ours = 'the same; -Ordered keeps the order of the input'; File = 'Ordered.Tests.ps1' }
        @{ Theirs = 'what ends a job (throw, Stop) is PSTaskException without a line, its target an internal object'; Ours = 'keeps its own id, target and position, as all errors do'
            Theirs7 = '1 | ForEach-Object -Parallel { throw "x" } -ErrorVariable e 2> $null; "$($e[0].FullyQualifiedErrorId)"'; Theirs7Is = 'PSTaskException'
            Script = '1 | Invoke-RustParallel { throw "x" } -ErrorVariable e 2> $null; "$($e[0].FullyQualifiedErrorId)"'; Is = 'x' }
        @{ Theirs = 'errors do not say whose they are'; Ours = 'have a property InputObject'
            Theirs7 = '7 | ForEach-Object -Parallel { Write-Error "x" } -ErrorVariable e 2> $null; "<$($e[0].InputObject)>"'; Theirs7Is = '<>'
            Script = '7 | Invoke-RustParallel { Write-Error "x" } -ErrorVariable e 2> $null; "<$($e[0].InputObject)>"'; Is = '<7>' }
        @{ Theirs = "lines of errors count from the block's first"; Ours = 'from the beginning of its file'
            Theirs7 = "`n`n1 | ForEach-Object -Parallel {`n1/0 } -ErrorVariable e 2> `$null; `$e[0].InvocationInfo.ScriptLineNumber"; Theirs7Is = '2'
            Script = "`n`n1 | Invoke-RustParallel {`n1/0 } -ErrorVariable e 2> `$null; `$e[0].InvocationInfo.ScriptLineNumber"; Is = '4' }
        @{ Theirs = 'closures run without their variables'; Ours = 'are refused if they read them: ClosureNotAllowed'
            Theirs7 = '$x = 7; $b = { "<$x>" }.GetNewClosure(); 1 | ForEach-Object -Parallel $b'; Theirs7Is = '<>'
            Script = '$x = 7; $b = { "<$x>" }.GetNewClosure(); try { 1 | Invoke-RustParallel $b } catch { $_.FullyQualifiedErrorId.Split(",")[0] }'; Is = 'ClosureNotAllowed' }
        @{ Theirs = 'objects with script code give wrong values or hang, silently'; Ours = 'the same, with a warning that names the type; the call ends all the same'; File = 'ForeignCode.Tests.ps1' }
        @{ Theirs = "`$MyInvocation.MyCommand is the block, its position the block's text"; Ours = "`$null for a block without attributes; its position is in the caller's file"
            Theirs7 = '1 | ForEach-Object -Parallel { $null -eq $MyInvocation.MyCommand }'; Theirs7Is = 'False'
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
        @{ Theirs = "`$PSScriptRoot and the file's `"using namespace`" are missing"; Ours = "are those of the block's file"; File = 'BlocksAsWritten.Tests.ps1' }
        @{ Theirs = "a location on a drive of the caller's own becomes the process's current directory"; Ours = 'the same place in the file system'
            Theirs7 = '$null = New-PSDrive Own FileSystem ([IO.Path]::GetTempPath()); Set-Location Own:/; 1 | ForEach-Object -Parallel { (Get-Location).ProviderPath -eq [Environment]::CurrentDirectory }'; Theirs7Is = 'True'
            Script = '$null = New-PSDrive Own FileSystem ([IO.Path]::GetTempPath()); Set-Location Own:/; 1 | Invoke-RustParallel { (Get-Location).ProviderPath.TrimEnd("/\") -eq [IO.Path]::GetTempPath().TrimEnd("/\") }'; Is = 'True' }
        @{ Theirs = 'a prompt is an error, then the job goes on'; Ours = 'is the error JobCannotAsk and ends the job'
            Theirs7 = '1 | ForEach-Object -Parallel { $null = $Host.UI.ReadLine(); "on" } 2> $null'; Theirs7Is = 'on'
            Script = '1 | Invoke-RustParallel { $null = $Host.UI.ReadLine(); "on" } -ErrorVariable e 2> $null; "$($e[0].FullyQualifiedErrorId)"'; Is = 'JobCannotAsk,RustRunspaces.InvokeRustParallelCommand' }
        @{ Theirs = '$Host.Name is Default Host'; Ours = "the caller's"
            Theirs7 = '1 | ForEach-Object -Parallel { $Host.Name }'; Theirs7Is = 'Default Host'
            Script = '(1 | Invoke-RustParallel { $Host.Name }) -eq $Host.Name'; Is = 'True' }
        @{ Theirs = 'a use of entries of $Data, which does not exist, is an error'; Ours = 'is that, too, with a warning naming -ComputerName'; File = 'DataInItems.Tests.ps1' }
        @{ Theirs = 'ids: UsingVariableIsUndefined, ParallelUsingVariableCannotBeScriptBlock, ParallelPipedInputObjectCannotBeScriptBlock'; Ours = 'UsingVariableNotSet, ScriptBlockNotAllowed (both cases)'
            Theirs7 = 'try { 1 | ForEach-Object -Parallel { $using:absent } } catch { $_.FullyQualifiedErrorId.Split(",")[0] }'; Theirs7Is = 'UsingVariableIsUndefined'
            Script = 'try { 1 | Invoke-RustParallel { $using:absent } } catch { $_.FullyQualifiedErrorId.Split(",")[0] }'; Is = 'UsingVariableNotSet' }
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

    It 'is true of ForEach-Object -Parallel: <Theirs>' -ForEach @($rows | Where-Object { $_.Theirs7 }) {
        Use-PowerShell7
        ConvertTo-Line (Invoke-Script $Theirs7).Output | Should -Be $Theirs7Is
    }

    It 'is true of Invoke-RustParallel: <Ours>' -ForEach @($rows | Where-Object { $_.Script }) {
        ConvertTo-Line (Invoke-Script $Script).Output | Should -Be $Is
    }

    It 'has a test of its own for: <Theirs>' -ForEach @($rows | Where-Object { $_.File }) {
        Join-Path $PSScriptRoot $File | Should -Exist
    }
}
