# The test run: which runners belong to which area, and the sum of what they count. Needs $Root,
# Artifacts.ps1 and TestRunners.ps1.

# In the order of their running. The quick ones are those that somebody who changes something wants to
# pass before going on. A whole run takes those of each lane side by side with the others: a runner waits a
# good deal, and machines have more than one core.
$TestRunners = @(
    @{ Area = 'hosts'; Name = 'rustfmt'; Lane = 1; Quick = $true; Run = { Invoke-FormatCheck } }
    @{ Area = 'hosts'; Name = 'clippy'; Lane = 1; Quick = $true; Run = { Invoke-LintCheck } }
    @{ Area = 'hosts'; Name = 'engine'; Lane = 1; Quick = $true; Run = { Invoke-EngineTest } }
    @{ Area = 'hosts'; Name = 'engine, without batches'; Lane = 1; Run = { Invoke-UnbatchedTest } }
    @{ Area = 'hosts'; Name = 'build'; Lane = 3; Run = { Invoke-BuildTest } }
    @{ Area = 'hosts'; Name = 'C client'; Lane = 3; Quick = $true; Run = { Invoke-CClient } }
    @{ Area = 'module'; Name = 'module'; Lane = 1; Quick = $true; Run = { Invoke-ModuleTest } }
    @{ Area = 'module'; Name = 'module in hosts of its own'; Lane = 1; Run = { Invoke-HostTest } }
    @{ Area = 'sites'; Name = 'many machines'; Lane = 3; Run = { Invoke-SiteTest } }
    # Not in a whole run: it builds everything once more.
    @{ Area = 'races'; Name = 'race detector'; Run = { Invoke-RaceCheck } }
    # Not in a whole run: it takes five minutes.
    @{ Area = 'wine-scale'; Name = '65,024 hosts under Wine'; Run = { Invoke-WineSweep -Long } }
    @{ Area = 'package'; Name = 'package'; Lane = 2; Run = { Invoke-PackageTest } }
    @{ Area = 'package'; Name = 'installing'; Lane = 2; Run = { Invoke-InstallTest } }
    @{ Area = 'package'; Name = 'C client on other C libraries'; Lane = 2; Run = { Invoke-LibcTest } }
    @{ Area = 'package'; Name = 'native layer under Mono'; Lane = 2; Run = { Invoke-MonoTest } }
    @{ Area = 'windows'; Name = 'engine under Wine'; Lane = 2; Run = { Invoke-WineEngineTest } }
    @{ Area = 'windows'; Name = 'many hosts under Wine'; Lane = 2; Run = { Invoke-WineSweep } }
    @{ Area = 'windows'; Name = 'C client under Wine'; Lane = 2; Run = { Invoke-WineCClient } }
    @{ Area = 'windows'; Name = 'module under Wine'; Lane = 2; Run = { Invoke-WineModuleTest } }
    @{ Area = 'windows'; Name = 'module in hosts of its own under Wine'; Lane = 2; Run = { Invoke-WineHostTest } }
    @{ Area = 'windows'; Name = 'engine on arm64'; Lane = 3; Run = { Invoke-Arm64EngineTest } }
)

# Runs the quick tests, some areas, or all; prints the sum as the last line and gives the exit code.
function Invoke-TestRun([string[]] $Areas) {
    $total = New-Count
    # Nearly all that tests run they run once: compiling it well costs more than it brings. What a whole run tests as users
    # have it (AsForUsers) is compiled as there, but for what only pays in hours.
    $env:DOTNET_JITMinOpts = '1'
    $env:DOTNET_TieredPGO = '0'
    # No record of what the last PowerShell compiled at its start (ProfileOptimization): all that run side by side share
    # its file, which is the likely cause of some that died at their start (docs/reliability.md).
    $env:DOTNET_MultiCoreJitMinNumCpus = 'ff'
    try {
        if (-not $Areas) { Invoke-TestLane $total }
        elseif ("$Areas" -eq 'quick') { Invoke-QuickLane $total }
        else { Invoke-TestArea $Areas $total }
    }
    catch {
        Write-Step "failed: $_"
        $total.Failed++
    }
    Write-Step "$($total.Passed) passed, $($total.Failed) failed, $($total.Skipped) skipped"
    if ($total.Failed -gt 0) { return 1 } else { return 0 }
}

# What a run of some tests takes; Invoke-TestArea sets it for its runners.
$Quick = $false

# All lanes. The first one begins while the package is made.
function Invoke-TestLane($Total) {
    Build-All
    $manifest = if (Get-PackObstacle) { "$ModuleFolder/RustRunspaces.psd1" } else { "$TestedModule/RustRunspaces.psd1" }
    $lanes = @(Start-Lane @{ RUSTRUNSPACES_TESTED_MODULE = $manifest } 'lane-1')
    # Unpacked once: nobody's module goes while it is tested.
    $env:RUSTRUNSPACES_TESTED_MODULE = Get-TestedManifest
    $lanes += Start-Lane @{} 'lane-3'
    Invoke-TestArea 'lane-2' $Total
    foreach ($lane in $lanes) { Join-Lane $lane $Total }
}

# The quick tests: those of the module take as long as all others, which wait a good deal.
function Invoke-QuickLane($Total) {
    $null = Build-All
    # The build's own, for both lanes: neither builds again.
    $env:RUSTRUNSPACES_TESTED_MODULE = "$ModuleFolder/RustRunspaces.psd1"
    $lane = Start-Lane @{} 'quick-module'
    Invoke-TestArea 'quick-hosts' $Total
    Join-Lane $lane $Total
}

# Begins the tests of some areas in a process of their own.
function Start-Lane($Environment, [string[]] $Areas) {
    $Environment['RUSTRUNSPACES_BUILD_LOG'] = "$Root/target/build-$($Areas[0]).log"
    $line = @(Get-PowerShellLine) + "$Root/build.ps1" + 'Test' + $Areas
    return @{ Areas = $Areas; Work = Start-Beside $line -LimitMinutes 40 $Environment }
}

# Waits for them, shows what they said, and counts them.
function Join-Lane($Lane, $Total) {
    $said = Wait-Beside $Lane.Work
    $said.Text -split "`n" | Select-Object -SkipLast 1 | ForEach-Object { Write-Step $_ }
    Add-Count $Total (Get-ScriptCount "the areas $($Lane.Areas)" $said)
}

function Invoke-TestArea([string[]] $Areas, $Total) {
    $Quick = [bool] ($Areas -match '^quick-')
    $runners = @($TestRunners | Where-Object {
            $Areas -contains $_.Area -or $Areas -contains "lane-$($_['Lane'])" -or ($_['Quick'] -and $Areas -contains "quick-$($_.Area)") })
    if (-not $runners) { throw "there is no test area '$Areas'; there are quick, $(($TestRunners.Area | Select-Object -Unique) -join ', ')" }
    # Where a package came from elsewhere, its tests build nothing.
    $isGiven = $env:RUSTRUNSPACES_TESTED_MODULE -or ("$Areas" -eq 'module' -and (Get-PackObstacle) -and (Test-Path (Get-PackagePath 'zip')))
    if (-not $isGiven) { $null = Build-All }
    $times = foreach ($runner in $runners) {
        $watch = [Diagnostics.Stopwatch]::StartNew()
        try { $count = & $runner.Run }
        catch {
            $count = New-Count -Failed 1
            $count.Notes.Add("failed: $($runner.Name): $_")
        }
        foreach ($note in $count.Notes) { Write-Step "    $note" }
        $seconds = [int] $watch.Elapsed.TotalSeconds
        Write-Step ("{0}, {1}: {2} passed, {3} failed, {4} skipped ({5} s)" -f
            $runner.Area, $runner.Name, $count.Passed, $count.Failed, $count.Skipped, $seconds)
        Add-Count $Total $count
        [PSCustomObject] @{ Name = $runner.Name; Seconds = $seconds }
    }
    Write-Step "where the time went: $(($times | Sort-Object Seconds -Descending | ForEach-Object { "$($_.Name) $($_.Seconds) s" }) -join ', ')"
}
