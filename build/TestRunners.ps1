# The runners of the test run, one function each. A runner gives an object of Passed, Failed,
# Skipped (numbers) and Notes (what failed and what was skipped, with reasons); it throws when it
# cannot tell. Needs $Root, Native.ps1 and Artifacts.ps1.

function New-Count([int] $Passed = 0, [int] $Failed = 0, [int] $Skipped = 0) {
    return [PSCustomObject] @{
        Passed  = $Passed
        Failed  = $Failed
        Skipped = $Skipped
        Notes   = [Collections.Generic.List[string]]::new()
    }
}

function Add-Count($Total, $Count) {
    foreach ($kind in 'Passed', 'Failed', 'Skipped') { $Total.$kind += $Count.$kind }
    foreach ($note in $Count.Notes) { $Total.Notes.Add($note) }
}

function New-SkippedCount([string] $What, [string] $Reason) {
    $count = New-Count -Skipped 1
    $count.Notes.Add("skipped: ${What}: $Reason")
    return $count
}

# A check that is one test: it passes when its command succeeds, and is skipped without the tool.
function Invoke-Check([string] $Tool, [string[]] $Arguments) {
    if ((Invoke-Program -File 'cargo' -Arguments $Tool, '--version').ExitCode -ne 0) {
        return New-SkippedCount "cargo $Tool" 'it is not on this machine'
    }
    $result = Invoke-Cargo (@($Tool) + $Arguments)
    if ($result.ExitCode -eq 0) { return New-Count -Passed 1 }
    $count = New-Count -Failed 1
    $count.Notes.Add((Get-LastLine $result.Text 60))
    return $count
}

function Invoke-FormatCheck { Invoke-Check 'fmt' @('--', '--check', '--color', 'never') }

function Invoke-LintCheck { Invoke-Check 'clippy' @('--all-targets', '--', '-D', 'warnings') }

# cargo test with these arguments. A test that cannot run here prints a line `skipped: REASON`.
function Invoke-CargoTest([string[]] $Arguments) {
    return Get-CargoTestCount (
        Invoke-Cargo (@('test', '--no-fail-fast') + $Arguments + @('--', '--show-output')) -LimitMinutes 8)
}

# The counts in what cargo test has said.
function Get-CargoTestCount($Result) {
    $count = New-Count
    $started = 0
    $ended = 0
    $current = ''
    foreach ($line in $Result.Text.Split("`n")) {
        $line = $line.TrimEnd("`r")
        if ($line -match '^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored') {
            $ended++
            $count.Passed += [int] $Matches[1]
            $count.Failed += [int] $Matches[2]
            $count.Skipped += [int] $Matches[3]
        }
        elseif ($line -match '^running \d+ tests?$') { $started++ }
        elseif ($line -match '^---- (\S+) stdout ----$') { $current = $Matches[1] }
        elseif ($line -match '^test (.+) \.\.\. FAILED$') { $count.Notes.Add("failed: $($Matches[1])") }
        elseif ($line -match '^test (.+) \.\.\. ignored(?:, (.*))?$') {
            $reason = if ($Matches.ContainsKey(2)) { $Matches[2] } else { 'ignored in the source' }
            $count.Notes.Add("skipped: $($Matches[1]): $reason")
        }
        elseif ($line -match '^skipped: (.+)$' -and $current) {
            $count.Passed--
            $count.Skipped++
            $count.Notes.Add("skipped: ${current}: $($Matches[1])")
            $current = ''
        }
    }
    # A program that crashed, hung or did not compile has no result line.
    $lost = $started - $ended
    if ($lost -eq 0 -and $Result.ExitCode -ne 0 -and $count.Failed -eq 0) { $lost = 1 }
    if ($lost -gt 0) {
        $count.Failed += $lost
        $count.Notes.Add("failed: $lost test programs gave no result (exit code $($Result.ExitCode))")
    }
    if ($count.Failed -gt 0) { $count.Notes.Add((Get-LastLine $Result.Text 60)) }
    if ($count.Passed + $count.Failed + $count.Skipped -eq 0) { throw 'cargo test ran no test' }
    return $count
}

# Quick: the unit and property tests.
function Invoke-EngineTest { Invoke-CargoTest $(if ($Quick) { '--lib' }) }

# The behaviours once more, where batches and epoll are refused.
function Invoke-UnbatchedTest {
    if ($IsOnWindows) { return New-SkippedCount 'engine, without batches' 'the sandbox is of Linux' }
    Assert-Succeeded 'cargo build of the sandbox' (Invoke-Cargo 'build', '--example', 'unbatched')
    $before = Set-Environment @{
        "CARGO_TARGET_$((Get-OwnTarget).Replace('-', '_').ToUpperInvariant())_RUNNER" = "$Root/target/debug/examples/unbatched"
    }
    try { return Invoke-CargoTest '--test', 'network', '--test', 'pool' }
    finally { $null = Set-Environment $before }
}

# A script that prints `ok NAME`, `not ok NAME ...`, `skip NAME reason`, and its sum at the end.
function Invoke-TestScript([string] $File, [string[]] $Arguments = @(), $Environment = @{}, [int] $LimitMinutes = 10) {
    if ($IsOnWindows) { return New-SkippedCount $File 'it is for Linux' }
    return Get-ScriptCount $File (
        Invoke-Program -File "$Root/$File" -Arguments $Arguments -Environment $Environment -LimitMinutes $LimitMinutes)
}

# The counts in what such a script or program has said.
function Get-ScriptCount([string] $Name, $Result) {
    if ($Result.Output -notmatch '(\d+) passed, (\d+) failed, (\d+) skipped\s*$') {
        throw "no counts, exit code $($Result.ExitCode)`n$(Get-LastLine $Result.Text 20)"
    }
    $count = New-Count ([int] $Matches[1]) ([int] $Matches[2]) ([int] $Matches[3])
    foreach ($line in $Result.Text.Split("`n")) {
        if ($line -match '^(not ok|skip) ') { $count.Notes.Add($line.TrimEnd()) }
    }
    if ($Result.ExitCode -ne 0 -and $count.Failed -eq 0) {
        $count.Failed = 1
        $count.Notes.Add("failed: $Name ended with exit code $($Result.ExitCode)")
    }
    return $count
}

function Invoke-CClient {
    Invoke-TestScript 'tests/c/run.sh' -Environment @{ NATIVE_DIR = Get-NativeFolder; QUICK = if ($Quick) { '1' } else { $null } }
}

# Data races in the library's own locks and queues; long: on demand, everything that has threads.
function Invoke-RaceCheck([switch] $Long) {
    $environment, $minutes = if ($Long) { @{ LONG = '1' }, 40 } else { @{ LONG = $null }, 10 }
    Invoke-TestScript 'tests/races/run.sh' -Environment $environment -LimitMinutes $minutes
}

# Pester 5, restored as any package; gives its manifest.
function Get-Pester {
    $manifest = "$Root/target/packages/pester/5.7.1/tools/Pester.psd1"
    if (-not (Test-Path $manifest)) { $null = Invoke-Required 'dotnet restore of Pester' 'dotnet' 'restore', "$Root/build/Pester.csproj" }
    return $manifest
}

# Compiled as users have it, and not in the least time: what code may do with objects depends on that, too.
$AsForUsers = @{ DOTNET_JITMinOpts = $null }

# The module's own tests, in PowerShells of their own, on Linux in the tests' network; quick: without those
# that wait for seconds on purpose.
function Invoke-ModuleTest {
    $line = @(Get-PowerShellLine) + "$Root/tests/module/Invoke-ModuleTests.ps1"
    if (-not $IsOnWindows) { $line = @("$Root/tests/module/laboratory.sh") + $line }
    $environment = @{ RUSTRUNSPACES_MODULE = Get-TestedManifest; RUSTRUNSPACES_PESTER = Get-Pester }
    if (-not $Quick) { $environment += $AsForUsers }
    return Get-PesterCount $line $environment
}

# The build's own tests.
function Invoke-BuildTest {
    $first, $rest = @(Get-PowerShellLine) + "$Root/tests/module/Invoke-ModuleTests.ps1" + '-Folder' + "$Root/tests/build"
    return Get-ScriptCount 'the tests of the build' (Invoke-Program -File $first -Arguments $rest -Environment @{
            RUSTRUNSPACES_PESTER    = Get-Pester
            RUSTRUNSPACES_BUILD_LOG = "$Root/target/build-tests.log"
        })
}

# The tests of a folder side by side: what waits, and the others in two halves.
function Get-PesterCount([string[]] $Line, $Environment) {
    $parts = [ordered] @{ 'a half' = '-ExcludeTag', 'Slow', '-Share', '1/2'; 'the other half' = '-ExcludeTag', 'Slow', '-Share', '2/2' }
    if (-not $Quick) { $parts['the slow ones'] = '-Tag', 'Slow' }
    # Several times what they take on a quiet machine: a busy one is no failure.
    $started = foreach ($name in $parts.Keys) { @{ Name = "the tests by $(Split-Path -Leaf $Line[-1]), $name,"; Work = Start-Beside ($Line + $parts[$name]) $Environment -LimitMinutes 20 } }
    $count = New-Count
    foreach ($one in $started) {
        # One part without counts does not take those of the others away.
        try { Add-Count $count (Get-ScriptCount $one.Name (Wait-Beside $one.Work)) }
        catch {
            $count.Failed++
            $count.Notes.Add("failed: $($one.Name) $_")
        }
    }
    return $count
}

# What needs a .NET host of its own, an xunit executable: its counts are in the report it writes.
function Invoke-HostTest {
    $built = "$Root/target/powershell-tests"
    Invoke-Once 'powershell-tests' (Get-Fingerprint 'tests/powershell', 'tests/PowerShellModules.targets', 'Directory.Build.props') {
        $null = Invoke-Required 'dotnet build' 'dotnet' @(
            'build', 'tests/powershell/PowerShellTests.csproj', '-c', 'Release', '-o', $built, '--nologo', '-nodeReuse:false')
    }
    $report = "$built/report.xml"
    if (Test-Path $report) { Remove-Item $report }
    $line = @("$built/PowerShellTests", '-xml', $report, '-noColor')
    if (-not $IsOnWindows) { $line = @("$Root/tests/module/laboratory.sh") + $line }
    $first, $rest = $line
    return Get-ReportCount $report (
        Invoke-Program -File $first -Arguments $rest -Environment ($AsForUsers + @{ RUSTRUNSPACES_MODULE = Get-TestedManifest }))
}

# The command over real sessions: OpenSSH's servers in network namespaces, this PowerShell behind them; each part
# has sites of its own.
function Invoke-SiteTest {
    $script = 'tests/sites/run.sh'
    if ($IsOnWindows) { return New-SkippedCount $script 'it is for Linux' }
    return Get-PesterCount "$Root/$script" @{ RUSTRUNSPACES_MODULE = Get-TestedManifest; RUSTRUNSPACES_PESTER = Get-Pester }
}

# The counts in the report of an xunit executable.
function Get-ReportCount([string] $Report, $Result) {
    if (-not (Test-Path $Report)) { throw "no report, exit code $($Result.ExitCode)`n$(Get-LastLine $Result.Text 30)" }
    $count = New-Count
    foreach ($assembly in (Select-Xml -LiteralPath $Report -XPath '/assemblies/assembly').Node) {
        $count.Passed += [int] $assembly.passed
        $count.Failed += [int] $assembly.failed + [int] $assembly.errors
        $count.Skipped += [int] $assembly.skipped
    }
    foreach ($found in Select-Xml -LiteralPath $Report -XPath '//test[failure or reason]') {
        $message = $found.Node.SelectSingleNode('failure/message|reason').InnerText
        $count.Notes.Add("$(if ($found.Node.result -eq 'Fail') { 'failed' } else { 'skipped' }): $($found.Node.name): $message")
    }
    # What a thread of no test threw is not in the report.
    foreach ($line in $Result.Output -split "`n" -match '\[FATAL ERROR\] ') {
        $count.Failed++
        $count.Notes.Add("failed: outside of the tests: $line")
    }
    if ($Result.ExitCode -ne 0 -and $count.Failed -eq 0) { throw "exit code $($Result.ExitCode) without a failed test" }
    return $count
}

# The scheduler over simulated networks: fresh seeds for so many seconds, or one seed again. What it finds
# is shown with the command that replays it; gives the exit code.
function Invoke-Simulation([int] $Seconds = 60, [string] $Seed) {
    $arguments = @('test', '--release', '--test', 'simulator', '--')
    $variables = @{ SIMULATE_SECONDS = "$Seconds" }
    if ($Seed) { $arguments += 'one_seed', '--ignored'; $variables = @{ SIMULATE_SEED = $Seed } } else { $arguments += 'fresh_seeds' }
    $before = Set-Environment $variables
    try { $result = Invoke-Cargo ($arguments + '--nocapture') -LimitMinutes ([int] ($Seconds / 60) + 10) }
    finally { $null = Set-Environment $before }
    Write-Step (Get-LastLine $result.Text 40)
    return $result.ExitCode
}

# Bad input at random, in each part for so many seconds; gives the exit code.
function Invoke-Fuzzing([int] $Seconds = 60) {
    $before = Set-Environment @{ RR_FUZZ_SECONDS = "$Seconds" }
    try { $result = Invoke-Cargo 'test', '--release', '--test', 'fuzz', '--', '--nocapture' -LimitMinutes ([int] ($Seconds / 20) + 10) }
    finally { $null = Set-Environment $before }
    Write-Step (Get-LastLine $result.Text 40)
    return $result.ExitCode
}

# Very many calls in one process over so many minutes, and whether it is then what it was; gives the exit code.
function Invoke-Soak([int] $Calls = 10000, [double] $Minutes = 20) {
    $line = @(Get-PowerShellLine) + "$Root/tests/module/Soak.ps1" + '-Manifest' + "$ModuleFolder/RustRunspaces.psd1" + '-Calls' + $Calls + '-Minutes' + $Minutes
    if (-not $IsOnWindows) { $line = @("$Root/tests/module/laboratory.sh") + $line }
    $first, $rest = $line
    # Compiled once: what the runtime compiles again in between is no growth.
    $result = Invoke-Program -File $first -Arguments $rest -Environment @{ DOTNET_TieredCompilation = '0' } -LimitMinutes ([int] $Minutes * 2 + 30)
    Write-Step $result.Text
    # Windows PowerShell's -File has no exit code for what a script wrote.
    return [int] ($result.ExitCode -ne 0 -or $result.Text -match '(?m)^not ok ')
}
