# The test run: which runners belong to which area, and the sum of what they count. Needs $Root,
# Artifacts.ps1 and TestRunners.ps1.

$ScriptTests = 'RustRunspaces.PowerShellTests.Scripts'

# In the order of their running. A later area adds its runners here.
$TestRunners = @(
    @{ Area = 'hosts'; Name = 'rustfmt'; Run = { Invoke-FormatCheck } }
    @{ Area = 'hosts'; Name = 'clippy'; Run = { Invoke-LintCheck } }
    @{ Area = 'hosts'; Name = 'engine'; Run = { Invoke-EngineTest } }
    @{ Area = 'hosts'; Name = 'engine, portable backend'; Run = { Invoke-FallbackTest } }
    @{ Area = 'hosts'; Name = 'embedded host'; Run = { Invoke-HostCheck } }
    @{ Area = 'hosts'; Name = 'C client'; Run = { Invoke-CClient } }
    @{ Area = 'hosts'; Name = 'module'; Run = { Invoke-PowerShellTest '-namespace-', $ScriptTests } }
    @{ Area = 'scripts'; Name = 'script jobs'; Run = { Invoke-PowerShellTest '-namespace', $ScriptTests } }
    @{ Area = 'windows'; Name = 'package'; Run = { Invoke-PackageTest } }
    @{ Area = 'windows'; Name = 'native layer under Mono'; Run = { Invoke-MonoTest } }
    @{ Area = 'windows'; Name = 'engine under Wine'; Run = { Invoke-WineEngineTest } }
    @{ Area = 'windows'; Name = 'C client under Wine'; Run = { Invoke-WineCClient } }
    @{ Area = 'windows'; Name = 'module under Wine'; Run = { Invoke-WineModuleTest } }
    @{ Area = 'windows'; Name = 'engine on arm64'; Run = { Invoke-Arm64EngineTest } }
)

# Runs one area, or all; prints the sum as the last line and gives the exit code.
function Invoke-TestRun([object[]] $Arguments) {
    $total = New-Count
    try {
        Invoke-TestArea $Arguments $total
    }
    catch {
        Write-Step "failed: $_"
        $total.Failed++
    }
    Write-Step "$($total.Passed) passed, $($total.Failed) failed, $($total.Skipped) skipped"
    if ($total.Failed -gt 0) { return 1 }
    return 0
}

function Invoke-TestArea([object[]] $Arguments, $Total) {
    $runners = $TestRunners
    if ($Arguments.Count -gt 0) {
        $runners = @($TestRunners | Where-Object { $_.Area -eq $Arguments[0] })
        if ($runners.Count -eq 0) { throw "there is no test area '$($Arguments[0])'" }
    }
    $null = Build-All
    foreach ($runner in $runners) {
        $watch = [Diagnostics.Stopwatch]::StartNew()
        try {
            $count = & $runner.Run
        }
        catch {
            $count = New-Count -Failed 1
            $count.Notes.Add("failed: $($runner.Name): $_")
        }
        foreach ($note in $count.Notes) { Write-Step "    $note" }
        $seconds = [int] $watch.Elapsed.TotalSeconds
        Write-Step ("{0}, {1}: {2} passed, {3} failed, {4} skipped ({5} s)" -f
            $runner.Area, $runner.Name, $count.Passed, $count.Failed, $count.Skipped, $seconds)
        $Total.Passed += $count.Passed
        $Total.Failed += $count.Failed
        $Total.Skipped += $count.Skipped
    }
}
