# In a fresh process, where no host answers: how long one host and a range of them take by default, and
# the processor time that the range takes as a share of one core, in the process's first call of its
# kind and in a later one. Output: seconds and shares as `name=value`.
param([string] $ModuleFolder, [string] $Range)

Import-Module "$ModuleFolder/RustRunspaces.psd1"
$process = [Diagnostics.Process]::GetCurrentProcess()
$null = Invoke-RustParallel -ComputerName 127.0.0.1 -Count 1 -ReplyTimeoutMilliseconds 10
$watch = [Diagnostics.Stopwatch]::StartNew()
$results = Invoke-RustParallel -ComputerName 127.0.0.1
"one=$($watch.Elapsed.TotalSeconds)"
if ($results['127.0.0.1'].Status -ne 'TimedOut') { throw 'the host answered' }
foreach ($call in 'first', 'later') {
    if ($call -eq 'later') {
        # .NET compiles what runs often.
        foreach ($warming in 1..10) {
            $results = Invoke-RustParallel -ComputerName $Range -PacketsPerSecond 0 -Count 1 -ReplyTimeoutMilliseconds 200
        }
    }
    $process.Refresh()
    $before = $process.TotalProcessorTime
    $watch.Restart()
    $results = Invoke-RustParallel -ComputerName $Range -PacketsPerSecond 0
    $seconds = $watch.Elapsed.TotalSeconds
    $process.Refresh()
    "$call=$seconds"
    "${call}Share=$(($process.TotalProcessorTime - $before).TotalSeconds / $seconds)"
}
