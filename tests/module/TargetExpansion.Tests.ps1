# CIDR blocks and ranges: which addresses they become, and how those are named.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0
}

Describe 'target expansion' {
    BeforeEach { Use-Echo }

    It 'makes hosts named by their address: <Expression>' -ForEach @(
        @{ Expression = '127.0.0.0/30'; Addresses = '127.0.0.1', '127.0.0.2' }
        @{ Expression = '127.0.0.6/31'; Addresses = '127.0.0.6', '127.0.0.7' }
        @{ Expression = '127.0.0.9/32'; Addresses = , '127.0.0.9' }
        @{ Expression = '127.0.0.1-127.0.0.3'; Addresses = '127.0.0.1', '127.0.0.2', '127.0.0.3' }
        @{ Expression = '127.0.0.1-3'; Addresses = '127.0.0.1', '127.0.0.2', '127.0.0.3' }
        @{ Expression = '127.0.0.254-127.0.1.1'; Addresses = '127.0.0.254', '127.0.0.255', '127.0.1.0', '127.0.1.1' }
    ) {
        $table = Get-Table "Invoke-RustParallel $Expression -Count 1 -ReplyTimeoutMilliseconds 200"
        @($table.Keys | Sort-Object) | Should -BeExactly $Addresses
        foreach ($address in $Addresses) { $table[$address].Address | Should -BeExactly $address }
    }

    It 'leaves nothing out of an IPv6 block' -Tag 'Laboratory' {
        Use-Laboratory
        $table = Get-Table 'Invoke-RustParallel ::4/126 -Count 1 -ReplyTimeoutMilliseconds 100'
        @($table.Keys | Sort-Object) | Should -BeExactly '::4', '::5', '::6', '::7'
    }

    It 'keeps the name that a single address was given' -Tag 'Laboratory' {
        Use-Laboratory
        $table = Get-Table 'Invoke-RustParallel 0:0:0:0:0:0:0:1'
        @($table.Keys) | Should -BeExactly @('0:0:0:0:0:0:0:1')
        $table['0:0:0:0:0:0:0:1'].Address | Should -BeExactly '::1'
    }

    It 'takes expressions and names in one call' {
        $table = Get-Table '''127.0.0.0/30'', ''localhost'', ''127.0.0.5-6'' | Invoke-RustParallel'
        @($table.Keys | Sort-Object) | Should -BeExactly '127.0.0.1', '127.0.0.2', '127.0.0.5', '127.0.0.6', 'localhost'
    }

    It 'is complete and right for a block of 65,534 hosts' -Tag 'Slow', 'Laboratory' {
        Use-Laboratory
        $table = Get-Table 'Invoke-RustParallel 127.0.0.0/16 -PacketsPerSecond 0 -Count 4 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 200'
        $table.Count | Should -Be 65534
        $wrong = for ($number = 1; $number -le 65534; $number++) {
            $address = "127.0.$($number -shr 8).$($number -band 255)"
            $result = $table[$address]
            if ($null -eq $result -or $result.Address -cne $address -or $result.ComputerName -cne $address -or $result.Status -cne 'Success') { $address }
        }
        $wrong | Should -BeNullOrEmpty
    }

    It 'ends after the attempts for a block of 65,534 silent hosts' -Tag 'Slow', 'Laboratory' {
        Use-Laboratory
        $table = Get-Table "Invoke-RustParallel $($Laboratory.SilentNetwork) -PacketsPerSecond 0 -Count 2 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 200"
        $table.Count | Should -Be 65534
        @(foreach ($result in $table.Values) { if ($result.Status -cne 'TimedOut') { $result.ComputerName } }) | Should -BeNullOrEmpty
    }
}
