# What the binding of a block costs: processor time and bytes of one call, by a plain loop of calls and by a job of
# Invoke-RustParallel on one thread. Shows which part is the engine's binder, which its pipe, and what a job adds. Not one of the
# documented measurements: pwsh -NoProfile -File benches/binder.ps1 [rounds]

#requires -Version 7.4
param([ValidateRange(1, 100)] [int] $Rounds = 5)

. "$PSScriptRoot/samples.ps1"
Import-Module "$PSScriptRoot/../out/RustRunspaces/RustRunspaces.psd1"

$items = 1..10000
$blocks = [ordered] @{
    'no attribute'                    = @{ Block = { param($x) $null = $x } }
    'an attribute'                    = @{ Block = { param([Parameter()] $x) $null = $x } }
    'an attribute, process'           = @{ Block = { [CmdletBinding()] param($x) process { $null = $x } } }
    'process'                         = @{ Block = { process { $null = $_ } }; IsPiped = $true }
    'process that returns'            = @{ Block = { process { return } }; IsPiped = $true }
    'an attribute, item from the pipe' = @{ Block = { param([Parameter(ValueFromPipeline)] $x) process { $null = $x } }; IsPiped = $true }
}

# Microseconds of processor time that a call takes: other processes do not count. Notes the bytes.
$process = [Diagnostics.Process]::GetCurrentProcess()
function Measure-Calls([string] $Side, [scriptblock] $Work) {
    $bytes = [GC]::GetTotalAllocatedBytes($true)
    $process.Refresh()
    $before = $process.TotalProcessorTime
    $null = & $Work
    $process.Refresh()
    $allocated[$Side] = ([GC]::GetTotalAllocatedBytes($true) - $bytes) / $items.Count
    return ($process.TotalProcessorTime - $before).TotalMilliseconds * 1000 / $items.Count
}

$allocated = @{}
$sides = [ordered] @{}
foreach ($name in $blocks.Keys) {
    $sides["$name|loop"] = [scriptblock]::Create("`$block = `$blocks['$name'].Block; Measure-Calls '$name|loop' { foreach (`$item in `$items) { $(if ($blocks[$name].IsPiped) { '$item | & $block' } else { '& $block $item' }) } }")
    $sides["$name|job"] = [scriptblock]::Create("`$block = `$blocks['$name'].Block; Measure-Calls '$name|job' { `$items | Invoke-RustParallel `$block -ThrottleLimit 1 }")
}
$samples = Measure-Sides $Rounds $sides
$rows = foreach ($name in $blocks.Keys) {
    [PSCustomObject] @{
        Block           = $name
        'Loop us'       = [Math]::Round((Get-Median $samples["$name|loop"]), 1)
        'Job us'        = [Math]::Round((Get-Median $samples["$name|job"]), 1)
        'Job / loop'    = [Math]::Round((Get-Median (Get-Ratios $samples["$name|job"] $samples["$name|loop"])), 2)
        'Loop bytes'    = [Math]::Round($allocated["$name|loop"])
        'Job bytes'     = [Math]::Round($allocated["$name|job"])
    }
}
$rows | Format-Table -AutoSize | Out-String -Width 160
