# The measurements of sweeps over sessions: 1, 2 and 4 sites, each PowerShell behind an sshd of its own in
# a network namespace. To be run in the network of the tests:
#
#     RUSTRUNSPACES_SITES_COMMAND='pwsh -NoProfile -File benches/sites.ps1 3' tests/sites/run.sh
#
# Prints one line for each measurement: name, median, all samples; times are milliseconds.
param([int] $Rounds = 3)

$ErrorActionPreference = 'Stop'
Import-Module $env:RUSTRUNSPACES_MODULE
$sites = @(New-PSSession -HostName paris, oslo, lima, rome)
$samples = [ordered] @{}

function Add-Sample([string] $Name, [int] $Hosts, [ScriptBlock] $Block) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $count = & $Block
    $time = $clock.Elapsed.TotalMilliseconds
    if ($count -ne $Hosts) { throw "$Name gave $count results where $Hosts were expected" }
    Add-Value $Name $time
}

function Add-Value([string] $Name, [double] $Value) {
    if (-not $samples.Contains($Name)) { $samples[$Name] = [Collections.Generic.List[double]]::new() }
    $samples[$Name].Add($Value)
}

# 80,000 loopback hosts.
$many = '127.0.0.1-127.1.56.128'
foreach ($session in $sites) { $null = Invoke-RustParallel 127.0.0.0/19 -Session $session -PacketsPerSecond 0 }
for ($round = 0; $round -lt $Rounds; $round++) {
    foreach ($rate in 20000, 5000) {
        foreach ($number in 1, 2, 4) {
            $some = $sites[0..($number - 1)]
            Add-Sample "80,000 hosts, $rate/s a site, $number sites" 80000 { (Invoke-RustParallel $many -Session $some -PacketsPerSecond $rate).Count }
        }
    }
    $jobs = 1..640
    Add-Sample '640 script jobs of 100 ms, 32 threads, 4 sites' 640 { @($jobs | Invoke-RustParallel { [Threading.Thread]::Sleep(100); $_ } -Session $sites -MaximumThreadCount 32).Count }
    # The cost of the border: the same sweep there, with nothing brought over, and here.
    Add-Sample '65,534 hosts, unlimited, there alone' 65534 { Invoke-Command $sites[0] { (Invoke-RustParallel 127.0.0.0/16 -PacketsPerSecond 0).Count } }
    $process = [Diagnostics.Process]::GetCurrentProcess()
    $before = $process.TotalProcessorTime
    $null = Invoke-RustParallel 127.0.0.0/16 -Session $sites[0] -PacketsPerSecond 0 -AsObject | ForEach-Object { }
    $process.Refresh()
    Add-Value 'the same as objects: the caller''s processor, ms' ($process.TotalProcessorTime - $before).TotalMilliseconds
    Add-Sample '65,534 hosts, unlimited, from 1 site' 65534 { (Invoke-RustParallel 127.0.0.0/16 -Session $sites[0] -PacketsPerSecond 0).Count }
    Add-Sample '65,534 hosts, unlimited, locally' 65534 { (Invoke-RustParallel 127.0.0.0/16 -PacketsPerSecond 0).Count }
}
foreach ($name in $samples.Keys) {
    $sorted = @($samples[$name] | Sort-Object)
    '{0,-48} {1,8:0}   {2}' -f $name, $sorted[[Math]::Floor($sorted.Count / 2)], (($samples[$name] | ForEach-Object { '{0:0}' -f $_ }) -join ' ')
}
$sites | Remove-PSSession
