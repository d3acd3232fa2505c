# Runs other programs for the build: what they say goes to a log, and to the caller as text. Needs
# $Root. The same in Windows PowerShell and PowerShell.

$IsOnWindows = [Environment]::OSVersion.Platform -eq 'Win32NT'
$BuildLog = if ($env:RUSTRUNSPACES_BUILD_LOG) { $env:RUSTRUNSPACES_BUILD_LOG } else { "$Root/target/build.log" }

# Progress goes to the host, so that functions give values alone.
function Write-Step([string] $Text) { $Host.UI.WriteLine($Text) }

# The full path of a program, or nothing.
function Find-Program([string] $Name) {
    Get-Command $Name -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1 -ExpandProperty Path
}

# Sets environment variables, and removes those that are $null; gives what they were before.
function Set-Environment([Collections.IDictionary] $Variables) {
    $before = @{}
    foreach ($name in $Variables.Keys) {
        $before[$name] = [Environment]::GetEnvironmentVariable($name)
        if ($null -eq $Variables[$name]) { Remove-Item "env:$name" -ErrorAction Ignore }
        else { Set-Item "env:$name" $Variables[$name] }
    }
    return $before
}

# A command line that on Linux ends after so many minutes at most (its exit code is then 124 or 137).
function Get-LimitedLine([string[]] $Line, [int] $Minutes) {
    if (-not $IsOnWindows) { 'timeout', '--kill-after=20', "${Minutes}m" }
    $Line
}

# Runs a program to its end, for $LimitMinutes at most. Gives ExitCode, Output (standard output) and Text (both outputs in the order of arrival).
function Invoke-Program {
    param(
        [string] $File,
        [string[]] $Arguments = @(),
        [string] $Folder = $Root,
        [Collections.IDictionary] $Environment = @{},
        [int] $LimitMinutes = 10)

    # What a program says on standard error is no error of the build.
    $ErrorActionPreference = 'Continue'
    $line = @(Get-LimitedLine (@($File) + $Arguments) $LimitMinutes)
    $before = Set-Environment $Environment
    Push-Location -LiteralPath $Folder
    $log = New-Object IO.StreamWriter $BuildLog, $true
    $log.AutoFlush = $true
    try {
        $log.WriteLine("`$ $line")
        $program, $rest = $line
        $said = @($null | & $program @rest 2>&1 | ForEach-Object { $log.WriteLine("$_"); $_ })
        return [PSCustomObject] @{
            ExitCode = $LASTEXITCODE
            Output   = @($said | Where-Object { $_ -isnot [Management.Automation.ErrorRecord] }) -join "`n"
            Text     = @($said | ForEach-Object { "$_" }) -join "`n"
        }
    }
    finally {
        $log.Dispose()
        Pop-Location
        $null = Set-Environment $before
    }
}

# Starts a program beside this build, without input; Wait-Beside gives what Invoke-Program would, standard error last.
function Start-Beside([string[]] $Line, [Collections.IDictionary] $Environment = @{}, [string] $Folder = $Root, [int] $LimitMinutes = 10) {
    $program, $rest = Get-LimitedLine $Line $LimitMinutes
    $start = New-Object Diagnostics.ProcessStartInfo $program, (($rest | ForEach-Object { '"' + $_.Replace('"', '\"') + '"' }) -join ' ')
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $start.WorkingDirectory = $Folder
    $before = Set-Environment $Environment
    try { $process = [Diagnostics.Process]::Start($start) }
    finally { $null = Set-Environment $before }
    $process.StandardInput.Close()
    return @{ Process = $process; Output = $process.StandardOutput.ReadToEndAsync(); Errors = $process.StandardError.ReadToEndAsync() }
}

function Wait-Beside($Work) {
    $Work.Process.WaitForExit()
    $output = $Work.Output.Result.TrimEnd()
    $result = [PSCustomObject] @{ ExitCode = $Work.Process.ExitCode; Output = $output; Text = ($output, $Work.Errors.Result.TrimEnd() -join "`n").Trim() }
    $Work.Process.Dispose()
    Add-Content -LiteralPath $BuildLog $result.Text
    return $result
}

# Ends what nobody will wait for.
function Stop-Beside($Work) {
    if ($IsOnWindows) { $Work.Process.Kill() }
    # `timeout` hands it on.
    else { & (Find-Program 'kill') $Work.Process.Id }
}

# The PowerShell that runs this, as the beginning of a command line.
function Get-PowerShellLine {
    $file = [Diagnostics.Process]::GetCurrentProcess().MainModule.FileName
    $file
    if ($file -match '[/\\]dotnet(\.exe)?$') { "$PSHOME/pwsh.dll" }
    if ($IsOnWindows) { '-ExecutionPolicy', 'Bypass' }
    '-NoProfile', '-NonInteractive', '-File'
}

# The same for a program that must succeed; its last lines are shown when it does not.
function Invoke-Required {
    param([string] $What, [string] $File, [string[]] $Arguments = @(), [string] $Folder = $Root, [Collections.IDictionary] $Environment = @{})
    $result = Invoke-Program -File $File -Arguments $Arguments -Folder $Folder -Environment $Environment
    Assert-Succeeded $What $result
    return $result
}

function Assert-Succeeded([string] $What, $Result) {
    if ($Result.ExitCode -eq 0) { return }
    Write-Step (Get-LastLine $Result.Text 40)
    throw "$What failed with exit code $($Result.ExitCode); everything it said is in $BuildLog"
}

function Get-LastLine([string] $Text, [int] $Count) {
    return ($Text.TrimEnd() -split '\r?\n' | Select-Object -Last $Count) -join "`n"
}

# cargo with the crates this machine can get: build.sh knows where those are on Linux.
function Invoke-Cargo([string[]] $Arguments, [int] $LimitMinutes = 10, [Collections.IDictionary] $Environment = @{}) {
    $cargo = if ($IsOnWindows) { 'cargo', '--locked' } else { "$Root/build.sh", 'cargo' }
    return Invoke-Program -File $cargo[0] -Arguments ($cargo[1..1] + $Arguments) -LimitMinutes $LimitMinutes `
        -Environment (@{ CARGO_TERM_COLOR = 'never'; RUST_BACKTRACE = '0' } + $Environment)
}
