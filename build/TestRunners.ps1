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

# A check that is one test: it passes when its command succeeds, and is skipped without the tool.
function Invoke-Check([string] $Tool, [string[]] $Arguments) {
    if (-not (Test-CargoCommand $Tool)) {
        $count = New-Count -Skipped 1
        $count.Notes.Add("skipped: cargo $Tool is not on this machine")
        return $count
    }
    $result = Invoke-Cargo (@($Tool) + $Arguments)
    if ($result.ExitCode -eq 0) { return New-Count -Passed 1 }
    $count = New-Count -Failed 1
    $count.Notes.Add((Get-LastLines $result.Text 60))
    return $count
}

function Invoke-FormatCheck { Invoke-Check 'fmt' @('--', '--check', '--color', 'never') }

function Invoke-LintCheck { Invoke-Check 'clippy' @('--all-targets', '--', '-D', 'warnings') }

# cargo test with these arguments. A test that cannot run here prints a line `skipped: REASON`.
function Invoke-CargoTest([string[]] $Arguments) {
    return Get-CargoTestCount (
        Invoke-Cargo (@('test', '--no-fail-fast') + $Arguments + @('--', '--show-output')) -LimitMinutes 5)
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
    if ($count.Failed -gt 0) { $count.Notes.Add((Get-LastLines $Result.Text 60)) }
    if ($count.Passed + $count.Failed + $count.Skipped -eq 0) { throw 'cargo test ran no test' }
    return $count
}

function Invoke-EngineTest { Invoke-CargoTest @() }

# The behaviours once more, on the portable backend.
function Invoke-FallbackTest { Invoke-CargoTest @('--features', 'unix-fallback', '--test', '*') }

# A script that prints `ok NAME`, `not ok NAME ...`, `skip NAME reason`, and its sum at the end.
function Invoke-TestScript([string] $File, [string[]] $Arguments = @(), $Environment = @{}) {
    if ($IsOnWindows) {
        $count = New-Count -Skipped 1
        $count.Notes.Add("skipped: $File is for unix")
        return $count
    }
    return Get-ScriptCount $File (
        Invoke-Native -File "$Root/$File" -Arguments $Arguments -Environment $Environment)
}

# The counts in what such a script or program has said.
function Get-ScriptCount([string] $Name, $Result) {
    if ($Result.Output -notmatch '(\d+) passed, (\d+) failed, (\d+) skipped\s*$') {
        throw "no counts, exit code $($Result.ExitCode)`n$(Get-LastLines $Result.Text 20)"
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
    Invoke-TestScript 'tests/c/run.sh' -Environment @{ NATIVE_DIR = Get-NativeFolder }
}

function Invoke-HostCheck {
    $program = "$Root/target/host/EmbeddedHost"
    if ([IO.File]::Exists($program)) { return Invoke-TestScript 'tests/host/run.sh' @($program) }
    $count = New-Count -Skipped 1
    $count.Notes.Add('skipped: the embedded host is not built where pwsh is')
    return $count
}

# Tests of the module, an xunit executable: its counts are in the report it writes. $Filter chooses
# among them: those of script jobs have a namespace of their own.
function Invoke-PowerShellTest([string[]] $Filter) {
    $projects = [IO.Directory]::GetFiles("$Root/tests/powershell", '*.csproj')
    if ($projects.Length -ne 1) { throw "tests/powershell has $($projects.Length) projects where one is expected" }
    $name = [IO.Path]::GetFileNameWithoutExtension($projects[0])
    $folder = "$Root/target/powershell-tests"
    $null = Invoke-Required 'dotnet build' 'dotnet' @(
        'build', $projects[0], '-c', 'Release', '-o', $folder, '--nologo', '-nodeReuse:false')
    $report = "$Root/target/powershell-tests.xml"
    if ([IO.File]::Exists($report)) { [IO.File]::Delete($report) }
    $program = if ($IsOnWindows) { "$folder/$name.exe" } else { "$folder/$name" }
    # What is tested is the package as it is installed.
    $result = Invoke-Native -File $program -Arguments (@('-xml', $report, '-noColor') + $Filter) `
        -Environment @{ RUSTRUNSPACES_MODULE = Get-TestedManifest }
    return Get-ReportCount $report $result
}

# The counts in the report of an xunit executable.
function Get-ReportCount([string] $Report, $Result) {
    if (-not [IO.File]::Exists($Report)) {
        throw "no report, exit code $($Result.ExitCode)`n$(Get-LastLines $Result.Text 30)"
    }
    $count = New-Count
    $document = [Xml.XmlDocument]::new()
    $document.Load($Report)
    foreach ($assembly in $document.SelectNodes('/assemblies/assembly')) {
        $count.Passed += [int] $assembly.GetAttribute('passed')
        $count.Failed += [int] $assembly.GetAttribute('failed') + [int] $assembly.GetAttribute('errors')
        $count.Skipped += [int] $assembly.GetAttribute('skipped')
    }
    foreach ($test in $document.SelectNodes('//test[@result="Fail"]')) {
        $message = $test.SelectSingleNode('failure/message')
        $text = if ($null -ne $message) { $message.InnerText } else { '' }
        $count.Notes.Add("failed: $($test.GetAttribute('name')): $text")
    }
    foreach ($test in $document.SelectNodes('//test[@result="Skip"]')) {
        $reason = $test.SelectSingleNode('reason')
        $text = if ($null -ne $reason) { $reason.InnerText } else { '' }
        $count.Notes.Add("skipped: $($test.GetAttribute('name')): $text")
    }
    # What a thread of no test threw is not in the report.
    foreach ($line in $Result.Output.Split("`n")) {
        if ($line -match '\[FATAL ERROR\] (.+)$') {
            $count.Failed++
            $count.Notes.Add("failed: outside of the tests: $($Matches[1].TrimEnd())")
        }
    }
    if ($Result.ExitCode -ne 0 -and $count.Failed -eq 0) { throw "exit code $($Result.ExitCode) without a failed test" }
    return $count
}
