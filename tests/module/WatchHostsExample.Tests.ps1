# examples/Watch-Hosts.ps1, twice and more in a row, as a scheduler runs it. Where the process itself
# matters (its arguments, its output, its exit code) it is one of its own, without console, profile
# and input; else a runspace, which is quicker.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"
    $session = New-Session ''

    $NothingChanged, $SomethingChanged, $NotMade = 0, 10, 2
    $Header = "Time,ComputerName,Up,Status,Address,Latency`n"
    $FirstRow = "2026-01-01T00:00:00Z,127.0.0.1,True,Success,127.0.0.1,0.1`n"

    function Get-PathInFolder([string] $Name) { Join-Path $folder $Name }

    function Get-FileText([string] $Name) { [IO.File]::ReadAllText((Get-PathInFolder $Name)) }

    function Get-FileLine([string] $Name) { [IO.File]::ReadAllLines((Get-PathInFolder $Name)) }

    function Set-File([string] $Name, [string] $Text) { [IO.File]::WriteAllText((Get-PathInFolder $Name), $Text) }

    function Set-HostList([string[]] $Names) { [IO.File]::WriteAllLines((Get-PathInFolder 'hosts.txt'), $Names) }

    # Whether the text stands in the log, as it stands here.
    function Test-Log([string] $Text) { return (Get-FileText 'watch.log').Contains($Text) }

    # Runs the script in this process: its exit code, and what it wrote.
    function Start-Watch([string] $History, $Parameters = @{}, [string] $Culture) {
        $all = @{ HostFile = 'hosts.txt'; HistoryFile = $History; LogFile = 'watch.log'; Module = $ModuleManifest }
        foreach ($name in $Parameters.Keys) { $all[$name] = $Parameters[$name] }
        $run = Invoke-CleanScript @'
if ($culture) { [Globalization.CultureInfo]::CurrentCulture = $culture }
Set-Location -LiteralPath $folder
$global:LASTEXITCODE = $null
& $script @all
$LASTEXITCODE
'@ @{ folder = $folder; script = $watch; all = $all; culture = $Culture } $session
        @($run.Output).Count | Should -Be 1
        $lines = @(ConvertTo-Line $run.Information)
        return [PSCustomObject] @{ Code = $run.Output[0]; Output = -join ($lines | ForEach-Object { $_ + [Environment]::NewLine }) }
    }

    # Runs it in a process of its own; a command of sh, which finds it in its arguments, may run it.
    function Start-WatchProcess([string] $History, [string[]] $Arguments = @(), [string] $Shell) {
        $prefix = @(if ($Shell) { '/bin/sh', '-c', $Shell })
        $run = Invoke-Process -Folder $folder -Command ($prefix + @(Get-PowerShellCommand) + @(
                '-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File', $watch
                '-HostFile', 'hosts.txt', '-HistoryFile', $History, '-LogFile', 'watch.log', '-Module', $ModuleManifest) + $Arguments)
        # Only a script that did not begin has something to say there.
        if ($run.ExitCode -ne 1) { $run.Errors | Should -BeNullOrEmpty }
        return [PSCustomObject] @{ Code = $run.ExitCode; Output = $run.Output }
    }

    # What stands in the log is what the scheduler's own log gets. Gives the exit code.
    function Test-Output($Run) {
        if ($null -ne $Run.Output) {
            $Run.Output | Should -Not -BeExactly ''
            (Get-FileText 'watch.log').EndsWith($Run.Output) | Should -BeTrue -Because "'$($Run.Output)' stands in the log"
        }
        return $Run.Code
    }

    function Invoke-Watch([string] $History, $Parameters = @{}) { Test-Output (Start-Watch $History $Parameters) }

    function Invoke-WatchProcess([string] $History, [string[]] $Arguments = @()) { Test-Output (Start-WatchProcess $History $Arguments) }
}

AfterAll { $session.Dispose() }

Describe 'examples/Watch-Hosts.ps1' {
    BeforeEach {
        $watch = Get-RepositoryFile 'examples/Watch-Hosts.ps1'
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid()))).FullName
        $opened = New-Object Collections.Generic.List[object]
    }
    AfterEach { $opened | ForEach-Object { Close-Port $_ } }

    It 'tells that a service disappears by the exit code and the output of a process' -Tag 'Slow' {
        Set-HostList '127.0.0.1'
        $open = New-OpenPort
        $opened.Add($open)
        Invoke-WatchProcess 'history.csv' '-TcpPort', $open.Number | Should -Be $NothingChanged
        Close-Port $open
        Invoke-WatchProcess 'history.csv' '-TcpPort', $open.Number | Should -Be $SomethingChanged
        Test-Log 'DOWN 127.0.0.1 went down: Refused' | Should -BeTrue
    }

    It 'tells once each that a service disappears and returns: <History>' -ForEach @{ History = 'history.csv' }, @{ History = 'history.json' } {
        Set-HostList '127.0.0.1'
        $open = New-OpenPort
        $opened.Add($open)
        Invoke-Watch $History @{ TcpPort = $open.Number } | Should -Be $NothingChanged
        Invoke-Watch $History @{ TcpPort = $open.Number } | Should -Be $NothingChanged
        Close-Port $open
        Invoke-Watch $History @{ TcpPort = $open.Number } | Should -Be $SomethingChanged
        Test-Log 'DOWN 127.0.0.1 went down: Refused' | Should -BeTrue
        Invoke-Watch $History @{ TcpPort = $open.Number } | Should -Be $NothingChanged
        Test-Log 'came up' | Should -BeFalse
        $opened.Add((New-OpenPort '127.0.0.1' $open.Number))
        Invoke-Watch $History @{ TcpPort = $open.Number } | Should -Be $SomethingChanged
        Test-Log 'UP 127.0.0.1 came up' | Should -BeTrue
        @(@(Get-FileLine 'watch.log') -clike '*went down*').Count | Should -Be 1
    }

    It 'tells of a host that loses its address' -Tag 'Laboratory' {
        Use-Laboratory
        $address = '10.98.0.77' # where no other host is reachable
        Set-HostList '127.0.0.1', $address
        & ip address add "$address/32" dev lo
        $LASTEXITCODE | Should -Be 0
        try { Invoke-Watch 'history.csv' @{ Count = 1 } | Should -Be $NothingChanged }
        finally { & ip address del "$address/32" dev lo }
        $LASTEXITCODE | Should -Be 0
        Invoke-Watch 'history.csv' @{ Count = 1 } | Should -Be $SomethingChanged
        Test-Log "DOWN $address went down" | Should -BeTrue
        Test-Log '1 up, 1 down, 0 unknown' | Should -BeTrue
    }

    It 'keeps a broken history aside and begins it anew: <History> with "<Shown>"' -ForEach @(
        @{ History = 'history.csv'; Shown = ''; Text = '' }
        @{ History = 'history.csv'; Shown = '\n'; Text = "`n" }
        @{ History = 'history.csv'; Shown = 'no, history\n1'; Text = "no, history`n1" }
        @{ History = 'history.json'; Shown = ''; Text = '' }
        @{ History = 'history.json'; Shown = '{ "Time": '; Text = '{ "Time": ' }
        @{ History = 'history.json'; Shown = '[ 4711, null ]'; Text = '[ 4711, null ]' }
    ) {
        $open = New-OpenPort
        $opened.Add($open)
        Set-HostList '127.0.0.1'
        Set-File $History $Text
        Invoke-Watch $History @{ TcpPort = $open.Number } | Should -Be $NothingChanged
        Test-Log 'WARNING the history is broken' | Should -BeTrue
        $aside = @(Get-ChildItem -LiteralPath $folder -Filter '*.broken')
        $aside.Count | Should -Be 1
        [IO.File]::ReadAllText($aside[0].FullName) | Should -BeExactly $Text
        Invoke-Watch $History @{ TcpPort = $open.Number } | Should -Be $NothingChanged
        @(@(Get-FileLine 'watch.log') -clike '*broken*').Count | Should -Be 1
    }

    It 'counts the rows of a broken history that can be read' {
        $refused = New-RefusedPort
        $opened.Add($refused)
        Set-HostList '127.0.0.1'
        Set-File 'history.csv' ($Header + $FirstRow + '2026-01-01T00:15:00Z,127.0.0.1,Tr')
        Invoke-Watch 'history.csv' @{ TcpPort = $refused.Number } | Should -Be $SomethingChanged
        Test-Log '1 rows have been read, 1 cannot be read' | Should -BeTrue
        $lines = @(Get-FileLine 'history.csv')
        $lines.Count | Should -Be 4
        $lines[2] | Should -MatchExactly 'Tr$' # the half row does not spoil the next one
    }

    It 'ends with 2 without hosts, and the log says why' {
        Set-HostList '# nobody'
        Invoke-Watch 'history.csv' | Should -Be $NotMade
        Test-Log 'ERROR there is no host in' | Should -BeTrue
        Remove-Item (Get-PathInFolder 'hosts.txt')
        Invoke-Watch 'history.csv' | Should -Be $NotMade
        @(Get-FileLine 'watch.log')[-1] | Should -MatchExactly 'hosts\.txt'
    }

    It 'does nothing while another run is at work' {
        Set-HostList '127.0.0.1'
        $lock = [IO.File]::Open((Get-PathInFolder 'history.csv.lock'), 'Create', 'ReadWrite', 'None')
        try { Invoke-Watch 'history.csv' | Should -Be $NotMade }
        finally { $lock.Dispose() }
        Test-Log 'is another run still at work?' | Should -BeTrue
        Get-PathInFolder 'history.csv' | Should -Not -Exist
    }

    It 'has no verdict on unfinished hosts at the maximum wait' {
        $silent = New-SilentPort
        $opened.Add($silent)
        Set-HostList '127.0.0.1'
        Set-File 'history.csv' ($Header + $FirstRow)
        $clock = [Diagnostics.Stopwatch]::StartNew()
        Invoke-Watch 'history.csv' @{ TcpPort = $silent.Number; ReplyTimeoutMilliseconds = 60000; MaximumWaitTimeSeconds = 0.3 } | Should -Be $NotMade
        # The reply timeout is a minute.
        $clock.Elapsed.TotalSeconds | Should -BeLessThan 30
        Test-Log 'UNKNOWN 127.0.0.1: Stopped' | Should -BeTrue
        Test-Log 'ERROR of not one host' | Should -BeTrue
    }

    It 'keeps the last state through sweeps without a verdict: <History>' -ForEach @{ History = 'history.csv' }, @{ History = 'history.json' } {
        Set-HostList '127.0.0.1'
        $open = New-OpenPort
        $opened.Add($open)
        Invoke-Watch $History @{ TcpPort = $open.Number; KeepRows = 1 } | Should -Be $NothingChanged
        Close-Port $open
        $silent = New-SilentPort
        $opened.Add($silent)
        $null = Invoke-Watch $History @{ TcpPort = $silent.Number; KeepRows = 1; ReplyTimeoutMilliseconds = 60000; MaximumWaitTimeSeconds = 0.3 }
        (Get-FileText $History).Contains('True') | Should -BeFalse
        Invoke-Watch $History @{ TcpPort = $open.Number; KeepRows = 1 } | Should -Be $SomethingChanged
    }

    It 'takes the states of the history where the state file <Case>' -ForEach @(
        @{ Case = 'is missing'; State = $null }
        @{ Case = 'is empty'; State = '' }
        @{ Case = 'has zeros'; State = "`0`0`0`0" }
        @{ Case = 'has no state'; State = "`"ComputerName`",`"Up`",`"Rows`"`n`"127.0.0.1`",`"Perhaps`",`"1`"`n" }
        @{ Case = 'has half a row'; State = "`"ComputerName`",`"Up`",`"Rows`"`n`"127.0.0.1`",`"Tr" }
    ) {
        $refused = New-RefusedPort
        $opened.Add($refused)
        Set-HostList '127.0.0.1'
        Set-File 'history.csv' ($Header + $FirstRow)
        if ($null -ne $State) { Set-File 'history.csv.state' $State }
        Invoke-Watch 'history.csv' @{ TcpPort = $refused.Number } | Should -Be $SomethingChanged
        Test-Log 'state file' | Should -Be ($null -ne $State)
        Invoke-Watch 'history.csv' @{ TcpPort = $refused.Number } | Should -Be $NothingChanged
    }

    It 'does not read the history' {
        $refused = New-RefusedPort
        $opened.Add($refused)
        Set-HostList '127.0.0.1'
        Set-File 'history.csv' ($Header + $FirstRow)
        Set-File 'history.csv.state' "ComputerName,Up,Rows`n127.0.0.1,False,1`n"
        Invoke-Watch 'history.csv' @{ TcpPort = $refused.Number } | Should -Be $NothingChanged
        (Get-FileText 'history.csv').StartsWith($Header + $FirstRow) | Should -BeTrue
    }

    It 'finishes a replacement that was interrupted' {
        $refused = New-RefusedPort
        $opened.Add($refused)
        Set-HostList '127.0.0.1'
        Set-File 'history.csv' ($Header + $FirstRow * 5)
        Set-File 'history.csv.new' ($Header + $FirstRow)
        Set-File 'history.csv.state' "ComputerName,Up,Rows`n127.0.0.1,False,1`n"
        Set-File 'history.csv.state.new' "ComputerName,Up,Rows`n127.0.0.1,True,1`n"
        Invoke-Watch 'history.csv' @{ TcpPort = $refused.Number } | Should -Be $SomethingChanged
        @(Get-FileLine 'history.csv').Count | Should -Be 3
        @(Get-ChildItem -LiteralPath $folder -Filter '*.new').Count | Should -Be 0
    }

    It 'is the same in <Culture>: <History>' -ForEach @(
        # With other signs in numbers, other dates, other years.
        @{ Culture = 'fi-FI'; History = 'history.csv' }
        @{ Culture = 'ar-SA'; History = 'history.json' }
        @{ Culture = 'th-TH'; History = 'history.csv' }
    ) {
        Set-HostList '127.0.0.1'
        $before = [DateTime]::UtcNow.AddSeconds(-1)
        $open = New-OpenPort
        $opened.Add($open)
        (Start-Watch $History @{ TcpPort = $open.Number } $Culture).Code | Should -Be $NothingChanged
        Close-Port $open
        Remove-Item -LiteralPath (Get-PathInFolder "$History.state")
        (Start-Watch $History @{ TcpPort = $open.Number } $Culture).Code | Should -Be $SomethingChanged
        $time = [regex]::Match((Get-FileText $History), '[0-9-]+T[0-9:]+Z').Value
        $time = [DateTime]::Parse($time, [Globalization.CultureInfo]::InvariantCulture, 'AdjustToUniversal')
        $time | Should -BeGreaterOrEqual $before
        $time | Should -BeLessOrEqual ([DateTime]::UtcNow)
        Get-FileText 'watch.log' | Should -MatchExactly '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}Z .* in [0-9]+\.[0-9] s'
        Get-Line '(& $report $history -Since ([DateTime]::Now.AddHours(-1))).Sweeps' @{
            report = Get-RepositoryFile 'examples/Get-AvailabilityReport.ps1'; history = Get-PathInFolder $History
        } | Should -BeExactly '2'
    }

    It 'is the same in a process of another culture' -Tag 'Slow' {
        # A process takes its culture from its environment on Linux only.
        Use-Linux
        Set-HostList '127.0.0.1'
        $open = New-OpenPort
        $opened.Add($open)
        (Start-WatchProcess 'history.csv' '-TcpPort', $open.Number -Shell 'LC_ALL=th_TH.UTF-8 exec "$0" "$@"').Code | Should -Be $NothingChanged
        $time = [DateTime]::Parse([regex]::Match((Get-FileText 'history.csv'), '[0-9-]+T[0-9:]+Z').Value, [Globalization.CultureInfo]::InvariantCulture)
        [Math]::Abs(($time.ToUniversalTime() - [DateTime]::UtcNow).TotalMinutes) | Should -BeLessThan 5
    }

    It 'takes several ports with commas between them' -Tag 'Slow' {
        $refused, $open = (New-RefusedPort), (New-OpenPort)
        $opened.AddRange(@($refused, $open))
        Set-HostList '127.0.0.1'
        Invoke-WatchProcess 'history.csv' '-TcpPort', "$($refused.Number),$($open.Number)" | Should -Be $NothingChanged
        Test-Log '1 up, 0 down, 0 unknown' | Should -BeTrue
        # With a space, the second would be the value of another parameter.
        (Start-WatchProcess 'history.csv' '-TcpPort', $refused.Number, '7').Code | Should -Not -Be 0
        @(Get-FileLine 'watch.log').Count | Should -Be 1
    }

    It 'ends with 2 where something is no port: <Ports>' -ForEach @{ Ports = '0' }, @{ Ports = '22,65536' }, @{ Ports = '22,' }, @{ Ports = 'ssh' } {
        Set-HostList '127.0.0.1'
        Invoke-Watch 'history.csv' @{ TcpPort = $Ports } | Should -Be $NotMade
        Test-Log 'is not a TCP port' | Should -BeTrue
    }

    It 'does not make a wrong parameter look like a change' -Tag 'Slow' {
        $code = (Start-WatchProcess 'history.csv' '-Count', 'many').Code
        $code | Should -Not -Be $NothingChanged
        $code | Should -Not -Be $SomethingChanged
        Get-PathInFolder 'watch.log' | Should -Not -Exist
    }

    It 'ends with 2 for a list of invalid hosts and leaves no history' {
        Set-HostList 'not a host', '10.0.0.0/99'
        Invoke-Watch 'history.csv' | Should -Be $NotMade
        Test-Log 'ERROR there is no valid host in' | Should -BeTrue
        Get-PathInFolder 'history.csv' | Should -Not -Exist
    }

    It 'has no verdict on a network that this machine has no way to' -Tag 'Laboratory' {
        Use-Laboratory
        $address = '192.0.2.1' # no route
        Set-HostList $address
        Set-File 'history.csv' ($Header + $FirstRow.Replace('127.0.0.1', $address))
        Invoke-Watch 'history.csv' @{ Count = 1 } | Should -Be $NotMade
        Test-Log "UNKNOWN ${address}: DestinationNetworkUnreachable" | Should -BeTrue
        Invoke-Watch 'history.csv' @{ Count = 1; TcpPort = '22' } | Should -Be $NotMade
        Set-HostList '127.0.0.1', $address
        Invoke-Watch 'history.csv' @{ Count = 1 } | Should -Be $NothingChanged
        Test-Log 'DOWN' | Should -BeFalse
        # A router may have refused this connect, as the network of 127.0.0.1 works.
        Invoke-Watch 'history.csv' @{ Count = 1; TcpPort = '22' } | Should -Be $SomethingChanged
        Test-Log "DOWN $address went down: DestinationNetworkUnreachable" | Should -BeTrue
    }

    It 'counts a host once that is twice in the list' {
        $open = New-OpenPort
        $opened.Add($open)
        Set-HostList '127.0.0.1', '127.0.0.1', '127.0.0.0/31'
        Invoke-Watch 'history.csv' @{ TcpPort = $open.Number } | Should -Be $NothingChanged
        Test-Log '1 up, ' | Should -BeTrue
        @(@(Get-FileLine 'history.csv') -clike '*127.0.0.1","True*').Count | Should -Be 1
    }

    It 'writes only what has changed with -Quiet' -Tag 'Slow' {
        if (Test-Wine) { Skip-Test 'under Wine a PowerShell without a console ends at once' }
        Set-HostList '127.0.0.1'
        $open = New-OpenPort
        $opened.Add($open)
        $run = Start-WatchProcess 'history.csv' '-TcpPort', $open.Number, '-Quiet'
        $run.Code | Should -Be $NothingChanged
        $run.Output | Should -BeExactly ''
        Close-Port $open
        $run = Start-WatchProcess 'history.csv' '-TcpPort', $open.Number, '-Quiet'
        $run.Code | Should -Be $SomethingChanged
        $run.Output.TrimEnd() | Should -MatchExactly '^[^\n]*DOWN 127\.0\.0\.1[^\n]*$'
        Test-Log '0 up, 1 down, 0 unknown' | Should -BeTrue
    }

    It 'goes on where standard output cannot be written' -Tag 'Slow' {
        Use-Linux
        Set-HostList '127.0.0.1'
        Set-File 'history.csv' ($Header + $FirstRow)
        $refused = New-RefusedPort
        $opened.Add($refused)
        (Start-WatchProcess 'history.csv' '-TcpPort', $refused.Number -Shell 'exec "$0" "$@" >/dev/full').Code | Should -Be $SomethingChanged
        Test-Log '0 up, 1 down, 0 unknown' | Should -BeTrue
    }

    It 'ends with 2 before the sweep where a folder is in the place of the history' {
        $open = New-OpenPort
        $opened.Add($open)
        Set-HostList '127.0.0.1'
        $null = New-Item -ItemType Directory (Get-PathInFolder 'history.csv')
        Invoke-Watch 'history.csv' @{ TcpPort = $open.Number } | Should -Be $NotMade
        Test-Log 'ERROR the history ''history.csv'' is a folder' | Should -BeTrue
        $open.Sockets[0].Pending() | Should -BeFalse
        @(Get-ChildItem -LiteralPath $folder -Filter '*.new').Count | Should -Be 0
    }

    It 'keeps rights and links of a history that is made shorter' {
        # They are those of Linux.
        Use-Linux
        $open = New-OpenPort
        $opened.Add($open)
        Set-HostList '127.0.0.1'
        $null = New-Item -ItemType Directory (Get-PathInFolder 'elsewhere')
        $real = Get-PathInFolder 'elsewhere/real.csv'
        Set-File 'elsewhere/real.csv' ($Header + $FirstRow * 9)
        & chmod 610 $real
        & ln -s $real (Get-PathInFolder 'history.csv')
        Invoke-Watch 'history.csv' @{ TcpPort = $open.Number; KeepRows = 2 } | Should -Be $NothingChanged
        @(Get-FileLine 'elsewhere/real.csv').Count | Should -Be 3
        & stat -c '%a' $real | Should -BeExactly '610'
        & readlink (Get-PathInFolder 'history.csv') | Should -BeExactly $real
    }

    It 'keeps the last rows of a host when it has twice as many: <History>' -ForEach @{ History = 'history.csv' }, @{ History = 'history.json' } {
        $open = New-OpenPort
        $opened.Add($open)
        Set-HostList '127.0.0.1', '127.0.0.2'
        $before = @()
        foreach ($number in 0..3) {
            if ($number) { $before = @(Get-FileLine $History) }
            @($before -clike '*127.0.0.*').Count | Should -Be (2 * $number)
            $null = Invoke-Watch $History @{ TcpPort = $open.Number; KeepRows = 2 }
        }
        $rows = @(@(Get-FileLine $History) -clike '*127.0.0.*')
        $rows.Count | Should -Be 4
        $rows[0, 1] | Should -BeExactly $before[-2, -1]
        @($rows -clike '*"127.0.0.2",*').Count | Should -Be 2
    }

    It 'writes one object a line into a history in JSON' {
        $open = New-OpenPort
        $opened.Add($open)
        Set-HostList '127.0.0.1'
        $null = Invoke-Watch 'history.json' @{ TcpPort = $open.Number }
        $null = Invoke-Watch 'history.json' @{ TcpPort = $open.Number }
        @(Get-FileLine 'history.json' | ForEach-Object { (ConvertFrom-Json $_).ComputerName }) | Should -BeExactly '127.0.0.1', '127.0.0.1'
    }
}
