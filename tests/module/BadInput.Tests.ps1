# Junk for every parameter of every command: the right error with the right id, and the others go on.
# What the rest of these tests says of a parameter in detail is not said again; here none is left out.

BeforeDiscovery {
    # Made of numbers: this file is read as ANSI by Windows PowerShell.
    $Characters = @{
        Control = [string] [char] 1; Escape = "$([char] 27)[2J"; Nul = [string] [char] 0; Bell = [string] [char] 7
        RightToLeft = [string] [char] 0x202e; HalfPair = [string] [char] 0xd800; OtherHalf = [string] [char] 0xdc00
        NoBreak = [string] [char] 0xa0; FullWidthOne = [string] [char] 0xff11
    }
    $Invalid = @(
        @{ What = '100,000 characters'; Text = 'a' * 100000 }
        @{ What = 'a label of 64'; Text = 'a' * 64 }
        @{ What = 'a name of 306'; Text = (('a' * 60) + '.') * 5 + 'a' }
        @{ What = 'a control character'; Text = "a$($Characters.Control)b" }
        @{ What = 'an escape sequence'; Text = "a$($Characters.Escape)" }
        @{ What = 'an embedded NUL'; Text = "a$($Characters.Nul)b" }
        @{ What = 'a mark of the reading direction'; Text = "$($Characters.RightToLeft)txet" }
        @{ What = 'half of a surrogate pair'; Text = "a$($Characters.HalfPair)b" }
        @{ What = 'the other half alone'; Text = $Characters.OtherHalf }
        @{ What = 'a space that does not break'; Text = "a$($Characters.NoBreak)b" }
        @{ What = 'a digit of full width'; Text = "$($Characters.FullWidthOne)27.0.0.1" }
        foreach ($text in '1.2.3', '0x7f.1', '0177.0.0.1', '2130706433', '::ffff:1.2.3.4%eth9', 'fe80::1%absent9', 'fe80::1%', '10.0.0.0/33', '::1/129',
            '10.0.0.0/-1', '10.0.0.9-10.0.0.1', '127.0.0.9-1', '256.1.1.1', '1.2.3.4.5', '127.0.0.1:80', 'http://a/', "a'b", '$(1)', '*', '.', 'a..b', 'a b',
            'a,b', '/24', '\\a', ':::', '-', '%', '@a', '127.0.0.1/24/24', '127.0.0.1-127.0.0.2-127.0.0.3') { @{ What = $text; Text = $text } }
    )
    $Blank = '', ' ', " `t `r`n" | ForEach-Object { @{ Text = $_ } }
    # What the resolver is asked, and knows nothing of.
    $Names = @(
        @{ What = 'IDN'; Text = "b$([char] 0xfc)cher.example" }, @{ What = 'Hebrew'; Text = "$([char] 0x5d0)$([char] 0x5d1).example" }
        @{ What = 'a hyphen first'; Text = '-a' }, @{ What = 'a trailing dot'; Text = 'absent.' }, @{ What = 'an underscore'; Text = '_a' }
    )

    $Long = 'a' * 100000
    # Whatever is no number, list, switch or object of the right kind; each is refused by name.
    $Refused = @(
        foreach ($number in 'Count', 'ReplyTimeoutMilliseconds', 'IntervalMilliseconds', 'BufferSize', 'MaxHops', 'PacketsPerSecond', 'TcpPort') {
            foreach ($value in "''x''", '$Long', '$Control', '(1, 2, ''x'')', '-1', '1e30') { @{ Form = 'Probe'; Name = $number; Value = $value } }
        }
        foreach ($form in 'Probe', 'Item') {
            foreach ($value in "''x''", '$Long', '-1', '2147484', '([double]::NaN)', '([double]::PositiveInfinity)', '$Control') {
                @{ Form = $form; Name = 'MaximumWaitTimeSeconds'; Value = $value }
            }
        }
        foreach ($value in "''x''", '$Long', '-1', '2147484', '([double]::NaN)') { @{ Form = 'Item'; Name = 'JobTimeoutSeconds'; Value = $value } }
        foreach ($value in "''x''", '0', '1025', '$null', '-1', '1e30') { @{ Form = 'Item'; Name = 'MaximumThreadCount'; Value = $value } }
        foreach ($value in "''''", "''XTA''", '$Long', '$Control') { @{ Form = 'Item'; Name = 'ApartmentState'; Value = $value } }
        foreach ($switch in 'IPv4', 'IPv6', 'Statistics', 'ResolveName') { @{ Form = 'Probe'; Name = $switch; Value = "''x''"; IsSwitch = $true } }
        foreach ($switch in 'AsObject', 'Ordered', 'AsJob', 'UseNewRunspace', 'RetryLost') { @{ Form = 'Item'; Name = $switch; Value = "''x''"; IsSwitch = $true } }
        @{ Form = 'Probe'; Name = 'FromEach'; Value = "''x''"; IsSwitch = $true }
        foreach ($list in 'Variables', 'Functions', 'ModuleNames') {
            foreach ($value in '$null', '@()', "''''") { @{ Form = 'Item'; Name = $list; Value = $value } }
        }
        foreach ($value in '$null', '@()', "''x''", '5', '$Long') { @{ Form = 'Item'; Name = 'Session'; Value = $value } }
        foreach ($value in "''x''", '5', '@(1)') { @{ Form = 'Command'; Name = 'Parameters'; Value = $value } }
        foreach ($value in '$null', "''''", "'' ''", "''a b''", "''-x''", '$Control', '$Half') { @{ Form = 'Command'; Name = 'ParameterName'; Value = $value } }
        foreach ($value in '$null', "''''") { @{ Form = 'Call'; Name = 'CommandName'; Value = $value } }
        foreach ($value in '$null', '5', "''x''") { @{ Form = 'Call'; Name = 'ScriptBlock'; Value = $value } }
        foreach ($value in '5', "''x''") { @{ Form = 'Item'; Name = 'InitializationScript'; Value = $value } }
    )
    # What is bound, and then refused by the command itself: the id.
    $RefusedLater = @(
        foreach ($value in '$Long', '$Control', '$Half', "'' ''", "''absent''", '$Direction') {
            @{ Arguments = "-Variables $value"; Id = 'VariableNotFound' }, @{ Arguments = "-Functions $value"; Id = 'FunctionNotFound' }
            @{ Arguments = "-ModuleNames $value"; Id = 'ModuleNotImported' }
        }
        @{ Arguments = '-ModuleNames $Nul'; Id = 'ModuleNotImported' }
        foreach ($value in '$Long', '$Control', '$Half', '$Nul', "'' ''", "''absent''", "''*''", "''a;b''") { @{ Arguments = "-CommandName $value"; Id = 'CommandNotFound' } }
        @{ Arguments = "-CommandName Get-Item -ParameterName Absent"; Id = 'ParameterNotFound' }
        @{ Arguments = "-CommandName Get-Item -ParameterName `$LongName"; Id = 'ParameterNotFound' }
        foreach ($value in '@{ Absent = 1 }', '@{ $Long = 1 }', '@{ $Control = 1 }', '@{ 5 = 1 }') {
            @{ Arguments = "-CommandName Get-Item -ParameterName Path -Parameters $value"; Id = 'ParameterNotFound' }
        }
    )
}

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    $session = New-Session
    $Junk = @{
        Long = 'a' * 100000; LongName = 'a' * 100000; Control = "a$([char] 1)b"; Nul = "a$([char] 0)b"; Half = "a$([char] 0xd800)b"; Direction = "$([char] 0x202e)txet"
    }

    # Nobody's terminal obeys a message, and nobody has to read pages of it.
    function Test-Message($ErrorRecord) {
        $message = $ErrorRecord.ToString()
        $message.Length | Should -BeLessThan 1000
        $message | Should -Not -Match '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e]'
    }
}

AfterAll { $session.Dispose() }

Describe 'bad hosts' {
    BeforeEach { Use-Echo }

    It 'are InvalidTarget, each with itself as the target, and the others go on: <What>' -ForEach $Invalid {
        $run = Invoke-Script '''127.0.0.1'', $text, ''127.0.0.2'' | Invoke-RustParallel' @{ text = $Text } $session
        $run.Failure | Should -BeNullOrEmpty
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'InvalidTarget'
        [string]::Equals($run.Errors[0].TargetObject, $Text, 'Ordinal') | Should -BeTrue
        Test-Message $run.Errors[0]
        @($run.Output[0].Keys | Sort-Object) | Should -BeExactly '127.0.0.1', '127.0.0.2'
    }

    It 'are lines without a host where they are blank, and no error' -ForEach $Blank {
        $run = Invoke-CleanScript '''127.0.0.1'', $text, ''127.0.0.2'' | Invoke-RustParallel' @{ text = $Text } $session
        @($run.Output[0].Keys | Sort-Object) | Should -BeExactly '127.0.0.1', '127.0.0.2'
    }

    It 'are names that are not found where a name could be such: <What>' -Tag 'Laboratory' -ForEach $Names {
        Use-Laboratory
        $run = Invoke-CleanScript '''127.0.0.1'', $text, ''127.0.0.2'' | Invoke-RustParallel -AsObject' @{ text = $Text } $session
        @($run.Output).Count | Should -Be 3
        $odd = @($run.Output | Where-Object { $_.ComputerName -notlike '127.*' })
        $odd[0].ComputerName | Should -BeExactly $Text
        $odd[0].Status | Should -BeExactly 'NameNotFound'
    }

    It 'are strings as any to a block: <What>' -ForEach ($Invalid | Select-Object -First 9) {
        # Only a host that is looked up has to be one.
        $table = Get-Table 'Invoke-RustParallel ''x'', $text, ''y'' { param($ComputerName) $ComputerName.Length }' @{ text = $Text } $session
        $table.Count | Should -Be 3
        $table[$Text] | Should -Be $Text.Length
    }

    It 'are shown short by the errors of their jobs: <What>' -ForEach ($Invalid | Select-Object -First 9) {
        $run = Invoke-Script 'Invoke-RustParallel $text { Start-Sleep 20 } -JobTimeoutSeconds 0.02' @{ text = $Text } $session
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'JobTimedOut'
        Test-Message $run.Errors[0]
        $run = Invoke-Script 'Invoke-RustParallel $text, $text { Start-Sleep 20 } -MaximumWaitTimeSeconds 0.02' @{ text = $Text } $session
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'MaximumWaitReached'
        $run.Errors[0].ToString().Length | Should -BeLessThan 2000
    }
}

Describe 'bad arguments' {
    It 'are refused by the name of the parameter: -<Name> <Value> (<Form>)' -ForEach $Refused {
        $call = switch ($Form) {
            'Probe' { 'Invoke-RustParallel 127.0.0.1' }
            'Item' { '1 | Invoke-RustParallel { 1 }' }
            'Command' { '''.'' | Invoke-RustParallel -CommandName Get-Item' }
            'Call' { '1 | Invoke-RustParallel' }
        }
        $separator = if ($IsSwitch) { ':' } else { ' ' }
        $failure = Get-Failure "$call -$Name$separator$($Value.Replace("''", "'"))" $Junk $session
        $failure.FullyQualifiedErrorId | Should -Match '^(CannotConvertArgument|ParameterArgument(Validation|Transformation)Error|CannotBindNull|AmbiguousParameterSet)'
        "$failure" | Should -Match $Name
    }

    It 'are refused by the command where they fit no thing there is: <Arguments>' -ForEach $RefusedLater {
        $block = if ($Arguments -match 'CommandName') { '' } else { '{ 1 }' }
        $failure = Get-Failure "1 | Invoke-RustParallel $block $($Arguments.Replace("''", "'"))" $Junk $session
        Get-ErrorId $failure | Should -BeExactly $Id
        Test-Message $failure
    }

    It 'that a block takes reach it whole' {
        $run = Invoke-CleanScript '1 | Invoke-RustParallel { $args | ForEach-Object { if ($null -eq $_) { -1 } else { $_.Length } } } -ArgumentList $Long, $Nul, $Half, $null, ''''' $Junk $session
        # Behind the item, whose length is 1.
        ConvertTo-Line $run.Output | Should -BeExactly '1', '100000', '3', '3', '-1', '0'
    }

    It 'that are items reach the block whole' {
        $run = Invoke-CleanScript '$Long, $Nul, $Half, $null, '''' | Invoke-RustParallel { if ($null -eq $_) { -1 } else { $_.Length } } -Ordered' $Junk $session
        ConvertTo-Line $run.Output | Should -BeExactly '100000', '3', '3', '-1', '0'
    }

    It 'of the far side''s command are refused by the name of the parameter: <Arguments>' -ForEach @(
        @{ Arguments = ''; Name = 'Source|Work' }, @{ Arguments = '-Source $null -Work $null'; Name = 'Source|Work' }, @{ Arguments = '-Source x -Work ([byte[]] @())'; Name = 'Work' }
        @{ Arguments = '-Source x -Work $Long'; Name = 'Work' }, @{ Arguments = '-Source $null -Work ([byte[]] 1)'; Name = 'Source' }
    ) {
        "$(Get-Failure "Invoke-RustParallelSite $Arguments" $Junk $session)" | Should -Match $Name
    }

    It 'of the far side''s command that are no work are told the other side, whose message says so: <_>' -ForEach '(1..200)', '1', '(1, 67, 1, 0, 0, 0)', '(99, 67, 1, 0, 0, 0)', '(1, 68, 1, 0, 0, 0, 255)' {
        $run = Invoke-CleanScript "Invoke-RustParallelSite -Source x -Work ([byte[]] $_)" $Junk $session
        # After the greeting a message of the kind Failure, compressed: its id.
        $run.Output.Count | Should -Be 2
        $message = [byte[]] $run.Output[1]
        $message[0..1] | Should -Be 1, 5
        $text = New-Object IO.StreamReader (New-Object IO.Compression.DeflateStream ((New-Object IO.MemoryStream (, $message[6..($message.Length - 1)])), ([IO.Compression.CompressionMode]::Decompress)))
        $text.ReadToEnd() | Should -MatchExactly 'ProtocolMismatch.*what was sent cannot be read'
    }

    It 'have been tried for every parameter' {
        $own = (Get-Command Invoke-RustParallel).Parameters.Keys | Where-Object { $_ -notin [Management.Automation.Cmdlet]::CommonParameters }
        $text = [IO.File]::ReadAllText((Join-Path $PSScriptRoot 'BadInput.Tests.ps1'))
        $rest = 'ComputerName', 'InputObject', 'ArgumentList' # by the hosts, items and arguments above
        $missing = @($own | Where-Object { $_ -notin $rest -and $text -notmatch "'$_'|-$_\b" })
        $missing | Should -BeNullOrEmpty
    }

    It 'leave the session as it was' {
        Get-Line '1..3 | Invoke-RustParallel { $_ } -Ordered' @{} $session | Should -BeExactly '1', '2', '3'
    }
}
