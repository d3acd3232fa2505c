# The build, for Windows PowerShell 5.1 and PowerShell 7:
#
#     ./build.ps1 Build                  library, header check and module into out/RustRunspaces
#     ./build.ps1 Run [arguments]        builds, then Invoke-RustParallel with these arguments
#     ./build.ps1 Test [quick | areas]   builds, then all tests, the quick ones or those of some areas
#     ./build.ps1 Test module            the module's tests on the package's zip in out, or what it builds
#     ./build.ps1 Pack                   the package for all systems, checked, into out
#     ./build.ps1 Bench [arguments]      builds, then benches/run.ps1 with these arguments
#     ./build.ps1 Simulate [s] [seed]    the engine's scheduler over simulated networks, for s seconds or one seed
#     ./build.ps1 Fuzz [s]               bad input at random, for s seconds a part
#     ./build.ps1 Check-Races            data races in everything of the engine that has threads
#     ./build.ps1 Soak [calls] [min]     builds, then so many calls in one process over so many minutes
#     ./build.ps1 Header                 renews include/rust_runspaces.h
#     ./build.ps1 Clean                  deletes target and out

# Arguments after the task stay in $args: as parameters of this script, those meant for
# Invoke-RustParallel would be taken for its own.
param([string] $Task = 'Build')

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$Root = $PSScriptRoot
foreach ($part in 'Native', 'Artifacts', 'LibcStubs', 'Archive', 'PackCheck', 'Pack', 'TestRunners', 'PackRunners', 'Windows', 'Tests') {
    . "$Root/build/$part.ps1"
}

# What comes from a command line is text: a value with commas is a list. Names of parameters stay
# marked as such by the engine, so that the result can be splatted.
function Split-List([object[]] $Arguments) {
    foreach ($argument in $Arguments) {
        if ($argument -is [string] -and $argument.Contains(',')) { , $argument.Split(',') } else { $argument }
    }
}

function Invoke-Run([object[]] $Arguments) {
    Import-Module "$Root/out/RustRunspaces/RustRunspaces.psd1" -Force
    if ($Arguments.Count -eq 0) {
        # This machine under all its names, and a name that is reserved for not existing.
        $names = 'localhost', '::1', '127.0.0.0/28', [Environment]::MachineName, 'no-such-host.invalid'
        return Invoke-RustParallel -ComputerName $names -ResolveName -AsObject
    }
    Invoke-RustParallel @Arguments | ForEach-Object {
        # The hashtable's rows read better as the table that the module has a view for.
        if ($_ -is [Collections.Hashtable]) { $_.GetEnumerator() | Sort-Object Key | ForEach-Object { $_.Value } } else { $_ }
    }
}

$null = New-Item "$Root/target" -ItemType Directory -Force
try {
    switch ($Task) {
        'Build' { Build-All }
        'Run' { Build-All; Invoke-Run @(Split-List $args) }
        'Test' { exit (Invoke-TestRun $args) }
        'Pack' { Invoke-Pack }
        'Bench' { Build-All; $arguments = @(Split-List $args); & "$Root/benches/run.ps1" @arguments }
        'Simulate' { exit (Invoke-Simulation @args) }
        'Fuzz' { exit (Invoke-Fuzzing @args) }
        'Check-Races' {
            $count = Invoke-RaceCheck -Long
            $count.Notes | ForEach-Object { Write-Step $_ }
            Write-Step "$($count.Passed) passed, $($count.Failed) failed, $($count.Skipped) skipped"
            exit $count.Failed
        }
        'Soak' { Build-All; exit (Invoke-Soak @args) }
        'Header' { Update-Header }
        'Clean' { 'target', 'out' | ForEach-Object { "$Root/$_" } | Where-Object { Test-Path $_ } | Remove-Item -Recurse -Force }
        default { throw "There is no task '$Task'; the tasks are Build, Run, Test, Simulate, Fuzz, Check-Races, Soak, Pack, Bench, Header and Clean" }
    }
}
catch {
    $Host.UI.WriteErrorLine("build.ps1: $_")
    exit 1
}
