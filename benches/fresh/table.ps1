# In a fresh process: how long a small and a large sweep take, and how much of the managed heap the
# hashtable of the large one is. Output: seconds, and bytes a host, as `name=value`.
param([string] $ModuleFolder, [string] $Few, [string] $Many)

Import-Module "$ModuleFolder/RustRunspaces.psd1"
$null = Invoke-RustParallel -ComputerName $Few -Count 1 -PacketsPerSecond 0
foreach ($size in 'few', 'many') {
    $range = if ($size -eq 'few') { $Few } else { $Many }
    $results = $null
    $before = [GC]::GetTotalMemory($true)
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $results = Invoke-RustParallel -ComputerName $range -Count 1 -PacketsPerSecond 0
    "$size=$($watch.Elapsed.TotalSeconds)"
}
"bytes=$(([GC]::GetTotalMemory($true) - $before) / $results.Count)"
