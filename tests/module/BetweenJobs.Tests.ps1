# What a job leaves to the next one on the same worker: what ForEach-Object -Parallel leaves, no more and no less.

BeforeDiscovery {
    $ways = @(@{ Way = 'the engine''s table'; Provider = $false }, @{ Way = 'the provider of variables'; Provider = $true })
}

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
}

Describe 'between the jobs of a worker, by way of <Way>' -ForEach $ways {
    BeforeAll { if ($Provider) { Set-MissingMember GlobalScope } }
    AfterAll { Set-MissingMember }

    It 'is gone: <What>' -ForEach @(
        @{ What = 'a script variable'; Set = '$script:kept = 1'; Get = '"<$kept>"' }
        @{ What = 'a counter of script scope'; Set = '$script:n++'; Get = '$script:n++; "<$($script:n - 1)>"'; Clean = '<0>' }
        @{ What = 'a global variable'; Set = '$global:kept = 1'; Get = '"<$kept>"' }
        @{ What = 'one that a command made'; Set = 'Set-Variable kept 1 -Scope Global'; Get = '"<$kept>"' }
        @{ What = 'a constant'; Set = 'New-Variable kept 1 -Scope Global -Option ReadOnly'; Get = '"<$kept>"' }
        @{ What = 'one that a function made'; Set = 'function Set-It { $global:kept = 1 }; Set-It'; Get = '"<$kept>"' }
        @{ What = '$OFS'; Set = '$global:OFS = "-"'; Get = '"<$(1, 2)>"'; Clean = '<1 2>' }
        @{ What = '$FormatEnumerationLimit'; Set = '$global:FormatEnumerationLimit = 9'; Get = '$FormatEnumerationLimit'; Clean = '4' }
        @{ What = '$OutputEncoding'; Set = '$global:OutputEncoding = [Text.Encoding]::UTF32'; Get = '$OutputEncoding -eq [Text.Encoding]::UTF32'; Clean = 'False' }
        @{ What = '$PSModuleAutoLoadingPreference'; Set = '$global:PSModuleAutoLoadingPreference = "None"'; Get = '"<$PSModuleAutoLoadingPreference>"' }
        @{ What = '$PSNativeCommandUseErrorActionPreference'; Set = '$global:PSNativeCommandUseErrorActionPreference = $true'; Get = '$PSNativeCommandUseErrorActionPreference -eq $true'; Clean = 'False' }
        @{ What = 'the removal of a variable'; Set = 'Remove-Variable brought -Scope Global -Force'; Get = '"<$brought>"'; Clean = '<b>' }
        @{ What = 'another value of a variable that came along'; Set = '$global:brought = 2'; Get = '"<$brought>"'; Clean = '<b>' }
        @{ What = 'what the initialization script set, as a job changed it'; Set = '$global:made = 2'; Get = '"<$made>"'; Clean = '<m>' }
        @{ What = 'an event subscriber'; Set = '$null = Register-EngineEvent tick -Action { 1 }'; Get = '@(Get-EventSubscriber).Count'; Clean = '0' }
        @{ What = 'an event in the queue'; Set = '$null = New-Event waiting'; Get = '@(Get-Event).Count'; Clean = '0' }
        @{ What = 'a breakpoint'; Set = '$null = Set-PSBreakpoint -Variable nothing'; Get = '@(Get-PSBreakpoint).Count'; Clean = '0' }
        @{ What = 'the location'; Set = 'Set-Location ([IO.Path]::GetTempPath())'; Get = '(Get-Location).Path -eq $using:here'; Clean = 'True' }
        @{ What = 'an error'; Set = '$null = Get-Item /absent/x -ErrorAction SilentlyContinue'; Get = '$Error.Count'; Clean = '0' }
        @{ What = 'a preference that was made read-only'; Set = 'Set-Variable WarningPreference Stop -Scope Global -Option ReadOnly -Force'; Get = '$WarningPreference'; Clean = 'Continue' }
        @{ What = 'a preference that takes some values only'; Set = '[ValidateSet("Stop")] [string] $global:WarningPreference = "Stop"'; Get = '$WarningPreference'; Clean = 'Continue' }
        @{ What = 'the type of a variable that came along'; Set = '[int] $global:brought = 5'; Get = '"<$brought>"; $global:brought = "x"'; Clean = '<b>' }
        @{ What = 'a variable that came along, made read-only'; Set = 'Set-Variable brought 2 -Scope Global -Option ReadOnly'; Get = '"<$brought>"; $global:brought = "x"'; Clean = '<b>' }
        @{ What = 'another value of a read-only one'; Set = 'Set-Variable fixed 2 -Scope Global -Option ReadOnly -Force'; Get = '"<$fixed>"'; Clean = '<f>' }
        @{ What = 'what -OutVariable set'; Set = '$null = Write-Output 1 -OutVariable global:kept'; Get = '"<$kept>"' }
        @{ What = 'what -OutVariable added in script scope'; Set = '$null = Write-Output 1 -OutVariable +script:kept'; Get = '"<$kept>"' }
        @{ What = 'the removal of $LASTEXITCODE'; Set = 'Remove-Variable LASTEXITCODE -Scope Global; $global:LASTEXITCODE = 7'; Get = '"<$LASTEXITCODE>"' }
        @{ What = 'a preference'; Set = '$global:ErrorActionPreference = "Stop"'; Get = '$ErrorActionPreference'; Clean = 'Continue' }
    ) {
        if (-not $Clean) { $Clean = '<>' }
        Get-Line "`$brought = 'b'; `$here = (Get-Location).Path; 1, 2 | Invoke-RustParallel { if (`$_ -eq 1) { $Set; return }; $Get } -ThrottleLimit 1 -Variables brought -InitializationScript { `$made = 'm'; New-Variable fixed f -Scope Global -Option ReadOnly }" |
            Should -Be $Clean
    }

    It 'is no error of the next job that its location is gone' {
        $folder = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) ([guid]::NewGuid()))).FullName
        Get-Line "Set-Location '$folder'; 1, 2 | Invoke-RustParallel { if (`$_ -eq 1) { Set-Location ..; Remove-Item '$folder' }; `$_ } -ThrottleLimit 1" | Should -Be '1', '2'
    }

    It 'is gone after a job that was stopped' {
        $run = Invoke-Script '1, 2 | Invoke-RustParallel { if ($_ -eq 1) { $script:kept = 1; while ($true) { Start-Sleep -Milliseconds 1 } }; "<$kept>" } -ThrottleLimit 1 -JobTimeoutSeconds 0.5'
        ConvertTo-Line $run.Output | Should -Be '<>'
    }

    It 'remains: <What>' -ForEach @(
        @{ What = 'a global function'; Set = 'function global:Get-Kept { "kept" }'; Get = 'Get-Kept' }
        @{ What = 'an alias'; Set = 'Set-Alias Get-Kept Write-Output -Scope Global'; Get = 'Get-Kept kept' }
        @{ What = 'a drive'; Set = '$null = New-PSDrive Kept FileSystem ([IO.Path]::GetTempPath()) -Scope Global'; Get = 'if (Test-Path Kept:/) { "kept" }' }
        @{ What = 'an environment variable'; Set = '$env:RUSTRUNSPACES_KEPT = "kept"'; Get = '$env:RUSTRUNSPACES_KEPT; $env:RUSTRUNSPACES_KEPT = $null' }
        @{ What = 'a module'; Set = 'New-Module Kept { function Get-Kept { "kept" } } | Import-Module -Global'; Get = 'Get-Kept' }
    ) {
        Get-Line "1, 2 | Invoke-RustParallel { if (`$_ -eq 1) { $Set; return }; $Get } -ThrottleLimit 1" | Should -Be 'kept'
    }

    It 'is what ForEach-Object -Parallel leaves: <Set>' -ForEach @(
        @{ Set = '$global:kept = 1'; Get = '"<$kept>"' }
        @{ Set = '$script:kept = 1'; Get = '"<$kept>"' }
        @{ Set = 'function global:Get-Kept { 1 }'; Get = '[bool] (Get-Command Get-Kept -ErrorAction Ignore)' }
        @{ Set = '$null = Register-EngineEvent tick -Action { 1 }'; Get = '@(Get-EventSubscriber).Count' }
        @{ Set = 'Set-Alias Get-Kept Write-Output -Scope Global'; Get = '[bool] (Get-Alias Get-Kept -ErrorAction Ignore)' }
        @{ Set = '$null = Set-PSBreakpoint -Command Get-Nothing'; Get = '@(Get-PSBreakpoint).Count' }
        @{ Set = '$null = New-Event tick'; Get = '@(Get-Event).Count' }
        @{ Set = '$global:OFS = "+"'; Get = '"<$OFS>"' }
        @{ Set = '$global:FormatEnumerationLimit = 9'; Get = '$FormatEnumerationLimit' }
        @{ Set = '$global:OutputEncoding = [Text.Encoding]::ASCII'; Get = '$OutputEncoding.WebName' }
        @{ Set = '$global:PSNativeCommandUseErrorActionPreference = $true'; Get = '"<$PSNativeCommandUseErrorActionPreference>"' }
        @{ Set = '$global:PSModuleAutoLoadingPreference = "None"'; Get = '"<$PSModuleAutoLoadingPreference>"' }
        @{ Set = '$global:ErrorActionPreference = "Stop"; $global:WarningPreference = "Stop"'; Get = '"$ErrorActionPreference $WarningPreference"' }
        @{ Set = '$PSDefaultParameterValues["Get-Item:Force"] = $true'; Get = '$PSDefaultParameterValues.Count' }
        @{ Set = 'Set-Location ([IO.Path]::GetTempPath())'; Get = '(Get-Location).Path' }
        @{ Set = '[cultureinfo]::CurrentCulture = "de-DE"'; Get = '(Get-Culture).Name' }
        @{ Set = '$global:LASTEXITCODE = 3; Write-Error x -ErrorAction SilentlyContinue'; Get = '"<$LASTEXITCODE> $($Error.Count)"' }
        @{ Set = '$null = New-PSDrive Kept FileSystem ([IO.Path]::GetTempPath()) -Scope Global'; Get = 'Test-Path Kept:/' }
        @{ Set = 'New-Module Kept { } | Import-Module -Global'; Get = '[bool] (Get-Module Kept)' }
        @{ Set = '$env:RUSTRUNSPACES_KEPT = "kept"'; Get = '"<$env:RUSTRUNSPACES_KEPT>"; $env:RUSTRUNSPACES_KEPT = $null' }
    ) {
        Use-PowerShell7
        $block = "{ if (`$_ -eq 1) { $Set; return }; $Get } -ThrottleLimit 1"
        Get-Line "1, 2 | Invoke-RustParallel $block" | Should -Be (Get-Line "1, 2 | ForEach-Object -Parallel $block")
    }
}
