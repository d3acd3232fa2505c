# The runspace template, as people copy it into their scripts: a pool, one PowerShell instance per host, a synchronized
# hashtable, a loop that waits. article-after.ps1 beside it does the same in one line.
[CmdletBinding()]
param(
    [string[]] $ComputerName = @('localhost', '127.0.0.1', '::1'),

    [ValidateRange(1, 1024)]
    [int] $MaximumThreadCount = 32,

    [double] $MaximumWaitTimeSeconds = 300
)

$Started = Get-Date
Write-Verbose ('[{0:yyyy\-MM\-dd HH\:mm\:ss}] Script started.' -f $Started)

# What each host's thread does.
$Work = {
    param([string] $ComputerName)
    $Data[$ComputerName] = [PSCustomObject]@{
        Ping         = Test-Connection -ComputerName $ComputerName -Quiet
        TimeFinished = [DateTime]::Now
    }
}

# The results: every runspace sees the same hashtable as $Data.
$Data = [hashtable]::Synchronized(@{})
$State = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
$State.Variables.Add([System.Management.Automation.Runspaces.SessionStateVariableEntry]::new('Data', $Data, ''))

$Pool = [runspacefactory]::CreateRunspacePool(1, $MaximumThreadCount, $State, $Host)
$Pool.ApartmentState = 'STA'
$Pool.Open()

$Threads = @(foreach ($Computer in $ComputerName) {
    $Instance = [powershell]::Create().AddScript($Work).AddParameter('ComputerName', $Computer)
    $Instance.RunspacePool = $Pool
    [PSCustomObject]@{ Instance = $Instance; Handle = $Instance.BeginInvoke() }
})

$Clock = [Diagnostics.Stopwatch]::StartNew()
while ($Threads.Count -gt 0) {
    $Waited = $Clock.Elapsed.TotalSeconds
    if ($Waited -gt $MaximumWaitTimeSeconds) {
        Write-Verbose "Timeout of $MaximumWaitTimeSeconds seconds reached. Waited $Waited seconds."
        foreach ($Thread in $Threads) { $Thread.Instance.Dispose() }
        break
    }
    $Finished = @($Threads | Where-Object { $_.Handle.IsCompleted })
    if ($Finished.Count -gt 0) {
        Write-Verbose "$($Finished.Count) threads have finished. Running EndInvoke() and Dispose() on them."
        foreach ($Thread in $Finished) {
            [void] $Thread.Instance.EndInvoke($Thread.Handle)
            $Thread.Instance.Dispose()
        }
        $Threads = @($Threads | Where-Object { $Finished -notcontains $_ })
    }
    if ($Threads.Count -gt 0) {
        Write-Verbose ('Waiting for {0} threads to finish. Waited for {1:N3} seconds.' -f $Threads.Count, $Waited)
        Start-Sleep -Milliseconds 250
    }
    else {
        Write-Verbose 'All threads finished.'
    }
}

Write-Verbose 'Closing runspace pool.'
$Pool.Dispose()
$Data

$Ended = Get-Date
Write-Verbose ('[{0:yyyy\-MM\-dd HH\:mm\:ss}] Script finished.' -f $Ended)
Write-Verbose ('Total minutes elapsed: {0:N5}' -f ($Ended - $Started).TotalMinutes)
