# $using: in blocks that a job hands to another process: its value there is the job's own, in every form in which a block can be
# handed on. The other process is a real one, behind the engine's remoting.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # A session with this PowerShell in a process of its own; remoting to a computer differs from it in the transport alone.
    function New-ProcessSession {
        $instance = New-Object Management.Automation.Runspaces.PowerShellProcessInstance
        $runspace = [Management.Automation.Runspaces.RunspaceFactory]::CreateOutOfProcessRunspace($null, $instance)
        $runspace.Open()
        return [Management.Automation.Runspaces.PSSession]::Create($runspace, 'process', $null)
    }

    # Other ways by which a block gets to a command.
    $forms = 'function Hand-On([scriptblock] $Block) { Invoke-Command -Session $far -ScriptBlock $Block }; Set-Alias over Invoke-Command'
}

Describe '$using: in a block that a job sends to another process' {
    BeforeAll {
        $canMake = $PSVersionTable.PSVersion.Major -ge 7 -and [Management.Automation.Runspaces.PSSession].GetMethod('Create')
        $far = if ($canMake) { New-ProcessSession }
    }
    BeforeEach { if (-not $canMake) { Skip-Test 'this PowerShell makes no session of a runspace' } }
    AfterAll { if ($far) { Remove-PSSession $far } }

    It 'is the job''s own: <Block>' -ForEach @(
        @{ Block = 'Invoke-Command -Session $far { "[$using:name]" }' }
        @{ Block = '$b = { "[$using:name]" }; Invoke-Command -Session $far -ScriptBlock $b' }
        @{ Block = '$b = { "[$using:name]" }; Invoke-Command $far $b' }
        @{ Block = '$call = @{ Session = $far; ScriptBlock = { "[$using:name]" } }; Invoke-Command @call' }
        @{ Block = 'over -Session $far { "[$using:name]" }' }
        @{ Block = '$b = { "[$using:name]" }; icm $far $b' }
        @{ Block = 'Hand-On { "[$using:name]" }' }
        @{ Block = '$blocks = { 1 }, { "[$using:name]" }; Invoke-Command -Session $far $blocks[1]' }
        @{ Block = '$b = { & { "[$using:name]" } }; Invoke-Command -Session $far $b' }
        @{ Block = '$table = @{ inner = $name }; $b = { "[$($using:table.inner)]" }; Invoke-Command -Session $far $b' }
        @{ Block = '$table = @{ inner = @(0, $name) }; $b = { "[$($using:table["inner"][1])]" }; Invoke-Command -Session $far $b' }
        @{ Block = '$splat = @{ Object = $name }; $b = { $given = $using:splat; "[$($given.Object)]" }; Invoke-Command -Session $far $b' }
        @{ Block = '$b = { "[$using:name]" }; $j = Invoke-Command -Session $far $b -AsJob; $j | Wait-Job | Receive-Job' }
        @{ Block = 'function Get-Inner { $name = "inner"; $b = { "[$using:name]" }; Invoke-Command -Session $far $b }; $name = "not"; Get-Inner' }
        @{ Block = 'class Sender { static [object] Send($far) { $name = "inner"; $b = { "[$using:name]" }; return Invoke-Command -Session $far $b } }; [Sender]::Send($far)' }
    ) {
        Get-Line "`$name = 'outer'; 1 | Invoke-RustParallel { `$far = `$using:far; $forms; `$name = 'inner'; $Block } -ThrottleLimit 1" @{ far = $far } | Should -Be '[inner]'
    }

    It 'is the caller''s own in the block of the job itself, beside the other' {
        Get-Line '$name = "outer"; 1 | Invoke-RustParallel { $own = "inner"; $b = { "$using:own" }; "$using:name $(Invoke-Command -Session $using:far $b)" }' @{ far = $far } | Should -Be 'outer inner'
    }

    It 'is an error of the job where it has no value' {
        $run = Invoke-Script '1 | Invoke-RustParallel { $b = { "[$using:absent]" }; Invoke-Command -Session $using:far $b; "on" }' @{ far = $far }
        ConvertTo-Line $run.Output | Should -Be 'on'
        $run.Errors.Count | Should -Be 1
        "$($run.Errors[0])" | Should -Match 'absent'
    }
}

Describe '$using: in a block that a job gives to Start-Job' {
    It 'is the job''s own in every form' -Tag Slow {
        if ($PSVersionTable.PSVersion.Major -lt 7) { Skip-Test 'Windows PowerShell starts these one after the other, for seconds each' }
        # One job for all of them: each is a process, and they run side by side.
        Get-Line @'
            $name = 'outer'
            1 | Invoke-RustParallel {
                $name = 'inner'
                function Start-It([scriptblock] $Block) { Start-Job $Block }
                Set-Alias begin2 Start-Job
                $b = { "stored [$using:name]" }
                $call = @{ ScriptBlock = { "splatted [$using:name]" } }
                $blocks = { 1 }, { "of a list [$using:name]" }
                $jobs = @(
                    Start-Job { "literal [$using:name]" }
                    Start-Job $b
                    Start-Job @call
                    begin2 { "by an alias [$using:name]" }
                    Start-It { "by a function [$using:name]" }
                    Start-Job $blocks[1]
                    Start-Job -InitializationScript { $initialized = 1 } { "with a start [$using:name]" }
                )
                $jobs | Wait-Job | ForEach-Object { Receive-Job $_; Remove-Job $_ }
            }
'@ | Sort-Object | Should -Be 'by a function [inner]', 'by an alias [inner]', 'literal [inner]', 'of a list [inner]', 'splatted [inner]', 'stored [inner]', 'with a start [inner]'
    }
}

Describe '$using: in a block that a job gives to a parallel command of another module' {
    BeforeAll { Use-PowerShell7 }

    It 'is the job''s own: <Block>' -ForEach @(
        @{ Block = '1 | ForEach-Object -Parallel { "[$using:name]" }' }
        @{ Block = '$b = { "[$using:name]" }; 1 | ForEach-Object -Parallel $b' }
        @{ Block = '$call = @{ Parallel = { "[$using:name]" } }; 1 | ForEach-Object @call' }
        @{ Block = '$b = { "[$using:name]" }; Start-ThreadJob $b | Wait-Job | Receive-Job' }
        @{ Block = '$call = @{ ScriptBlock = { "[$using:name]" } }; Start-ThreadJob @call | Wait-Job | Receive-Job' }
        @{ Block = 'Set-Alias tj Start-ThreadJob; tj { "[$using:name]" } | Wait-Job | Receive-Job' }
        @{ Block = 'function Start-It($b) { Start-ThreadJob $b }; Start-It { "[$using:name]" } | Wait-Job | Receive-Job' }
        @{ Block = '$blocks = { 1 }, { "[$using:name]" }; $blocks[1] | ForEach-Object { Start-ThreadJob $_ } | Wait-Job | Receive-Job' }
        @{ Block = 'class Starter { static [object] Start() { $name = "inner"; return Start-ThreadJob { "[$using:name]" } | Wait-Job | Receive-Job } }; [Starter]::Start()' }
    ) {
        if ($Block -match 'ThreadJob' -and -not (Get-Command Start-ThreadJob -ErrorAction Ignore)) { Skip-Test 'this PowerShell has no Start-ThreadJob' }
        Get-Line "`$name = 'outer'; 1 | Invoke-RustParallel { `$name = 'inner'; $Block }" | Should -Be '[inner]'
    }
}
