# In a fresh process: sweeps a range with -AsObject, keeps nothing, and says how much memory the
# process had at most. Output: bytes as `name=value`.
param([string] $ModuleFolder, [string] $Range, [int] $Hosts)

Import-Module "$ModuleFolder/RustRunspaces.psd1"
$up = 0
Invoke-RustParallel -ComputerName $Range -Count 1 -PacketsPerSecond 0 -AsObject | & { process { if ($_.Ping) { $script:up++ } } }
if ($up -ne $Hosts) { throw "$up of $Hosts hosts answered" }
"peak=$([Diagnostics.Process]::GetCurrentProcess().PeakWorkingSet64)"
