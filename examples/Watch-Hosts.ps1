<#
.SYNOPSIS
    Sweeps a list of hosts and tells which went down or came up since the last time.

.DESCRIPTION
    For Task Scheduler, cron or a systemd timer: needs no console, no profile and no input, ends by
    itself, logs to a file, and says by its exit code what it found:

        0   nothing has changed
        10  at least one host went down or came up
        2   the sweep could not be made, or found out nothing; the log says why

    Any other code is PowerShell's own: the script did not run (1: a wrong parameter).

    A host is up when it answers an echo request or, with -TcpPort, when one of the ports is open.
    What the local machine was not able to find out (a name server that does not answer, no more
    time, no network of its own) is no verdict: it is logged, and the host's last known state stays.

    The history gets one row for each host and sweep. HISTORY.state beside it has one row for each
    host, its last known state: that is what a sweep is compared with, so a run does not read the
    history, however long it is. Without it, or if it is broken, the states are read from the
    history once. A history that does not begin as it should is kept under another name and begun
    anew; rows that cannot be read are left out.

    Runs in Windows PowerShell 5.1 and PowerShell 7.

.PARAMETER HostFile
    Text file with a name, address, CIDR block or range in each line; # begins a comment.

.PARAMETER HistoryFile
    Where the history is kept: CSV, or one JSON object a line if its name ends in .json. Made by the
    first run.

.PARAMETER LogFile
    What is logged goes to the end of this file, besides standard output.

.PARAMETER TcpPort
    Connect to these ports, with commas between them, instead of sending echo requests; needs no
    permission on Linux.

.PARAMETER Count
    Attempts for each host before it counts as down.

.PARAMETER ReplyTimeoutMilliseconds
    How long to wait for the reply to each attempt.

.PARAMETER MaximumWaitTimeSeconds
    The whole sweep ends after this time, whatever happens.

.PARAMETER KeepRows
    How many rows of the history are kept for each host. When a host has twice as many, the older
    half goes.

.PARAMETER Quiet
    Standard output gets only hosts that went down or came up, and errors. The log file gets all.

.PARAMETER Module
    The module's name, or the path of its manifest where the account has no such module.

.EXAMPLE
    ./Watch-Hosts.ps1 -HostFile hosts.txt -HistoryFile history.csv -LogFile watch.log

.EXAMPLE
    pwsh -NoProfile -File ./Watch-Hosts.ps1 -HostFile hosts.txt -HistoryFile history.json -TcpPort 22,443

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
    (Get-ScheduledTaskInfo -TaskName 'Watch hosts').LastTaskResult  # 0, 10 or 2

.EXAMPLE
    # Linux: a systemd service with the one right that echo requests need, and its timer. It sends
    # mail by the command mail after every run that ends with another code than 0.

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
    SuccessExitStatus=10
    TimeoutStartSec=10min
    ExecStart=/usr/bin/pwsh -NoProfile -NonInteractive -File /opt/watch/Watch-Hosts.ps1 \
        -HostFile /etc/watch-hosts.txt -HistoryFile /var/lib/watch-hosts/history.csv
    ExecStopPost=+/bin/sh -c 'test "$$EXIT_STATUS" = 0 || \
        systemctl status --no-pager --full --lines=1000 %n | mail -s "Watch hosts: $$EXIT_STATUS" root'

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
    # Linux: the same by cron, which mails what a job writes to standard output: with -Quiet only
    # what is to be known.

    MAILTO=root
    */15 * * * * pwsh -NoProfile -NonInteractive -File /opt/watch/Watch-Hosts.ps1 -HostFile /etc/watch-hosts.txt -HistoryFile $HOME/history.csv -LogFile $HOME/watch.log -Quiet
#>
[CmdletBinding(PositionalBinding = $false)]
param(
    [Parameter(Mandatory = $true)]
    [string] $HostFile,

    [Parameter(Mandatory = $true)]
    [string] $HistoryFile,

    [string] $LogFile,

    # As text: -File gives 22,443 as one string, which would be read as the number 22443.
    [string[]] $TcpPort,

    [ValidateRange(1, 1000)]
    [int] $Count = 3,

    [ValidateRange(1, 60000)]
    [int] $ReplyTimeoutMilliseconds = 1000,

    [ValidateRange(0.1, 86400.0)]
    [double] $MaximumWaitTimeSeconds = 240,

    [ValidateRange(1, 1000000)]
    [int] $KeepRows = 1000,

    [switch] $Quiet,

    [string] $Module = 'RustRunspaces'
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

# What Invoke-RustParallel reports when it is this machine that did not find out.
$NoVerdict = 'NameLookupTimedOut', 'Unknown', 'PermissionDenied', 'Failed', 'Stopped', 'NotStarted'
$Header = 'Time,ComputerName,Up,Status,Address,Latency'
$Invariant = [Globalization.CultureInfo]::InvariantCulture

# .NET has a current folder of its own: files go by full paths.
function Get-FullPath([string] $Path) {
    return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

# The same text in all cultures: some have other separators, or count years otherwise.
function Get-UtcTime([string] $Format) { return [DateTime]::UtcNow.ToString($Format, $Invariant) }

# First to the file: a standard output or a log that cannot be written is no reason not to watch.
function Write-Log([string] $Text, [switch] $IsNews) {
    $line = (Get-UtcTime 'yyyy-MM-dd HH:mm:ssZ') + ' ' + $Text
    $output = @(if ($IsNews -or -not $Quiet) { $line })
    try {
        if ($LogFile) { [IO.File]::AppendAllText((Get-FullPath $LogFile), $line + [Environment]::NewLine) }
    }
    catch {
        $output += "cannot write the log: $($_.Exception.Message)"
    }
    try {
        foreach ($line in $output) { Write-Host $line }
    }
    catch {
        # The log file has it.
    }
}

function Get-Port {
    foreach ($text in $TcpPort -split ',') {
        $port = 0
        if (-not [int]::TryParse($text, [ref] $port) -or $port -lt 1 -or $port -gt 65535) { throw "'$text' is not a TCP port" }
        $port
    }
}

# What a replacement has begun: the file gets the new content and stays the same file, with its
# owner, rights and links. Where the last run was interrupted, this one does it.
function Complete-Replacement([string] $Path) {
    if (-not [IO.File]::Exists("$Path.new")) { return }
    $from = [IO.File]::OpenRead("$Path.new")
    try {
        $to = [IO.File]::Open($Path, 'OpenOrCreate', 'Write')
        try {
            $from.CopyTo($to)
            $to.SetLength($from.Length)
            $to.Flush($true)
        }
        finally { $to.Dispose() }
    }
    finally { $from.Dispose() }
    [IO.File]::Delete("$Path.new")
}

# Replaces a file by the lines that the block writes; FILE.new exists only when it is complete.
function Set-Line([string] $Path, [scriptblock] $Lines) {
    $writer = [IO.StreamWriter]::new("$Path.part")
    try {
        & $Lines | ForEach-Object { $writer.WriteLine($_) }
        $writer.Flush()
        $writer.BaseStream.Flush($true)
    }
    finally { $writer.Dispose() }
    [IO.File]::Move("$Path.part", "$Path.new")
    Complete-Replacement $Path
}

# Before the sweep: the history must be a file that can be written and begins as it should.
function Test-History {
    if ([IO.Directory]::Exists($HistoryPath)) { throw "the history '$HistoryFile' is a folder" }
    if (-not [IO.File]::Exists($HistoryPath)) { return }
    $stream = [IO.File]::Open($HistoryPath, 'Open', 'ReadWrite')
    try { $first = [string] [IO.StreamReader]::new($stream).ReadLine() }
    finally { $stream.Dispose() }
    if ($IsJson) { $isGood = $first -match $RowPattern }
    else { $isGood = ($first -replace '"') -eq $Header }
    if ($isGood) { return }
    $aside = $HistoryPath + '.' + (Get-UtcTime 'yyyyMMdd-HHmmss') + '.broken'
    [IO.File]::Move($HistoryPath, $aside)
    Write-Log "WARNING the history is broken (its first line is none of this script's); it is kept as '$aside' and begun anew"
}

# The last known state of each host by its name: Up is 'True', 'False' or '' (never known), Rows is
# how many rows the history has of it.
function Get-State {
    $states = [Collections.Hashtable]::new([StringComparer]::OrdinalIgnoreCase)
    if ([IO.File]::Exists($StatePath)) {
        try {
            foreach ($row in ConvertFrom-Csv -InputObject ([IO.File]::ReadAllLines($StatePath))) {
                if (-not $row.ComputerName -or $row.Up -notin 'True', 'False', '') { throw 'a row without a host or a state' }
                $states[$row.ComputerName] = [PSCustomObject] @{ ComputerName = $row.ComputerName; Up = $row.Up; Rows = [int] $row.Rows }
            }
            if (-not $states.Count) { throw 'it is empty' }
            return $states
        }
        catch {
            Write-Log "WARNING the state file '$StatePath' is broken: $($_.Exception.Message)"
            $states.Clear()
        }
    }
    if (-not [IO.File]::Exists($HistoryPath)) { return $states }
    $read = 0
    $skipped = if ($IsJson) { 0 } else { -1 } # the header is none
    foreach ($line in [IO.File]::ReadLines($HistoryPath)) {
        if ($line -notmatch $RowPattern) { $skipped++; continue }
        $read++
        if (-not $states.Contains($Matches.Name)) {
            $states[$Matches.Name] = [PSCustomObject] @{ ComputerName = $Matches.Name; Up = ''; Rows = 0 }
        }
        $states[$Matches.Name].Rows++
        if ($Matches.Up) { $states[$Matches.Name].Up = $Matches.Up }
    }
    Write-Log "WARNING the last states are those of the history: $read rows have been read, $skipped cannot be read"
    return $states
}

function Save-State($States) {
    Set-Line $StatePath { $States.Values | Sort-Object -Property ComputerName | ConvertTo-Csv -NoTypeInformation }
}

function Add-History([object[]] $Rows) {
    if ($IsJson) { $lines = foreach ($row in $Rows) { ConvertTo-Json -InputObject $row -Compress } }
    else { $lines = $Rows | ConvertTo-Csv -NoTypeInformation }
    if ([IO.File]::Exists($HistoryPath)) {
        if (-not $IsJson) { $lines = $lines | Select-Object -Skip 1 }
        # Half a row, left by a run that was interrupted, must not spoil the next one.
        $stream = [IO.File]::OpenRead($HistoryPath)
        try {
            $null = $stream.Seek(-1, 'End')
            $isWhole = $stream.ReadByte() -eq 10
        }
        finally { $stream.Dispose() }
        if (-not $isWhole) { [IO.File]::AppendAllText($HistoryPath, [Environment]::NewLine) }
    }
    [IO.File]::AppendAllLines($HistoryPath, [string[]] @($lines))
}

# Leaves the last rows of each host: counts them, then copies line by line, so that memory does not
# grow with the history.
function Limit-History($States) {
    foreach ($state in $States.Values) { $state.Rows = 0 }
    foreach ($line in [IO.File]::ReadLines($HistoryPath)) {
        if ($line -match $RowPattern -and $States.Contains($Matches.Name)) { $States[$Matches.Name].Rows++ }
    }
    Set-Line $HistoryPath {
        if (-not $IsJson) { $Header }
        foreach ($line in [IO.File]::ReadLines($HistoryPath)) {
            if ($line -notmatch $RowPattern) { continue }
            $state = $States[$Matches.Name]
            if ($state -and $state.Rows -gt $KeepRows) { $state.Rows-- }
            else { $line }
        }
    }
}

# Whether it was this machine that has no way to the host's network. A router that has none says so
# by ICMP, and Detail tells. Of a connect the system does not tell who refused it: then it was this
# machine if no host at all has answered.
function Test-IsOwnNetwork($Result, [bool] $HasAnswer) {
    return $Result.Status -eq 'DestinationNetworkUnreachable' -and $Result.Detail -notmatch 'ICMP' -and -not ($TcpPort -and $HasAnswer)
}

# One row for each host; Up is empty where there is no verdict.
function Invoke-Sweep([string[]] $Names, [int[]] $Ports) {
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
    if ($Ports) { $parameters.TcpPort = $Ports }
    $time = Get-UtcTime 'yyyy-MM-ddTHH:mm:ssZ'
    $results = @(Invoke-RustParallel @parameters)
    foreach ($problem in @($problems) + @($warnings)) { Write-Log "WARNING $problem" }
    $hasAnswer = @($results | Where-Object { $_.Ping }).Count -gt 0
    $seen = [Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)
    foreach ($result in $results) {
        # A host may stand in the list twice.
        if (-not $seen.Add($result.ComputerName)) { continue }
        $up = ''
        # A refused connection is an answer of the host, but not of the service.
        if ($result.Status -notin $NoVerdict -and -not (Test-IsOwnNetwork $result $hasAnswer)) { $up = [string] ($result.Status -eq 'Success') }
        [PSCustomObject] [ordered] @{
            Time         = $time
            ComputerName = $result.ComputerName
            Up           = $up
            Status       = $result.Status
            Address      = [string] $result.Address
            Latency      = [string] $result.Latency
        }
    }
}

$Lock = $null
$exitCode = 2
try {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $HistoryPath = Get-FullPath $HistoryFile
    $StatePath = "$HistoryPath.state"
    $IsJson = [IO.Path]::GetExtension($HistoryFile) -eq '.json'
    # A row of the history as this script writes it; an editor may have taken the quotes of CSV away.
    $instant = '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'
    if ($IsJson) { $RowPattern = '^\{"Time":"' + $instant + '","ComputerName":"(?<Name>[^"]+)","Up":"(?<Up>True|False|)","Status":".*"\}$' }
    else { $RowPattern = '^"?' + $instant + '"?,"?(?<Name>[^",]+)"?,"?(?<Up>True|False|)"?,"?[^",]+"?,[^,]*,[^,]*$' }
    try {
        # Held until the end: two runs at a time would overwrite each other's history.
        $Lock = [IO.File]::Open("$HistoryPath.lock", 'OpenOrCreate', 'ReadWrite', 'None')
    }
    catch [IO.IOException] {
        throw "cannot lock the history, is another run still at work? $($_.Exception.GetBaseException().Message)"
    }
    $ports = @(if ($TcpPort) { Get-Port })
    Import-Module $Module
    $names = foreach ($line in [IO.File]::ReadAllLines((Get-FullPath $HostFile))) {
        $name = ($line -replace '#.*').Trim()
        if ($name) { $name }
    }
    if (-not $names) { throw "there is no host in '$HostFile'" }

    Complete-Replacement $HistoryPath
    Complete-Replacement $StatePath
    Test-History
    $states = Get-State
    $rows = @(Invoke-Sweep $names $ports)
    if (-not $rows) { throw "there is no valid host in '$HostFile'" }

    $hasChanged = $false
    $counts = @{ True = 0; False = 0; '' = 0 }
    foreach ($row in $rows) {
        $counts[$row.Up]++
        $state = $states[$row.ComputerName]
        if (-not $state) {
            $state = [PSCustomObject] @{ ComputerName = $row.ComputerName; Up = ''; Rows = 0 }
            $states[$row.ComputerName] = $state
        }
        $state.Rows++
        if (-not $row.Up) {
            Write-Log "UNKNOWN $($row.ComputerName): $($row.Status)"
            continue
        }
        if ($state.Up -and $state.Up -ne $row.Up) {
            $hasChanged = $true
            if ($row.Up -eq 'True') { Write-Log "UP $($row.ComputerName) came up" -IsNews }
            else { Write-Log "DOWN $($row.ComputerName) went down: $($row.Status)" -IsNews }
        }
        $state.Up = $row.Up
    }
    Add-History $rows
    Save-State $states
    if (@($states.Values | Where-Object { $_.Rows -ge 2 * $KeepRows })) {
        Limit-History $states
        Save-State $states
    }
    Write-Log ('{0} up, {1} down, {2} unknown, in {3} s' -f
        $counts['True'], $counts['False'], $counts[''], $watch.Elapsed.TotalSeconds.ToString('0.0', $Invariant))
    if ($counts[''] -eq $rows.Count) { throw 'of not one host it could be found out whether it is up' }
    if ($hasChanged) { $exitCode = 10 } else { $exitCode = 0 }
}
catch {
    $exitCode = 2
    Write-Log "ERROR $($_.Exception.Message)" -IsNews
}
finally {
    if ($Lock) { $Lock.Dispose() }
}
exit $exitCode
