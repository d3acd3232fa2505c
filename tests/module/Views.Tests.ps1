# How results show in a console: the tables of the format file.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # The lines that a console of 120 columns shows, without the empty ones and without colours.
    function Show-Line([string] $Script) {
        $text = Get-Line "Get-Variable PSStyle -ValueOnly -ErrorAction Ignore | ForEach-Object { `$_.OutputRendering = 'PlainText' }; $Script | Out-String -Width 120"
        $text -split "`r?`n" | ForEach-Object { $_.TrimEnd() } | Where-Object { $_ }
    }

    function Get-Word([string] $Line) { $Line.Split([char[]] ' ', [StringSplitOptions]::RemoveEmptyEntries) }
}

Describe 'views of results' {
    It 'echo results are a table' {
        Use-Echo
        $lines = @(Show-Line 'Invoke-RustParallel 127.0.0.1 -AsObject')
        Get-Word $lines[0] | Should -BeExactly 'ComputerName', 'Address', 'Ping', 'Status', 'Latency(ms)', 'Sent', 'Received', 'Ttl'
        $lines[2] | Should -MatchExactly '^127\.0\.0\.1 +127\.0\.0\.1 +True +Success +\d+[.,]\d{3} +1 +1( +\d+)?$'
    }

    It 'statistics are a table' {
        Use-Echo
        $lines = @(Show-Line 'Invoke-RustParallel 127.0.0.1 -Count 2 -IntervalMilliseconds 20 -Statistics -AsObject')
        Get-Word $lines[0] | Should -BeExactly 'ComputerName', 'Ping', 'Sent', 'Received', 'Loss(%)', 'Min(ms)', 'Avg(ms)', 'Max(ms)', 'SD(ms)'
        $lines[2] | Should -MatchExactly '^127\.0\.0\.1 +True +2 +2 +0[.,]0( +\d+[.,]\d{3}){4}$'
    }

    It 'TCP results are a table: <_>' -ForEach '', '-Statistics' {
        $first, $second = (New-OpenPort), (New-OpenPort)
        try {
            $lines = @(Show-Line "Invoke-RustParallel 127.0.0.1 -TcpPort $($first.Number), $($second.Number) $_ -AsObject")
            Get-Word $lines[0] | Should -BeExactly 'ComputerName', 'Address', 'Ping', 'Status', 'OpenPorts', 'Latency(ms)'
            $lines[2] | Should -MatchExactly "^127\.0\.0\.1 +127\.0\.0\.1 +True +Success +\{$($first.Number), $($second.Number)\} +\d+[.,]\d{3}$"
        }
        finally { $first, $second | ForEach-Object { Close-Port $_ } }
    }

    It 'ports are a table' {
        $open = New-OpenPort
        try {
            $lines = @(Show-Line "(Invoke-RustParallel 127.0.0.1 -TcpPort $($open.Number) -AsObject).Ports")
            Get-Word $lines[0] | Should -BeExactly 'Port', 'Status', 'Latency(ms)'
            $lines[2] | Should -MatchExactly "^ *$($open.Number) +Success +\d+[.,]\d{3}$"
        }
        finally { Close-Port $open }
    }

    It 'a host without answer leaves its columns empty' -Tag 'Laboratory' {
        Use-Laboratory
        @(Show-Line "Invoke-RustParallel $($Laboratory.UnknownName) -AsObject")[2] |
            Should -MatchExactly "^$([regex]::Escape($Laboratory.UnknownName)) +False +NameNotFound +0 +0$"
    }

    It 'a list shows every property' {
        Use-Echo
        $text = @(Show-Line 'Invoke-RustParallel 127.0.0.1 -AsObject | Format-List') -join "`n"
        foreach ($name in 'ComputerName', 'AddressObject', 'StatusCode', 'HostName', 'Addresses', 'TimeFinished', 'Detail') {
            $text | Should -MatchExactly "(?m)^$name +:"
        }
    }
}
