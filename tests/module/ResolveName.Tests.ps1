# -ResolveName: the host's name and all its addresses.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Set-StrictMode -Version 2.0

    function Get-ResolvedResult([string] $Target) { Get-Result "Invoke-RustParallel $Target -ResolveName -AsObject" }
}

Describe '-ResolveName' {
    BeforeEach { Use-Echo }

    It 'finds name and addresses of localhost' {
        $result = Get-ResolvedResult 'localhost'
        $result.HostName | Should -Be 'localhost'
        $result.Address | Should -Not -BeNullOrEmpty
        $result.Addresses | Should -Contain $result.Address
    }

    It 'lists all addresses of a name' -Tag 'Laboratory' {
        Use-Laboratory
        @((Get-ResolvedResult $Laboratory.NameWithTwoAddresses).Addresses | Sort-Object) | Should -BeExactly '127.0.0.22', 'fd00:99::22'
    }

    It 'finds the name of an address' -Tag 'Laboratory' {
        Use-Laboratory
        $result = Get-ResolvedResult '127.0.0.21'
        $result.HostName | Should -BeExactly $Laboratory.Name
        @($result.Addresses) | Should -BeExactly @('127.0.0.21')
    }

    It 'finds the name of each address of a range' -Tag 'Laboratory' {
        Use-Laboratory
        $table = Get-Table 'Invoke-RustParallel 127.0.0.20-22 -ResolveName'
        $table['127.0.0.21'].HostName | Should -BeExactly $Laboratory.Name
        $table['127.0.0.22'].HostName | Should -BeExactly $Laboratory.NameWithTwoAddresses
        $table['127.0.0.20'].HostName | Should -Be $null
    }

    It 'resolves names with ports, too' -Tag 'Laboratory' {
        Use-Laboratory
        (Get-Result 'Invoke-RustParallel 127.0.0.21 -TcpPort 1, 2 -ResolveName -AsObject').HostName | Should -BeExactly $Laboratory.Name
    }

    It 'resolves nothing unasked' {
        $result = Get-Result 'Invoke-RustParallel localhost -AsObject'
        $result.HostName | Should -Be $null
        $result.Addresses | Should -Be $null
    }
}
