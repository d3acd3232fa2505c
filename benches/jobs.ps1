# The measurements of script jobs: Invoke-RustParallel against the article's runspace pool,
# ForEach-Object -Parallel, Start-ThreadJob and a plain loop. Called by run.ps1; needs $report, $Rounds and what
# run.ps1 has loaded.

$Cmdlet = 'Invoke-RustParallel'
$Template = 'runspace pool'
$Parallel = 'ForEach-Object -Parallel'
$ThreadJob = 'Start-ThreadJob'
$Loop = 'plain foreach'

# The article's work without its ping. The second block differs in an attribute only, which makes
# parameters be bound as in any call of a function.
$Trivial = { param($ComputerName) $Data[$ComputerName] = [PSCustomObject] @{ Ping = $true; TimeFinished = [DateTime]::Now } }
$Bound = { param([Parameter()] $ComputerName) $Data[$ComputerName] = [PSCustomObject] @{ Ping = $true; TimeFinished = [DateTime]::Now } }
$Empty = { }
$Waiting = { param($ComputerName) [Threading.Thread]::Sleep(100); $Data[$ComputerName] = $true }

function Get-Names([int] $Count) {
    return [string[]] @(for ($i = 1; $i -le $Count; $i++) { "host$i" })
}

# The article's technique: a pool, a PowerShell instance a host, a look every 250 ms at which jobs have
# finished.
function Invoke-Template([string[]] $ComputerName, [ScriptBlock] $ScriptBlock, [int] $MaximumThreadCount) {
    $state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
    $data = [Hashtable]::Synchronized(@{})
    $state.Variables.Add([Management.Automation.Runspaces.SessionStateVariableEntry]::new('Data', $data, ''))
    $pool = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspacePool(1, $MaximumThreadCount, $state, $Host)
    $pool.Open()
    $text = $ScriptBlock.ToString()
    $runspaces = @(foreach ($computer in $ComputerName) {
            $powerShell = [PowerShell]::Create().AddScript($text).AddParameter('ComputerName', $computer)
            $powerShell.RunspacePool = $pool
            [PSCustomObject] @{ Handle = $powerShell.BeginInvoke(); PowerShell = $powerShell }
        })
    while ($true) {
        $finished, $runspaces = $runspaces.Where({ $_.Handle.IsCompleted }, 'Split')
        foreach ($runspace in $finished) {
            $null = $runspace.PowerShell.EndInvoke($runspace.Handle)
            $runspace.PowerShell.Dispose()
        }
        if ($runspaces.Count -eq 0) { break }
        [Threading.Thread]::Sleep(250)
    }
    $pool.Close()
    $pool.Dispose()
    return $data
}

# The same as a migration of it would be written.
function Invoke-ForEachParallel([string[]] $ComputerName, [ScriptBlock] $ScriptBlock, [int] $MaximumThreadCount) {
    $data = [Hashtable]::Synchronized(@{})
    # The block becomes the body of another one, where the item is $_ and the table comes with $using.
    $body = @(foreach ($statement in $ScriptBlock.Ast.EndBlock.Statements) { $statement.Extent.Text }) -join '; '
    $block = [ScriptBlock]::Create("`$Data = `$using:data; `$ComputerName = `$_; $body")
    $ComputerName | ForEach-Object -Parallel $block -ThrottleLimit $MaximumThreadCount
    return $data
}

# A job a host: each has a runspace of its own.
function Invoke-ThreadJob([string[]] $ComputerName, [ScriptBlock] $ScriptBlock, [int] $MaximumThreadCount) {
    $data = [Hashtable]::Synchronized(@{})
    $text = "param(`$ComputerName, `$Data) & { $ScriptBlock } `$ComputerName"
    $block = [ScriptBlock]::Create($text)
    $jobs = foreach ($computer in $ComputerName) {
        Start-ThreadJob -ScriptBlock $block -ArgumentList $computer, $data -ThrottleLimit $MaximumThreadCount
    }
    $null = Receive-Job $jobs -Wait
    Remove-Job $jobs # not -AutoRemoveJob, which at times fails with a job that is gone already
    return $data
}

function Invoke-Loop([string[]] $ComputerName, [ScriptBlock] $ScriptBlock) {
    $Data = [Hashtable]::Synchronized(@{})
    foreach ($computer in $ComputerName) { & $ScriptBlock $computer }
    return $Data
}

# Seconds of one call; every job must have its entry.
function Measure-Jobs([int] $Jobs, [ScriptBlock] $Call) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $results = & $Call
    $seconds = $watch.Elapsed.TotalSeconds
    if ($results.Count -ne $Jobs) { throw "$($results.Count) of $Jobs jobs have an entry: $Call" }
    return $seconds
}

# All sides on as many jobs of one block; the blocks here see this function's variables.
function Measure-JobSides([int] $Jobs, [ScriptBlock] $Block, [int] $Threads, [string[]] $Others, [int] $Repeat = 1) {
    $names = Get-Names $Jobs
    $calls = @{
        $Cmdlet   = { Invoke-RustParallel -ComputerName $names -ScriptBlock $Block -MaximumThreadCount $Threads }
        $Template = { Invoke-Template $names $Block $Threads }
        $Parallel = { Invoke-ForEachParallel $names $Block $Threads }
        $ThreadJob = { Invoke-ThreadJob $names $Block $Threads }
        $Loop     = { Invoke-Loop $names $Block }
    }
    $sides = [ordered] @{}
    foreach ($side in @($Cmdlet) + $Others) {
        $sides[$side] = [ScriptBlock]::Create(
            "`$call = `$calls['$side']; Get-Median @(for (`$i = 0; `$i -lt `$Repeat; `$i++) { Measure-Jobs `$Jobs `$call })")
    }
    # Half a minute a run: more than a few would say nothing new.
    $fewer = if ($Jobs -ge 20000) { @{ $Parallel = 2; $Template = 3 } } else { @{ $ThreadJob = $(if ($Jobs -gt 5) { 2 } else { $Rounds }) } }
    return Measure-Sides $Rounds $sides $fewer
}

function Measure-ShortJobs {
    $rows = [Collections.Generic.List[object]]::new()

    $samples = Measure-JobSides 5 $Trivial 32 @($Template, $Parallel, $ThreadJob, $Loop) 5
    Add-Samples $report '5 trivial jobs' 's' $samples
    Add-Bars $report '5 trivial script jobs' $samples
    $rows.Add((Get-Comparison $report '5 trivial jobs' $samples $Cmdlet $Parallel -MillisecondsAtMost 20))
    $rows.Add((Get-Comparison $report '5 trivial jobs' $samples $Cmdlet $Template))
    $rows.Add((Get-Comparison $report '5 trivial jobs' $samples $Cmdlet $ThreadJob))

    $samples = Measure-JobSides 1000 $Trivial 32 @($Template, $Parallel, $ThreadJob, $Loop)
    Add-Samples $report '1,000 trivial jobs' 's' $samples
    foreach ($other in $Template, $Parallel, $ThreadJob, $Loop) {
        $rows.Add((Get-Comparison $report '1,000 trivial jobs' $samples $Cmdlet $other))
    }

    $samples = Measure-JobSides 20000 $Trivial 32 @($Template, $Parallel, $Loop)
    Add-Samples $report '20,000 trivial jobs' 's' $samples
    Add-Bars $report '20,000 trivial script jobs' $samples
    $rows.Add((Get-Comparison $report '20,000 trivial jobs' $samples $Cmdlet -MillisecondsAtMost 240))
    $rows.Add((Get-Comparison $report '20,000 trivial jobs' $samples $Cmdlet $Template -TimeAtMost 0.04))
    $rows.Add((Get-Comparison $report '20,000 trivial jobs' $samples $Cmdlet $Parallel -TimeAtMost 0.01))
    $rows.Add((Get-Comparison $report '20,000 trivial jobs' $samples $Cmdlet $Loop -TimeAtMost 0.5))

    $samples = Measure-JobSides 20000 $Bound 32 @($Loop)
    Add-Samples $report '20,000 jobs, bound parameters' 's' $samples
    $rows.Add((Get-Comparison $report '20,000 jobs, bound parameters' $samples $Cmdlet $Loop))

    $samples = Measure-JobSides 20000 $Empty 32 @()
    Add-Samples $report '20,000 empty jobs' 's' $samples
    $rows.Add((Get-Comparison $report '20,000 empty jobs' $samples $Cmdlet -MillisecondsAtMost 80))
    return , $rows.ToArray()
}

function Measure-WaitingJobs {
    $rows = [Collections.Generic.List[object]]::new()
    foreach ($size in @(320, 32, 1150), @(1280, 128, 1600)) {
        $work = "$($size[0].ToString('N0', $Invariant)) jobs of 100 ms, $($size[1]) threads"
        $samples = Measure-JobSides $size[0] $Waiting $size[1] @($Template, $Parallel, $ThreadJob)
        Add-Samples $report $work 's' $samples
        Add-Bars $report $work $samples
        $rows.Add((Get-Comparison $report $work $samples $Cmdlet $Template -MillisecondsAtMost $size[2]))
        $rows.Add((Get-Comparison $report $work $samples $Cmdlet $Parallel))
        $rows.Add((Get-Comparison $report $work $samples $Cmdlet $ThreadJob))
    }
    return , $rows.ToArray()
}

# The first call in fresh processes, with the module imported and without.
function Measure-FirstCalls {
    $sides = [ordered] @{ $Cmdlet = { Get-Figure (Invoke-FreshHost 'first.ps1' @($ModuleFolder, 'module')) 'first' } }
    $sides[$Parallel] = { Get-Figure (Invoke-FreshHost 'first.ps1' @($ModuleFolder, 'engine')) 'first' }
    $sides[$ThreadJob] = { Get-Figure (Invoke-FreshHost 'first.ps1' @($ModuleFolder, 'threadjob')) 'first' }
    $samples = Measure-Sides $Rounds $sides
    Add-Samples $report '5 trivial jobs, first call' 's' $samples
    return , @(
        (Get-Comparison $report '5 trivial jobs, first call' $samples $Cmdlet $Parallel -TimeAtMost 1),
        (Get-Comparison $report '5 trivial jobs, first call' $samples $Cmdlet $ThreadJob))
}

# Bytes that a job allocates, on all threads together.
function Measure-Allocation {
    if ($null -eq [GC].GetMethod('GetTotalAllocatedBytes')) { return , @() } # not in .NET Framework
    $names = Get-Names 20000
    $rows = foreach ($kind in @('trivial', $Trivial), @('trivial, bound parameters', $Bound), @('empty', $Empty)) {
        $block = $kind[1]
        $null = Invoke-RustParallel -ComputerName $names -ScriptBlock $block
        $before = [GC]::GetTotalAllocatedBytes($true)
        $null = Invoke-RustParallel -ComputerName $names -ScriptBlock $block
        $bytes = ([GC]::GetTotalAllocatedBytes($true) - $before) / $names.Length
        , @("allocated, $($kind[0]) job", "$(Format-Number $bytes) bytes a job", '-', '-')
    }
    return , @($rows)
}

# What 100,000 jobs need over what the process had at the start: those that keep nothing, and those
# that leave an object each, beside a loop that leaves the same objects.
function Measure-JobMemory {
    $samples = Measure-Sides ([Math]::Min($Rounds, 3)) ([ordered] @{
            '-InputObject, nothing kept'      = { Get-Figure (Invoke-FreshHost 'many.ps1' @($ModuleFolder, 'items')) 'over' }
            '-ComputerName, an object a host' = { Get-Figure (Invoke-FreshHost 'many.ps1' @($ModuleFolder, 'hosts')) 'over' }
            'plain foreach, the same objects' = { Get-Figure (Invoke-FreshHost 'many.ps1' @($ModuleFolder, 'loop')) 'over' }
        })
    Add-Samples $report '100,000 jobs, memory' 'bytes' $samples
    $rows = foreach ($side in @($samples.Keys)) {
        $summary = Get-Summary $samples[$side]
        $isItems = $side -like '-InputObject*'
        $met = if ($isItems) { $summary.Median -lt 60e6 } else { $null }
        , @("100,000 jobs, $side", "$(Format-Summary $summary 1e-6) MB over the start", $(if ($isItems) { '< 60' } else { '-' }), (Get-Verdict $report $met))
    }
    return , @($rows)
}

Write-Table $report @('side', 'how it is called; $names are strings, $Data is in every runspace') @(
    , @($Cmdlet, 'Invoke-RustParallel -ComputerName $names -ScriptBlock $block -MaximumThreadCount 32')
    , @($Template, 'RunspacePool(1, 32), PowerShell.Create().AddScript(block), BeginInvoke; every 250 ms EndInvoke and Dispose')
    , @($Parallel, '$names piped to ForEach-Object -Parallel $block -ThrottleLimit 32, the table with $using:')
    , @($ThreadJob, 'Start-ThreadJob $block -ArgumentList $name, $data -ThrottleLimit 32 for each; Receive-Job -Wait; Remove-Job')
    , @($Loop, 'foreach ($name in $names) { & $block $name }')
    , @('trivial block', $Trivial.ToString().Trim())
)
Write-Table $report $ComparisonHeaders (Measure-ShortJobs)
Write-Table $report $ComparisonHeaders (Measure-WaitingJobs)
Write-Table $report $ComparisonHeaders (Measure-FirstCalls)
Write-Table $report @('memory', 'measured', 'target', 'met') ((Measure-Allocation) + (Measure-JobMemory))
Write-Line $report "Load averages at the end: $(Get-Load)"
