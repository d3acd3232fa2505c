# The model behind scale.md: how long a sweep over many sites takes, what it sends, what the caller has to take in,
# and what holds it up. A simulation of the rules by which parts are handed out (module/Sites/ProbeSite.cs), with
# constants that ./build.sh bench sites measures. Sends nothing.
#
#     docs/scale.ps1                                                     the rows of scale.md
#     docs/scale.ps1 -Sites 100 -Hosts 1000000 -Rate 5000 -AliveShare 0.5
#     docs/scale.ps1 -Table                                              the same as it stands in scale.md

param(
    # Without it, the rows of scale.md.
    [int] $Sites = 0,
    # All addresses of IPv4 but those of RFC 6890 that are no public host's: 2^32 less 592,708,864.
    [long] $Hosts = 3702258432,
    # Packets a second that a site may send: -PacketsPerSecond.
    [double] $Rate = 20000,
    # Hosts that answer. The others take all attempts and the last one's timeout.
    [double] $AliveShare = 0.1,
    [int] $Count = 4,
    [double] $IntervalSeconds = 1,
    [double] $TimeoutSeconds = 1,
    # Sites differ: the slowest has this share of the rate, the others lie evenly between it and the whole.
    [double] $SlowestShare = 0.5,
    # Between the caller and a site.
    [double] $RoundTripSeconds = 0.1,
    [switch] $Table)

$ErrorActionPreference = 'Stop'

# Measured: docs/benchmarks.md, over sessions.
$SecondsPerResult = 3.6e-6       # of the caller's processor, for a result as an object
$SecondsPerSite = 17e-3          # of the caller's processor, for a site and second: signs of life, progress, few results
$BytesPerResult = 5.0            # on the wire to the caller, where hosts answer one after the other
$CallerMegabytes = 1.2           # of the caller's PowerShell, for a session
$SshMegabytes = 1.5              # of its ssh process, beside what they share
# A request or reply on the wire: heads of Ethernet, IP and ICMP and 32 bytes of payload.
$PacketBytes = 74

# As in module/Sites/ProbeSite.cs.
$ChunkSeconds = 0.2
$AheadSeconds = 0.3
$LeastAheadSeconds = 0.05
$SmallestChunk = 64
$LargestChunk = 16384

# So much of a sweep is simulated part by part; what is before that goes on evenly.
$SimulatedSeconds = 20

function Measure-Sweep([int] $Sites, [long] $Hosts) {
    $packets = $AliveShare + (1 - $AliveShare) * $Count
    $speed = [double[]]::new($Sites)
    for ($site = 0; $site -lt $Sites; $site++) {
        $share = if ($Sites -eq 1) { 1 } else { $SlowestShare + (1 - $SlowestShare) * $site / ($Sites - 1) }
        $speed[$site] = $Rate * $share / $packets
    }
    $allSpeed = ($speed | Measure-Object -Sum).Sum
    # One thread writes the results; what sites cost whether they have results or not is the transport's threads'.
    $idleLoad = $Sites * $SecondsPerSite
    # A site asks when what it has not begun lasts no longer than that: (when the caller hears it, site).
    $asking = [Collections.Generic.SortedSet[Tuple[double, int]]]::new()
    for ($site = 0; $site -lt $Sites; $site++) { $null = $asking.Add([Tuple]::Create($RoundTripSeconds, $site)) }
    $busyUntil = [double[]]::new($Sites)
    $callerFree = 0.0
    # A round trip costs nothing as long as what a site has left lasts longer.
    $idle = [Math]::Max(0.0, $RoundTripSeconds - $AheadSeconds)
    $steady = [Math]::Min(1 / $SecondsPerResult, $allSpeed * $ChunkSeconds / ($ChunkSeconds + $idle))
    [double] $left = [Math]::Min([double] $Hosts, $steady * $SimulatedSeconds)
    $evenSeconds = ($Hosts - $left) / $steady
    [double] $parts = ($Hosts - $left) / [Math]::Min([Math]::Max($SmallestChunk, $allSpeed / $Sites * $ChunkSeconds), $LargestChunk)
    while ($left -gt 0) {
        $next = $asking.Min
        $null = $asking.Remove($next)
        $site = $next.Item2
        $size = [Math]::Min([Math]::Max([double] $SmallestChunk, $speed[$site] * $ChunkSeconds), [double] $LargestChunk)
        $size = [Math]::Min([Math]::Min($size, [Math]::Max([double] $SmallestChunk, $left / (2 * $Sites))), $left)
        # The caller answers in turn, and writes as many results meanwhile as it hands out hosts.
        $callerFree = [Math]::Max($callerFree, $next.Item1) + $size * $SecondsPerResult
        $arrives = $callerFree + $RoundTripSeconds / 2
        $busyUntil[$site] = [Math]::Max($busyUntil[$site], $arrives) + $size / $speed[$site]
        $left -= $size
        $ahead = [Math]::Min($AheadSeconds, [Math]::Max($LeastAheadSeconds, $left / $Sites / $speed[$site]))
        $null = $asking.Add([Tuple]::Create([Math]::Max($callerFree, $busyUntil[$site] - $ahead + $RoundTripSeconds / 2), $site))
        $parts++
    }
    $last = ($busyUntil | Measure-Object -Maximum).Maximum
    $first = ($busyUntil | Measure-Object -Minimum).Minimum
    $tail = if ($AliveShare -lt 1) { ($Count - 1) * $IntervalSeconds + $TimeoutSeconds } else { 0 }
    $seconds = $evenSeconds + [Math]::Max($last, $callerFree) + $tail
    $open = [Math]::Min($Hosts, $Hosts / $seconds * $tail + $allSpeed * ($AheadSeconds + $ChunkSeconds))
    return [PSCustomObject] @{
        Sites          = $Sites
        Hosts          = $Hosts
        Seconds        = $seconds
        # What the packets alone take, and what the results alone take.
        RateSeconds    = $Hosts / $allSpeed
        CallerSeconds  = $Hosts * $SecondsPerResult
        HeldUpBy       = if ($Hosts * $SecondsPerResult -gt $Hosts / $allSpeed) { 'caller' } else { 'rate' }
        # Sites of this kind that one caller keeps busy.
        SitesForCaller = [Math]::Floor(1 / ($SecondsPerResult * $allSpeed / $Sites))
        # From the first site's last host to the last site's.
        IdleAtEnd      = $last - $first
        Packets        = $Hosts * ($packets + $AliveShare)
        SiteMegabits   = [Math]::Min($Rate, $Hosts / $seconds / $Sites * $packets) * $PacketBytes * 8 / 1e6
        CallerBytes    = $Hosts * $BytesPerResult
        # Of processors, for sites alone and with the results.
        CallerCores    = $idleLoad + [Math]::Min(1.0, $Hosts * $SecondsPerResult / $seconds)
        # Sessions, their ssh processes, and a bit for each open host.
        CallerMegabytes = $Sites * ($CallerMegabytes + $SshMegabytes) + $open / 8 / 1e6
        Parts          = $parts
    }
}

function Format-Time([double] $Seconds) {
    if ($Seconds -lt 120) { return '{0:0.0} s' -f $Seconds }
    if ($Seconds -lt 7200) { return '{0:0} min' -f ($Seconds / 60) }
    if ($Seconds -lt 172800) { return '{0:0.0} h' -f ($Seconds / 3600) }
    return '{0:0} days' -f ($Seconds / 86400)
}

function Format-Bytes([double] $Bytes) {
    if ($Bytes -lt 1e9) { return '{0:0} MB' -f ($Bytes / 1e6) }
    return '{0:0.0} GB' -f ($Bytes / 1e9)
}

$rows = @(
    if ($Sites -gt 0) { Measure-Sweep $Sites $Hosts }
    else {
        foreach ($row in @(1, 1e6), @(4, 1e6), @(20, 1e6), @(4, 1e8), @(20, 1e8), @(100, 1e8), @(1, $Hosts), @(20, $Hosts), @(100, $Hosts), @(1000, $Hosts)) {
            Measure-Sweep $row[0] $row[1]
        }
    })
if (-not $Table) { return $rows }

[Threading.Thread]::CurrentThread.CurrentCulture = [Globalization.CultureInfo]::InvariantCulture
'| sites | hosts | takes | packets alone | results alone | held up by | packets | a site sends | to the caller | caller''s processors | caller''s memory | parts |'
'|---|---|---|---|---|---|---|---|---|---|---|---|'
foreach ($row in $rows) {
    '| {0:N0} | {1:N0} | {2} | {3} | {4} | {5} | {6:0.0e+0} | {7:0.0} Mbit/s | {8} | {9:0.0} | {10} | {11:N0} |' -f @(
        $row.Sites, $row.Hosts, (Format-Time $row.Seconds), (Format-Time $row.RateSeconds), (Format-Time $row.CallerSeconds), $row.HeldUpBy,
        $row.Packets, $row.SiteMegabits, (Format-Bytes $row.CallerBytes), $row.CallerCores, (Format-Bytes ($row.CallerMegabytes * 1e6)), $row.Parts)
}
