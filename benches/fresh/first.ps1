# In a fresh process: the first call with five trivial jobs, of the module, of the engine's own
# ForEach-Object -Parallel or of Start-ThreadJob. The import is not in it. Output: seconds as `name=value`.
param([string] $ModuleFolder, [string] $Side)

$names = 'host1', 'host2', 'host3', 'host4', 'host5'
if ($Side -eq 'module') {
    Import-Module "$ModuleFolder/RustRunspaces.psd1"
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $data = Invoke-RustParallel -ComputerName $names -ScriptBlock {
        param($ComputerName) $Data[$ComputerName] = [PSCustomObject] @{ Ping = $true; TimeFinished = [DateTime]::Now }
    }
    $seconds = $watch.Elapsed.TotalSeconds
}
elseif ($Side -eq 'threadjob') {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $data = [Hashtable]::Synchronized(@{})
    $jobs = foreach ($name in $names) {
        Start-ThreadJob -ThrottleLimit 32 -ArgumentList $name, $data {
            param($ComputerName, $Data) $Data[$ComputerName] = [PSCustomObject] @{ Ping = $true; TimeFinished = [DateTime]::Now }
        }
    }
    $null = Receive-Job $jobs -Wait -AutoRemoveJob
    $seconds = $watch.Elapsed.TotalSeconds
}
else {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $data = [Hashtable]::Synchronized(@{})
    $names | ForEach-Object -Parallel {
        $Data = $using:data; $Data[$_] = [PSCustomObject] @{ Ping = $true; TimeFinished = [DateTime]::Now }
    } -ThrottleLimit 32
    $seconds = $watch.Elapsed.TotalSeconds
}
if ($data.Count -ne $names.Length) { throw "$($data.Count) of $($names.Length) jobs have an entry" }
"first=$seconds"
