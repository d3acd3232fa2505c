# In a fresh process: 100,000 script jobs, in the item form that keeps nothing or in the host form
# that keeps an object a host, or a plain loop that keeps the same objects, and how far memory rose
# over the start. Output: bytes as `name=value`.
param([string] $ModuleFolder, [string] $Form)

Import-Module "$ModuleFolder/RustRunspaces.psd1"
$names = [string[]]::new(100000)
for ($i = 0; $i -lt $names.Length; $i++) { $names[$i] = "host$i" }
$block = { param($ComputerName) $Data[$ComputerName] = [PSCustomObject] @{ Ping = $true; TimeFinished = [DateTime]::Now } }
$process = [Diagnostics.Process]::GetCurrentProcess()
$before = $process.WorkingSet64
$done = 0
if ($Form -eq 'items') {
    $names | Invoke-RustParallel -Parallel { $_ } | & { process { $script:done++ } }
}
elseif ($Form -eq 'hosts') {
    $done = (Invoke-RustParallel -ComputerName $names -ScriptBlock $block).Count
}
else {
    $Data = [Hashtable]::Synchronized(@{})
    foreach ($name in $names) { & $block $name }
    $done = $Data.Count
}
if ($done -ne $names.Length) { throw "$done of $($names.Length) jobs came back" }
$process.Refresh()
"over=$($process.PeakWorkingSet64 - $before)"
