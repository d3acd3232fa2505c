<#
.SYNOPSIS
    Makes a report of the history that Watch-Hosts.ps1 keeps: how available was each host?

.DESCRIPTION
    Writes one object for each host, the worst first. Sweeps without a verdict do not count. Rows that
    cannot be read, such as half a row at the end, are left out with a warning. Runs in Windows
    PowerShell 5.1 and PowerShell 7.

.PARAMETER HistoryFile
    The history: CSV, or one JSON object a line if its name ends in .json.

.PARAMETER Since
    Leaves out what is older.

.EXAMPLE
    ./Get-AvailabilityReport.ps1 history.csv | Format-Table

.EXAMPLE
    ./Get-AvailabilityReport.ps1 history.csv -Since (Get-Date).AddDays(-7) | Where-Object UpPercent -lt 99.9

.EXAMPLE
    ./Get-AvailabilityReport.ps1 history.csv | ConvertTo-Html -Title Availability | Set-Content report.html
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true, Position = 0)]
    [string] $HistoryFile,

    [DateTime] $Since = [DateTime]::MinValue
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($HistoryFile)
$isJson = [IO.Path]::GetExtension($HistoryFile) -eq '.json'
# A row as Watch-Hosts.ps1 writes it; an editor may have taken the quotes of CSV away.
if ($isJson) { $pattern = '^\{"Time":"(?<Time>[^"]+)","ComputerName":"(?<Name>[^"]+)","Up":"(?<Up>True|False|)","Status":".*","Latency":"(?<Latency>[^"]*)"\}$' }
else { $pattern = '^"?(?<Time>[^",]+)"?,"?(?<Name>[^",]+)"?,"?(?<Up>True|False|)"?,"?[^",]+"?,[^,]*,"?(?<Latency>[^",]*)"?$' }

# Row by row: memory grows with the hosts, not with the history.
$hosts = @{}
$skipped = 0
$isFirst = $true
foreach ($line in [IO.File]::ReadLines($path)) {
    $isHeader = $isFirst -and -not $isJson
    $isFirst = $false
    if ($isHeader -or -not $line) { continue }
    $row = $null
    if ($line -match $pattern) { $row = $Matches }
    # Both without regard to the culture: PowerShell's own conversions.
    if (-not $row -or -not ($row.Time -as [DateTime])) {
        $skipped++
        continue
    }
    $time = ([DateTime] $row.Time).ToUniversalTime()
    if (-not $row.Up -or $time -lt $Since.ToUniversalTime()) { continue }
    $one = $hosts[$row.Name]
    if (-not $one) {
        $one = @{ Name = $row.Name; Sweeps = 0; Ups = 0; Outages = 0; LastChange = $null; Before = ''; Latencies = 0; LatencySum = 0.0 }
        $hosts[$row.Name] = $one
    }
    $one.Sweeps++
    if ($row.Up -eq 'True') { $one.Ups++ }
    elseif ($one.Before -ne 'False') { $one.Outages++ }
    if ($one.Before -and $row.Up -ne $one.Before) { $one.LastChange = $time.ToLocalTime() }
    $one.Before = $row.Up
    $latency = $row.Latency -as [double]
    if ($row.Latency -and $null -ne $latency) {
        $one.Latencies++
        $one.LatencySum += $latency
    }
}
if ($skipped) { Write-Warning "$skipped rows of '$HistoryFile' cannot be read and are left out" }

$report = foreach ($one in $hosts.Values) {
    [PSCustomObject] [ordered] @{
        ComputerName        = $one.Name
        UpPercent           = [Math]::Round(100 * $one.Ups / $one.Sweeps, 2)
        Up                  = $one.Before -eq 'True'
        Sweeps              = $one.Sweeps
        Outages             = $one.Outages
        LastChange          = $one.LastChange
        LatencyMilliseconds = if ($one.Latencies) { [Math]::Round($one.LatencySum / $one.Latencies, 3) } else { $null }
    }
}
$report | Sort-Object -Property UpPercent, ComputerName
