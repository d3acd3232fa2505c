# The measurements: ./build.sh bench [all | hosts | jobs | sites] [rounds]. Called by build.ps1 after a
# build; needs $Root and the functions of build/Native.ps1. Prints tables with targets, writes them and every sample to
# out/bench, renews the results in docs/benchmarks.md and draws docs/benchmarks.svg.

#requires -Version 7.4
param(
    [ValidateSet('all', 'hosts', 'jobs', 'sites')] [string] $What = 'all',
    [ValidateRange(1, 100)] [int] $Rounds = 7)

. "$Root/benches/samples.ps1"
. "$Root/benches/report.ps1"
. "$Root/benches/programs.ps1"

Import-Module "$Root/out/RustRunspaces/RustRunspaces.psd1"
$parts = if ($What -eq 'all') { 'hosts', 'jobs', 'sites' } else { , $What }
foreach ($part in $parts) {
    $report = New-Report
    Write-Machine $report $Rounds
    . "$Root/benches/$part.ps1"
    Save-Report $report $part
    Update-Document $part "$Root/docs/benchmarks.md"
}

if (Find-Program 'gnuplot') {
    Save-Picture @('hosts', 'jobs') "$Root/docs/benchmarks.svg"
    Write-Step 'picture: docs/benchmarks.svg'
}
else {
    Write-Step 'picture: not drawn, gnuplot is not on this machine'
}
