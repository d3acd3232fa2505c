# The verbose line about what no host is to blame for: there where something happened.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    function Get-LineOnTheWay([string] $Script) {
        @(ConvertTo-Line (Invoke-CleanScript $Script).Verbose) -like 'On the way: *'
    }
}

Describe 'what happens on the way' {
    It 'tells how often the process stood still' {
        Use-Linux
        # Three times: mostly the engine sleeps when it is stopped, and then sees how late it is.
        $stop = "sleep 0.3; for i in 1 2 3; do kill -STOP $PID; sleep 0.25; kill -CONT $PID; sleep 0.05; done"
        $other = Start-Process sh -ArgumentList '-c', ('"' + $stop + '"') -PassThru
        Get-LineOnTheWay 'Invoke-RustParallel 127.0.0.1 -TcpPort 1 -Count 15 -IntervalMilliseconds 100 -Statistics -Verbose' |
            Should -MatchExactly '^On the way: .*times the process stood still: [1-9]'
        $other.WaitForExit()
    }
}
