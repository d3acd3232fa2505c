# A job that asks a question ends there with an error, however it asks; the jobs after it run.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    $Choices = '[Management.Automation.Host.ChoiceDescription[]] @("&yes", "&no")'
    $Fields = '$fields = New-Object "Collections.ObjectModel.Collection[Management.Automation.Host.FieldDescription]"; $fields.Add((New-Object Management.Automation.Host.FieldDescription "name"))'
}

Describe 'a job that asks' {
    It 'runs no statement after the question: <Question>' -ForEach @(
        @{ Question = '$null = $Host.UI.PromptForChoice("caption", "message", $Choices, 0)' }
        @{ Question = '$Fields; $null = $Host.UI.Prompt("caption", "message", $fields)' }
        @{ Question = '$null = $Host.UI.PromptForCredential("caption", "message", "user", "target")' }
        @{ Question = '$null = $Host.UI.PromptForChoice("caption", "message", $Choices, [Collections.Generic.List[int]] @(0, 1))' }
        @{ Question = '$null = $Host.UI.PromptForChoice("", "", $Choices, [Collections.Generic.List[int]] @())' }
        @{ Question = '$Fields; $fields.Add((New-Object Management.Automation.Host.FieldDescription "other")); $null = $Host.UI.Prompt("", "", $fields)' }
        @{ Question = '$null = $Host.UI.PromptForCredential("caption", "message", "user", "target", "Generic", "None")' }
        @{ Question = '$null = $Host.UI.ReadLine()' }
        @{ Question = '$null = $Host.UI.ReadLineAsSecureString()' }
        @{ Question = '$null = $Host.UI.RawUI.ReadKey()' }
        @{ Question = '$Host.EnterNestedPrompt()' }
        @{ Question = '$null = Read-Host question' }
        @{ Question = '$null = Get-Credential user' }
        @{ Question = 'function Get-It { param([Parameter(Mandatory)] $Name) }; Get-It' }
        @{ Question = 'New-Item -Path (Join-Path ([IO.Path]::GetTempPath()) never.txt) -Confirm' }
        @{ Question = 'Write-Error no -ErrorAction Inquire' }
        @{ Question = 'try { $null = $Host.UI.PromptForChoice("caption", "message", $Choices, 0) } catch { }' }
        @{ Question = 'trap { continue }; $null = $Host.UI.ReadLine()' }
        @{ Question = '1 | ForEach-Object { & { $null = $Host.UI.ReadLine() } }' }
    ) {
        $text = $Question.Replace('$Choices', $Choices).Replace('$Fields', $Fields)
        # What an expression does is seen by this: no pipeline of the engine's stands between.
        $done = New-Object 'Collections.Generic.List[int]'
        $run = Invoke-Script "1, 2 | Invoke-RustParallel { if (`$_ -eq 1) { $text; (`$using:done).Add(1) }; `"after `$_`" } -ThrottleLimit 1" @{ done = $done }
        ConvertTo-Line $run.Output | Should -Be 'after 2'
        $run.Errors | ForEach-Object { Get-ErrorId $_ } | Should -Be 'JobCannotAsk'
        $done.Count | Should -Be 0
    }

    It 'has its question in the error, and nowhere else: <Default>' -ForEach @(@{ Default = '0' }, @{ Default = '[Collections.Generic.List[int]] @(0)' }) {
        $run = Invoke-Script "1 | Invoke-RustParallel { `$null = `$Host.UI.PromptForChoice('caption', 'which one', $Choices, $Default) }"
        "$($run.Errors)" | Should -Match '\(which one\)'
        $run.Information.Count | Should -Be 0
    }

    It 'runs its finally blocks' {
        $run = Invoke-Script '1 | Invoke-RustParallel { try { $null = $Host.UI.ReadLine() } finally { ($using:done).Add(1) } }' @{ done = ($done = New-Object 'Collections.Generic.List[int]') }
        $done.Count | Should -Be 1
        $run.Errors | ForEach-Object { Get-ErrorId $_ } | Should -Be 'JobCannotAsk'
    }

    It 'has failed' {
        Get-Line '1 | Invoke-RustParallel { $null = $Host.UI.ReadLine() } -AsObject | ForEach-Object { "$($_.Status) $($_.Errors.Count)" }' | Should -Be 'Failed 1'
    }

    It 'ends the call where it makes a runspace ready' {
        Get-ErrorId (Get-Failure '1 | Invoke-RustParallel { 1 } -InitializationScript { $null = $Host.UI.ReadLine() }') | Should -Be 'InitializationScriptFailed'
    }
}
