<#
.SYNOPSIS
    Sweeps a list of hosts and tells which went down or came up since the last time.

.DESCRIPTION
    For Task Scheduler, cron or a systemd timer: needs no console, no profile and no input, ends by
    itself, logs to a file, and says by its exit code what it found:

        0  nothing has changed
        1  at least one host went down or came up
        2  the sweep could not be made; the log says why

    A host is up when it answers an echo request or, with -TcpPort, when one of the ports is open.
    What the local machine was not able to find out (a name server that does not answer, no more
    time) is no verdict: it is logged, and the host's last known state stays.

    The history has one row for each host and sweep. It is written anew as a whole, so an
    interrupted run leaves the old one. One that cannot be read is kept under another name; a row
    that cannot be read is left out.

    Runs in Windows PowerShell 5.1 and PowerShell 7.

.PARAMETER HostFile
    Text file with a name, address, CIDR block or range in each line; # begins a comment.

.PARAMETER HistoryFile
    Where the history is kept: CSV, or JSON if its name ends in .json. Made by the first run.

.PARAMETER LogFile
    What is logged goes to the end of this file, besides standard output.

.PARAMETER TcpPort
    Connect to these ports instead of sending echo requests; needs no permission on Linux.

.PARAMETER Count
    Attempts for each host before it counts as down.

.PARAMETER ReplyTimeoutMilliseconds
    How long to wait for the reply to each attempt.

.PARAMETER MaximumWaitTimeSeconds
    The whole sweep ends after this time, whatever happens.

.PARAMETER KeepRows
    How many rows of the history are kept for each host.

.PARAMETER Module
    The module's name, or the path of its manifest where the account has no such module.

.EXAMPLE
    ./Watch-Hosts.ps1 -HostFile hosts.txt -HistoryFile history.csv -LogFile watch.log

.EXAMPLE
    # Windows: every 15 minutes, as an account without rights, never two at a time. In an elevated
    # PowerShell; C:\Watch is a folder that LOCAL SERVICE may write to.

    $Arguments = '-NoProfile -NonInteractive -ExecutionPolicy RemoteSigned -File C:\Watch\Watch-Hosts.ps1' +
        ' -HostFile C:\Watch\hosts.txt -HistoryFile C:\Watch\history.csv -LogFile C:\Watch\watch.log'
    Register-ScheduledTask -TaskName 'Watch hosts' `
        -Action (New-ScheduledTaskAction -Execute powershell.exe -Argument $Arguments) `
        -Trigger (New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (New-TimeSpan -Minutes 15)) `
        -Settings (New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -StartWhenAvailable -ExecutionTimeLimit (New-TimeSpan -Minutes 10)) `
        -Principal (New-ScheduledTaskPrincipal -UserId 'NT AUTHORITY\LOCAL SERVICE' -LogonType ServiceAccount)
    (Get-ScheduledTaskInfo -TaskName 'Watch hosts').LastTaskResult

.EXAMPLE
    # Linux: a systemd service with the one right that echo requests need, and its timer.

    # /etc/systemd/system/watch-hosts.service
    [Unit]
    Description=Watch hosts
    Wants=network-online.target
    After=network-online.target
    [Service]
    Type=oneshot
    DynamicUser=yes
    StateDirectory=watch-hosts
    Environment=HOME=/var/lib/watch-hosts
    AmbientCapabilities=CAP_NET_RAW
    SuccessExitStatus=1
    TimeoutStartSec=10min
    ExecStart=/usr/bin/pwsh -NoProfile -NonInteractive -File /opt/watch/Watch-Hosts.ps1 \
        -HostFile /etc/watch-hosts.txt -HistoryFile /var/lib/watch-hosts/history.csv

    # /etc/systemd/system/watch-hosts.timer
    [Unit]
    Description=Watch hosts every 15 minutes
    [Timer]
    OnCalendar=*:0/15
    Persistent=true
    [Install]
    WantedBy=timers.target

    # sudo systemctl daemon-reload; sudo systemctl enable --now watch-hosts.timer
    # Output is in the journal: journalctl -u watch-hosts

.EXAMPLE
    # Linux: the same by cron, which sends mail when a job writes to standard output.

    */15 * * * * pwsh -NoProfile -NonInteractive -File /opt/watch/Watch-Hosts.ps1 -HostFile /etc/watch-hosts.txt -HistoryFile $HOME/history.csv -LogFile $HOME/watch.log >/dev/null
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)]
    [string] $HostFile,

    [Parameter(Mandatory = $true)]
    [string] $HistoryFile,

    [string] $LogFile,

    [ValidateRange(1, 65535)]
    [int[]] $TcpPort,

    [ValidateRange(1, 1000)]
    [int] $Count = 3,

    [ValidateRange(1, 60000)]
    [int] $ReplyTimeoutMilliseconds = 1000,

    [ValidateRange(0.1, 86400.0)]
    [double] $MaximumWaitTimeSeconds = 240,

    [ValidateRange(1, 1000000)]
    [int] $KeepRows = 1000,

    [string] $Module = 'RustRunspaces'
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

# What Invoke-RustParallel reports when it is this machine that did not find out.
$NoVerdict = 'NameLookupTimedOut', 'Unknown', 'PermissionDenied', 'Failed', 'Stopped', 'NotStarted'
$Columns = 'Time', 'ComputerName', 'Up', 'Status', 'Address', 'Latency'

# .NET has a current folder of its own: files go by full paths.
function Get-FullPath([string] $Path) {
    return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

function Write-Log([string] $Text) {
    $line = [DateTime]::UtcNow.ToString('yyyy-MM-dd HH:mm:ssZ') + ' ' + $Text
    $line
    if (-not $LogFile) { return }
    try {
        [IO.File]::AppendAllText((Get-FullPath $LogFile), $line + [Environment]::NewLine)
    }
    catch {
        # A log that cannot be written is no reason not to watch.
        "cannot write the log: $($_.Exception.Message)"
    }
}

function Test-IsJson { return [IO.Path]::GetExtension($HistoryFile) -eq '.json' }

# The rows of the history, oldest first. Why some could not be read stands in $script:Broken.
function Read-History {
    $path = Get-FullPath $HistoryFile
    if (-not [IO.File]::Exists($path)) { return }
    $text = [IO.File]::ReadAllText($path).Trim()
    try {
        if (-not $text) { throw 'it is empty' }
        $found = if (Test-IsJson) { ConvertFrom-Json -InputObject $text } else { ConvertFrom-Csv -InputObject $text }
    }
    catch {
        $script:Broken = $_.Exception.Message
        return
    }
    foreach ($row in @($found)) {
        try {
            $values = [ordered] @{}
            foreach ($column in $Columns) { $values[$column] = [string] $row.$column }
            # JSON readers may make a date of it; then it is written as one again.
            $values.Time = ([DateTime] $row.Time).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
            if (-not $values.ComputerName -or $values.Up -notin 'True', 'False', '') { throw 'a row without a host or a state' }
            [PSCustomObject] $values
        }
        catch {
            $script:Broken = $_.Exception.Message
        }
    }
}

# Replaces the history in one step. The last rows of each host are kept.
function Write-History([object[]] $Rows) {
    $path = Get-FullPath $HistoryFile
    $kept = [Collections.Generic.List[object]]::new()
    $seen = [Collections.Generic.Dictionary[string, int]]::new([StringComparer]::OrdinalIgnoreCase)
    for ($i = $Rows.Count - 1; $i -ge 0; $i--) {
        $name = $Rows[$i].ComputerName
        $number = 0
        $null = $seen.TryGetValue($name, [ref] $number)
        $seen[$name] = $number + 1
        if ($number -lt $KeepRows) { $kept.Add($Rows[$i]) }
    }
    $kept.Reverse()
    if (Test-IsJson) { $text = ConvertTo-Json -InputObject $kept.ToArray() }
    else { $text = ($kept.ToArray() | ConvertTo-Csv -NoTypeInformation) -join [Environment]::NewLine }
    [IO.File]::WriteAllText("$path.new", $text + [Environment]::NewLine)
    if ([IO.File]::Exists($path)) { [IO.File]::Replace("$path.new", $path, [NullString]::Value) }
    else { [IO.File]::Move("$path.new", $path) }
}

# The state of each host when it was last known: 'True' or 'False'.
function Get-LastState([object[]] $Rows) {
    $states = [Collections.Generic.Dictionary[string, string]]::new([StringComparer]::OrdinalIgnoreCase)
    foreach ($row in $Rows) {
        if ($row.Up) { $states[$row.ComputerName] = $row.Up }
    }
    return , $states
}

# One row for each host; Up is empty where there is no verdict.
function Invoke-Sweep([string[]] $Names) {
    $parameters = @{
        ComputerName             = $Names
        Count                    = $Count
        ReplyTimeoutMilliseconds = $ReplyTimeoutMilliseconds
        MaximumWaitTimeSeconds   = $MaximumWaitTimeSeconds
        AsObject                 = $true
        ErrorAction              = 'SilentlyContinue'
        ErrorVariable            = 'problems'
        WarningAction            = 'SilentlyContinue'
        WarningVariable          = 'warnings'
    }
    if ($TcpPort) { $parameters.TcpPort = $TcpPort }
    $time = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ')
    Invoke-RustParallel @parameters | ForEach-Object {
        $up = ''
        # A refused connection is an answer of the host, but not of the service.
        if ($_.Status -notin $NoVerdict) { $up = [string] ($_.Status -eq 'Success') }
        [PSCustomObject] [ordered] @{
            Time         = $time
            ComputerName = $_.ComputerName
            Up           = $up
            Status       = $_.Status
            Address      = [string] $_.Address
            Latency      = [string] $_.Latency
        }
    }
    foreach ($problem in $problems) { $script:Problems.Add([string] $problem) }
    foreach ($warning in $warnings) { $script:Problems.Add([string] $warning) }
}

$Broken = ''
$Problems = [Collections.Generic.List[string]]::new()
$Lock = $null
$exitCode = 2
try {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    try {
        # Held until the end: two runs at a time would overwrite each other's history.
        $Lock = [IO.File]::Open((Get-FullPath "$HistoryFile.lock"), 'OpenOrCreate', 'ReadWrite', 'None')
    }
    catch [IO.IOException] {
        throw "cannot lock the history, is another run still at work? $($_.Exception.GetBaseException().Message)"
    }
    Import-Module $Module
    $names = foreach ($line in [IO.File]::ReadAllLines((Get-FullPath $HostFile))) {
        $name = ($line -replace '#.*').Trim()
        if ($name) { $name }
    }
    if (-not $names) { throw "there is no host in '$HostFile'" }

    $old = @(Read-History)
    if ($Broken) {
        $copy = (Get-FullPath $HistoryFile) + '.' + [DateTime]::UtcNow.ToString('yyyyMMdd-HHmmss') + '.broken'
        [IO.File]::Copy((Get-FullPath $HistoryFile), $copy, $true)
        Write-Log "WARNING the history is broken ($Broken); going on with the $($old.Count) rows that can be read, a copy is '$copy'"
    }
    $last = Get-LastState $old
    $new = @(Invoke-Sweep $names)
    foreach ($problem in $Problems) { Write-Log "WARNING $problem" }

    $exitCode = 0
    $counts = @{ True = 0; False = 0; '' = 0 }
    foreach ($row in $new) {
        $counts[$row.Up]++
        $before = ''
        if (-not $row.Up) { Write-Log "UNKNOWN $($row.ComputerName): $($row.Status)" }
        elseif (-not $last.TryGetValue($row.ComputerName, [ref] $before)) { continue }
        elseif ($before -ne $row.Up) {
            $exitCode = 1
            if ($row.Up -eq 'True') { Write-Log "UP $($row.ComputerName) came up" }
            else { Write-Log "DOWN $($row.ComputerName) went down: $($row.Status)" }
        }
    }
    Write-History ($old + $new)
    Write-Log ('{0} up, {1} down, {2} unknown, in {3:0.0} s' -f
        $counts['True'], $counts['False'], $counts[''], $watch.Elapsed.TotalSeconds)
}
catch {
    $exitCode = 2
    Write-Log "ERROR $($_.Exception.Message)"
}
finally {
    if ($Lock) { $Lock.Dispose() }
}
exit $exitCode
