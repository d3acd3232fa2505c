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
}
