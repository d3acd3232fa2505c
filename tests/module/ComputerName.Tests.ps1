# What -ComputerName takes, as an argument and from the pipeline.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'computer name' {
    It 'takes strings, addresses, objects and lists, as argument and from the pipeline: <Items>' -ForEach @(
        @{ Items = '''127.0.0.1'''; Expected = 1 }
        @{ Items = '''127.0.0.1'', ''127.0.0.2'''; Expected = 1, 2 }
        @{ Items = '([ipaddress]''127.0.0.1'')'; Expected = 1 }
        @{ Items = '''127.0.0.1'', ([ipaddress]''127.0.0.2'')'; Expected = 1, 2 }
        @{ Items = '@{ ComputerName = ''127.0.0.1'' }'; Expected = 1 }
        @{ Items = '([PSCustomObject]@{ IPAddress = ''127.0.0.1'' })'; Expected = 1 }
        @{ Items = '([PSCustomObject]@{ IPAddress = [ipaddress]''127.0.0.1'' })'; Expected = 1 }
        @{ Items = '([PSCustomObject]@{ IPAddress = ''127.0.0.1'', ''127.0.0.2'' })'; Expected = 1, 2 }
        @{ Items = '@(@(''127.0.0.1'', ''127.0.0.2''), ''127.0.0.3'')'; Expected = 1, 2, 3 }
        @{ Items = '([System.Collections.Generic.List[object]]@(''127.0.0.1'', ''127.0.0.2''))'; Expected = 1, 2 }
    ) {
        Use-Echo
        $hosts = $Expected | ForEach-Object { "127.0.0.$_" }
        (Get-Table "Invoke-RustParallel -ComputerName $Items").Keys | Sort-Object | Should -BeExactly $hosts
        (Get-Table "$Items | Invoke-RustParallel").Keys | Sort-Object | Should -BeExactly $hosts
    }

    It 'takes an IPv6 address object from the pipeline' -Tag 'Laboratory' {
        Use-Laboratory
        (Get-Table '[ipaddress]''::1'' | Invoke-RustParallel').Keys | Should -BeExactly '::1'
    }

    It 'is the first argument' {
        Use-Echo
        (Get-Table 'Invoke-RustParallel 127.0.0.1').Keys | Should -BeExactly '127.0.0.1'
    }

    Context 'by the name <_>' -ForEach 'ComputerName', 'CN', 'TargetName', 'HostName', 'DNSHostName', 'Server', 'IPAddress' {
        It 'is a parameter' {
            Use-Echo
            (Get-Table "Invoke-RustParallel -$_ 127.0.0.1").Keys | Should -BeExactly '127.0.0.1'
        }

        It 'is a property of a piped object' {
            Use-Echo
            (Get-Table "[PSCustomObject]@{ $_ = '127.0.0.9' } | Invoke-RustParallel").Keys | Should -BeExactly '127.0.0.9'
            (Get-Table "[PSCustomObject]@{ Id = 1; $($_.ToLowerInvariant()) = [ipaddress]'127.0.0.9' } | Invoke-RustParallel").Keys | Should -BeExactly '127.0.0.9'
        }
    }

    It 'is the first property that has text' {
        Use-Echo
        (Get-Table '[PSCustomObject]@{ IPAddress = ''127.0.0.9''; DNSHostName = ''127.0.0.8''; ComputerName = $null } | Invoke-RustParallel').Keys |
            Should -BeExactly '127.0.0.8'
    }

    It 'takes another property by a script block' {
        Use-Echo
        (Get-Table '[PSCustomObject]@{ Name = ''127.0.0.9'' } | Invoke-RustParallel -ComputerName { $_.Name }').Keys | Should -BeExactly '127.0.0.9'
    }

    It 'takes a string with blanks around it as the host' {
        Use-Echo
        # Lines of a file often end so.
        $output = (Invoke-CleanScript 'Invoke-RustParallel '' 127.0.0.1 '' -AsObject').Output
        @($output).Count | Should -Be 1
        $output[0].Address | Should -BeExactly '127.0.0.1'
    }

    It 'is asked for without argument and pipeline' {
        # There is nobody to ask here: the engine says which parameter is missing.
        "$(Get-Failure 'Invoke-RustParallel -Count 1')" | Should -BeLikeExactly '*ComputerName*'
    }

    It 'has five thousand piped hosts complete in one hashtable' {
        Use-Echo
        $table = Get-Table '1..5000 | ForEach-Object { "127.1.$($_ -shr 8).$($_ -band 255)" } | Invoke-RustParallel -ReplyTimeoutMilliseconds 200'
        $table.Count | Should -Be 5000
        @($table.Values | Where-Object { $_.Ping -ne $true }).Count | Should -Be 0
    }

    It 'looks an unusual name up as it is' -Tag 'Laboratory' {
        Use-Laboratory
        $unusual = "k$([char] 0xFC)che.test"
        $output = (Invoke-CleanScript 'Invoke-RustParallel $unusual, ''under_score.test'' -AsObject' @{ unusual = $unusual }).Output
        $names = [string[]] @($output | ForEach-Object { $_.ComputerName })
        [Array]::Sort($names, [StringComparer]::Ordinal)
        $names | Should -BeExactly $unusual, 'under_score.test'
        $output | ForEach-Object { $_.Status } | Should -BeExactly 'NameNotFound', 'NameNotFound'
    }
}
