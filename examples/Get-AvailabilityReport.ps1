<#
.SYNOPSIS
    Makes a report of the history that Watch-Hosts.ps1 keeps: how available was each host?

.DESCRIPTION
    Writes one object for each host, the worst first. Sweeps without a verdict do not count. Runs in
    Windows PowerShell 5.1 and PowerShell 7.

.PARAMETER HistoryFile
    The history: CSV, or JSON if its name ends in .json.

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

$text = [IO.File]::ReadAllText($ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($HistoryFile)).Trim()
$isJson = [IO.Path]::GetExtension($HistoryFile) -eq '.json'
$rows = if ($isJson) { ConvertFrom-Json -InputObject $text } else { ConvertFrom-Csv -InputObject $text }

$report = $rows |
    Where-Object { $_.Up -and ([DateTime] $_.Time).ToUniversalTime() -ge $Since.ToUniversalTime() } |
    Group-Object -Property ComputerName |
    ForEach-Object {
        $up = 0
        $outages = 0
        $lastChange = $null
        $before = ''
        $latencies = [Collections.Generic.List[double]]::new()
        foreach ($row in $_.Group) {
            if ($row.Up -eq 'True') { $up++ }
            if ($row.Latency) { $latencies.Add([double] $row.Latency) }
            if ($row.Up -eq 'False' -and $before -ne 'False') { $outages++ }
            if ($before -and $row.Up -ne $before) { $lastChange = ([DateTime] $row.Time).ToLocalTime() }
            $before = $row.Up
        }
        [PSCustomObject] [ordered] @{
            ComputerName        = $_.Name
            UpPercent           = [Math]::Round(100 * $up / $_.Group.Count, 2)
            Up                  = $before -eq 'True'
            Sweeps              = $_.Group.Count
            Outages             = $outages
            LastChange          = $lastChange
            LatencyMilliseconds = if ($latencies.Count) { [Math]::Round([Linq.Enumerable]::Average($latencies), 3) } else { $null }
        }
    }
$report | Sort-Object -Property UpPercent, ComputerName
