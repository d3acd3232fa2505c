# The programs that take part: builds the bare loops and the engine's own, runs programs and times
# them, and names the machine. Needs $Root, build/Native.ps1 and report.ps1.

$ProgramFolder = "$Root/target/bench"

# The bare loops, where there is a C compiler and the system is the one they are written for.
function Build-BareLoops {
    if ($IsOnWindows -or -not (Find-Program 'cc')) { return $false }
    $null = New-Item $ProgramFolder -ItemType Directory -Force
    foreach ($name in 'echo', 'connect', 'listener') {
        $null = Invoke-Required "cc $name.c" 'cc' @(
            '-O2', '-Wall', '-Wextra', '-o', "$ProgramFolder/$name", "$Root/benches/bare/$name.c")
    }
    return $true
}

# The engine without PowerShell; gives its path.
function Build-Sweep {
    Write-Step 'sweep: cargo build --release --example sweep'
    Assert-Succeeded 'cargo build of the example sweep' (Invoke-Cargo @('build', '--release', '--example', 'sweep'))
    $suffix = if ($IsOnWindows) { '.exe' } else { '' }
    return "$Root/target/release/examples/sweep$suffix"
}

# A process with its streams in our hands.
function Start-Program([string] $File, [string[]] $Arguments) {
    $start = [Diagnostics.ProcessStartInfo]::new($File, $Arguments)
    $start.WorkingDirectory = $Root
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    return [Diagnostics.Process]::Start($start)
}

# Runs a program to its end. Gives Output, ErrorOutput, ExitCode and the Seconds from start to end.
function Measure-Program([string] $File, [string[]] $Arguments) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $process = Start-Program $File $Arguments
    try {
        $process.StandardInput.Close()
        $errors = $process.StandardError.ReadToEndAsync()
        $output = $process.StandardOutput.ReadToEnd()
        $process.WaitForExit()
        return [PSCustomObject] @{
            Seconds     = $watch.Elapsed.TotalSeconds
            Output      = $output
            ErrorOutput = $errors.Result
            ExitCode    = $process.ExitCode
        }
    }
    finally {
        if (-not $process.HasExited) { $process.Kill() }
        $process.Dispose()
    }
}

# The number after `NAME=` in a program's output.
function Get-Figure([string] $Output, [string] $Name) {
    if ($Output -notmatch "(?m)(^|\s)$Name=(-?[0-9.]+)") { throw "no $Name= in: $Output" }
    return [double]::Parse($Matches[2], $Invariant)
}

# The same for a program that must succeed.
function Get-ProgramFigure([string] $File, [string[]] $Arguments, [string] $Name) {
    $result = Measure-Program $File $Arguments
    if ($result.ExitCode -ne 0) { throw "$File $Arguments failed: $($result.Output) $($result.ErrorOutput)" }
    return Get-Figure $result.Output $Name
}

# A script in a fresh process of PowerShell; $Inside is the command that starts it, where it is not to
# run as it is.
function Invoke-FreshHost([string] $Script, [string[]] $Arguments, [string[]] $Inside = @()) {
    $first, $rest = $Inside + @('pwsh', '-NoProfile', '-NonInteractive', '-File', "$Root/benches/fresh/$Script") + $Arguments
    $result = Measure-Program $first $rest
    if ($result.ExitCode -ne 0 -or $result.ErrorOutput) { throw "$Script failed: $($result.Output) $($result.ErrorOutput)" }
    return $result.Output
}

# The first line of what a program says about its version, or why there is none.
function Get-Version([string] $Name, [string[]] $Arguments) {
    $file = Find-Program $Name
    if (-not $file) { return 'not on this machine' }
    return (Measure-Program $file $Arguments).Output.Split("`n")[0].Trim()
}

function Get-ProcessorName {
    if (-not (Test-Path '/proc/cpuinfo')) { return $env:PROCESSOR_IDENTIFIER }
    return (Select-String -LiteralPath '/proc/cpuinfo' -Pattern '^model name\s*:\s*(.+)$' -List).Matches.Groups[1].Value
}

# What else runs on the machine: its load averages, where the system has them.
function Get-Load {
    if (-not (Test-Path '/proc/loadavg')) { return 'unknown' }
    return ((Get-Content '/proc/loadavg').Split(' ')[0..2]) -join ' '
}

function Write-Machine($Report, [int] $Rounds) {
    $rows = @(
        , @('date', [DateTime]::UtcNow.ToString('yyyy-MM-dd HH:mm', $Invariant) + ' UTC')
        , @('processor', "$(Get-ProcessorName), $([Environment]::ProcessorCount) cores")
        , @('system', [Runtime.InteropServices.RuntimeInformation]::OSDescription)
        , @('mounts', $(if (Test-Path '/proc/self/mountinfo') { "$(@(Get-Content '/proc/self/mountinfo').Count)" } else { 'of Linux only' }))
        , @('load averages at the start', (Get-Load))
        , @('rustc', (Get-Version 'rustc' @('--version')))
        , @('.NET', "$([Runtime.InteropServices.RuntimeInformation]::FrameworkDescription), SDK $(Get-Version 'dotnet' @('--version'))")
        , @('PowerShell', "$($PSVersionTable.PSVersion)")
        , @('C compiler', (Get-Version 'cc' @('--version')))
        , @('fping', (Get-Version 'fping' @('--version')))
        , @('rounds', "$Rounds, all sides in turn; shown are median (lowest-highest)")
    )
    Write-Table $Report @('', 'measured on') $rows
}
