# This PowerShell once more, for a script in a process of its own: with other rights, another copy of
# the module, or nothing that other tests left. Read after Session.ps1.

# No child takes nearly as long.
$LongestChildSeconds = 60

# What starts this PowerShell: its program, and what stands before its arguments.
function Get-PowerShellCommand {
    $program = (Get-Process -Id $PID).Path
    $program
    # As a .NET tool it is an assembly that dotnet runs.
    if ([IO.Path]::GetFileNameWithoutExtension($program) -eq 'dotnet') { Join-Path $PSHOME 'pwsh.dll' }
}

# Runs a command to its end, without input: ExitCode, Output, Errors. Under Wine a PowerShell without
# a console ends at once: there it has that of the tests, and Output and Errors are $null.
function Invoke-Process([string[]] $Command, [string] $Folder, $Environment = @{}) {
    $isRedirected = -not (Test-Wine)
    $start = New-Object Diagnostics.ProcessStartInfo $Command[0]
    $start.Arguments = ($Command | Select-Object -Skip 1 | ForEach-Object { '"' + $_.Replace('"', '\"') + '"' }) -join ' '
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $isRedirected
    $start.RedirectStandardOutput = $isRedirected
    $start.RedirectStandardError = $isRedirected
    if ($Folder) { $start.WorkingDirectory = $Folder }
    foreach ($name in $Environment.Keys) { $start.EnvironmentVariables[$name] = $Environment[$name] }
    $process = [Diagnostics.Process]::Start($start)
    try {
        $output = $errors = $null
        if ($isRedirected) {
            $process.StandardInput.Close()
            $output = $process.StandardOutput.ReadToEndAsync()
            $errors = $process.StandardError.ReadToEndAsync()
        }
        if (-not $process.WaitForExit($LongestChildSeconds * 1000)) {
            $process.Kill()
            throw "the process has not ended after $LongestChildSeconds seconds: $Command"
        }
        return [PSCustomObject] @{
            ExitCode = $process.ExitCode
            Output   = if ($isRedirected) { $output.Result } else { $null }
            Errors   = if ($isRedirected) { $errors.Result } else { $null }
        }
    }
    finally { $process.Dispose() }
}

# What a script writes that imports the module, $Manifest, itself: as text; an error fails the test.
# The prefix is a command that runs the one after it.
function Get-ChildLine([string] $Script, [string] $Manifest = $ModuleManifest, [string[]] $Prefix = @()) {
    $folder = Join-Path ([IO.Path]::GetTempPath()) "RustRunspaces-tests-$([guid]::NewGuid())"
    $null = New-Item -ItemType Directory $folder
    try {
        $file, $lines, $failures = 'child.ps1', 'lines.txt', 'failures.txt' | ForEach-Object { Join-Path $folder $_ }
        # With a byte order mark, for Windows PowerShell.
        [IO.File]::WriteAllText($file, @"
`$Manifest = '$($Manifest.Replace("'", "''"))'
`$failures = @()
`$lines = @(try { & {
$Script
} 2>&1 | ForEach-Object { if (`$_ -is [Management.Automation.ErrorRecord]) { `$failures += "`$_" } else { "`$_" } } }
catch { `$failures += "`$_" })
Set-Content -LiteralPath '$($failures.Replace("'", "''"))' -Value `$failures -Encoding UTF8
Set-Content -LiteralPath '$($lines.Replace("'", "''"))' -Value `$lines -Encoding UTF8
"@, [Text.Encoding]::UTF8)
        $run = Invoke-Process (@($Prefix) + @(Get-PowerShellCommand) + @('-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File', $file))
        if (-not (Test-Path -LiteralPath $lines)) { throw "the child process ended with exit code $($run.ExitCode): $($run.Output)$($run.Errors)" }
        $problem = [IO.File]::ReadAllText($failures).Trim()
        if ($problem) { throw "the child process wrote the error $problem" }
        return [IO.File]::ReadAllLines($lines)
    }
    finally { Remove-Item -LiteralPath $folder -Recurse -Force }
}

# Copies the module into a new folder; gives the copy's manifest.
function Copy-Module([string] $Folder) {
    Copy-Item -LiteralPath $ModuleFolder -Destination $Folder -Recurse
    return Join-Path $Folder (Split-Path -Leaf $ModuleManifest)
}
