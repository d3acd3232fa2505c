# The pipeline or -InputObject with a block: output streams, and the names of ForEach-Object -Parallel's
# parameters work.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'item form' {
    It 'writes output while its job still runs' {
        $go = New-Object Threading.ManualResetEventSlim
        $run = Start-Script "1 | Invoke-RustParallel { 'first'; `$null = (`$using:go).Wait(20000); 'last' }" @{ go = $go }
        Wait-Output $run 1
        ConvertTo-Line $run.Output | Should -Be 'first'
        $go.Set()
        ConvertTo-Line (Wait-Script $run).Output | Should -Be 'first', 'last'
    }

    It 'runs jobs while input still comes' {
        $go = New-Object Threading.ManualResetEventSlim
        Get-Line '& { 1; $null = $go.Wait(20000); 2 } | Invoke-RustParallel { $_; ($using:go).Set() } -ThrottleLimit 1' @{ go = $go } |
            Should -Be '1', '2'
    }

    It 'keeps the type and identity of an item: <Block>' -ForEach @(
        @{ Block = '{ $_ }' }
        @{ Block = '{ param($x) $x }' }
        @{ Block = '{ param([Parameter(ValueFromPipeline)] $x) process { $x } }' }
    ) {
        $item = New-Object object
        $run = Invoke-CleanScript ", `$item | Invoke-RustParallel $Block" @{ item = $item }
        [object]::ReferenceEquals($item, $run.Output[0].PSObject.BaseObject) | Should -BeTrue
    }

    It 'writes nothing for an empty pipeline' { Get-Line '@() | Invoke-RustParallel { 1 }' | Should -BeNullOrEmpty }

    It 'finds a silent host down' {
        Use-Laboratory
        (Get-Table "Invoke-RustParallel $($Laboratory.Silent) -Count 1 -ReplyTimeoutMilliseconds 100")[$Laboratory.Silent].Status | Should -Be 'TimedOut'
    }

    It 'tells ports apart' {
        $open, $closed, $silent = (New-OpenPort), (New-RefusedPort), (New-SilentPort)
        try {
            $result = (Get-Table "Invoke-RustParallel 127.0.0.1 -TcpPort $($open.Number),$($closed.Number),$($silent.Number) -ReplyTimeoutMilliseconds 200")['127.0.0.1']
            ($result.Ports | ForEach-Object { $_.Status }) | Should -Be 'Success', 'Refused', 'TimedOut'
            Measure-Connection $open | Should -Be 1
        }
        finally { $open, $closed, $silent | ForEach-Object { Close-Port $_ } }
    }
}
