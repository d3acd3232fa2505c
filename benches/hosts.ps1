# The measurements of probes: Invoke-RustParallel and the engine alone against fping and bare loops
# in C, imports and first calls in fresh processes, memory at a million hosts. All traffic stays on
# the loopback interface. Called by run.ps1; needs $report, $Rounds and what run.ps1 has loaded.

$Cmdlet = 'Invoke-RustParallel'
$Engine = 'engine alone'
$BareLoop = 'bare loop'

# The hosts of 127.0.0.0/8 from the first on: the same addresses on every side.
$HostRanges = @{
    254     = '127.0.0.1-127.0.0.254'
    4096    = '127.0.0.1-127.0.16.0'
    65024   = '127.0.0.1-127.0.254.0'
    100000  = '127.0.0.1-127.1.134.160'
    1000000 = '127.0.0.1-127.15.66.64'
}

function Get-CmdletLine([int] $Hosts, [string] $Options = '-Count 1 -PacketsPerSecond 0') {
    return "Invoke-RustParallel -ComputerName $($HostRanges[$Hosts]) $Options".TrimEnd()
}

# Seconds of one call; every host must have answered.
function Measure-Call([string] $Line, [int] $Hosts, [int] $Repeat = 1) {
    $call = [ScriptBlock]::Create($Line)
    $times = for ($i = 0; $i -lt $Repeat; $i++) {
        $watch = [Diagnostics.Stopwatch]::StartNew()
        $results = & $call
        $watch.Elapsed.TotalSeconds
        $up = 0
        foreach ($result in $results.Values) { if ($result.Ping) { $up++ } }
        if ($up -ne $Hosts) { throw "$up of $Hosts hosts answered: $Line" }
    }
    return Get-Median $times
}

# The blocks of the sides see this function's variables only while it runs: so it measures them, too.
function Measure-EchoSides([int] $Hosts, [string] $Options, [int] $Repeat) {
    $sides = [ordered] @{ $Cmdlet = { Measure-Call (Get-CmdletLine $Hosts $Options) $Hosts $Repeat } }
    $sides[$Engine] = { (Get-ProgramFigure $sweep @('--quiet', '--count', '1', '--size', '16', $HostRanges[$Hosts]) 'elapsed_ns') / 1e9 }
    if ($hasEcho) { $sides[$BareLoop] = { Get-ProgramFigure "$ProgramFolder/echo" @("$Hosts") 'seconds' } }
    if ($hasFping -and $Hosts -le 65024) { $sides['fping'] = { Measure-Fping $Hosts } }
    return Measure-Sides $Rounds $sides
}

# fping's own figure, which leaves out the start of its process. It may miss a few of 65,024 hosts on
# a busy machine: those are counted and told.
function Measure-Fping([int] $Hosts) {
    $said = (Measure-Program 'fping' (@('-i0', '-r0', '-t1000', '-b32', '-q', '-s', '-g') + $HostRanges[$Hosts].Split('-'))).ErrorOutput
    if ($said -notmatch '(\d+) alive') { throw "fping: $said" }
    $script:missedByFping += $Hosts - [int] $Matches[1]
    if ($said -notmatch '([0-9.]+) sec \(elapsed real time\)') { throw "fping: $said" }
    return [double]::Parse($Matches[1], $Invariant)
}

function Measure-ConnectSides([int] $Port) {
    return Measure-Sides $Rounds ([ordered] @{
            $Cmdlet   = { Measure-Call (Get-CmdletLine 4096 "-TcpPort $Port") 4096 }
            $Engine   = { (Get-ProgramFigure $sweep @('--quiet', '--tcp', "$Port", $HostRanges[4096]) 'elapsed_ns') / 1e9 }
            $BareLoop = { Get-ProgramFigure "$ProgramFolder/connect" @('4096', "$Port") 'seconds' }
        })
}

function Measure-Echo {
    $rows = [Collections.Generic.List[object]]::new()
    $samples = Measure-EchoSides 254 '' 5
    Add-Samples $report '254 hosts, default rate' 's' $samples
    Add-Bars $report '254 hosts, default rate' $samples
    $rows.Add((Get-Comparison $report '254 hosts, default rate' $samples $Cmdlet 'fping' -MillisecondsAtMost 20))

    foreach ($hosts in 254, 65024, 1000000) {
        $work = "$($hosts.ToString('N0', $Invariant)) hosts"
        $samples = Measure-EchoSides $hosts '-Count 1 -PacketsPerSecond 0' $(if ($hosts -eq 254) { 5 } else { 1 })
        Add-Samples $report $work 's' $samples
        if ($hosts -gt 254) { Add-Bars $report $work $samples }
        if ($hosts -le 65024) {
            $share = if ($hosts -eq 65024) { 0.52 } else { $null }
            $rows.Add((Get-Comparison $report $work $samples $Cmdlet 'fping' -TimeAtMost $share))
        }
        $rows.Add((Get-Comparison $report $work $samples $Cmdlet $BareLoop))
        # 254 hosts take a millisecond: mostly the start of a pool, which the bare loop has not.
        $share = if ($hosts -eq 254) { $null } else { 0.92 }
        $rows.Add((Get-Comparison $report $work $samples $Engine $BareLoop -RateAtLeast $share))
    }
    return , $rows.ToArray()
}

function Measure-Connects {
    $listener = Start-Program "$ProgramFolder/listener" @()
    try {
        $port = [int] (Get-Figure $listener.StandardOutput.ReadLine() 'port')
        $samples = Measure-ConnectSides $port
    }
    finally {
        $listener.StandardInput.Close() # ends it
        $listener.WaitForExit()
        $listener.Dispose()
    }
    Add-Samples $report '4,096 TCP connects' 's' $samples
    Add-Bars $report '4,096 TCP connects' $samples
    return , @(
        (Get-Comparison $report '4,096 TCP connects' $samples $Cmdlet $BareLoop -RateAtLeast 0.7),
        (Get-Comparison $report '4,096 TCP connects' $samples $Engine $BareLoop -RateAtLeast 0.85))
}

# How far latencies are from the truth, which a witness on the wire has in the kernel's own times:
# the network tests measure it, on loopback and in a network whose distances they play, with fping
# beside it where it is. Microseconds: median and 99th percentile of the hosts.
$LatencyTargets = @{
    'loopback, unlimited'       = 25, 250
    'loopback, 10,000 a second' = 10, 100
    'loopback, statistics'      = 10, 100
    'distant, unlimited'        = 25, 250
    'distant, 10,000 a second'  = 10, 100
    'distant, statistics'       = 10, 100
    'connects'                  = 50, 500
    'connects, refused'         = 50, 500
}

function Measure-Latency {
    $samples = [ordered] @{}
    for ($round = 0; $round -lt $Rounds; $round++) {
        $result = Invoke-Cargo @('test', '--release', '--test', 'network', 'latency::', '--', '--nocapture', '--test-threads', '1')
        foreach ($line in $result.Output.Split("`n")) {
            if ($line -notmatch 'latency\twork=(.+)\thosts=\d+\tmedian_us=([0-9.]+)\tp99_us=([0-9.]+)') { continue }
            foreach ($figure in @{ "$($Matches[1]), median" = $Matches[2]; "$($Matches[1]), p99" = $Matches[3] }.GetEnumerator()) {
                if (-not $samples.Contains($figure.Key)) { $samples[$figure.Key] = [Collections.Generic.List[double]]::new() }
                $samples[$figure.Key].Add([double]::Parse($figure.Value, $Invariant))
            }
        }
    }
    Add-Samples $report 'error of the latency' 'us' $samples
    $works = @($samples.Keys | Where-Object { $_ -match ', median$' } | ForEach-Object { $_ -replace ', median$' })
    return , @(foreach ($work in $works) {
            $median = Get-Summary $samples["$work, median"]
            $p99 = Get-Summary $samples["$work, p99"]
            $most = $LatencyTargets[$work]
            $target = if ($most) { "<= $($most[0]) and $($most[1])" } else { '-' }
            $met = if ($most) { $median.Median -le $most[0] -and $p99.Median -le $most[1] }
            , @($work, "$(Format-Summary $median)", "$(Format-Summary $p99)", $target, (Get-Verdict $report $met))
        })
}

# Fresh processes: imports, and the first calls after them.
function Measure-Imports {
    $empty = "$ProgramFolder/Empty/Empty.psd1"
    $null = New-Item $empty -Force -Value "@{ ModuleVersion = '1.0' }"
    $samples = [ordered] @{}
    foreach ($name in 'import', 'first call', 'later call', 'import of an empty manifest') {
        $samples[$name] = [Collections.Generic.List[double]]::new()
    }
    for ($round = 0; $round -lt $Rounds; $round++) {
        $output = Invoke-FreshHost 'import.ps1' @("$ModuleFolder/RustRunspaces.psd1", 'calls')
        $samples['import'].Add((Get-Figure $output 'import'))
        $samples['first call'].Add((Get-Figure $output 'first'))
        $samples['later call'].Add((Get-Figure $output 'later'))
        $samples['import of an empty manifest'].Add((Get-Figure (Invoke-FreshHost 'import.ps1' @($empty)) 'import'))
    }
    Add-Samples $report 'fresh process' 's' $samples
    return , @(
        (Get-Comparison $report 'fresh process' $samples 'import' 'import of an empty manifest' -MillisecondsAtMost 30),
        (Get-Comparison $report 'fresh process, 1 host' $samples 'first call'),
        (Get-Comparison $report 'fresh process, 1 host' $samples 'later call'))
}

# Fresh processes again: what many hosts cost in memory, and whether time grows as hosts do.
function Measure-Memory {
    $rows = [Collections.Generic.List[object]]::new()
    $peaks = Measure-Sides ([Math]::Min($Rounds, 3)) ([ordered] @{
            '100,000 hosts'   = { Get-Figure (Invoke-FreshHost 'stream.ps1' @($ModuleFolder, $HostRanges[100000], '100000')) 'peak' }
            '1,000,000 hosts' = { Get-Figure (Invoke-FreshHost 'stream.ps1' @($ModuleFolder, $HostRanges[1000000], '1000000')) 'peak' }
        })
    Add-Samples $report 'peak memory with -AsObject' 'bytes' $peaks
    $few = Get-Summary $peaks['100,000 hosts']
    $many = Get-Summary $peaks['1,000,000 hosts']
    $more = $many.Median - $few.Median
    $rows.Add(@('peak memory, -AsObject, 100,000 hosts', "$(Format-Summary $few 1e-6) MB", '-', '-'))
    $rows.Add(@('peak memory, -AsObject, 1,000,000 hosts', "$(Format-Summary $many 1e-6) MB",
            '<= 20 MB over the row above', (Get-Verdict $report ($more -le 20e6))))

    $bytes = [ordered] @{ 'hashtable' = [Collections.Generic.List[double]]::new() }
    $times = [ordered] @{ '100,000 hosts' = [Collections.Generic.List[double]]::new(); '1,000,000 hosts' = [Collections.Generic.List[double]]::new() }
    for ($round = 0; $round -lt [Math]::Min($Rounds, 3); $round++) {
        $output = Invoke-FreshHost 'table.ps1' @($ModuleFolder, $HostRanges[100000], $HostRanges[1000000])
        $bytes['hashtable'].Add((Get-Figure $output 'bytes'))
        $times['100,000 hosts'].Add((Get-Figure $output 'few'))
        $times['1,000,000 hosts'].Add((Get-Figure $output 'many'))
    }
    Add-Samples $report 'a host of 1,000,000' 'bytes' $bytes
    Add-Samples $report 'time in a fresh process' 's' $times
    $each = Get-Summary $bytes['hashtable']
    $growth = Get-Summary (Get-Ratios $times['1,000,000 hosts'] $times['100,000 hosts'])
    $rows.Add(@('hashtable, 1,000,000 hosts', "$(Format-Summary $each) bytes a host", '<= 300', (Get-Verdict $report ($each.Median -le 300))))
    $rows.Add(@('time of 1,000,000 hosts to that of 100,000', (Format-Summary $growth), 'linear: <= 12', (Get-Verdict $report ($growth.Median -le 12))))
    return , $rows.ToArray()
}

# Seconds of processor time that ended child processes of this one have taken (proc_pid_stat(5): cutime
# and cstime, in hundredths).
function Get-ChildrenSeconds {
    $fields = [IO.File]::ReadAllText('/proc/self/stat') -replace '^.*\) ' -split ' '
    return ([int] $fields[13] + [int] $fields[14]) / 100
}

# Hosts that never answer: a network namespace whose filter drops everything, the same addresses as
# above. They cost time, which the defaults say, and should cost little else: beside it stands what the
# bare loop takes to send as many packets.
function Measure-DeadHosts {
    $namespace = "rust-runspaces-bench-$PID"
    $samples = [ordered] @{}
    foreach ($name in '1 dead host', '65,024 dead hosts', 'first call', 'later call', 'sending alone') { $samples[$name] = [Collections.Generic.List[double]]::new() }
    $null = Invoke-Required 'ip netns' 'ip' @('netns', 'add', $namespace)
    try {
        foreach ($command in 'ip link set lo up', 'nft add table ip dead',
            'nft add chain ip dead input { type filter hook input priority 0 ; policy drop ; }') {
            $null = Invoke-Required $command 'ip' (@('netns', 'exec', $namespace) + $command.Split(' '))
        }
        for ($round = 0; $round -lt [Math]::Min($Rounds, 3); $round++) {
            $output = Invoke-FreshHost 'dead.ps1' @($ModuleFolder, $HostRanges[65024]) @('ip', 'netns', 'exec', $namespace)
            $samples['1 dead host'].Add((Get-Figure $output 'one'))
            $samples['65,024 dead hosts'].Add((Get-Figure $output 'later'))
            $samples['first call'].Add((Get-Figure $output 'firstShare'))
            $samples['later call'].Add((Get-Figure $output 'laterShare'))
            $before = Get-ChildrenSeconds
            foreach ($attempt in 1..4) {
                # It fails, since nobody answers.
                $null = Measure-Program 'ip' @('netns', 'exec', $namespace, "$ProgramFolder/echo", '65024')
            }
            $samples['sending alone'].Add(((Get-ChildrenSeconds) - $before) / (Get-Figure $output 'later'))
        }
    }
    finally {
        $null = Invoke-Required 'ip netns' 'ip' @('netns', 'delete', $namespace)
    }
    Add-Samples $report 'dead hosts' 's' $samples
    $one = Get-Summary $samples['1 dead host']
    $many = Get-Summary $samples['65,024 dead hosts']
    $first = Get-Summary $samples['first call']
    $later = Get-Summary $samples['later call']
    $sending = Get-Summary $samples['sending alone']
    return , @(
        @('1 dead host', "$(Format-Summary $one) s", '<= 4.1', (Get-Verdict $report ($one.Median -le 4.1))),
        @('65,024 dead hosts', "$(Format-Summary $many) s", '<= 4.5', (Get-Verdict $report ($many.Median -le 4.5))),
        @('65,024 dead hosts, processor time', "$(Format-Summary $later 100) % of one core", '< 20', (Get-Verdict $report ($later.Median -lt 0.2))),
        @('the same, first call of a process', "$(Format-Summary $first 100) % of one core", '-', '-'),
        @('the bare loop, as many packets in that time', "$(Format-Summary $sending 100) % of one core", '-', '-'))
}

$sweep = Build-Sweep
$hasLoops = Build-BareLoops
$hasEcho = $hasLoops -and (Measure-Program "$ProgramFolder/echo" @('1')).ExitCode -eq 0
$missedByFping = 0
$hasFping = [bool] (Find-Program 'fping')

Write-Table $report @('side', 'command line') @(
    , @($Cmdlet, (Get-CmdletLine 65024))
    , @("$Cmdlet, default rate", (Get-CmdletLine 254 ''))
    , @("$Cmdlet, TCP", (Get-CmdletLine 4096 '-TcpPort PORT'))
    , @($Engine, "sweep --quiet --count 1 --size 16 $($HostRanges[65024])")
    , @("$Engine, TCP", "sweep --quiet --tcp PORT $($HostRanges[4096])")
    , @($BareLoop, $(if ($hasEcho) { 'echo 65024' } else { 'not measured: needs Linux, cc and the right to raw sockets' }))
    , @("$BareLoop, TCP", $(if ($hasLoops) { 'connect 4096 PORT' } else { 'not measured: needs Linux and cc' }))
    , @('fping', $(if ($hasFping) { "fping -i0 -r0 -t1000 -b32 -q -s -g $($HostRanges[65024].Replace('-', ' '))" } else { 'not measured: not on this machine' }))
)
Write-Table $report $ComparisonHeaders (Measure-Echo)
if ($hasLoops) { Write-Table $report $ComparisonHeaders (Measure-Connects) }
$latencies = Measure-Latency
if ($latencies) { Write-Table $report @('latency', 'median error, us', 'p99 error, us', 'target', 'met') $latencies }
Write-Table $report $ComparisonHeaders (Measure-Imports)
Write-Table $report @('memory', 'measured', 'target', 'met') (Measure-Memory)
if ($hasEcho -and (Find-Program 'ip') -and (Find-Program 'nft')) {
    Write-Table $report @('dead hosts', 'measured', 'target', 'met') (Measure-DeadHosts)
}
if ($missedByFping) { Write-Line $report "fping missed $missedByFping live hosts in all" }
Write-Line $report "Load averages at the end: $(Get-Load)"
