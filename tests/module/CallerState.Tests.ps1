# What a job's session has of the caller's without being asked: place, culture, language mode, the file
# of the block, the host.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # A session whose language mode is constrained from now on.
    function New-ConstrainedSession([string] $Prepare = '') {
        $session = New-Session
        $null = Invoke-CleanScript $Prepare @{} $session
        $session.SessionStateProxy.LanguageMode = 'ConstrainedLanguage'
        return $session
    }
}

Describe 'caller state' {
    It 'has the location of the caller' {
        # Brackets are wildcards to PowerShell where a path is not taken literally.
        $place = [IO.Directory]::CreateDirectory((Join-Path $TestDrive '[1]')).FullName
        $lines = Get-Line 'Set-Location -LiteralPath $place; $PWD.Path; 1, 2 | Invoke-RustParallel { $PWD.Path } -ThrottleLimit 2' @{ place = $place }
        Split-Path -Leaf $lines[0] | Should -BeExactly '[1]'
        $lines | Should -BeExactly $lines[0], $lines[0], $lines[0]
    }

    It 'restores for the next a location that a job left' {
        $lines = Get-Line '
            Set-Location -LiteralPath $folder
            $PWD.Path
            1, 2 | Invoke-RustParallel { $PWD.Path; Set-Location / } -ThrottleLimit 1' @{ folder = "$TestDrive" }
        Split-Path -Leaf $lines[0] | Should -BeExactly (Split-Path -Leaf $TestDrive)
        $lines | Should -BeExactly $lines[0], $lines[0], $lines[0]
    }

    It 'has of the caller''s own drive its place in the file system' {
        $lines = Get-Line '
            (New-PSDrive own FileSystem $folder -Scope Global).Root
            Set-Location own:
            1 | Invoke-RustParallel { $PWD.Path }' @{ folder = "$TestDrive" }
        Split-Path -Leaf $lines[0] | Should -BeExactly (Split-Path -Leaf $TestDrive)
        $lines | Should -BeExactly $lines[0], $lines[0]
    }

    It 'restores for the next the default parameters that a job left: <Initialization>' -ForEach @(
        @{ Initialization = ''; Expected = '0 ' }
        @{ Initialization = '$PSDefaultParameterValues[''Join-Path:ChildPath''] = ''first'''; Expected = '1 first' }
    ) {
        Get-Line "
            1..3 | Invoke-RustParallel -ThrottleLimit 1 -InitializationScript { $Initialization } {
                `"`$(`$PSDefaultParameterValues.Count) `$(`$PSDefaultParameterValues['Join-Path:ChildPath'])`"
                if (`$_ -eq 1) { `$PSDefaultParameterValues['Join-Path:ChildPath'] = 'left' } else { `$PSDefaultParameterValues['Split-Path:Leaf'] = `$true }
            }" | Should -BeExactly $Expected, $Expected, $Expected
    }

    It 'has the culture of the caller' {
        Get-Line '
            [Threading.Thread]::CurrentThread.CurrentCulture = [cultureinfo]::GetCultureInfo(''ar-SA'')
            [Threading.Thread]::CurrentThread.CurrentUICulture = [cultureinfo]::GetCultureInfo(''fr-FR'')
            1 | Invoke-RustParallel { [cultureinfo]::CurrentCulture.Name; [cultureinfo]::CurrentUICulture.Name; (Get-Culture).Name }' |
            Should -BeExactly 'ar-SA', 'fr-FR', 'ar-SA'
    }

    It 'restores for the next a culture that a job left' {
        Get-Line '
            [cultureinfo]::CurrentCulture = ''fr-FR''
            1, 2 | Invoke-RustParallel { [cultureinfo]::CurrentCulture.Name; [cultureinfo]::CurrentCulture = ''ja-JP'' } -ThrottleLimit 1' |
            Should -BeExactly 'fr-FR', 'fr-FR'
    }

    It 'has the language mode of the caller' {
        $session = New-ConstrainedSession
        try { $run = Invoke-Script '1 | Invoke-RustParallel { $ExecutionContext.SessionState.LanguageMode; [IO.File]::Exists(''x'') }' @{} $session }
        finally { $session.Dispose() }
        ConvertTo-Line $run.Output | Should -BeExactly 'ConstrainedLanguage'
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'MethodInvocationNotSupportedInConstrainedLanguage'
    }

    It 'has the caller''s language mode in a function that comes along: <_>' -ForEach @(
        '{ Get-Mode } -Functions Get-Mode'
        '{ Get-Mode } -Functions Get-Mo*'
        '{ Get[Mode] } -Functions Get-Mode, ''Get`[Mode`]'''
        '{ Show-Mode } -Functions Show-Mode'
        '-CommandName Show-Mode -ParameterName Item'
        '{ $mode } -Functions Get-Mode -InitializationScript { $mode = Get-Mode }'
    ) {
        $session = New-ConstrainedSession '
            function Get-Mode { "$($ExecutionContext.SessionState.LanguageMode)" }
            function Get[Mode] { Get-Mode }
            filter Show-Mode($Item) { "$($ExecutionContext.SessionState.LanguageMode)" }'
        try { Get-Line "1 | Invoke-RustParallel $_" @{} $session | Should -BeExactly 'ConstrainedLanguage' }
        finally { $session.Dispose() }
    }

    It 'has the file''s using namespace: <_>' -ForEach @(
        '{ [StringBuilder]::new().GetType().Name }'
        '{ process { [StringBuilder]::new().GetType().Name } }'
    ) {
        Get-Line "using namespace System.Text`n1 | Invoke-RustParallel $_" | Should -BeExactly 'StringBuilder'
    }

    It 'knows the file of the block: <_>' -ForEach @(
        '{ "$PSScriptRoot|$PSCommandPath" }'
        '{ process { "$PSScriptRoot|$PSCommandPath" } }'
        '{ $global:place } -InitializationScript { $global:place = "$PSScriptRoot|$PSCommandPath" }'
    ) {
        $file = Join-Path $TestDrive 'script.ps1'
        [IO.File]::WriteAllText($file, '"$PSScriptRoot|$PSCommandPath"' + "`n1 | Invoke-RustParallel $_")
        $lines = Get-Line '& $file' @{ file = $file }
        Split-Path -Leaf $lines[0] | Should -BeExactly 'script.ps1'
        $lines | Should -BeExactly $lines[0], $lines[0]
    }

    It 'has the host named as the caller''s' {
        Get-Line '$name = $Host.Name; $version = $Host.Version; 1 | Invoke-RustParallel { "$($Host.Name -eq $using:name) $($Host.Version -eq $using:version)" }' |
            Should -BeExactly 'True True'
    }

    It 'ends a job that asks with an error that says so: <_>' -ForEach @(
        'Read-Host ''name'''
        '$Host.UI.ReadLine()'
        '$null = $Host.UI.PromptForChoice(''a'', ''b'', [Management.Automation.Host.ChoiceDescription[]] (''x'', ''y''), 0)'
    ) {
        $run = Invoke-Script "1, 2 | Invoke-RustParallel { if (`$_ -eq 1) { $_ } `"went on `$_`" } -ThrottleLimit 1"
        ConvertTo-Line $run.Output | Should -BeExactly 'went on 2'
        @($run.Errors).Count | Should -Be 1
        Get-ErrorId $run.Errors[0] | Should -BeExactly 'JobCannotAsk'
    }

    It 'tells in the error what was asked: <Asked>' -ForEach @(
        @{
            Question = '$null = $Host.UI.Prompt('''', '''', [Management.Automation.Host.FieldDescription[]] (, ''Which one''))'
            Asked    = '(Which one)'
        }
        @{
            Question = 'function Get-Own { param([Parameter(Mandatory)] $First, [Parameter(Mandatory)] $Second) }; Get-Own'
            Asked    = ' First, Second)'
        }
    ) {
        $run = Invoke-Script "1 | Invoke-RustParallel { $Question }"
        @($run.Errors).Count | Should -Be 1
        $run.Errors[0].Exception.Message | Should -BeLikeExactly "*$Asked*"
    }

    It 'has all cmdlets of a console' {
        Get-Line '1 | Invoke-RustParallel { Join-Path a b | Split-Path -Leaf; (1, 2, 3 | Measure-Object -Sum).Sum; @{ a = 1 } | ConvertTo-Json -Compress }' |
            Should -BeExactly 'b', '6', '{"a":1}'
    }

    It 'leaves the module path of the process as it was' {
        Get-Line '
            $before = $env:PSModulePath
            $env:PSModulePath = ''own:path''
            try { $null = 1 | Invoke-RustParallel { 1 }; $env:PSModulePath }
            finally { $env:PSModulePath = $before }' | Should -BeExactly 'own:path'
    }
}
