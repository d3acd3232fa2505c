# Archives that depend on their content alone: zip files with one time for all entries, in ordinal
# order, which Compress-Archive cannot, and the parts that make one a NuGet package (Open Packaging
# Conventions). Touches no file but those named by the caller.

Add-Type -AssemblyName System.IO.Compression, System.IO.Compression.FileSystem

# $Entries: objects of Name and Bytes.
function Write-Archive([string] $Path, $Entries, [DateTimeOffset] $Time) {
    $stream = [IO.File]::Create($Path)
    $archive = New-Object IO.Compression.ZipArchive $stream, 'Create'
    try {
        foreach ($item in $Entries) {
            $entry = $archive.CreateEntry($item.Name, 'Optimal')
            $entry.LastWriteTime = $Time
            # A regular file, rw-r--r--; .NET Framework 4.7.1 does not know it.
            if ($entry.PSObject.Properties['ExternalAttributes']) { $entry.ExternalAttributes = 0x81A40000 }
            $target = $entry.Open()
            $target.Write($item.Bytes, 0, $item.Bytes.Length)
            $target.Dispose()
        }
    }
    finally {
        $archive.Dispose()
        $stream.Dispose()
    }
}

# Unpacks a package as an installation does: the module's files alone, nothing else in the folder.
function Expand-Package([string] $Path, [string] $Folder) {
    if (Test-Path $Folder) { Remove-Item $Folder -Recurse -Force }
    [IO.Compression.ZipFile]::ExtractToDirectory($Path, $Folder)
    '[Content_Types].xml', '_rels', 'RustRunspaces.nuspec' | ForEach-Object { Remove-Item -LiteralPath "$Folder/$_" -Recurse -Force }
}

# What makes the module's files a package that a PowerShell repository takes. The tags are those that
# Publish-Module derives from a manifest: repositories search by them.
function Get-PackagePart([string[]] $Files, $Manifest) {
    $name = 'RustRunspaces'
    $data = $Manifest.PrivateData.PSData
    $tags = @($data.Tags) + 'PSModule' + ($Manifest.CompatiblePSEditions | ForEach-Object { "PSEdition_$_" }) + 'PSIncludes_Cmdlet' +
        ($Manifest.CmdletsToExport | ForEach-Object { "PSCmdlet_$_", "PSCommand_$_" })
    $fields = [ordered] @{
        id                       = $name
        version                  = $Manifest.ModuleVersion
        authors                  = $Manifest.Author
        owners                   = $Manifest.CompanyName
        requireLicenseAcceptance = 'false'
        licenseUrl               = $data.LicenseUri
        projectUrl               = $data.ProjectUri
        description              = $Manifest.Description
        releaseNotes             = $data.ReleaseNotes
        copyright                = $Manifest.Copyright
        tags                     = $tags -join ' '
    }
    $metadata = $fields.Keys | Where-Object { $fields[$_] } | ForEach-Object {
        "    <$_>$([Security.SecurityElement]::Escape($fields[$_]))</$_>"
    }
    # Every part has a type: by its extension, or by its name where it has none.
    $types = @($Files + "$name.nuspec" | ForEach-Object {
            $extension = [IO.Path]::GetExtension($_).TrimStart('.')
            $type = if ($extension) { "Default Extension=`"$extension`"" } else { "Override PartName=`"/$_`"" }
            "  <$type ContentType=`"application/octet`" />"
        } | Sort-Object -Unique -CaseSensitive)
    $parts = [ordered] @{
        '[Content_Types].xml' = @"
<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
$($types -join "`n")
</Types>
"@
        '_rels/.rels'         = @"
<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/$name.nuspec" Id="manifest" />
</Relationships>
"@
        "$name.nuspec"        = @"
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd">
  <metadata>
$($metadata -join "`n")
  </metadata>
</package>
"@
    }
    foreach ($part in $parts.Keys) {
        [PSCustomObject] @{ Name = $part; Bytes = [Text.Encoding]::UTF8.GetBytes($parts[$part].Replace("`r", '') + "`n") }
    }
}
