# What every test file of this folder begins with: the functions of the module's tests, and sessions to
# the sites that run.sh made. A session that a test breaks is its own; the others are shared.

. "$PSScriptRoot/../module/Session.ps1"

# What takes longer than a session may be silent, and then ends.
$LongestSeconds = 75

# Of those a session that has worked before has its module loaded and compiled: on a busy machine the others else do
# all of a short piece of work before it has begun.
function Open-Site([string[]] $Name = @('paris', 'oslo', 'lima', 'rome')) {
    $sessions = New-Site $Name
    $null = Invoke-CleanScript 'Invoke-RustParallel 127.0.0.1 -Session $sessions -FromEach; 1..8 | Invoke-RustParallel { $_ } -Session $sessions' @{ sessions = $sessions }
    return $sessions
}

function New-Site([string[]] $Name = @('paris', 'oslo', 'lima', 'rome')) {
    $sessions = @(New-PSSession -HostName $Name -ErrorAction Stop | Sort-Object ComputerName)
    foreach ($session in $sessions) {
        # For run.sh, which shows it where a test has failed.
        $null = Register-ObjectEvent $session.Runspace StateChanged -MessageData $session.ComputerName -Action {
            $state = $EventArgs.RunspaceStateInfo
            if ($state.State -eq 'Broken') { Add-Content "$env:RUSTRUNSPACES_SITES_FOLDER/lost" "$($Event.TimeGenerated.ToString('HH:mm:ss.fff')) $($Event.MessageData): $($state.Reason.Message)" }
        }
    }
    return $sessions
}

# Runs a script in which one session has something to say, until it has. A busy machine may let the others do all of
# it before that one has begun: it has by the next time. After each run a block waits for what it left.
function Invoke-UntilSaid([string] $Script, $Variables = @{}, [scriptblock] $Wait = {}) {
    for ($try = 1; $try -le 5; $try++) {
        $run = Invoke-Script $Script $Variables
        $null = & $Wait
        if ($run.Errors -or $run.Warnings) { break }
    }
    return $run
}

# The seconds that Ctrl+C takes: the shortest of three times, for a busy machine takes some for itself. The block
# returns a run that may be stopped.
function Measure-Stop([scriptblock] $Start) {
    $seconds = 99
    for ($try = 1; $try -le 3 -and $seconds -ge 1; $try++) {
        $seconds = [Math]::Min($seconds, (Stop-Script (& $Start)).TotalSeconds)
    }
    return $seconds
}

# The process at the far end.
function Get-SiteProcess($Session) { return Invoke-Command -Session $Session { $PID } }

# The ssh of this process to a site, the newest.
function Get-NearProcess([string] $Site) {
    $own = foreach ($stat in Get-Item /proc/[0-9]*/stat -ErrorAction Ignore) {
        $fields = "$(Get-Content $stat -ErrorAction Ignore)" -replace '^.*\) ' -split ' '
        $command = "$(Get-Content "$($stat.Directory)/cmdline" -ErrorAction Ignore)" -split "`0"
        # The parent, and when it began.
        if ($fields[1] -eq $PID -and $command[0] -match 'ssh$' -and $command -contains $Site) { [PSCustomObject] @{ Id = [int] $stat.Directory.Name; Begun = [long] $fields[19] } }
    }
    return ($own | Sort-Object Begun)[-1].Id
}

# The names of those hosts that do not have exactly one row.
function Get-WrongCount($Rows, [int] $Hosts) {
    $counts = @{}
    foreach ($row in $Rows) { $counts[$row.ComputerName] = 1 + $counts[$row.ComputerName] }
    $twice = @($counts.Keys | Where-Object { $counts[$_] -ne 1 })
    return "$($counts.Count - $Hosts) hosts too many or too few, $($twice.Count) more than once"
}

$NoneWrong = '0 hosts too many or too few, 0 more than once'

# The numbers of consecutive hosts that one site was given, of rows in the order of the input.
function Get-PartSize($Rows) {
    $sizes = [Collections.Generic.List[int]]::new()
    $last = $null
    foreach ($row in $Rows) {
        if ($row.ObservedFrom -ne $last) { $sizes.Add(0) }
        $last = $row.ObservedFrom
        $sizes[$sizes.Count - 1]++
    }
    return $sizes
}

# Packets that a site's loopback and its way to the network behind have sent.
function Get-SitePacket([string] $Site) {
    $total = 0
    foreach ($device in 'lo', 'eth0') { $total += [long] (ip netns exec $Site cat "/sys/class/net/$device/statistics/tx_packets") }
    return $total
}
