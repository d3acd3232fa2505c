# In a fresh process: sweeps a range with -AsObject, keeps nothing, and says how much memory the
# process had at most. Output: bytes as `name=value`.
param([string] $ModuleFolder, [string] $Range)

Import-Module "$ModuleFolder/RustRunspaces.psd1"
$up = 0
Invoke-RustParallel -ComputerName $Range -Count 1 -PacketsPerSecond 0 -AsObject | & { process { if ($_.Ping) { $script:up++ } } }
"up=$up"
"peak=$([Diagnostics.Process]::GetCurrentProcess().PeakWorkingSet64)"
