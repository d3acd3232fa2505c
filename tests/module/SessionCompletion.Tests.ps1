# Parameters that name something of the caller's session complete.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    function Get-Completion([string] $Text) {
        Get-Line "function Get-MineForTests { }; filter Select-MineForTests { }; New-Module MineForTests { } | Import-Module; (TabExpansion2 '$Text' $($Text.Length)).CompletionMatches | ForEach-Object CompletionText"
    }
}

Describe 'completion' {
    It 'of -<Parameter> proposes <Expected>' -ForEach @(
        @{ Parameter = 'CommandName'; Word = 'Get-MineF'; Expected = 'Get-MineForTests' }
        @{ Parameter = 'CommandName'; Word = 'Write-Outp'; Expected = 'Write-Output' }
        @{ Parameter = 'Functions'; Word = 'Get-MineF'; Expected = 'Get-MineForTests' }
        @{ Parameter = 'Functions'; Word = 'Select-MineF'; Expected = 'Select-MineForTests' }
        @{ Parameter = 'ModuleNames'; Word = 'MineF'; Expected = 'MineForTests' }
    ) {
        Get-Completion "1 | Invoke-RustParallel -$Parameter $Word" | Should -Contain $Expected
    }

    It 'of -Functions proposes no cmdlets' {
        Get-Completion '1 | Invoke-RustParallel -Functions Write-Outp' | Should -BeNullOrEmpty
    }
}
