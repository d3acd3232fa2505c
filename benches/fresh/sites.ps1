# Sweeps and script jobs over sessions, $Rounds times: prints a line `sample NAME=VALUE` for each. Runs in the
# network of tests/sites, which has four sites; see ../sites.ps1.
param([int] $Rounds = 3)

$ErrorActionPreference = 'Stop'
Import-Module $env:RUSTRUNSPACES_MODULE
$sites = @(New-PSSession -HostName paris, oslo, lima, rome)

function Add-Sample([string] $Name, [int] $Hosts, [ScriptBlock] $Block) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $count = & $Block
    $time = $clock.Elapsed.TotalMilliseconds
    if ($count -ne $Hosts) { throw "$Name gave $count results where $Hosts were expected" }
    Add-Value $Name $time
}

# A sample: milliseconds, or what the name says.
function Add-Value([string] $Name, [double] $Value) {
    'sample {0}={1}' -f $Name, $Value.ToString('R', [Globalization.CultureInfo]::InvariantCulture)
}

# 80,000 loopback hosts.
$many = '127.0.0.1-127.1.56.128'
foreach ($session in $sites) { $null = Invoke-RustParallel 127.0.0.0/19 -Session $session -PacketsPerSecond 0 }
for ($round = 0; $round -lt $Rounds; $round++) {
    foreach ($rate in 20000, 5000) {
        foreach ($number in 1, 2, 4) {
            $some = $sites[0..($number - 1)]
            Add-Sample "80,000 hosts, $rate a second a site, $(if ($number -eq 1) { '1 site' } else { "$number sites" })" 80000 { (Invoke-RustParallel $many -Session $some -PacketsPerSecond $rate).Count }
        }
    }
    $jobs = 1..640
    Add-Sample '640 script jobs of 100 ms, 32 threads, 4 sites' 640 { @($jobs | Invoke-RustParallel { [Threading.Thread]::Sleep(100); $_ } -Session $sites -MaximumThreadCount 32).Count }
    # The cost of the border: the same sweep there, with nothing brought over, and here.
    Add-Sample '65,534 hosts, unlimited, at the site alone' 65534 { Invoke-Command $sites[0] { (Invoke-RustParallel 127.0.0.0/16 -PacketsPerSecond 0).Count } }
    $process = [Diagnostics.Process]::GetCurrentProcess()
    $before = $process.TotalProcessorTime
    $null = Invoke-RustParallel 127.0.0.0/16 -Session $sites[0] -PacketsPerSecond 0 -AsObject | ForEach-Object { }
    $process.Refresh()
    Add-Value '65,534 results as objects, caller''s processor' ($process.TotalProcessorTime - $before).TotalMilliseconds
    Add-Sample '65,534 hosts, unlimited, over the session' 65534 { (Invoke-RustParallel 127.0.0.0/16 -Session $sites[0] -PacketsPerSecond 0).Count }
    Add-Sample '65,534 hosts, unlimited, here' 65534 { (Invoke-RustParallel 127.0.0.0/16 -PacketsPerSecond 0).Count }
}
$sites | Remove-PSSession
