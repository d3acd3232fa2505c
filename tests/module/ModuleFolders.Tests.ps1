# The module's folders know only those below them: read from the sources, by the types that each folder declares and names.

BeforeDiscovery { $folders = 'Commands', 'Sites', 'Probes', 'Scripts', 'Scripts/Workers', 'Background', 'Results', 'Output', 'Native' }

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # From above to below. Probes and Scripts stand side by side.
    $Below = @{
        'Commands'        = 'Sites', 'Probes', 'Scripts', 'Scripts/Workers', 'Background', 'Results', 'Output', 'Native'
        'Sites'           = 'Probes', 'Scripts', 'Scripts/Workers', 'Background', 'Results', 'Output', 'Native'
        'Probes'          = 'Background', 'Results', 'Output', 'Native'
        'Scripts'         = 'Scripts/Workers', 'Background', 'Results', 'Output', 'Native'
        'Scripts/Workers' = 'Background', 'Results', 'Output', 'Native'
        'Background'      = 'Results', 'Output', 'Native'
        'Results'         = 'Output', 'Native'
        'Output'          = , 'Native'
        'Native'          = @()
    }

    # Code alone: words in comments and texts name nothing.
    function Get-Code([string] $File) {
        $text = [IO.File]::ReadAllText($File)
        $text = [regex]::Replace($text, '@"(?:""|[^"])*"', '""')
        $text = [regex]::Replace($text, '(?<!'')"(?:\\.|[^"\\\r\n])*"', '""')
        return [regex]::Replace($text, '//[^\r\n]*', '')
    }

    # What stands in which folder: Folder, File, Code, Types.
    function Read-Module([string] $Root) {
        foreach ($file in Get-ChildItem -LiteralPath $Root -Recurse -Filter *.cs) {
            $folder = (Split-Path $file.FullName).Substring($Root.Length).Trim('\', '/').Replace('\', '/')
            if ($folder -match '^(bin|obj)(/|$)') { continue }
            $code = Get-Code $file.FullName
            $declarations = [regex]::Matches($code, '(?m)^(?:public|internal)[\w ]*\b(?:class|struct|interface|enum|delegate) (\w+)')
            [PSCustomObject] @{ Folder = $folder; File = $file.Name; Code = $code; Types = @($declarations | ForEach-Object { $_.Groups[1].Value }) }
        }
    }

    # "Folder/File names Type of Folder" for each type that a file must not know.
    function Get-UpwardMention($Files, [string] $Folder) {
        $forbidden = $Files | Where-Object { $_.Folder -ne $Folder -and $_.Folder -notin $Below[$Folder] }
        foreach ($file in $Files | Where-Object { $_.Folder -eq $Folder }) {
            foreach ($other in $forbidden) {
                foreach ($type in $other.Types) {
                    # A name after a point, or before a parenthesis without `new` or a bracket, is a member's.
                    $name = $type -creplace 'Attribute$', ''
                    if ($file.Code -cmatch "(?<=new |\[)$name(?:Attribute)?\b|(?<![.\w])$name(?:Attribute)?\b(?!\s*\()") { "$Folder/$($file.File) names $type of $($other.Folder)" }
                }
            }
        }
    }
}

Describe 'the module''s sources' {
    BeforeAll {
        $project = Join-Path $PSScriptRoot '../../module/RustRunspaces.csproj'
        $files = if (Test-Path -LiteralPath $project) { @(Read-Module (Split-Path (Resolve-Path -LiteralPath $project).ProviderPath)) }
    }

    BeforeEach { $null = Get-RepositoryFile 'module/RustRunspaces.csproj' }

    It 'stand in folders that have a place among the others' {
        $files | Where-Object { -not $Below.ContainsKey($_.Folder) } | ForEach-Object { "$($_.Folder)/$($_.File)" } | Should -BeNullOrEmpty
        $files.Count | Should -BeGreaterThan 40
    }

    It 'in <_> know only what is below' -ForEach $folders {
        @($files | Where-Object Folder -eq $_).Count | Should -BeGreaterThan 0
        Get-UpwardMention $files $_ | Should -BeNullOrEmpty
    }

    It 'have files of about 500 lines or fewer' {
        $files | Where-Object { $_.Code.Split("`n").Count -gt 520 } | ForEach-Object File | Should -BeNullOrEmpty
    }
}

Describe 'this test' {
    It 'finds a mention that points up, and none in words' {
        $made = @(
            [PSCustomObject] @{ Folder = 'Native'; File = 'A.cs'; Code = 'class Pool { JobStatus x; }'; Types = @('Pool') }
            [PSCustomObject] @{ Folder = 'Results'; File = 'B.cs'; Code = 'enum JobStatus { Pool }'; Types = @('JobStatus') }
        )
        Get-UpwardMention $made Native | Should -Be 'Native/A.cs names JobStatus of Results'
        Get-UpwardMention $made Results | Should -BeNullOrEmpty
        $file = Join-Path $TestDrive 'x.cs'
        Set-Content -LiteralPath $file -Value "// JobStatus`nvar x = `"JobStatus \`" JobStatus`";"
        Get-Code $file | Should -Not -Match 'JobStatus'
    }
}
