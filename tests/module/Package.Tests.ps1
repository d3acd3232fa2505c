# The package that a PowerShell repository gets: what is in it, and that the archive beside it has the
# same. Where no package was made the tests are skipped.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    Add-Type -AssemblyName System.IO.Compression, System.IO.Compression.FileSystem

    $Version = (Import-PowerShellDataFile $ModuleManifest).ModuleVersion

    # The files in the package or archive: name to content.
    function Get-Entry([string] $Extension) {
        $path = Join-Path (Split-Path $PSScriptRoot) "../out/RustRunspaces.$Version.$Extension"
        if (-not (Test-Path -LiteralPath $path)) { Skip-Test 'the package was not made' }
        $entries = New-Object 'Collections.Generic.Dictionary[string, byte[]]'
        $archive = [IO.Compression.ZipFile]::OpenRead($path)
        try {
            foreach ($entry in $archive.Entries) {
                $source = $entry.Open()
                $content = New-Object IO.MemoryStream
                $source.CopyTo($content)
                $source.Dispose()
                $entries.Add($entry.FullName, $content.ToArray())
            }
        }
        finally { $archive.Dispose() }
        return $entries
    }

    function Get-XmlEntry([string] $Name) {
        $entries = Get-Entry 'nupkg'
        return [xml] (New-Object IO.StreamReader (New-Object IO.MemoryStream (, $entries[$Name]))).ReadToEnd()
    }
}

Describe 'the package' {
    It 'has the libraries of all systems' {
        $names = @((Get-Entry 'nupkg').Keys)
        $names -ccontains 'native/win-x64/rust_runspaces.dll' | Should -BeTrue
        $names -ccontains 'native/linux-x64/librust_runspaces.so' | Should -BeTrue
        $names -ccontains 'native/linux-arm64/librust_runspaces.so' | Should -BeTrue
    }

    It 'is a module by its tags and has the version of the manifest' {
        $package = (Get-XmlEntry 'RustRunspaces.nuspec').package
        $package.xmlns | Should -BeExactly 'http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd'
        $package.metadata.id | Should -BeExactly 'RustRunspaces'
        $package.metadata.version | Should -BeExactly $Version
        $tags = $package.metadata.tags.Split(' ')
        foreach ($tag in 'PSModule', 'PSEdition_Desktop', 'PSEdition_Core', 'PSCmdlet_Invoke-RustParallel') { $tags -ccontains $tag | Should -BeTrue -Because $tag }
    }

    It 'has a type for each part and a part for each relationship' {
        $entries = Get-Entry 'nupkg'
        $types = (Get-XmlEntry '[Content_Types].xml').Types
        $types.xmlns | Should -BeExactly 'http://schemas.openxmlformats.org/package/2006/content-types'
        $extensions = @($types.Default | ForEach-Object { $_.Extension })
        $parts = @($types.Override | ForEach-Object { $_.PartName })
        foreach ($name in $entries.Keys | Where-Object { $_ -ne '[Content_Types].xml' }) {
            $extensions -ccontains [IO.Path]::GetExtension($name).TrimStart('.') -or $parts -ccontains "/$name" | Should -BeTrue -Because $name
        }
        $relationships = (Get-XmlEntry '_rels/.rels').Relationships
        $relationships.xmlns | Should -BeExactly 'http://schemas.openxmlformats.org/package/2006/relationships'
        $targets = @($relationships.Relationship | ForEach-Object { $_.Target.TrimStart('/') })
        $targets -ccontains 'RustRunspaces.nuspec' | Should -BeTrue
        foreach ($target in $targets) { $entries.ContainsKey($target) | Should -BeTrue -Because $target }
    }

    It 'has the same module as the archive, which has it in one folder' {
        $package, $archive = (Get-Entry 'nupkg'), (Get-Entry 'zip')
        $names = @($package.Keys | Where-Object { $_ -cnotin '[Content_Types].xml', 'RustRunspaces.nuspec' -and $_ -cnotlike '_rels/*' -and $_ -cnotlike 'package/*' })
        @($archive.Keys | Sort-Object) | Should -BeExactly @($names | ForEach-Object { "RustRunspaces/$_" } | Sort-Object)
        foreach ($name in $names) {
            [Convert]::ToBase64String($package[$name]) -ceq [Convert]::ToBase64String($archive["RustRunspaces/$name"]) | Should -BeTrue -Because $name
        }
    }

    It 'does not tell where it was built' {
        $latin1 = [Text.Encoding]::GetEncoding(28591)
        $root = (Resolve-Path (Join-Path $PSScriptRoot '../..')).ProviderPath
        $folders = @($root, [Environment]::GetFolderPath('UserProfile') | Where-Object { $_.Length -gt 1 } |
                ForEach-Object { $latin1.GetString([Text.Encoding]::UTF8.GetBytes($_.TrimEnd('/', '\').Replace('\', '/') + '/')) })
        $entries = Get-Entry 'nupkg'
        $found = foreach ($name in $entries.Keys) {
            $content = $latin1.GetString($entries[$name])
            foreach ($folder in $folders) { if ($content.Contains($folder)) { "$name has $folder" } }
        }
        $found | Should -BeNullOrEmpty
    }
}
