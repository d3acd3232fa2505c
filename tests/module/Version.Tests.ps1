# One version, which stands in Cargo.toml; and what the manifest promises.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    $AssemblyFile = Join-Path $ModuleFolder 'RustRunspaces.dll'

    function Get-CargoVersion {
        $version = [regex]::Match([IO.File]::ReadAllText((Get-RepositoryFile 'Cargo.toml')), '(?m)^version = "([0-9.]+)"').Groups[1].Value
        $version | Should -Not -BeNullOrEmpty
        return $version
    }
}

Describe 'the version' {
    It 'is that of the crate in the manifest' {
        $expected = Get-CargoVersion
        Get-Line '(Get-Module RustRunspaces).Version.ToString()' | Should -BeExactly $expected
    }

    It 'is that of the crate in the assembly' {
        $expected = "$(Get-CargoVersion).0"
        [Reflection.AssemblyName]::GetAssemblyName($AssemblyFile).Version.ToString() | Should -BeExactly $expected
    }

    It 'is that of the crate in the lock' {
        $version = Get-CargoVersion
        $lock = [IO.File]::ReadAllText((Get-RepositoryFile 'Cargo.lock')).Replace("`r`n", "`n")
        $lock.Contains("name = `"rust-runspaces`"`nversion = `"$version`"") | Should -BeTrue
    }
}

Describe 'the manifest' {
    It 'has the copyright that the assembly has' {
        $copyright = [Diagnostics.FileVersionInfo]::GetVersionInfo($AssemblyFile).LegalCopyright
        $copyright | Should -Not -BeNullOrEmpty
        Get-Line '(Get-Module RustRunspaces).Copyright' | Should -BeExactly $copyright
    }

    It 'is valid and complete' {
        $manifest = Import-PowerShellDataFile $ModuleManifest
        $manifest.PowerShellVersion | Should -BeExactly '5.1'
        $manifest.CompatiblePSEditions | Should -BeExactly 'Desktop', 'Core'
        foreach ($file in @($manifest.RootModule) + $manifest.FormatsToProcess) {
            $file | Should -Not -BeNullOrEmpty
            Join-Path $ModuleFolder $file | Should -Exist
        }
        $manifest.Values | Where-Object { "$_".Contains('*') } | Should -BeNullOrEmpty
    }
}

Describe 'the assembly' {
    It 'needs nothing newer than .NET Standard 2.0' {
        # Loaded from the module, not from elsewhere.
        $assembly = [RustRunspaces.JobStatus].Assembly
        $assembly.Location | Should -Be $AssemblyFile
        @($assembly.GetReferencedAssemblies() | ForEach-Object { "$($_.Name) $($_.Version)" } | Sort-Object) |
            Should -BeExactly 'netstandard 2.0.0.0', 'System.Management.Automation 3.0.0.0'
    }
}
