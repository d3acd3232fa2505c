# The form in which results travel between computers: what comes out is what went in, and what is
# damaged is refused. Looks at the module's inside, which no command shows.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    $assembly = [RustRunspaces.HostResult].Assembly
    $any = [Reflection.BindingFlags] 'Instance, Static, NonPublic, Public'
    $rowType = $assembly.GetType('RustRunspaces.Sites.PackedRow')
    $answerType = $assembly.GetType('RustRunspaces.Results.HostAnswer')
    $addressType = $assembly.GetType('RustRunspaces.Results.HostAddress')
    $packed = $assembly.GetType('RustRunspaces.Sites.PackedResults')
    $time = [DateTime]::new(2024, 5, 6, 7, 8, 9, [DateTimeKind]::Local)

    function New-Internal($Type, [object[]] $Arguments) {
        $constructor = $Type.GetConstructors($any) | Where-Object { $_.GetParameters().Count -eq $Arguments.Count } | Select-Object -First 1
        return $constructor.Invoke($Arguments)
    }

    function New-Row([int] $Chunk, [int] $Target, [long] $Number, $Fields, $Ports = @()) {
        $answer = [Activator]::CreateInstance($answerType)
        foreach ($set in @{ TimeFinished = $time; Last = -1L; Ttl = [int16] -1; Duplicates = -1 }, $Fields) {
            foreach ($name in $set.Keys) { $answerType.GetField($name, $any).SetValue($answer, $set[$name]) }
        }
        $typed = [Array]::CreateInstance([RustRunspaces.PortResult], @($Ports).Count)
        for ($i = 0; $i -lt @($Ports).Count; $i++) { $typed[$i] = New-Internal ([RustRunspaces.PortResult]) $Ports[$i] }
        return New-Internal $rowType @($Chunk, $Target, $Number, $answer, $typed)
    }

    function Get-Packed($Rows) {
        $list = [Array]::CreateInstance($rowType, @($Rows).Count)
        for ($i = 0; $i -lt @($Rows).Count; $i++) { $list.SetValue($Rows[$i], $i) }
        return , $packed.GetMethod('Pack', $any).Invoke($null, @(, $list))
    }

    function Get-Unpacked([byte[]] $Message, [uint16[]] $Ports = @()) {
        $reader = New-Internal $assembly.GetType('RustRunspaces.Sites.MessageReader') @(, $Message)
        return $packed.GetMethod('Unpack', $any).Invoke($null, @($reader, $Ports, 'paris'))
    }

    # What was thrown, without what reflection wraps around it.
    function Get-Cause($Exception) {
        while ($Exception -is [Management.Automation.MethodInvocationException] -or $Exception -is [Reflection.TargetInvocationException]) { $Exception = $Exception.InnerException }
        return $Exception
    }

    function Get-Field($Row, [string] $Name) {
        $answer = $rowType.GetProperty('Answer', $any).GetValue($Row)
        return $answerType.GetField($Name, $any).GetValue($answer)
    }

    function New-Address([uint16] $Family, [uint64] $First, [uint64] $Second, [uint32] $Scope) { return New-Internal $addressType @($First, $Second, $Scope, $Family) }
}

Describe 'Results on the wire' {
    It 'all that a result has comes through' {
        $texts = New-Internal $assembly.GetType('RustRunspaces.Results.HostTexts') @('web1', $null, 'a sentence', '127.0.0.9')
        $summary = New-Internal $assembly.GetType('RustRunspaces.Results.LatencySummary') @(1.5, 2.5, 4.0, 0.5)
        $rows = @(
            (New-Row 7 0 0 @{ Address = (New-Address 4 0x0100007f 0 0); Status = [RustRunspaces.JobStatus]::Success; Last = 123456789L; Ttl = [int16] 64; Sent = [uint32] 3; Received = [uint32] 2; Summary = $summary; Duplicates = 1; Texts = $texts })
            (New-Row 7 1 70000 @{ Address = (New-Address 6 0x80fe 0x0100000000000000 3); Status = [RustRunspaces.JobStatus]::TimedOut; TimeFinished = $time.AddMilliseconds(-5); Texts = $texts })
            (New-Row 6 0 0 @{ Address = (New-Address 0 0 0 0); Status = [RustRunspaces.JobStatus]::NameNotFound })
        )
        $back = @(Get-Unpacked (Get-Packed $rows))
        $back.Count | Should -Be 3
        foreach ($i in 0..2) {
            foreach ($name in 'Chunk', 'Target', 'Host') { $rowType.GetProperty($name, $any).GetValue($back[$i]) | Should -Be $rowType.GetProperty($name, $any).GetValue($rows[$i]) -Because $name }
            foreach ($name in 'Status', 'Last', 'Ttl', 'Sent', 'Received', 'TimeFinished', 'Duplicates') { Get-Field $back[$i] $name | Should -Be (Get-Field $rows[$i] $name) -Because $name }
            "$(Get-Field $back[$i] 'Address')" | Should -Be "$(Get-Field $rows[$i] 'Address')"
            Get-Field $back[$i] 'ObservedFrom' | Should -Be 'paris'
        }
        $summaryType = $assembly.GetType('RustRunspaces.Results.LatencySummary')
        foreach ($name in 'Minimum', 'Mean', 'Maximum', 'Deviation') { $summaryType.GetField($name, $any).GetValue((Get-Field $back[0] 'Summary')) | Should -Be $summaryType.GetField($name, $any).GetValue($summary) }
        (Get-Field $back[1] 'Texts').GetType().GetProperty('Detail', $any).GetValue((Get-Field $back[1] 'Texts')) | Should -Be 'a sentence'
        (Get-Field $back[1] 'Texts').GetType().GetProperty('AnsweredFrom', $any).GetValue((Get-Field $back[1] 'Texts')) | Should -Be '127.0.0.9'
        Get-Field $back[2] 'Texts' | Should -BeNullOrEmpty
    }

    It 'ports come in the order in which they were asked for' {
        $row = New-Row 1 0 0 @{ Status = [RustRunspaces.JobStatus]::Success } @(@(22, [RustRunspaces.JobStatus]::Success, 5L), @(80, [RustRunspaces.JobStatus]::Refused, -1L))
        $back = @(Get-Unpacked (Get-Packed @($row)) @(22, 80))
        $rowType.GetProperty('Ports', $any).GetValue($back[0]) -join ' ' | Should -Be '22:Success 80:Refused'
    }

    It 'neighbours take a few bytes each' {
        $rows = foreach ($i in 0..1023) { New-Row 1 0 $i @{ Address = (New-Address 4 (127 + ($i % 256) * 16777216) 0 0); Status = [RustRunspaces.JobStatus]::Success; Last = 30000L + 7 * $i % 500; Ttl = [int16] 64; Sent = [uint32] 1; Received = [uint32] 1 } }
        (Get-Packed $rows).Length | Should -BeLessThan (1024 * 12)
    }

    It 'what is damaged is refused, wherever' {
        $message = Get-Packed @(New-Row 1 0 0 @{ Address = (New-Address 4 0x0100007f 0 0); Sent = [uint32] 1 })
        $damages = @(
            @{ Index = 0; Value = 99; Says = 'version 99' }
            @{ Index = 2; Value = 2; Says = 'ends early|more in it|no known family|unknown status' }
            @{ Index = 2; Value = 0; Says = 'more in it' }
            @{ Index = 5; Value = 255; Says = 'negative count' }
        )
        foreach ($damage in $damages) {
            $copy = [byte[]] $message.Clone()
            $copy[$damage.Index] = $damage.Value
            { Get-Unpacked $copy } | Should -Throw
            try { Get-Unpacked $copy } catch { "$($_.Exception.InnerException.Message) $($_.Exception.InnerException.InnerException.Message)" | Should -Match $damage.Says }
        }
        { Get-Unpacked ([byte[]] $message[0..4]) } | Should -Throw
    }

    It 'a state that is no verdict is refused' {
        foreach ($status in [Enum]::GetValues([RustRunspaces.JobStatus])) {
            $message = Get-Packed @(New-Row 1 0 0 @{ Status = $status })
            if ("$status" -in 'Completed', 'Stopped', 'NotStarted', 'Lost') { { Get-Unpacked $message } | Should -Throw -Because $status }
            else { Get-Field @(Get-Unpacked $message)[0] 'Status' | Should -Be $status }
        }
    }

    It 'a time that is none in the zone of the caller is refused: <Microseconds>, <Hours> hours' -ForEach @(
        @{ Microseconds = 5; Hours = -8 }, @{ Microseconds = -5; Hours = 8 }, @{ Microseconds = 315537897599999999; Hours = 1 }, @{ Microseconds = [long]::MaxValue; Hours = 0 }
    ) {
        try { $packed.GetMethod('ToTime', $any).Invoke($null, @([long] $Microseconds, [long] ($Hours * [TimeSpan]::TicksPerHour))); $cause = $null } catch { $cause = Get-Cause $_.Exception }
        $cause | Should -BeOfType ([IO.InvalidDataException])
    }

    It 'whatever is damaged is refused or reads as something, and ends in nothing else' {
        $texts = New-Internal $assembly.GetType('RustRunspaces.Results.HostTexts') @('web1', $null, 'a sentence', $null)
        $summary = New-Internal $assembly.GetType('RustRunspaces.Results.LatencySummary') @(1.5, 2.5, 4.0, 0.5)
        $success = [RustRunspaces.JobStatus]::Success
        $work = $assembly.GetType('RustRunspaces.Sites.SiteScriptWork')
        $writerType = $assembly.GetType('RustRunspaces.Sites.MessageWriter')
        $kindType = $assembly.GetType('RustRunspaces.Sites.MessageKind')
        $payload = $assembly.GetType('RustRunspaces.Sites.MessageReader').GetField('payload', $any)
        function Get-Written($Record) {
            $writer = New-Internal $writerType @()
            if ($Record -is [string]) { $null = $writerType.GetMethod('Flag', $any).Invoke($writer, @($true)); $null = $writerType.GetMethod('Text', $any).Invoke($writer, @($Record)) }
            else { $null = $work.GetMethod('Write', $any, $null, @($writerType, $Record.GetType()), $null).Invoke($writer, @($writer, $Record)) }
            return , $writerType.GetMethod('ToArray', $any).Invoke($writer, @([Enum]::ToObject($kindType, 6), 1))
        }
        $unpack = $packed.GetMethod('Unpack', $any)
        $make = [RustRunspaces.HostStatistics].GetConstructors($any)[0]
        $rowAnswer = $rowType.GetProperty('Answer', $any)
        $readRows = {
            foreach ($row in $unpack.Invoke($null, @($reader, $ports, 'paris'))) {
                $result = $make.Invoke(@($rowAnswer.GetValue($row)))
                "$($result.Status) $($result.Address) $($result.TimeFinished) $($result.Latency) $($result.LossPercent) $($result.Average) $($result.Detail)"
            }
        }
        $messages = @(
            @{ Ports = @(); Read = $readRows; Bytes = Get-Packed @(
                    (New-Row 7 0 0 @{ Address = (New-Address 4 0x0100007f 0 0); Status = $success; Last = 123456789L; Ttl = [int16] 64; Sent = [uint32] 3; Received = [uint32] 2; Summary = $summary; Duplicates = 1; Texts = $texts })
                    (New-Row 7 1 70000 @{ Address = (New-Address 6 0x80fe 0x0100000000000000 3); Status = [RustRunspaces.JobStatus]::TimedOut; Texts = $texts })) }
            @{ Ports = @(22, 80); Read = $readRows; Bytes = Get-Packed @(New-Row 1 0 0 @{ Status = $success } @(@(22, $success, 5L), @(80, [RustRunspaces.JobStatus]::Refused, -1L))) }
            @{ Ports = @(); Read = { $work.GetMethod('ReadProgress', $any).Invoke($null, @(, $reader)) }; Bytes = Get-Written ([Management.Automation.ProgressRecord]::new(5, 'activity', 'state')) }
            @{ Ports = @(); Read = { $work.GetMethod('ReadError', $any).Invoke($null, @($reader, 'paris', [guid]::Empty)) }; Bytes = Get-Written ([Management.Automation.ErrorRecord]::new([Exception]::new('no'), 'Id', 'NotSpecified', 'host')) }
            @{ Ports = @(); Read = { $work.GetMethod('ReadOutput', $any).Invoke($null, @(, $reader)) }; Bytes = Get-Written ([Management.Automation.PSSerializer]::Serialize(@(@{ a = 1 }, [datetime] '2024-05-06', 'text'))) }
        )
        foreach ($message in $messages) { $message.Plain = $payload.GetValue((New-Internal $payload.DeclaringType @(, $message.Bytes))) }
        $random = New-Object Random ([int] $env:RR_FUZZ_SEED)
        $cases = if ($env:RR_FUZZ_CASES) { [int] $env:RR_FUZZ_CASES } else { 6000 }
        $wrong = [Collections.Generic.List[string]]::new()
        $refused = 0
        for ($case = 0; $case -lt $cases; $case++) {
            $message = $messages[$case % $messages.Count]
            # What is packed, or one time in ten what it is packed in.
            $isPacked = $random.Next(10) -gt 0
            $bytes = [Collections.Generic.List[byte]]::new([byte[]] $(if ($isPacked) { $message.Plain } else { $message.Bytes }))
            for ($left = $random.Next(1, 4); $left -gt 0 -and $bytes.Count -gt 0; $left--) {
                $place = $random.Next($bytes.Count)
                switch ($random.Next(6)) {
                    0 { $bytes.RemoveRange($place, $bytes.Count - $place) }
                    1 { $bytes.RemoveAt($place) }
                    2 { $bytes.Insert($place, $random.Next(256)) }
                    3 { $bytes[$place] = 255 }
                    default { $bytes[$place] = $random.Next(256) }
                }
            }
            $damaged = $bytes.ToArray()
            $ports = [uint16[]] $message.Ports
            try {
                if ($isPacked) {
                    $reader = New-Internal $payload.DeclaringType @(, $message.Bytes)
                    $payload.SetValue($reader, $damaged)
                }
                else { $reader = New-Internal $payload.DeclaringType @(, $damaged) }
                $null = & $message.Read
            }
            catch {
                $cause = Get-Cause $_.Exception
                $refused++
                if ($cause -isnot [IO.InvalidDataException]) { $wrong.Add("case $case`: $cause") }
            }
        }
        $wrong | Select-Object -First 5 | Should -BeNullOrEmpty
        $refused | Should -BeGreaterThan ($cases / 4)
        $refused | Should -BeLessThan $cases
    }
}
