# What every test file begins with (`BeforeAll { . "$PSScriptRoot/Session.ps1" }`): finds the module
# under test, and runs pieces of script in sessions of their own, as a person's console would. Written
# in what Windows PowerShell 5.1 has. Knows nothing of the build.
#
#     Get-Line '1..3 | Invoke-RustParallel { $_ }'       what a script writes, as text; an error fails the test
#     (Invoke-Script '...' @{ name = $value }).Output    all that a script wrote; errors are the test's own business
#     (Get-Failure '...').FullyQualifiedErrorId          the error that ends a script
#     (Get-Result '...').Status                          the only object that a script writes
#     $run = Start-Script '...'; Wait-Output $run 1; Wait-Until $run { ... }; Stop-Script $run; Wait-Script $run
#
# Needs of a test, each skips it with the reason where it is not met: Use-Laboratory, Use-Echo,
# Use-Linux, Use-Windows, Use-PowerShell7, Get-RepositoryFile.

$IsOnWindows = [Environment]::OSVersion.Platform -eq 'Win32NT'

# No test takes nearly as long: what hangs shall fail its test, not the run.
$LongestSeconds = 30

# The manifest of the module under test: that of RUSTRUNSPACES_MODULE; else of the package's zip in
# this folder or beside it, unpacked; else what the build made.
function Find-ModuleManifest {
    $given = $env:RUSTRUNSPACES_MODULE
    if ($given) { return (Resolve-Path -LiteralPath $given).ProviderPath }
    foreach ($folder in $PSScriptRoot, (Split-Path $PSScriptRoot)) {
        $zip = Get-ChildItem -LiteralPath $folder -Filter 'RustRunspaces.*.zip' | Select-Object -Last 1
        if ($null -eq $zip) { continue }
        $target = Join-Path ([IO.Path]::GetTempPath()) "RustRunspaces-tests-$PID"
        Expand-Archive -LiteralPath $zip.FullName -DestinationPath $target -Force
        $env:RUSTRUNSPACES_MODULE = Join-Path $target 'RustRunspaces/RustRunspaces.psd1'
        return $env:RUSTRUNSPACES_MODULE
    }
    $built = Join-Path $PSScriptRoot '../../out/RustRunspaces/RustRunspaces.psd1'
    if (Test-Path -LiteralPath $built) { return (Resolve-Path -LiteralPath $built).ProviderPath }
    throw 'there is no module to test: set RUSTRUNSPACES_MODULE to its manifest, put the zip of the package beside this folder, or build it'
}

$ModuleManifest = Find-ModuleManifest
$ModuleFolder = Split-Path $ModuleManifest
# Tests may name the module's own types.
Import-Module $ModuleManifest -Global

# A runspace with the module, or with the one named; $null imports none. Its Dispose ends it.
function New-Session([string] $Manifest = $ModuleManifest) {
    $state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
    if ($IsOnWindows) { $state.ExecutionPolicy = 'Bypass' }
    if ($Manifest) { $null = $state.ImportPSModule($Manifest) }
    $state.ThrowOnRunspaceOpenError = $true
    $runspace = [RunspaceFactory]::CreateRunspace($state)
    $runspace.Open()
    return $runspace
}

# Starts a script and returns at once. The run has Output, Errors, Warnings, Verbose, Debug,
# Information and Progress, which fill while it runs; after Wait-Script also Failure (the exception
# that ended it, or $null) and Duration.
function Start-Script([string] $Script, $Variables = @{}, $Session = $null) {
    $isOwn = $null -eq $Session
    if ($isOwn) { $Session = New-Session }
    foreach ($name in $Variables.Keys) { $Session.SessionStateProxy.SetVariable($name, $Variables[$name]) }
    $shell = [PowerShell]::Create()
    $shell.Runspace = $Session
    $null = $shell.AddScript($Script)
    $nothing = New-Object 'Management.Automation.PSDataCollection[psobject]'
    $nothing.Complete()
    $output = New-Object 'Management.Automation.PSDataCollection[psobject]'
    # Else reading what has come so far waits for the script's end.
    $streams = $shell.Streams
    foreach ($stream in $output, $streams.Error, $streams.Warning, $streams.Verbose, $streams.Debug, $streams.Information, $streams.Progress) {
        $stream.EnumeratorNeverBlocks = $true
    }
    $run = [PSCustomObject] @{
        Script      = $Script
        Output      = $output
        Errors      = $streams.Error
        Warnings    = $streams.Warning
        Verbose     = $streams.Verbose
        Debug       = $streams.Debug
        Information = $streams.Information
        Progress    = $streams.Progress
        Failure     = $null
        Duration    = $null
        Shell       = $shell
        Session     = $Session
        IsOwn       = $isOwn
        Clock       = [Diagnostics.Stopwatch]::StartNew()
        Handle      = $null
    }
    $run.Handle = $shell.BeginInvoke($nothing, $output)
    return $run
}

# Waits for the end of a run; returns it.
function Wait-Script($Run) {
    if (-not $Run.Handle.AsyncWaitHandle.WaitOne($LongestSeconds * 1000)) {
        $null = $Run.Shell.BeginStop($null, $null)
        throw "the script has not ended after $LongestSeconds seconds: $($Run.Script)"
    }
    if ($null -ne $Run.Duration) { return $Run }
    $Run.Duration = $Run.Clock.Elapsed
    try { $null = $Run.Shell.EndInvoke($Run.Handle) }
    catch {
        # The engine's own exception is inside of that of the method call.
        $Run.Failure = $_.Exception
        if ($null -ne $_.Exception.InnerException) { $Run.Failure = $_.Exception.InnerException }
    }
    if ($Run.IsOwn) { $Run.Session.Dispose() }
    return $Run
}

# Waits until the condition holds; the script goes on.
function Wait-Until($Run, [scriptblock] $Condition) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($Run.Handle.IsCompleted -and -not (& $Condition)) {
            throw "the script ended, with $($Run.Output.Count) objects, without what was waited for: $($Run.Script)"
        }
        if ($clock.Elapsed.TotalSeconds -gt $LongestSeconds) { throw "the script did not do what was waited for: $($Run.Script)" }
        Start-Sleep -Milliseconds 5
    }
}

# Waits for the end of a run; returns its progress records, each with Seconds: when it was seen, from the start.
function Watch-Progress($Run) {
    $seen = 0
    do {
        $hasEnded = $Run.Handle.IsCompleted
        while ($seen -lt $Run.Progress.Count) {
            $record = $Run.Progress[$seen++]
            [PSCustomObject] @{ Record = $record; Seconds = $Run.Clock.Elapsed.TotalSeconds }
        }
        if (-not $hasEnded) { Start-Sleep -Milliseconds 5 }
    } until ($hasEnded -or $Run.Clock.Elapsed.TotalSeconds -gt $LongestSeconds)
    $null = Wait-Script $Run
}

# Waits until so many objects came; the script goes on.
function Wait-Output($Run, [int] $Count) { Wait-Until $Run { $Run.Output.Count -ge $Count } }

# What Ctrl+C does; returns how long it took.
function Stop-Script($Run) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $Run.Shell.Stop()
    return $clock.Elapsed
}

# Runs a script to its end, whatever it writes.
function Invoke-Script([string] $Script, $Variables = @{}, $Session = $null) {
    return Wait-Script (Start-Script $Script $Variables $Session)
}

# Runs a script to its end; any error fails the test.
function Invoke-CleanScript([string] $Script, $Variables = @{}, $Session = $null) {
    $run = Invoke-Script $Script $Variables $Session
    if ($null -ne $run.Failure) { throw "'$Script' ended with: $($run.Failure.Message)" }
    if ($run.Errors.Count -gt 0) { throw "'$Script' wrote the error $($run.Errors[0].FullyQualifiedErrorId): $($run.Errors[0])" }
    return $run
}

# The text of each object, '$null' for nothing.
function ConvertTo-Line($Objects) {
    foreach ($object in $Objects) { if ($null -eq $object) { '$null' } else { $object.ToString() } }
}

# What a script writes, as text, in order; any error fails the test.
function Get-Line([string] $Script, $Variables = @{}, $Session = $null) {
    ConvertTo-Line (Invoke-CleanScript $Script $Variables $Session).Output
}

# The same in ordinal order, which does not depend on which job was first.
function Get-SortedLine([string] $Script, $Variables = @{}, $Session = $null) {
    $lines = [string[]] @(Get-Line $Script $Variables $Session)
    [Array]::Sort($lines, [StringComparer]::Ordinal)
    return $lines
}

# The terminating error that the script must end with: inside try, it does not become a mere record.
function Get-Failure([string] $Script, $Variables = @{}, $Session = $null) {
    $run = Invoke-Script "try { $Script } catch { throw }" $Variables $Session
    if ($null -eq $run.Failure) { throw "'$Script' did not fail" }
    return $run.Failure.ErrorRecord
}

# The only object that the script writes.
function Get-Result([string] $Script, $Variables = @{}, $Session = $null) {
    $output = @((Invoke-CleanScript $Script $Variables $Session).Output)
    if ($output.Count -ne 1) { throw "'$Script' wrote $($output.Count) objects where one was expected" }
    return $output[0]
}

# The same, which is a hashtable.
function Get-Table([string] $Script, $Variables = @{}, $Session = $null) {
    $table = (Get-Result $Script $Variables $Session).PSObject.BaseObject
    if ($table -isnot [Collections.Hashtable]) { throw "'$Script' wrote a $($table.GetType()) where a hashtable was expected" }
    return $table
}

# An error's id without the command's name.
function Get-ErrorId($ErrorRecord) { return $ErrorRecord.FullyQualifiedErrorId.Split(',')[0] }

# The open runspaces that were not there before. A worker that a busy machine kept from its end in time
# closes its own a little later.
function Get-LeftRunspace($Before) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    do {
        $left = @(Get-Runspace | Where-Object { $Before -notcontains $_ })
        if ($left.Count -eq 0) { return }
        Start-Sleep -Milliseconds 10
    } while ($clock.Elapsed.TotalSeconds -lt 2)
    return $left
}

# Skips the running test, with the reason.
function Skip-Test([string] $Reason) { Set-ItResult -Skipped -Because $Reason }

# Silent hosts, refused routes and known names: laboratory.sh, which also sets the variable.
function Use-Laboratory {
    if ($env:RUSTRUNSPACES_TEST_NETWORK -ne 'inside') {
        Skip-Test "there is no network of the tests' own: start the tests by laboratory.sh, on Linux"
    }
}

# ICMP.
function Use-Echo {
    if ($IsOnWindows -or $env:RUSTRUNSPACES_TEST_NETWORK -eq 'inside' -or [Environment]::UserName -eq 'root') { return }
    Skip-Test 'ICMP needs root, CAP_NET_RAW or net.ipv4.ping_group_range'
}

function Use-Linux { if ($IsOnWindows) { Skip-Test 'this is of Linux only' } }

function Use-Windows { if (-not $IsOnWindows) { Skip-Test 'this is of Windows only' } }

# What only PowerShell 7 has beside our own: ForEach-Object -Parallel, for comparison.
function Use-PowerShell7 { if ($PSVersionTable.PSVersion.Major -lt 7) { Skip-Test 'Windows PowerShell does not have what this compares with' } }

# A file of the repository; skips where only tests and module are.
function Get-RepositoryFile([string] $Path) {
    $file = Join-Path $PSScriptRoot "../../$Path"
    if (-not (Test-Path -LiteralPath $file)) { Skip-Test 'the repository is not above the tests' }
    return $file
}

# Wine in place of Windows: what it lacks is said where it matters.
function Test-Wine { return $IsOnWindows -and (Test-Path 'HKLM:\Software\Wine') }

# Hosts and names of the laboratory.
$Laboratory = @{
    # A /16 whose packets nobody answers.
    SilentNetwork        = '10.99.0.0/16'
    Silent               = '10.99.0.1'
    Silent2              = '10.99.0.2'
    # Addresses that the routing table refuses.
    Unreachable          = '10.98.0.1'
    Blackholed           = '10.97.0.1'
    Prohibited           = '10.96.0.1'
    Name                 = 'mini.test'
    # fd00:99::22 and 127.0.0.22.
    NameWithTwoAddresses = 'dual.test'
    UnknownName          = 'unknown.test'
}

# Makes the module do without members of the engine by these names, as where an engine has none; without names, with all again.
function Set-MissingMember([string[]] $Names = @()) {
    [RustRunspaces.InvokeRustParallelCommand].Assembly.GetType('RustRunspaces.Output.EngineMembers').GetProperty('Missing', [Reflection.BindingFlags] 'Static, NonPublic').SetValue($null, $Names)
}

# A port that is open: Number, Listener. Its queue takes connections without anybody accepting them.
function New-OpenPort([string] $Address = '127.0.0.1', [int] $Number = 0) {
    $listener = New-Object Net.Sockets.TcpListener ([Net.IPAddress] $Address), $Number
    $listener.Start()
    return [PSCustomObject] @{ Number = $listener.LocalEndpoint.Port; Sockets = @($listener) }
}

# How many connections came: waits for the first, as accepting takes its time, and for no more than there are.
function Measure-Connection($Port) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while (-not $Port.Sockets[0].Pending() -and $clock.Elapsed.TotalSeconds -lt 5) { Start-Sleep -Milliseconds 5 }
    $count = 0
    while ($Port.Sockets[0].Pending()) {
        $count++
        # Some systems refuse to accept what has been reset meanwhile; it came all the same.
        try { $Port.Sockets[0].AcceptSocket().Close() } catch [Net.Sockets.SocketException] { continue }
    }
    return $count
}

# A port that refuses: taken, so that nobody else gets it, but nobody listens.
function New-RefusedPort([string] $Address = '127.0.0.1') {
    $socket = New-Object Net.Sockets.Socket 'InterNetwork', 'Stream', 'Tcp'
    $socket.Bind((New-Object Net.IPEndPoint ([Net.IPAddress] $Address), 0))
    return [PSCustomObject] @{ Number = $socket.LocalEndPoint.Port; Sockets = @($socket) }
}

# A port of a live host that does not answer: its queue of waiting connections is full.
function New-SilentPort([string] $Address = '127.0.0.1') {
    $listener = New-Object Net.Sockets.Socket 'InterNetwork', 'Stream', 'Tcp'
    $listener.Bind((New-Object Net.IPEndPoint ([Net.IPAddress] $Address), 0))
    $listener.Listen(0)
    $sockets = @($listener)
    $number = $listener.LocalEndPoint.Port
    do {
        $waiting = New-Object Net.Sockets.Socket 'InterNetwork', 'Stream', 'Tcp'
        $sockets += $waiting
        try { $hasConnected = $waiting.ConnectAsync($Address, $number).Wait(100) }
        catch {
            foreach ($socket in $sockets) { $socket.Close() }
            Skip-Test 'this system refuses connections where their queue is full'
        }
    } while ($hasConnected)
    return [PSCustomObject] @{ Number = $number; Sockets = $sockets }
}

function Close-Port($Port) {
    foreach ($socket in $Port.Sockets) { if ($socket -is [Net.Sockets.TcpListener]) { $socket.Stop() } else { $socket.Close() } }
}
