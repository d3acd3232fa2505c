# $using: wherever it stands: in blocks that are stored, splatted, handed on or run by another command, in classes and functions.
# Its values are the caller's, evaluated once; in a block that a job hands on it means that job.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe '$using: in a job' {
    It 'is read in <Block>' -ForEach @(
        @{ Block = '$b = { $using:text }; & $b' }
        @{ Block = '$b = { $using:text }; . $b' }
        @{ Block = '& { & { $using:text } }' }
        @{ Block = '$blocks = { $using:text }, { 1 }; & $blocks[0]' }
        @{ Block = '$call = @{ ScriptBlock = { $using:text } }; Invoke-Command @call' }
        @{ Block = 'Invoke-Command { $using:text }' }
        @{ Block = 'function Invoke-It($b) { & $b }; Invoke-It { $using:text }' }
        @{ Block = 'function Show($x = $using:text) { $x }; Show' }
        @{ Block = '1 | ForEach-Object { $using:text }' }
        @{ Block = '(1).ForEach({ $using:text })' }
        @{ Block = 'class Shower { static [string] Show() { return $using:text } }; [Shower]::Show()' }
        @{ Block = 'class Shower2 { [string] $Text = $using:text }; [Shower2]::new().Text' }
        @{ Block = '[Linq.Enumerable]::ToArray([Linq.Enumerable]::Select([int[]] @(1), [Func[int, object]] { $using:text }))' }
        @{ Block = '$text = "own"; $using:text' }
        @{ Block = '"$($using:table.inner[0])"' }
        @{ Block = '"$using:TEXT"' }
    ) {
        Get-Line "`$text = 'hello'; `$table = @{ inner = 'hello', 'x' }; 1 | Invoke-RustParallel { $Block }" | Should -Be 'hello'
    }

    It 'means the job in a block that the job hands on: <Block>' -ForEach @(
        @{ Block = '$b = { $using:text }; $b | Invoke-It' }
        @{ Block = '$b = { $using:text }; Invoke-It $b' }
        @{ Block = '$call = @{ ScriptBlock = { $using:text } }; Invoke-It @call' }
        @{ Block = 'Set-Alias sj Invoke-It; sj { $using:text }' }
        @{ Block = '$blocks = { 1 }, { $using:text }; Invoke-It $blocks[1]' }
    ) {
        # Not Start-Job: a process for each would take a second.
        $start = 'function Invoke-It { param([Parameter(ValueFromPipeline)] [scriptblock] $ScriptBlock) process { 1 | Invoke-RustParallel $ScriptBlock } }; '
        Get-Line "`$text = 'outer'; 1 | Invoke-RustParallel { $start `$text = 'inner'; $Block }" | Should -Be 'inner'
    }

    It 'means the job in a thread job of a stored block' {
        Use-PowerShell7
        if (-not (Get-Command Start-ThreadJob -ErrorAction Ignore)) { Skip-Test 'this PowerShell has no Start-ThreadJob' }
        Get-Line '$text = "outer"; 1 | Invoke-RustParallel { $text = "inner"; $b = { "<$using:text>" }; Start-ThreadJob $b | Wait-Job | Receive-Job }' |
            Should -Be '<inner>'
    }

    It 'needs no value of the caller in a block that is handed on' {
        Get-Line '1 | Invoke-RustParallel { $own = 7; $b = { $using:own }; 1 | Invoke-RustParallel $b }' | Should -Be '7'
    }

    It 'says that there is no value where a stored block runs without' {
        $run = Invoke-Script '1 | Invoke-RustParallel { $b = { "<$using:absent>" }; & $b; "went on" }'
        ConvertTo-Line $run.Output | Should -Be 'went on'
        $run.Errors[0].FullyQualifiedErrorId | Should -Be 'UsingWithoutInvokeCommand'
    }

    It 'is refused before anything runs where the job itself reads what is not there: <Block>' -ForEach @(
        @{ Block = '$using:absent' }
        @{ Block = '& { $using:absent }' }
        @{ Block = '1 | ForEach-Object { "$using:absent" }' }
        @{ Block = '$using:absent.Length' }
    ) {
        Get-ErrorId (Get-Failure "1 | Invoke-RustParallel { $Block }") | Should -Be 'UsingVariableNotSet'
    }

    It 'is nothing for an environment variable that is not set' {
        Get-Line '1 | Invoke-RustParallel { "<$using:env:RUSTRUNSPACES_UNSET>" }' | Should -Be '<>'
        Get-Line '1 | Invoke-RustParallel { $null -eq $using:env:RUSTRUNSPACES_UNSET }' | Should -Be 'True'
    }

    It 'is evaluated once, on the caller''s thread' {
        $run = Invoke-CleanScript @'
$object = [pscustomobject] @{}
$global:count = 0
$object | Add-Member ScriptProperty Value { $global:count++; [Environment]::CurrentManagedThreadId }
1..10 | Invoke-RustParallel { $using:object.Value } | Select-Object -Unique
$global:count
[Environment]::CurrentManagedThreadId
'@
        $run.Output[1] | Should -Be 1
        $run.Output[0] | Should -Be $run.Output[2]
    }

    It 'shows in no error and no text' {
        $run = Invoke-Script '$text = "x"; 1 | Invoke-RustParallel { $b = { $using:text }; "$b"; ($using:text).Nowhere(); Get-Item "/absent/$using:text" }'
        $run.Output[0] | Should -Be ' $using:text '
        foreach ($shown in $run.Errors) { $shown.InvocationInfo.Line | Should -BeLike '*$using:text*' }
        $run.Errors.Count | Should -Be 2
    }

    It 'adds no variable' {
        Get-Line '$text = "x"; 1 | Invoke-RustParallel { $using:text; Get-Variable text, *using* -ErrorAction Ignore | ForEach-Object Name }' | Should -Be 'x'
    }

    It 'is in the initialization script' {
        Get-Line '$text = "hello"; 1 | Invoke-RustParallel { $kept } -InitializationScript { $b = { $using:text }; $kept = & $b }' | Should -Be 'hello'
    }
}

Describe 'a caller in constrained language' {
    BeforeAll {
        function Get-ConstrainedLine([string] $Script) {
            $session = New-Session
            try {
                $session.LanguageMode = 'ConstrainedLanguage'
                Invoke-Script $Script @{} $session
            }
            finally { $session.Dispose() }
        }
    }

    It 'has values of $using: in its jobs' {
        (Get-ConstrainedLine '$text = "hello"; $list = 1, 2; 1 | Invoke-RustParallel { "$using:text $($using:list[1]) $(& { $using:text })" }').Output | Should -Be 'hello 2 hello'
    }

    It 'has constrained jobs, whatever the module makes of its block: <Block>' -ForEach @(
        @{ Block = '{ "$($ExecutionContext.SessionState.LanguageMode)"; [IO.File]::Exists("/x") }' }
        @{ Block = '{ [CmdletBinding()] param($x) "$($ExecutionContext.SessionState.LanguageMode)"; [IO.File]::Exists("/x") }' }
        @{ Block = '{ "$_".Length; "$($ExecutionContext.SessionState.LanguageMode)"; [IO.File]::Exists("/x") }' }
    ) {
        $run = Get-ConstrainedLine "1 | Invoke-RustParallel $Block"
        ConvertTo-Line $run.Output | Should -Contain 'ConstrainedLanguage'
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].FullyQualifiedErrorId | Should -Be 'MethodInvocationNotSupportedInConstrainedLanguage'
    }

    It 'has a constrained initialization script' {
        $run = Get-ConstrainedLine '1 | Invoke-RustParallel { $kept } -InitializationScript { $kept = "$($ExecutionContext.SessionState.LanguageMode)" }'
        ConvertTo-Line $run.Output | Should -Be 'ConstrainedLanguage'
    }
}

Describe 'a block made in constrained language' {
    It 'stays constrained where its caller has full language: <Block>' -ForEach @(
        @{ Block = '{ [IO.File]::Exists("/absent/x") }' }
        @{ Block = '{ $_; [IO.File]::Exists("/absent/x") }' }
        @{ Block = '{ [CmdletBinding()] param($x) [IO.File]::Exists("/absent/x") }' }
    ) {
        $session = New-Session
        try {
            $session.LanguageMode = 'ConstrainedLanguage'
            $null = Invoke-CleanScript "`$block = $Block" @{} $session
            $session.LanguageMode = 'FullLanguage'
            (Invoke-Script '& $block 1' @{} $session).Errors[0].FullyQualifiedErrorId | Should -Be 'MethodInvocationNotSupportedInConstrainedLanguage'
            (Invoke-Script '1 | Invoke-RustParallel $block' @{} $session).Errors[0].FullyQualifiedErrorId | Should -Be 'MethodInvocationNotSupportedInConstrainedLanguage'
            Get-Line '1 | Invoke-RustParallel { [IO.File]::Exists("/absent/x") }' @{} $session | Should -Be 'False'
        }
        finally { $session.Dispose() }
    }
}

Describe 'a block made in full language' {
    It 'keeps that in a constrained session: the engine''s rule that makes the thread matter that makes it' {
        $block = [scriptblock]::Create('[IO.File]::Exists("/absent/x")').Ast.GetScriptBlock()
        $session = New-Session
        try {
            $session.LanguageMode = 'ConstrainedLanguage'
            $shell = [powershell]::Create()
            $shell.Runspace = $session
            $null = $shell.AddScript('& $args[0]; [IO.File]::Exists("/absent/x")').AddArgument($block)
            $shell.Invoke() | Should -Be $false
            $shell.Streams.Error[0].FullyQualifiedErrorId | Should -Be 'MethodInvocationNotSupportedInConstrainedLanguage'
            $shell.Dispose()
        }
        finally { $session.Dispose() }
    }
}
