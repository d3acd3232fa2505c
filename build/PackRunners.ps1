# The runners of the package: what tests import, and the tests of the package itself. The same kind
# of functions as in TestRunners.ps1. Needs Pack.ps1 and TestRunners.ps1.

# The manifest that the tests of the module import: the package's, unpacked; the build's own where
# no package can be made, which Invoke-PackageTest counts as skipped, with the reason.
function Get-TestedManifest {
    if (Get-PackObstacle) { return "$ModuleFolder/RustRunspaces.psd1" }
    return Expand-TestedModule
}

# The package passes its checks, is the same from another folder, and installs.
function Invoke-PackageTest {
    $obstacle = Get-PackObstacle
    if ($obstacle) {
        $count = New-Count -Skipped 1
        $count.Notes.Add("skipped: package: $obstacle")
        return $count
    }
    $null = Expand-TestedModule
    $seconds = (Get-SourceTime).ToUnixTimeSeconds()
    return Invoke-TestScript 'tests/package/run.sh' @((Get-PackagePath 'nupkg'), "$seconds")
}

# The module's native layer under Mono, in place of .NET Framework.
function Invoke-MonoTest {
    return Invoke-TestScript 'tests/mono/run.sh' @([IO.Path]::GetDirectoryName((Get-TestedManifest)))
}
