# What the documents of the repository name is there: a newcomer who follows a path finds a file.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'documents' {
    It 'names only files that there are: <_>' -ForEach 'CONTRIBUTING.md', 'README.md', 'docs/design.md', 'docs/c-api.md', 'docs/install.md' {
        $file = Get-RepositoryFile $_
        $root = Split-Path (Get-RepositoryFile 'CONTRIBUTING.md')
        $named = [regex]::Matches((Get-Content $file -Raw), '(?<![\w/.-])((?:module|src|tests|build|docs|include|examples|benches|\.github|\.config)/[\w./*-]*[\w*])') |
            ForEach-Object { $_.Groups[1].Value } | Sort-Object -Unique
        $missing = $named | Where-Object { -not (Test-Path (Join-Path $root $_)) -and -not (Test-Path (Join-Path $root "$_.rs")) }
        $missing | Should -BeNullOrEmpty
        if ($_ -eq 'CONTRIBUTING.md') { @($named).Count | Should -BeGreaterThan 20 }
    }
}
