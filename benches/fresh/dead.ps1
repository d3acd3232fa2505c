# In a fresh process, where no host answers: how long one host and a range of them take by default,
# and the processor time that the range takes as a share of one core. Output: seconds and the share
# as `name=value`.
param([string] $ModuleFolder, [string] $Range)

Import-Module "$ModuleFolder/RustRunspaces.psd1"
$process = [Diagnostics.Process]::GetCurrentProcess()
$null = Invoke-RustParallel -ComputerName 127.0.0.1 -Count 1 -ReplyTimeoutMilliseconds 10
$watch = [Diagnostics.Stopwatch]::StartNew()
$results = Invoke-RustParallel -ComputerName 127.0.0.1
"one=$($watch.Elapsed.TotalSeconds)"
if ($results['127.0.0.1'].Status -ne 'TimedOut') { throw 'the host answered' }
$process.Refresh()
$before = $process.TotalProcessorTime
$watch.Restart()
$results = Invoke-RustParallel -ComputerName $Range -PacketsPerSecond 0
$seconds = $watch.Elapsed.TotalSeconds
$process.Refresh()
"many=$seconds"
"share=$(($process.TotalProcessorTime - $before).TotalSeconds / $seconds)"
