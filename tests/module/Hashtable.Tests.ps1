# The default output: one hashtable, host to result.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0
}

Describe 'the hashtable' {
    BeforeEach {
        Use-Echo
        $cultureBefore = [Globalization.CultureInfo]::CurrentCulture
    }
    AfterEach { [Globalization.CultureInfo]::CurrentCulture = $cultureBefore }

    It 'is all that is written, and synchronized' {
        (Get-Table 'Invoke-RustParallel 127.0.0.1, 127.0.0.2').IsSynchronized | Should -BeTrue
    }

    It 'is empty and synchronized for no hosts' {
        $table = Get-Table '@() | Invoke-RustParallel'
        $table.Count | Should -Be 0
        $table.IsSynchronized | Should -BeTrue
    }

    It 'has the hosts as they were given for keys' {
        $table = Get-Table 'Invoke-RustParallel LocalHost, 127.0.0.1'
        @($table.Keys | Sort-Object) | Should -BeExactly '127.0.0.1', 'LocalHost'
        $table['LocalHost'].ComputerName | Should -BeExactly 'LocalHost'
    }

    # In Turkish i is no small I.
    It 'compares keys without case in <Culture>' -Tag 'Laboratory' -ForEach @{ Culture = 'en-US' }, @{ Culture = 'tr-TR' } {
        Use-Laboratory
        $table = Get-Table "[cultureinfo]::CurrentCulture = '$Culture'; Invoke-RustParallel $($Laboratory.Name)"
        [Globalization.CultureInfo]::CurrentCulture = $Culture
        $table.ContainsKey($Laboratory.Name.ToUpperInvariant()) | Should -BeTrue
    }

    It 'compares keys without case where it is empty, too' {
        $table = Get-Table '@() | Invoke-RustParallel'
        $table['host'] = 1
        $table['HOST'] | Should -Be 1
    }

    It 'has one entry for hosts that are equal but for case' {
        (Get-Table 'Invoke-RustParallel localhost, LOCALHOST, LocalHost').Count | Should -Be 1
    }

    It 'has results for values' {
        (Get-Table 'Invoke-RustParallel 127.0.0.1')['127.0.0.1'].GetType().FullName | Should -BeExactly 'RustRunspaces.HostResult'
    }

    It 'has values that read as in the template' {
        $result = (Get-Table 'Invoke-RustParallel 127.0.0.1')['127.0.0.1']
        $american = [Globalization.CultureInfo]::InvariantCulture.Clone()
        $american.DateTimeFormat.ShortDatePattern = 'M/d/yyyy'
        $american.DateTimeFormat.LongTimePattern = 'h:mm:ss tt'
        [Globalization.CultureInfo]::CurrentCulture = $american
        $result.ToString() | Should -BeExactly "@{Ping=True; TimeFinished=$($result.TimeFinished.ToString())}"
        $result.ToString() | Should -MatchExactly '^@\{Ping=True; TimeFinished=\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M\}$'
    }

    It 'shows its values as in the template' -Tag 'Laboratory' {
        Use-Laboratory
        $shown = Get-Line "Invoke-RustParallel 127.0.0.1, $($Laboratory.UnknownName) | Out-String -Width 120"
        $shown | Should -MatchExactly '(?m)^127\.0\.0\.1 +@\{Ping=True; TimeFinished=.+\}\s*$'
        $shown | Should -MatchExactly "(?m)^$([regex]::Escape($Laboratory.UnknownName)) +@\{Ping=False; TimeFinished=.+\}\s*$"
    }

    It 'gives properties through the key' {
        $run = Invoke-CleanScript '$Results = Invoke-RustParallel LOCALHOST; $Results[''localhost''].Ping; $Results.localhost.Status'
        @($run.Output).Count | Should -Be 2
        $run.Output[0] | Should -BeOfType [bool]
        $run.Output[0] | Should -BeTrue
        $run.Output[1] | Should -BeExactly 'Success'
    }

    It 'has unknown names, silent hosts and closed ports as results, which are no errors' -Tag 'Laboratory' {
        Use-Laboratory
        $down = Get-Table "Invoke-RustParallel $($Laboratory.UnknownName), $($Laboratory.Silent) -Count 1 -ReplyTimeoutMilliseconds 100"
        $down[$Laboratory.UnknownName].Status | Should -BeExactly 'NameNotFound'
        $down[$Laboratory.Silent].Status | Should -BeExactly 'TimedOut'
        $closed = New-RefusedPort
        try { (Get-Table "Invoke-RustParallel 127.0.0.1 -TcpPort $($closed.Number)")['127.0.0.1'].Status | Should -BeExactly 'Refused' }
        finally { Close-Port $closed }
    }
}
