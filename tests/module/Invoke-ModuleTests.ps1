# Runs the tests of this folder, or of another one, with Pester 5 and prints what failed and what was skipped, with
# reasons, then the counts:
#
#     ./laboratory.sh pwsh -NoProfile -File Invoke-ModuleTests.ps1     on Linux
#     pwsh -NoProfile -File Invoke-ModuleTests.ps1                     on Windows; also powershell.exe
#
# Session.ps1 says which module is tested. Knows nothing of the build.
param(
    # The tests of another folder.
    [string] $Folder = $PSScriptRoot,
    # Of these files only; patterns.
    [string[]] $File = '*.Tests.ps1',
    # Of these files every n-th only, as in 2/3: for runs side by side.
    [ValidatePattern('^[1-9]\d*/[1-9]\d*$')] [string] $Share = '1/1',
    # Of these tests only: patterns of "describe.name".
    [string[]] $Name = @(),
    # Only, or without, the tests that carry one of these tags: Slow ones wait for seconds on purpose.
    [string[]] $Tag = @(),
    [string[]] $ExcludeTag = @(),
    # Pester's manifest; else the newest version 5 that is installed.
    [string] $Pester = $env:RUSTRUNSPACES_PESTER,
    # Written beside the output, for hosts whose output cannot be read.
    [string] $Report,
    [switch] $Detailed)

$ErrorActionPreference = 'Stop'
if ($Pester) { Import-Module $Pester } else { Import-Module Pester -MinimumVersion 5.3 -MaximumVersion 5.99.99 }

# What `-File` hands over is one string.
$files = foreach ($pattern in ($File -split ',')) { Get-ChildItem -Path (Join-Path $Folder $pattern) | ForEach-Object { $_.FullName } }
# Dealt out by length, which is near enough to the time they take: each to the part that has least.
[int] $part, [int] $parts = $Share -split '/'
$lengths = New-Object long[] $parts
$files = @($files | Select-Object -Unique | Sort-Object { -(Get-Item -LiteralPath $_).Length } | Where-Object {
        $least = [Array]::IndexOf($lengths, [long] ($lengths | Measure-Object -Minimum).Minimum)
        $lengths[$least] += (Get-Item -LiteralPath $_).Length
        $least -eq $part - 1
    })

$configuration = New-PesterConfiguration
$configuration.Run.Path = [string[]] $files
$configuration.Run.PassThru = $true
# With a report the output is for people: which files are done shows where a run stopped.
$configuration.Output.Verbosity = if ($Detailed) { 'Detailed' } elseif ($Report) { 'Normal' } else { 'None' }
if ($Name) { $configuration.Filter.FullName = $Name }
if ($Tag) { $configuration.Filter.Tag = [string[]] ($Tag -split ',') }
if ($ExcludeTag) { $configuration.Filter.ExcludeTag = [string[]] ($ExcludeTag -split ',') }
$result = Invoke-Pester -Configuration $configuration

$lines = New-Object Collections.Generic.List[string]
foreach ($test in $result.Failed) {
    $lines.Add("not ok $($test.ExpandedPath): $($test.ErrorRecord -join '; ') (line $($test.StartLine) of $(Split-Path -Leaf $test.ScriptBlock.File))")
}
# A block or file that fails as a whole has no failed test of its own.
foreach ($container in @($result.FailedContainers) + @($result.FailedBlocks)) {
    $lines.Add("not ok $($container): $($container.ErrorRecord -join '; ')")
}
$failed = $result.FailedCount + $result.FailedContainersCount + $result.FailedBlocksCount
$skipped = $result.SkippedCount
foreach ($test in $result.Skipped) {
    $reason = "$($test.ErrorRecord)" -replace '^is skipped(, because )?', ''
    if ($reason) { $lines.Add("skip $($test.ExpandedPath): $reason"); continue }
    # As by -Skip, which has none.
    $lines.Add("not ok $($test.ExpandedPath): is skipped without a reason (line $($test.StartLine) of $(Split-Path -Leaf $test.ScriptBlock.File))")
    $failed++
    $skipped--
}
$lines.Add("$($result.PassedCount) passed, $failed failed, $skipped skipped")
if ($Report) { [IO.File]::WriteAllLines($Report, $lines) }
$lines | ForEach-Object { $Host.UI.WriteLine($_) }
exit [int] ($failed -gt 0)
