# Very many calls of every kind, to their end and stopped, one after the other in this process, and whether it
# is then what it was before: memory, threads, descriptors, runspaces, the engine's handles. Writes one line for
# each of these, `ok NAME ...` or `not ok NAME ...`, with its slope. Read no test's files before it: it has what
# it needs. Needs laboratory.sh for the calls with silent hosts; without it they are left out.
param(
    # Of the module.
    [Parameter(Mandatory = $true)] [string] $Manifest,
    [int] $Calls = 10000,
    # The calls are spread over this time at least.
    [double] $Minutes = 0,
    # What the calls leave behind, to see that it is found.
    [ValidateSet('Memory', 'Native', 'Runspace', 'Thread', 'Handle', 'Descriptor', 'Answer')] [string[]] $Leak = @())

$ErrorActionPreference = 'Stop'
Import-Module $Manifest
$isOnWindows = [Environment]::OSVersion.Platform -eq 'Win32NT'
$internal = [Reflection.BindingFlags] 'NonPublic, Static, Instance'
$runspaces = [runspace].GetProperty('RunspaceList', $internal)
$poolType = (Get-Command Invoke-RustParallel).ImplementingType.Assembly.GetType('RustRunspaces.Native.Pool')
$openPool = $poolType.GetMethod('Open', $internal, $null, [type[]] ([uint32], [uint64]), $null)
$poolHandle = $poolType.GetField('handle', $internal)
$kept = New-Object Collections.Generic.List[object]

# What the C library's allocator has given out: all of the engine's memory and the runtime's own, without
# .NET's heap. Only newer ones of GNU tell. Without Add-Type, whose compiler takes 26 MB.
$allocator = $null
if (-not $isOnWindows) {
    $library = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly('Allocator', 'Run').DefineDynamicModule('Allocator')
    $type = $library.DefineType('Figures', 'Public, SequentialLayout, Sealed', [ValueType])
    foreach ($name in 'Arena', 'Free', 'FastFree', 'Maps', 'Mapped', 'Unused', 'FastBytes', 'Used', 'FreeBytes', 'Top') { $null = $type.DefineField($name, [uint64], 'Public') }
    $figures = $type.CreateType()
    $type = $library.DefineType('Allocator', 'Public')
    $type.DefinePInvokeMethod('mallinfo2', 'libc', 'Public, Static, PinvokeImpl', 'Standard', $figures, @(), 'Winapi', 'Ansi').SetImplementationFlags('PreserveSig')
    $allocator = $type.CreateType().GetMethod('mallinfo2')
    try { $null = $allocator.Invoke($null, @()) } catch { $allocator = $null }
}

# Each kind of call, and how many objects it writes.
$kinds = @(
    @{ Answers = 1; Call = { Invoke-RustParallel 127.0.0.0/26, ::1, localhost } }
    @{ Answers = 2; Call = { 1, 2 | Invoke-RustParallel { $_ } } }
    @{ Answers = 1; Call = { Invoke-RustParallel 127.0.0.1, 127.0.0.2 -TcpPort 1, 2, 3 -ResolveName } }
    @{ Answers = 1; Call = { Invoke-RustParallel a, b, c { $Data[$_] = 1 } } }
    @{ Answers = 1; Call = { 1..5 | Invoke-RustParallel { $_; Start-Sleep 20 } -ThrottleLimit 3 | Select-Object -First 1 } }
    @{ Answers = 0; Call = { 1..5 | Invoke-RustParallel { Start-Sleep 20 } -TimeoutSeconds 0.03 -ThrottleLimit 3 -ErrorAction Ignore } }
    @{ Answers = 0; Call = { 1..5 | Invoke-RustParallel { throw 'no' } -ErrorAction Ignore } }
    @{ Answers = 0; Call = { 1, 2 | Invoke-RustParallel { Start-Sleep 20 } -JobTimeoutSeconds 0.02 -ErrorAction Ignore } }
    @{ Answers = 3; Call = { $job = 1..3 | Invoke-RustParallel { $_ } -AsJob; Receive-Job $job -Wait; Remove-Job $job } }
    @{ Answers = 0; Call = { try { 1..3 | Invoke-RustParallel { Write-Error 'e' } -ErrorAction Stop } catch { $null = $_ } } }
)
if ($env:RUSTRUNSPACES_TEST_NETWORK -eq 'inside') {
    $kinds += @(
        @{ Answers = 1; Call = { Invoke-RustParallel 127.0.0.1, 10.99.0.0/24 -Count 50 -ReplyTimeoutMilliseconds 200 -AsObject | Select-Object -First 1 } }
        @{ Answers = 1; Call = { Invoke-RustParallel 10.99.0.0/28 -Count 50 -ReplyTimeoutMilliseconds 200 -MaximumWaitTimeSeconds 0.02 -WarningAction Ignore } }
        @{ Answers = 1; Call = { Invoke-RustParallel unknown.test, 5, 127.0.0.1 -Count 2 -IntervalMilliseconds 1 -Statistics -ErrorAction Ignore } }
    )
}

# The place of a new pool in the engine's table, which is as long as there ever were pools at a time.
function Get-HandlePlace {
    $pool = $openPool.Invoke($null, @([uint32] 0, [uint64] 0))
    try { return [long] $poolHandle.GetValue($pool).DangerousGetHandle() -band 0xffffff } finally { ([IDisposable] $pool).Dispose() }
}

# What can be counted. Threads without those of .NET's pool, which come and go, and descriptors without files,
# which are the runtime's, where the system tells them apart.
function Get-Count {
    if ($isOnWindows) {
        $process = [Diagnostics.Process]::GetCurrentProcess()
        $threads, $descriptors = $process.Threads.Count, $process.HandleCount
        $process.Dispose()
    }
    else {
        $threads = @(foreach ($task in [IO.Directory]::GetDirectories('/proc/self/task')) {
                # One may end while it is looked at.
                try { if ([IO.File]::ReadAllText("$task/comm") -notmatch '^\.NET') { $task } } catch { continue }
            }).Count
        $descriptors = @([IO.Directory]::GetFileSystemEntries('/proc/self/fd') |
                Where-Object { (New-Object IO.FileInfo $_).LinkTarget -match '^(socket|pipe|anon_inode):' }).Count
    }
    return @{ threads = $threads; descriptors = $descriptors; runspaces = @($runspaces.GetValue($null)).Count; handles = Get-HandlePlace }
}

# All figures at rest: what was stopped may take a moment to go.
function Get-Figure($First) {
    $Error.Clear() # the engine keeps the last 256
    foreach ($round in 1, 2) { [GC]::Collect(); [GC]::WaitForPendingFinalizers() }
    $clock = [Diagnostics.Stopwatch]::StartNew()
    do {
        Start-Sleep -Milliseconds 50
        $figures = Get-Count
        $isAtRest = $null -eq $First -or -not @($figures.Keys | Where-Object { $figures[$_] -gt $First[$_] })
    } until ($isAtRest -or $clock.Elapsed.TotalSeconds -gt 2)
    $figures['managed bytes'] = [GC]::GetTotalMemory($true)
    if ($allocator) {
        $told = $allocator.Invoke($null, @())
        $figures['native bytes'] = [long] $told.Used + [long] $told.Mapped
    }
    $figures['resident bytes'] = if ($isOnWindows) { [Environment]::WorkingSet } else {
        # Without what is shared with files.
        $pages = [IO.File]::ReadAllText('/proc/self/statm').Split(' ')
        ([long] $pages[1] - [long] $pages[2]) * [Environment]::SystemPageSize
    }
    return $figures
}

# By how much a figure grows with each call: the straight line with the least squares.
function Get-Slope([double[]] $Places, [double[]] $Values) {
    $meanPlace = ($Places | Measure-Object -Average).Average
    $meanValue = ($Values | Measure-Object -Average).Average
    $above = $below = 0.0
    for ($i = 0; $i -lt $Places.Count; $i++) {
        $above += ($Places[$i] - $meanPlace) * ($Values[$i] - $meanValue)
        $below += [Math]::Pow($Places[$i] - $meanPlace, 2)
    }
    return $above / $below
}

# The caches of the engine and what the runtime compiles again grow at the beginning.
$warm = [int] [Math]::Max(200, $Calls / 10)
$step = [int] [Math]::Max(25, ($Calls - $warm) / 40)
$places, $samples, $wrong = @(), @(), @()
$clock = [Diagnostics.Stopwatch]::StartNew()
for ($i = 0; $i -lt $Calls; $i++) {
    $kind = $kinds[$i % $kinds.Count]
    $answers = @(& $kind.Call).Count
    if ($answers -ne $kind.Answers -or ($i -eq $warm -and $Leak -contains 'Answer')) { $wrong += "call ${i} wrote $answers objects:$($kind.Call)" }
    $seldom = $i % 20 -eq 0
    switch ($Leak) {
        'Memory' { $kept.Add((New-Object byte[] 50000)) }
        # Well above the noise of what the runtime has and gives back.
        'Native' { $null = [Runtime.InteropServices.Marshal]::AllocHGlobal(200000) }
        'Runspace' { if ($seldom) { $new = [RunspaceFactory]::CreateRunspace(); $new.Open(); $kept.Add($new) } }
        'Thread' { if ($seldom) { $new = [PowerShell]::Create().AddScript('Start-Sleep 3600'); $null = $new.BeginInvoke(); $kept.Add($new) } }
        'Handle' { if ($seldom) { $kept.Add($openPool.Invoke($null, @([uint32] 0, [uint64] 0))) } }
        'Descriptor' { if ($seldom) { $kept.Add((New-Object Net.Sockets.Socket 'InterNetwork', 'Stream', 'Tcp')) } }
    }
    # Some seconds after its start the runtime gives back up to 16 MB of native memory, once.
    if ($i -eq $warm) { Start-Sleep -Milliseconds ([Math]::Max(0, 8000 - $clock.ElapsedMilliseconds)) }
    if ($i -ge $warm -and ($i - $warm) % $step -eq 0 -or $i -eq $Calls - 1) {
        $first = if ($samples.Count -gt 0) { $samples[0] }
        $samples += Get-Figure $first
        $places += $i
    }
    $ahead = $Minutes * 60000 * ($i + 1) / $Calls - $clock.ElapsedMilliseconds
    if ($ahead -gt 20) { Start-Sleep -Milliseconds $ahead }
}
$elapsed = $clock.Elapsed

$number = [Globalization.CultureInfo]::InvariantCulture
if ($wrong.Count -eq 0) { "ok answers: $Calls calls in $($elapsed.TotalSeconds.ToString('N0', $number)) s, none with another number of objects" }
else { "not ok answers: $($wrong.Count) wrong, first $($wrong[0])" }
# How much may be added by all calls together: memory has its noise; of the threads and descriptors only Linux
# tells those apart that are the runtime's.
$span = $places[-1] - $places[0]
$others = if ($isOnWindows) { 20 } else { 1 }
$bounds = [ordered] @{
    'managed bytes' = 1000000 + 100 * $span; 'native bytes' = 2500000 + 100 * $span; 'resident bytes' = 16000000 + 1000 * $span
    threads = $others; descriptors = $others; runspaces = 1; handles = 1
}
foreach ($name in $bounds.Keys) {
    if (-not $samples[0].ContainsKey($name)) { "skip ${name}: the system does not tell"; continue }
    $values = @($samples | ForEach-Object { $_[$name] })
    $slope = Get-Slope $places $values
    $isFlat = $slope * $span -le $bounds[$name]
    $told = @($values[0], $values[-1], ($slope * 1000), $values.Count | ForEach-Object { ([double] $_).ToString('#,0.##', $number) })
    "$(if (-not $isFlat) { 'not ' })ok ${name}: $($told[0]) at first, $($told[1]) at last; $($told[2]) for a thousand calls, by $($told[3]) samples"
}
