# examples/Get-AvailabilityReport.ps1, over histories as examples/Watch-Hosts.ps1 leaves them.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # What the report of a history with this text gives to a script, which has it as $report and $history.
    function Get-ReportLine([string] $History, [string] $Text, [string] $Script) {
        $path = Join-Path $TestDrive $History
        [IO.File]::WriteAllText($path, $Text)
        Get-Line $Script @{ report = $example; history = $path }
    }
}

Describe 'examples/Get-AvailabilityReport.ps1' {
    BeforeEach { $example = Get-RepositoryFile 'examples/Get-AvailabilityReport.ps1' }

    It 'counts sweeps and outages and leaves out what has no verdict' {
        Get-ReportLine 'history.csv' @'
Time,ComputerName,Up,Status,Address,Latency
2026-01-01T00:00:00Z,web1,True,Success,127.0.0.1,1
2026-01-01T00:00:00Z,web2,True,Success,127.0.0.2,5
2026-01-01T00:15:00Z,web1,False,TimedOut,127.0.0.1,
2026-01-01T00:30:00Z,web1,False,TimedOut,127.0.0.1,
2026-01-01T00:45:00Z,web1,,Stopped,127.0.0.1,
2026-01-01T01:00:00Z,web1,True,Success,127.0.0.1,2
2025-01-01T00:00:00Z,web3,False,TimedOut,127.0.0.3,
'@ @'
& $report $history -Since ([DateTime]::Parse('2025-06-01')) |
    ForEach-Object { $_.ComputerName, $_.UpPercent, $_.Up, $_.Sweeps, $_.Outages, $_.LatencyMilliseconds -join ' ' }
'@ | Should -BeExactly 'web1 50 True 4 1 1.5', 'web2 100 True 1 0 5'
    }

    It 'leaves out half a row: <Case>' -ForEach @(
        @{ Case = 'at the end'; History = 'history.csv'; Text = "Time,ComputerName,Up,Status,Address,Latency`n2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1`n2026-01-01T00:15:00Z,127.0.0.1,Tr" }
        @{ Case = 'with a quote'; History = 'history.csv'; Text = "Time,ComputerName,Up,Status,Address,Latency`n2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1`n`"2026-01-01T00:15:00Z`",`"127.0.0.1`",`"Fal`n2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1`n" }
        @{ Case = 'without a time'; History = 'history.csv'; Text = "Time,ComputerName,Up,Status,Address,Latency`n2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1`n2026-13-01T00:15:00Z,127.0.0.1,False,TimedOut,,`n" }
        @{ Case = 'in JSON'; History = 'history.json'; Text = "{`"Time`":`"2026-01-01T00:00:00Z`",`"ComputerName`":`"127.0.0.1`",`"Up`":`"True`",`"Status`":`"Success`",`"Address`":`"127.0.0.1`",`"Latency`":`"0.1`"}`n{`"Time`":`"2026-01-01T00:15:00Z`",`"Compu" }
    ) {
        $lines = @(Get-ReportLine $History $Text @'
& $report $history -WarningVariable warnings -WarningAction SilentlyContinue | ForEach-Object { $_.UpPercent, $_.Up, $_.Outages -join ' ' }
"$warnings"
'@)
        $lines.Count | Should -Be 2
        $lines[0] | Should -BeExactly '100 True 0'
        $lines[1] | Should -MatchExactly '^1 rows of'
    }
}
