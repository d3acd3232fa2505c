# What docs/install.md says, done with the real commands: a folder as repository, installing, a new
# session that finds the command by its name, updating beside a session that has the old version
# loaded, uninstalling, publishing. Every session is a process of its own whose home is a folder of
# the test's. RUSTRUNSPACES_PACKAGE names the .nupkg.

BeforeAll {
    $Package = $env:RUSTRUNSPACES_PACKAGE
    $Version = [regex]::Match((Split-Path -Leaf $Package), '^RustRunspaces\.(.+)\.nupkg$').Groups[1].Value
    $NextVersion = '99.0.0'
    $HomeFolder = Join-Path $TestDrive 'home'
    $Feed = Join-Path $TestDrive 'feed'
    # Without it PackageManagement writes its settings into the current folder.
    $null = New-Item (Join-Path $HomeFolder ".config"), $Feed -ItemType Directory -Force
    Copy-Item $Package $Feed

    # A session of its own that runs the script; gives the lines it wrote. An error fails the test.
    function Invoke-NewSession([string] $Script) {
        $text = "`$ErrorActionPreference = 'Stop'; `$ProgressPreference = 'SilentlyContinue'; `$Feed = '$Feed'; $Script"
        $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($text))
        $before = $env:HOME
        $env:HOME = $HomeFolder
        try { $said = pwsh -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand $encoded 2>&1 }
        finally { $env:HOME = $before }
        if ($LASTEXITCODE -ne 0) { throw "the session ended with $LASTEXITCODE`: $($said -join "`n")" }
        return $said | ForEach-Object { "$_" }
    }

    # Skips the running test where this PowerShell lacks what it is about.
    function Use-Module([string] $Name) {
        if (-not (Get-Module $Name -ListAvailable)) { Set-ItResult -Skipped -Because "this PowerShell has no $Name" }
    }

    # The module as a folder, of the next version: what a maintainer has before publishing.
    $NextFolder = Join-Path $TestDrive 'next/RustRunspaces'
    $NextManifest = Join-Path $NextFolder 'RustRunspaces.psd1'
    Expand-Archive ($Package -replace 'nupkg$', 'zip') (Split-Path $NextFolder)
    $said = dotnet build (Join-Path $PSScriptRoot '../../module/RustRunspaces.csproj') -c Release -o $NextFolder --nologo `
        -nodeReuse:false "-p:Version=$NextVersion" "-p:ArtifactsPath=$(Join-Path $TestDrive 'artifacts')"
    if ($LASTEXITCODE -ne 0) { throw $said -join "`n" }
    (Get-Content $NextManifest -Raw) -replace "(ModuleVersion\s*= )'[^']+'", "`$1'$NextVersion'" | Set-Content $NextManifest -NoNewline
}

Describe 'the manifest' {
    It 'passes Test-ModuleManifest' {
        (Test-ModuleManifest $NextManifest).ExportedCommands.Keys | Sort-Object | Should -Be 'Invoke-RustParallel', 'Invoke-RustParallelSite'
    }

    It 'has what the pages of a gallery show' {
        $module = Test-ModuleManifest $NextManifest
        $module.CompatiblePSEditions | Should -Be 'Desktop', 'Core'
        $module.PowerShellVersion | Should -Be '5.1'
        $module.Tags | Should -Contain 'Parallel'
        # A tag with a space is two.
        $module.Tags -match '\s' | Should -BeNullOrEmpty
        foreach ($uri in $module.ProjectUri, $module.LicenseUri) { $uri.Scheme | Should -Be 'https' }
        $module.ReleaseNotes | Should -Not -BeNullOrEmpty
        $module.Author, $module.CompanyName, $module.Copyright, $module.Description | Should -Not -Contain $null
    }
}

Describe 'a zip unpacked into a module folder' {
    It 'is a module that a new session finds by the name of its command alone' {
        # A home of its own: nothing is installed there.
        $HomeFolder = Join-Path $TestDrive 'home of the zip'
        $modules = Join-Path $HomeFolder '.local/share/powershell/Modules'
        Expand-Archive ($Package -replace 'nupkg$', 'zip') $modules
        Invoke-NewSession '(Invoke-RustParallel localhost -TcpPort 1 -AsObject).ComputerName; (Get-Module RustRunspaces).ModuleBase' |
            Should -BeExactly 'localhost', (Join-Path $modules 'RustRunspaces')
    }
}

Describe 'a folder as repository, by PSResourceGet' {
    BeforeEach { Use-Module 'Microsoft.PowerShell.PSResourceGet' }

    It 'shows the package with its fields' {
        Invoke-NewSession 'Register-PSResourceRepository -Name Local -Uri $Feed -Trusted'
        Invoke-NewSession 'Find-PSResource RustRunspaces -Repository Local | ForEach-Object { "$($_.Version) $($_.ProjectUri) $($_.LicenseUri) $($_.Type)"; $_.Tags -contains "Parallel"; $_.ReleaseNotes.Length -gt 0 }' |
            Should -Be "$Version https://github.com/rust-runspaces/rust-runspaces https://opensource.org/license/mit Module", 'True', 'True'
    }

    It 'installs; a new session finds the command by its name alone' {
        Invoke-NewSession 'Install-PSResource RustRunspaces -Repository Local; "$((Get-InstalledPSResource RustRunspaces).Version)"' | Should -Be $Version
        Invoke-NewSession '(Invoke-RustParallel localhost -TcpPort 1 -AsObject).ComputerName; 1..3 | Invoke-RustParallel { $_ } -ThrottleLimit 1; "$((Get-Module RustRunspaces).Version)"' |
            Should -Be 'localhost', '1', '2', '3', $Version
    }

    It 'has its help and its about page in a new session' {
        Invoke-NewSession '(Get-Help Invoke-RustParallel).Synopsis; (Get-Help Invoke-RustParallel -Examples).examples.example.Count -ge 3; (Get-Help about_RustRunspaces) -match "^ +about_RustRunspaces" | Measure-Object | ForEach-Object Count' |
            ForEach-Object { $_ } | Select-Object -Skip 1 | Should -Be 'True', '1'
    }

    It 'publishes a folder' {
        Invoke-NewSession "Publish-PSResource -Path '$NextFolder' -Repository Local; `"`$((Find-PSResource RustRunspaces -Repository Local).Version)`"" |
            Should -Be $NextVersion
        Join-Path $Feed "RustRunspaces.$NextVersion.nupkg" | Should -Exist
    }

    It 'updates while a session has the old version loaded, which keeps working' {
        Invoke-NewSession @'
            $before = (Invoke-RustParallel localhost -TcpPort 1 -AsObject).ComputerName
            $null = pwsh -NoProfile -Command "`$ProgressPreference = 'SilentlyContinue'; Update-PSResource RustRunspaces -Repository Local"
            if ($LASTEXITCODE) { throw "update ended with $LASTEXITCODE" }
            $before
            (1..2 | Invoke-RustParallel { $_ } -ThrottleLimit 1) -join ','
            "$((Get-Module RustRunspaces).Version)"
            (Get-InstalledPSResource RustRunspaces).Version -join ','
'@ | Should -Be 'localhost', '1,2', $Version, "$NextVersion,$Version"
        Invoke-NewSession '$null = Invoke-RustParallel localhost -TcpPort 1; "$((Get-Module RustRunspaces).Version)"' | Should -Be $NextVersion
    }

    # What docs/install.md tells of: .NET loads one assembly of a name.
    It 'has one version in one session; the first goes on working (<Name>)' -ForEach @(
        @{ Name = 'older first'; IsOlderFirst = $true }
        @{ Name = 'newer first'; IsOlderFirst = $false }
    ) {
        $first, $second = $Version, $NextVersion
        if (-not $IsOlderFirst) { $first, $second = $second, $first }
        $said = Invoke-NewSession @"
            Import-Module RustRunspaces -RequiredVersion $first
            try { Import-Module RustRunspaces -RequiredVersion $second } catch { `$_.Exception.Message }
            1 | Invoke-RustParallel { 'still works' }
"@
        # Which of the two .NET says depends on what it asked first.
        $said -join "`n" | Should -Match 'Assembly with same name is already loaded|manifest definition does not match the assembly reference'
        $said | Select-Object -Last 1 | Should -Be 'still works'
    }

    It 'uninstalls without a trace' {
        Invoke-NewSession 'Uninstall-PSResource RustRunspaces -Version "*"; @(Get-InstalledPSResource RustRunspaces -ErrorAction Ignore).Count; [bool] (Get-Command Invoke-RustParallel -ErrorAction Ignore)' |
            Should -Be '0', 'False'
        Get-ChildItem $HomeFolder -Recurse -Force | Where-Object { $_.FullName -match 'RustRunspaces' -and $_.FullName -notmatch '[/\\](cache|\.cache)[/\\]' } | Should -BeNullOrEmpty
    }
}

Describe 'a folder as repository, by PowerShellGet 2' {
    BeforeEach { Use-Module 'PowerShellGet' }

    It 'installs, is found by its name, is updated, and uninstalls' {
        Invoke-NewSession @"
            Register-PSRepository -Name Local2 -SourceLocation `$Feed -InstallationPolicy Trusted
            Install-Module RustRunspaces -Repository Local2 -Scope CurrentUser -RequiredVersion $Version
            "`$((Get-InstalledModule RustRunspaces).Version)"
"@ | Should -Be $Version
        Invoke-NewSession '(Invoke-RustParallel localhost -TcpPort 1 -AsObject).ComputerName' | Should -Be 'localhost'
        # What an earlier block has put into the folder is gone with that block.
        Invoke-NewSession "Register-PSResourceRepository -Name Again -Uri `$Feed -Trusted; Publish-PSResource -Path '$NextFolder' -Repository Again"
        Invoke-NewSession 'Update-Module RustRunspaces; ((Get-InstalledModule RustRunspaces -AllVersions).Version | Sort-Object) -join ","' | Should -Be "$Version,$NextVersion"
        Invoke-NewSession '$null = Invoke-RustParallel localhost -TcpPort 1; "$((Get-Module RustRunspaces).Version)"' | Should -Be $NextVersion
        Invoke-NewSession 'Uninstall-Module RustRunspaces -AllVersions; [bool] (Get-Command Invoke-RustParallel -ErrorAction Ignore)' | Should -Be 'False'
    }
}

Describe 'the tests of the module' {
    It 'need nothing but their folder and the zip beside it' {
        $folder = New-Item (Join-Path $TestDrive 'carried') -ItemType Directory
        Copy-Item (Join-Path $PSScriptRoot '../module'), ($Package -replace 'nupkg$', 'zip') $folder -Recurse
        # Those that look for the repository, and some that do not.
        $files = @(Select-String -Path "$folder/module/*.Tests.ps1" -Pattern 'Repository' -List | ForEach-Object { $_.Filename }) + 'Import.Tests.ps1'
        $files.Count | Should -BeGreaterThan 5
        $said = Invoke-NewSession "
            `$env:RUSTRUNSPACES_MODULE = `$null
            Import-Module '$env:RUSTRUNSPACES_PESTER'
            Set-Location '$folder'
            `$result = Invoke-Pester './module/$($files -join "', './module/")' -PassThru
            `$result.Result, `$result.PassedCount, `$result.SkippedCount"
        $said[-3] | Should -Be 'Passed' -Because ($said -join "`n")
        [int] $said[-2] | Should -BeGreaterThan 100
        [int] $said[-1] | Should -BeGreaterThan 5
    }
}
