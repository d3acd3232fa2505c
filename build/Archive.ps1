# Archives that depend on their content alone: zip files with one time for all entries, in ordinal
# order, and the parts that make one a NuGet package (Open Packaging Conventions). Touches no
# network and no file but those named by the caller.

# The parts of a package that are no files of the module.
$PackagePartPattern = '^(\[Content_Types\]\.xml|_rels/|package/|[^/]+\.nuspec$)'

function Get-Sha256([byte[]] $Bytes) {
    $hash = [Security.Cryptography.SHA256]::Create()
    $digest = $hash.ComputeHash($Bytes)
    $hash.Dispose()
    return [BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant()
}

# $Entries: name to bytes, written in their order.
function Write-Archive([string] $Path, $Entries, [DateTimeOffset] $Time) {
    $stream = [IO.File]::Create($Path)
    $archive = [IO.Compression.ZipArchive]::new($stream, 'Create')
    try {
        foreach ($name in $Entries.Keys) {
            $entry = $archive.CreateEntry($name, [IO.Compression.CompressionLevel]::Optimal)
            $entry.LastWriteTime = $Time
            $entry.ExternalAttributes = 0x81A40000 # a regular file, rw-r--r--
            $target = $entry.Open()
            $target.Write($Entries[$name], 0, $Entries[$name].Length)
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
    if ([IO.Directory]::Exists($Folder)) { [IO.Directory]::Delete($Folder, $true) }
    $archive = [IO.Compression.ZipArchive]::new([IO.File]::OpenRead($Path), 'Read')
    try {
        foreach ($entry in $archive.Entries) {
            if ($entry.FullName -match $PackagePartPattern) { continue }
            $file = "$Folder/$($entry.FullName)"
            $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($file))
            $source = $entry.Open()
            $target = [IO.File]::Create($file)
            $source.CopyTo($target)
            $target.Dispose()
            $source.Dispose()
        }
    }
    finally { $archive.Dispose() }
}

function ConvertTo-XmlText([string] $Text) {
    return [Security.SecurityElement]::Escape($Text)
}

# The module's files and what makes them a package that a PowerShell repository takes. The tags are
# those that Publish-Module derives from a manifest: repositories search by them.
function Add-PackageParts($Files, $Manifest) {
    $name = 'RustRunspaces'
    $tags = @($Manifest.PrivateData.PSData.Tags) + 'PSModule'
    foreach ($edition in $Manifest.CompatiblePSEditions) { $tags += "PSEdition_$edition" }
    $tags += 'PSIncludes_Cmdlet'
    foreach ($cmdlet in $Manifest.CmdletsToExport) { $tags += "PSCmdlet_$cmdlet", "PSCommand_$cmdlet" }
    $version = $Manifest.ModuleVersion
    $author = ConvertTo-XmlText $Manifest.Author
    $description = ConvertTo-XmlText $Manifest.Description

    $parts = [ordered] @{}
    $parts["$name.nuspec"] = @"
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd">
  <metadata>
    <id>$name</id>
    <version>$version</version>
    <authors>$author</authors>
    <owners>$(ConvertTo-XmlText $Manifest.CompanyName)</owners>
    <requireLicenseAcceptance>false</requireLicenseAcceptance>
    <license type="file">LICENSE</license>
    <description>$description</description>
    <copyright>$(ConvertTo-XmlText $Manifest.Copyright)</copyright>
    <tags>$(ConvertTo-XmlText ($tags -join ' '))</tags>
  </metadata>
</package>
"@
    # A name of its own for each content; the folder and the ending are what NuGet looks for.
    $properties = "package/services/metadata/core-properties/$((Get-Sha256 ([Text.Encoding]::UTF8.GetBytes("$name $version"))).Substring(0, 32)).psmdcp"
    $parts['_rels/.rels'] = @"
<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/$name.nuspec" Id="manifest" />
  <Relationship Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="/$properties" Id="properties" />
</Relationships>
"@
    $parts[$properties] = @"
<?xml version="1.0" encoding="utf-8"?>
<coreProperties xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="http://schemas.openxmlformats.org/package/2006/metadata/core-properties">
  <dc:creator>$author</dc:creator>
  <dc:description>$description</dc:description>
  <dc:identifier>$name</dc:identifier>
  <version>$version</version>
  <keywords>$(ConvertTo-XmlText ($tags -join ' '))</keywords>
</coreProperties>
"@
    # Every part has a type: by its extension, or by its name where it has none.
    $types = [Collections.Generic.SortedSet[string]]::new([StringComparer]::Ordinal)
    foreach ($file in @($Files.Keys) + "$name.nuspec") {
        $extension = [IO.Path]::GetExtension($file).TrimStart('.')
        $type = if ($extension) { "Default Extension=`"$extension`"" } else { "Override PartName=`"/$file`"" }
        $null = $types.Add("  <$type ContentType=`"application/octet`" />")
    }
    $parts['[Content_Types].xml'] = @"
<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
  <Default Extension="psmdcp" ContentType="application/vnd.openxmlformats-package.core-properties+xml" />
$($types -join "`n")
</Types>
"@
    $all = [Collections.Generic.SortedDictionary[string, byte[]]]::new([StringComparer]::Ordinal)
    foreach ($part in $parts.Keys) {
        $all.Add($part, [Text.Encoding]::UTF8.GetBytes($parts[$part].Replace("`r", '') + "`n"))
    }
    foreach ($file in $Files.Keys) { $all.Add($file, $Files[$file]) }
    return , $all
}
