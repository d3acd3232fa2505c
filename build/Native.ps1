# Runs native commands for the build: their output goes to a log, and to the caller as text. Needs
# $Root. The same in Windows PowerShell, PowerShell and the embedded host, where the language's own
# redirection of error output differs.

$IsOnWindows = [Environment]::OSVersion.Platform -eq 'Win32NT'
$BuildLog = "$Root/target/build.log"

function Write-Step([string] $Text) {
    $Host.UI.WriteLine($Text)
}

# One argument by the quoting rules of Windows, which .NET applies everywhere.
function ConvertTo-Argument([string] $Text) {
    if ($Text -ne '' -and $Text -notmatch '[\s"]') { return $Text }
    $escaped = [Text.RegularExpressions.Regex]::Replace($Text, '(\\*)"', '$1$1\"')
    $escaped = [Text.RegularExpressions.Regex]::Replace($escaped, '(\\+)$', '$1$1')
    return '"' + $escaped + '"'
}

# The full path of a command, or $null.
function Find-Command([string] $Name) {
    $extensions = @('')
    if ($IsOnWindows) { $extensions = @('.exe', '.cmd', '.bat') }
    foreach ($folder in [Environment]::GetEnvironmentVariable('PATH').Split([IO.Path]::PathSeparator)) {
        foreach ($extension in $extensions) {
            if ($folder -and [IO.File]::Exists("$folder/$Name$extension")) { return "$folder/$Name$extension" }
        }
    }
    return $null
}

# Runs a command to its end or its time limit. Gives ExitCode (-1 past the limit), Output (standard
# output) and Text (both outputs in the order of arrival). Throws when it cannot be started.
function Invoke-Native {
    param(
        [string] $File,
        [string[]] $Arguments = @(),
        [string] $Folder = $Root,
        [Collections.IDictionary] $Environment = @{},
        [int] $LimitMinutes = 10)

    $start = [Diagnostics.ProcessStartInfo]::new()
    $start.FileName = $File
    $quoted = foreach ($argument in $Arguments) { ConvertTo-Argument $argument }
    $start.Arguments = $quoted -join ' '
    $start.WorkingDirectory = $Folder
    $start.UseShellExecute = $false
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.RedirectStandardInput = $true
    foreach ($name in $Environment.Keys) { $start.EnvironmentVariables[$name] = $Environment[$name] }

    $log = [IO.StreamWriter]::new($BuildLog, $true)
    $log.AutoFlush = $true
    $log.WriteLine("`$ $File $($start.Arguments)")
    $output = [Text.StringBuilder]::new()
    $text = [Text.StringBuilder]::new()
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $late = $false
    $process = [Diagnostics.Process]::Start($start)
    try {
        $process.StandardInput.Close()
        $readers = @($process.StandardOutput, $process.StandardError)
        [Threading.Tasks.Task[]] $reads = @($readers[0].ReadLineAsync(), $readers[1].ReadLineAsync())
        $open = 2
        while ($open -gt 0) {
            # A wait of its own length each, so that a stop of the build is noticed.
            $done = [Threading.Tasks.Task]::WaitAny($reads, 200)
            if ($done -lt 0) {
                # What a left-behind child still holds open is not waited for.
                if ($process.HasExited) { break }
                if ($watch.Elapsed.TotalMinutes -gt $LimitMinutes) { $late = $true; break }
                continue
            }
            $line = $reads[$done].Result
            if ($null -eq $line) {
                $open--
                $reads[$done] = [Threading.Tasks.TaskCompletionSource[string]]::new().Task
                continue
            }
            $log.WriteLine($line)
            $null = $text.AppendLine($line)
            if ($done -eq 0) { $null = $output.AppendLine($line) }
            $reads[$done] = $readers[$done].ReadLineAsync()
        }
        while (-not $late -and -not $process.WaitForExit(200)) {
            $late = $watch.Elapsed.TotalMinutes -gt $LimitMinutes
        }
        if ($late) {
            $null = $text.AppendLine("ended after its limit of $LimitMinutes minutes")
        }
        return [PSCustomObject] @{
            ExitCode = if ($late) { -1 } else { $process.ExitCode }
            Output   = $output.ToString()
            Text     = $text.ToString()
            Seconds  = $watch.Elapsed.TotalSeconds
        }
    }
    finally {
        Stop-ProcessTree $process
        $process.Dispose()
        $log.Dispose()
    }
}

# Ends a process that still runs, where the platform allows with all that it started.
function Stop-ProcessTree($Process) {
    if ($Process.HasExited) { return }
    if ($IsOnWindows) { $Process.Kill() } else { $Process.Kill($true) }
}

# Runs a command that must succeed; its last lines are shown when it does not.
function Invoke-Required {
    param([string] $What, [string] $File, [string[]] $Arguments = @(), [string] $Folder = $Root)
    $result = Invoke-Native -File $File -Arguments $Arguments -Folder $Folder
    if ($result.ExitCode -ne 0) {
        Write-Step (Get-LastLines $result.Text 40)
        throw "$What failed with exit code $($result.ExitCode); everything it said is in $BuildLog"
    }
    return $result
}

function Get-LastLines([string] $Text, [int] $Count) {
    $lines = $Text.TrimEnd().Split("`n")
    $first = [Math]::Max($lines.Length - $Count, 0)
    return ($lines[$first..($lines.Length - 1)] -join "`n").Replace("`r", '')
}

# cargo with the crates this machine can get: build.sh knows where those are on Linux.
function Invoke-Cargo([string[]] $Arguments, [int] $LimitMinutes = 10) {
    $file = "$Root/build.sh"
    $first = 'cargo'
    if ($IsOnWindows) {
        $file = 'cargo'
        $first = '--locked'
    }
    return Invoke-Native -File $file -Arguments (@($first) + $Arguments) -LimitMinutes $LimitMinutes `
        -Environment @{ CARGO_TERM_COLOR = 'never'; RUST_BACKTRACE = '0' }
}

function Test-CargoCommand([string] $Name) {
    return (Invoke-Native -File 'cargo' -Arguments $Name, '--version').ExitCode -eq 0
}
