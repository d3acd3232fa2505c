# The build, for Windows PowerShell 5.1, PowerShell 7 and the embedded host:
#
#     ./build.ps1 Build                  library, header check and module into out/RustRunspaces
#     ./build.ps1 Run [arguments]        builds, then Invoke-RustParallel with these arguments
#     ./build.ps1 Test [area]            builds, then all tests or those of one area
#     ./build.ps1 Pack                   the package for all systems, checked, into out
#     ./build.ps1 Bench [arguments]      builds, then benches/run.ps1 with these arguments
#     ./build.ps1 Header                 renews include/rust_runspaces.h
#     ./build.ps1 Clean                  deletes target and out
#
# The embedded host has the engine's own cmdlets only, so that nothing here uses others.

# Arguments after the task stay in $args: as parameters of this script, those meant for
# Invoke-RustParallel would be taken for its own.
param([string] $Task = 'Build')

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$Root = $PSScriptRoot
. "$Root/build/Native.ps1"
. "$Root/build/Artifacts.ps1"
. "$Root/build/Archive.ps1"
. "$Root/build/PackCheck.ps1"
. "$Root/build/Pack.ps1"
. "$Root/build/TestRunners.ps1"
. "$Root/build/PackRunners.ps1"
. "$Root/build/Windows.ps1"
. "$Root/build/Tests.ps1"

function Build-All {
    $null = [IO.Directory]::CreateDirectory("$Root/target")
    Build-Library
    Test-Header
    Build-Module
}

# Calls a command with arguments from a command line, where all are strings: those that look like a
# parameter name are one, `-Name:value` works, a value with commas is a list.
function Invoke-WithArguments([string] $Command, [object[]] $Arguments) {
    $values = [Collections.Generic.List[object]]::new()
    $call = [Text.StringBuilder]::new("& '" + $Command.Replace("'", "''") + "'")
    foreach ($argument in $Arguments) {
        $value = $argument
        if ($argument -is [string]) {
            if ($argument -match '^-[A-Za-z]\w*:?$') {
                $null = $call.Append(" $argument")
                continue
            }
            if ($argument -match '^(-[A-Za-z]\w*:)(.+)$') {
                $null = $call.Append(' ' + $Matches[1])
                $value = $Matches[2]
            }
            if ($value -eq '$true') { $value = $true }
            elseif ($value -eq '$false') { $value = $false }
            elseif ($value.Contains(',')) { $value = $value.Split(',') }
        }
        # Values stay objects: the text only refers to them, so there is nothing to quote. A switch
        # takes its value after a colon only.
        $separator = if ($value -is [bool] -and $call[$call.Length - 1] -ne ':') { ':' } else { ' ' }
        $null = $call.Append("$separator`$values[$($values.Count)]")
        $values.Add($value)
    }
    . ([ScriptBlock]::Create($call.ToString()))
}

function Invoke-Run([object[]] $Arguments) {
    Import-Module "$Root/out/RustRunspaces/RustRunspaces.psd1" -Force
    if ($Arguments.Count -eq 0) {
        # This machine under all its names, and a name that is reserved for not existing.
        $Arguments = @(
            '-ComputerName', @('localhost', '::1', '127.0.0.0/28', [Environment]::MachineName, 'no-such-host.invalid'),
            '-ResolveName', '-AsObject')
    }
    Invoke-WithArguments 'Invoke-RustParallel' $Arguments | ForEach-Object {
        # The hashtable's rows read better as the table that the module has a view for.
        if ($_ -is [Collections.Hashtable]) {
            $hosts = [string[]] $_.Keys
            [Array]::Sort($hosts, [StringComparer]::OrdinalIgnoreCase)
            foreach ($name in $hosts) { $_[$name] }
        }
        else { $_ }
    }
}

function Clear-Build {
    foreach ($folder in 'target', 'out') {
        if ([IO.Directory]::Exists("$Root/$folder")) {
            [IO.Directory]::Delete("$Root/$folder", $true)
        }
    }
}

try {
    switch ($Task) {
        'Build' { Build-All }
        'Run' { Build-All; Invoke-Run $args }
        'Test' { exit (Invoke-TestRun $args) }
        'Pack' { Invoke-Pack }
        'Bench' { Build-All; Invoke-WithArguments "$Root/benches/run.ps1" $args }
        'Header' { Update-Header }
        'Clean' { Clear-Build }
        default { throw "There is no task '$Task'; the tasks are Build, Run, Test, Pack, Bench, Header and Clean" }
    }
}
catch {
    $Host.UI.WriteErrorLine("build.ps1: $_")
    exit 1
}
