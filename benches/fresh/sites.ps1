# Sweeps and script jobs over sessions, $Rounds times: prints a line `sample NAME=VALUE` for each time in
# milliseconds, and `constant NAME=VALUE` for what docs/scale.ps1 needs. Runs in the network of tests/sites,
# which has four sites; see ../sites.ps1.
param([int] $Rounds = 3)

$ErrorActionPreference = 'Stop'
. "$PSScriptRoot/../../tests/sites/Sites.ps1"
$process = [Diagnostics.Process]::GetCurrentProcess()

# Kilobytes of this process, or what its ssh processes have for themselves.
function Get-OwnMemory {
    [GC]::Collect()
    $process.Refresh()
    return $process.WorkingSet64 / 1KB
}

function Get-SshMemory {
    $total = 0
    foreach ($ssh in Get-Process ssh -ErrorAction Ignore | Where-Object { $_.Parent.Id -eq $PID }) {
        $total += [long] (((Get-Content "/proc/$($ssh.Id)/smaps_rollup") -match '^Pss:')[0] -replace '\D+')
    }
    return $total
}

function Get-ProcessorMilliseconds {
    $process.Refresh()
    return $process.TotalProcessorTime.TotalMilliseconds
}

# Bytes that came over the network, heads of all layers included.
function Get-ReceivedBytes { return [long] (((Get-Content /proc/net/dev) -match '^\s*eth0:') -replace '^\s*eth0:\s*(\d+).*', '$1')[0] }

function Add-Sample([string] $Name, [int] $Hosts, [ScriptBlock] $Block) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $count = & $Block
    $time = $clock.Elapsed.TotalMilliseconds
    if ($count -ne $Hosts) { throw "$Name gave $count results where $Hosts were expected" }
    Add-Value $Name $time
}

# A sample: milliseconds, or what the name says.
function Add-Value([string] $Name, [double] $Value, [string] $Kind = 'sample') {
    '{0} {1}={2}' -f $Kind, $Name, $Value.ToString('R', [Globalization.CultureInfo]::InvariantCulture)
}

function Add-Constant([string] $Name, [double] $Value) { Add-Value $Name $Value constant }

$sites = New-Site
$before = Get-OwnMemory
$others = @(1..3 | ForEach-Object { New-Site })
Add-Constant 'memory of the caller for a session, MB' (((Get-OwnMemory) - $before) / $others.Count / 1KB)
Add-Constant 'memory of its ssh process, MB' ((Get-SshMemory) / ($others.Count + $sites.Count) / 1KB)
$others | Remove-PSSession

# 80,000 loopback hosts.
$many = '127.0.0.1-127.1.56.128'
foreach ($session in $sites) { $null = Invoke-RustParallel 127.0.0.0/19 -Session $session -PacketsPerSecond 0 }
$alone = { (Invoke-RustParallel 127.0.0.0/16 -PacketsPerSecond 0).Count }
for ($turn = 0; $turn -lt 3; $turn++) { $null = Invoke-Command $sites[0] $alone }
for ($round = 0; $round -lt $Rounds; $round++) {
    foreach ($rate in 20000, 5000) {
        foreach ($number in 1, 2, 4) {
            $some = $sites[0..($number - 1)]
            Add-Sample "80,000 hosts, $rate a second a site, $(if ($number -eq 1) { '1 site' } else { "$number sites" })" 80000 { (Invoke-RustParallel $many -Session $some -PacketsPerSecond $rate).Count }
        }
    }
    $jobs = 1..640
    Add-Sample '640 script jobs of 100 ms, 32 threads, 4 sites' 640 { @($jobs | Invoke-RustParallel { [Threading.Thread]::Sleep(100); $_ } -Session $sites -MaximumThreadCount 32).Count }
    $before = Get-ProcessorMilliseconds
    $bytes = Get-ReceivedBytes
    $null = Invoke-RustParallel 127.0.0.0/16 -Session $sites[0] -PacketsPerSecond 0 -AsObject | ForEach-Object { }
    $spent = (Get-ProcessorMilliseconds) - $before
    Add-Value '65,534 results as objects, caller''s processor' $spent
    Add-Constant 'processor of the caller for a result, microseconds' ($spent * 1000 / 65534)
    Add-Constant 'bytes to the caller for a result' (((Get-ReceivedBytes) - $bytes) / 65534)
    # What sites cost that have little to say: 256 packets at once, then so few a second.
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $before = Get-ProcessorMilliseconds
    $null = Invoke-RustParallel 127.0.0.0-127.0.19.0 -Session $sites -PacketsPerSecond 200 -AsObject | ForEach-Object { }
    Add-Constant 'processor of the caller for a site and second, milliseconds' (((Get-ProcessorMilliseconds) - $before - ($spent * 4864 / 65534)) / 4 / $clock.Elapsed.TotalSeconds)
    $sizes = Get-PartSize (Invoke-RustParallel $many -Session $sites -PacketsPerSecond 20000 -AsObject -Ordered)
    Add-Constant 'hosts in the largest part of 80,000, 4 sites' ($sizes | Measure-Object -Maximum).Maximum
    Add-Constant 'hosts in the largest of the last four' ($sizes[-4..-1] | Measure-Object -Maximum).Maximum
    # The cost of the border: the same sweep, and there with nothing brought over, and here.
    for ($turn = 0; $turn -lt 3; $turn++) {
        Add-Sample '65,534 hosts, unlimited, over the session' 65534 { (Invoke-RustParallel 127.0.0.0/16 -Session $sites[0] -PacketsPerSecond 0).Count }
        Add-Sample '65,534 hosts, unlimited, at the site alone' 65534 { Invoke-Command $sites[0] $alone }
    }
    Add-Sample '65,534 hosts, unlimited, here' 65534 { (Invoke-RustParallel 127.0.0.0/16 -PacketsPerSecond 0).Count }
}
Add-Constant 'memory of a far process, MB' ((Invoke-Command $sites[0] { [Diagnostics.Process]::GetCurrentProcess().WorkingSet64 }) / 1MB)
$n = 0
$memory = @(Invoke-RustParallel 127.0.0.0/13 -Session $sites -AsObject -PacketsPerSecond 0 | ForEach-Object { if (++$n -in 50000, 500000) { [GC]::GetTotalMemory($true) } })
Add-Constant 'memory of the caller, 500,000 hosts beside 50,000, MB' (($memory[1] - $memory[0]) / 1MB)
$sites | Remove-PSSession
