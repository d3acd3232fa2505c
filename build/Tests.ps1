# The test run: which runners belong to which area, and the sum of what they count. Needs $Root,
# Artifacts.ps1 and TestRunners.ps1.

# The quick ones are those that somebody who changes something wants to pass before going on. Many run side by side,
# for a runner waits a good deal and machines have more than one core: begun in this order, the long ones first but what
# only computes beside what measures times, and those that want the same thing Alone one after the other; a quick run
# in the order of its numbers.
$TestRunners = @(
    @{ Area = 'hosts'; Name = 'engine'; Quick = 2; Run = { Invoke-EngineTest } }
    @{ Area = 'package'; Name = 'the package'; Alone = 'package'; Run = { Invoke-PackageTest } }
    @{ Area = 'windows'; Name = 'module under Wine'; Alone = 'Wine'; Run = { Invoke-WineModuleTest } }
    @{ Area = 'hosts'; Name = 'C client'; Quick = 3; Run = { Invoke-CClient } }
    @{ Area = 'windows'; Name = 'engine on arm64'; Run = { Invoke-Arm64EngineTest } }
    @{ Area = 'package'; Name = 'C client on other C libraries'; Run = { Invoke-LibcTest } }
    @{ Area = 'module'; Name = 'module in this PowerShell'; Quick = 1; Run = { Invoke-ModuleTest } }
    @{ Area = 'sites'; Name = 'many machines'; Run = { Invoke-SiteTest } }
    @{ Area = 'windows'; Name = 'engine under Wine'; Alone = 'Wine'; Run = { Invoke-WineEngineTest } }
    @{ Area = 'hosts'; Name = 'engine, without batches'; Run = { Invoke-UnbatchedTest } }
    @{ Area = 'package'; Name = 'installing'; Alone = 'package'; Run = { Invoke-InstallTest } }
    @{ Area = 'windows'; Name = 'C client under Wine'; Alone = 'Wine'; Run = { Invoke-WineCClient } }
    @{ Area = 'windows'; Name = 'many hosts under Wine'; Alone = 'Wine'; Run = { Invoke-WineSweep } }
    @{ Area = 'windows'; Name = 'module in hosts of its own under Wine'; Alone = 'Wine'; Run = { Invoke-WineHostTest } }
    @{ Area = 'hosts'; Name = 'build'; Run = { Invoke-BuildTest } }
    @{ Area = 'module'; Name = 'module in hosts of its own'; Run = { Invoke-HostTest } }
    @{ Area = 'package'; Name = 'native layer under Mono'; Run = { Invoke-MonoTest } }
    @{ Area = 'hosts'; Name = 'clippy'; Quick = 4; Run = { Invoke-LintCheck } }
    @{ Area = 'hosts'; Name = 'rustfmt'; Quick = 5; Run = { Invoke-FormatCheck } }
    # Not in a whole run: it builds everything once more.
    @{ Area = 'races'; Name = 'race detector'; OnDemand = $true; Run = { Invoke-RaceCheck } }
    # Not in a whole run: it takes five minutes.
    @{ Area = 'wine-scale'; Name = '65,024 hosts under Wine'; OnDemand = $true; Run = { Invoke-WineSweep -Long } }
)

# How many run side by side: of three, one waits.
$TestsAtOnce = 3

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
        $Quick = $Areas -contains 'quick'
        $named = @($Areas | Where-Object { $_ -and $_ -ne 'quick' })
        if ($named) { Invoke-TestArea $named $total }
        elseif ($Quick) { Invoke-TestsBeside @($TestRunners | Where-Object { $_['Quick'] } | Sort-Object { $_.Quick }) $total }
        else { Invoke-TestsBeside @($TestRunners | Where-Object { -not $_['OnDemand'] }) $total }
    }
    catch {
        Write-Step "failed: $_"
        $total.Failed++
    }
    Write-Step "$($total.Passed) passed, $($total.Failed) failed, $($total.Skipped) skipped"
    if ($total.Failed -gt 0) { return 1 } else { return 0 }
}

# Each runner in a process of its own.
function Invoke-TestsBeside($Runners, $Total) {
    $null = Build-All
    # None of them builds again. The first one begins while the package is made that the others of a whole run test.
    $env:RUSTRUNSPACES_TESTED_MODULE = "$ModuleFolder/RustRunspaces.psd1"
    $wantsPackage = -not $Quick
    $waiting = [Collections.Generic.List[object]] $Runners
    $running = New-Object Collections.Generic.List[object]
    $times = New-Object Collections.Generic.List[object]
    try {
        while ($waiting.Count -or $running.Count) {
            while ($running.Count -lt $TestsAtOnce) {
                $next = $waiting | Where-Object { -not $_['Alone'] -or $running.Alone -notcontains $_.Alone } | Select-Object -First 1
                if (-not $next) { break }
                $null = $waiting.Remove($next)
                $running.Add((Start-TestRunner $next))
                if ($wantsPackage) {
                    $wantsPackage = $false
                    $env:RUSTRUNSPACES_TESTED_MODULE = $null
                    $env:RUSTRUNSPACES_TESTED_MODULE = Get-TestedManifest
                }
            }
            Start-Sleep -Milliseconds 100
            foreach ($one in @($running | Where-Object { $_.Work.Process.HasExited })) {
                $null = $running.Remove($one)
                $said = Wait-Beside $one.Work
                # Without the sum, which is added to this run's.
                $said.Text -split "`n" | Select-Object -SkipLast 1 | ForEach-Object { Write-Step $_ }
                # One without counts does not take those of the others away.
                try { Add-Count $Total (Get-ScriptCount $one.Name $said) }
                catch {
                    Write-Step "failed: $($one.Name): $_"
                    $Total.Failed++
                }
                $times.Add([PSCustomObject] @{ Name = $one.Name; Seconds = [int] $one.Watch.Elapsed.TotalSeconds })
            }
        }
    }
    finally { foreach ($one in $running) { Stop-Beside $one.Work } }
    Write-Times $times
}

function Start-TestRunner($Runner) {
    $line = @(Get-PowerShellLine) + "$Root/build.ps1" + 'Test' + $(if ($Quick) { 'quick' }) + $Runner.Name
    $work = Start-Beside $line @{ RUSTRUNSPACES_BUILD_LOG = "$Root/target/build-$($Runner.Name -replace '\W+', '-').log" } -LimitMinutes 40
    return @{ Name = $Runner.Name; Alone = $Runner['Alone']; Work = $work; Watch = [Diagnostics.Stopwatch]::StartNew() }
}

function Write-Times($Times) {
    if ($Times.Count -lt 2) { return }
    Write-Step "where the time went: $(($Times | Sort-Object Seconds -Descending | ForEach-Object { "$($_.Name) $($_.Seconds) s" }) -join ', ')"
}

# The runners of these areas, or of these names, one after the other.
function Invoke-TestArea([string[]] $Areas, $Total) {
    $runners = @($TestRunners | Where-Object { $Areas -contains $_.Area -or $Areas -contains $_.Name })
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
    Write-Times @($times)
}
