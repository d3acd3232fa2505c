# Numbers out of their range are refused, with the range in the message; nothing is sent.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    function Assert-Refused([string] $Name, $Value, $Bound) {
        $failure = Get-Failure "Invoke-RustParallel 127.0.0.1 -$Name $Value"
        $failure.CategoryInfo.Category | Should -Be ([Management.Automation.ErrorCategory]::InvalidData)
        "$failure" | Should -BeLikeExactly "*$Name*"
        "$failure" | Should -Match "\b$Bound\b"
    }
}

Describe 'parameter validation' {
    Context '<Name>' -ForEach @(
        @{ Name = 'Count'; Smallest = 1; Largest = 1000 }
        @{ Name = 'ReplyTimeoutMilliseconds'; Smallest = 1; Largest = 3600000 }
        @{ Name = 'IntervalMilliseconds'; Smallest = 1; Largest = 3600000 }
        @{ Name = 'BufferSize'; Smallest = 0; Largest = 65500 }
        @{ Name = 'MaxHops'; Smallest = 1; Largest = 255 }
        @{ Name = 'TcpPort'; Smallest = 1; Largest = 65535 }
        @{ Name = 'PacketsPerSecond'; Smallest = 0; Largest = 2147483647 }
        @{ Name = 'MaximumWaitTimeSeconds'; Smallest = 0; Largest = 2147483 }
    ) {
        It 'refuses a number below the range with the smallest, <Smallest>' { Assert-Refused $Name ($Smallest - 1) $Smallest }

        # What is above the largest integer has a test of its own.
        if ($Largest -lt [int]::MaxValue) {
            It 'refuses a number above the range with the largest, <Largest>' { Assert-Refused $Name ($Largest + 1) $Largest }
        }

        It 'takes the ends of the range, <Smallest> and <Largest>' {
            # Without hosts nothing is probed, but everything is bound and checked.
            $null = Invoke-CleanScript "@() | Invoke-RustParallel -$Name $Smallest"
            $null = Invoke-CleanScript "@() | Invoke-RustParallel -$Name $Largest"
        }

        It 'refuses text that is no number' {
            $failure = Get-Failure "Invoke-RustParallel 127.0.0.1 -$Name many"
            $failure.FullyQualifiedErrorId | Should -BeLikeExactly 'CannotConvertArgument*'
            "$failure" | Should -BeLikeExactly "*$Name*"
        }
    }

    It 'refuses a number that fits no integer' {
        (Get-Failure 'Invoke-RustParallel 127.0.0.1 -PacketsPerSecond 2147483648').FullyQualifiedErrorId | Should -BeLikeExactly 'CannotConvertArgument*'
    }

    It 'refuses one port out of its range among others' { Assert-Refused 'TcpPort' '80, 70000' 65535 }

    It 'refuses no port at all: <_>' -ForEach '$null', '@()' {
        (Get-Failure "Invoke-RustParallel 127.0.0.1 -TcpPort $_").FullyQualifiedErrorId | Should -BeLikeExactly '*ParameterArgumentValidationError*'
    }

    It 'takes -<_> as false' -ForEach 'IPv4', 'IPv6', 'Statistics', 'ResolveName', 'AsObject' {
        (Get-Table "Invoke-RustParallel localhost -TcpPort 1 -$($_):`$false")['localhost'].GetType().Name | Should -BeExactly 'TcpHostResult'
    }
}
