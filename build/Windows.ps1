# The tests of what is built for other systems, on this one: Windows under Wine, arm64 under
# qemu-user. The same kind of functions as in TestRunners.ps1. What a stand-in cannot do is skipped
# and counted, with the reason. Needs TestRunners.ps1, Pack.ps1 and PackRunners.ps1; build.sh
# installs the packages.

$WindowsFolder = "$Root/target/windows"
$WindowsTarget = 'x86_64-pc-windows-gnu'

# Wine answers about 3,000 echo requests a second, a thread each: these send a hundred times that.
$SlowUnderWine = @('a_whole_block_is_expanded_as_room_allows', 'exactly_one_answer_a_job')

# What qemu-user cannot do, and why. Whole paths: the rest of these files runs.
$UnfitForQemu = @{
    'dropped_replies_change_the_overflow_number' = 'qemu-user has no SO_MEMINFO'
    'sys::linux::neighbours::tests::the_tables_have_places' = 'qemu-user has no rtnetlink'
    'sys::linux::tests::neighbours::a_neighbour_that_answers_is_not_told' = 'qemu-user has no rtnetlink'
    'sys::linux::tests::neighbours::connects_to_neighbours_that_do_not_answer_end' = 'qemu-user has no rtnetlink'
    'sys::linux::tests::neighbours::every_neighbour_that_does_not_answer_is_told' = 'qemu-user has no rtnetlink'
    'sys::linux::tests::neighbours::neighbours_of_both_families_and_link_local_ones_are_told' = 'qemu-user has no rtnetlink'
    'sys::linux::tests::neighbours::the_tables_have_places_in_a_namespace' = 'qemu-user has no rtnetlink'
    'sys::linux::tests::sandbox::a_firewall_s_word_is_told_apart_from_a_refusal' = 'qemu-user has no seccomp filters'
    'sys::linux::tests::sandbox::either_of_the_two_may_be_refused' = 'qemu-user has no seccomp filters'
    'sys::linux::tests::sandbox::refused_batches_go_one_by_one' = 'qemu-user has no seccomp filters'
    'sys::linux::tests::sandbox::where_no_message_may_be_sent_echo_is_not_permitted' = 'qemu-user has no seccomp filters'
    'sys::linux::tests::sandbox::without_epoll_pwait2_the_sleep_is_by_epoll_and_a_timer' = 'qemu-user has no seccomp filters'
    'sys::linux::tests::sandbox::without_epoll_the_sleep_is_by_ppoll' = 'qemu-user has no seccomp filters'
    'sys::linux::tests::timing::a_connect_s_round_trip_is_the_system_s_own' = 'qemu-user has no stamps of the kernel and no tcp_info'
    'sys::linux::tests::timing::a_request_s_time_is_not_its_batch_s' = 'qemu-user has no stamps of the kernel and no tcp_info'
    'sys::linux::tests::timing::failed_requests_do_not_shift_the_stamps' = 'qemu-user has no stamps of the kernel and no tcp_info'
    'sys::linux::tests::timing::one_family_s_batch_does_not_pay_for_the_other_s' = 'qemu-user has no stamps of the kernel and no tcp_info'
    'sys::linux::tests::timing::stamped_requests_have_the_kernel_s_time' = 'qemu-user has no stamps of the kernel and no tcp_info'
    'sys::linux::tests::timing::stamps_are_not_interpolated' = 'qemu-user has no stamps of the kernel and no tcp_info'
}

# Tests that start themselves again, to be alone in a process. qemu-user starts no program of the
# other architecture: they run one by one in a process that is theirs from the start.
$AloneTests = 'call::tests::growth'

# Why Windows cannot be played here; nothing where it can.
function Get-WineObstacle {
    $obstacle = Get-PackObstacle
    if ($obstacle) { return $obstacle }
    if (-not (Find-Program 'wine')) { return 'there is no wine' }
}

# What Wine and .NET under Wine need: a system of their own, no trace of Wine's, no executable
# memory that is mapped twice. Wine's reader of debug information does not survive Rust's, which a
# backtrace would ask for.
function Get-WineEnvironment {
    # Wine makes its system there, but not the folders above.
    $null = New-Item "$WindowsFolder/wine" -ItemType Directory -Force
    return @{
        WINEPREFIX                   = "$WindowsFolder/wine"
        WINEDEBUG                    = '-all'
        DOTNET_EnableWriteXorExecute = '0'
        RUST_BACKTRACE               = '0'
    }
}

# A path as Wine's programs have it.
function ConvertTo-WinePath([string] $Path) {
    return 'Z:' + $Path.Replace('/', '\')
}

# Runs a Windows program; Wine's own processes end with it.
function Invoke-Wine([string] $File, [string[]] $Arguments = @(), $Environment = @{}) {
    $all = Get-WineEnvironment
    foreach ($name in $Environment.Keys) { $all[$name] = $Environment[$name] }
    try {
        return Invoke-Program -File 'wine' -Arguments (@($File) + $Arguments) -Environment $all -LimitMinutes 8
    }
    finally { Stop-Wine }
}

function Stop-Wine {
    $null = Invoke-Program -File 'wineserver' -Arguments '-k' -Environment (Get-WineEnvironment)
}

# cargo for another system, by Debian's Rust, which has the standard libraries for it.
function Invoke-CrossCargo([string] $Task, [string] $Target, [string] $Linker, [string[]] $Arguments, $Environment = @{}) {
    $variable = $Target.Replace('-', '_').ToUpperInvariant()
    $all = @{
        RUSTC                             = '/usr/bin/rustc'
        CARGO_TERM_COLOR                  = 'never'
        CARGO_PROFILE_DEV_DEBUG           = '0'
        # qemu-user is eight times as quick with it, which is more than it costs the compiler; Wine is not.
        CARGO_PROFILE_DEV_OPT_LEVEL       = if ($Target -eq $WindowsTarget) { '0' } else { '1' }
        # For dependencies of proptest.
        WINAPI_NO_BUNDLED_LIBRARIES       = '1'
        "CARGO_TARGET_${variable}_LINKER" = $Linker
    }
    foreach ($name in $Environment.Keys) { $all[$name] = $Environment[$name] }
    return Invoke-Program -File '/usr/bin/cargo' -Environment $all -Folder "$Root/target/crate" -LimitMinutes 8 `
        -Arguments (@($Task, '--target', $Target, '--target-dir', "$Root/target/cross") + $Arguments)
}

function Invoke-CrossTest {
    param(
        [string] $Target, [string] $Linker, [string] $Runner, [string[]] $Tests,
        [string[]] $Arguments = @(), [string[]] $Skipped = @(), $Environment = @{})

    $variable = $Target.Replace('-', '_').ToUpperInvariant()
    $line = @('--no-fail-fast') + $Tests + @('--', '--show-output') + $Arguments
    foreach ($name in $Skipped) { $line += @('--skip', $name) }
    return Get-CargoTestCount (Invoke-CrossCargo 'test' $Target $Linker $line (@{ "CARGO_TARGET_${variable}_RUNNER" = $Runner } + $Environment))
}

# The engine's unit and integration tests under Wine.
function Invoke-WineEngineTest {
    $obstacle = Get-WineObstacle
    if ($obstacle) { return New-SkippedCount 'engine under Wine' $obstacle }
    try {
        $count = Invoke-CrossTest -Target $WindowsTarget -Linker 'x86_64-w64-mingw32-gcc' -Runner 'wine' `
            -Tests '--lib', '--test', 'pool' -Skipped $SlowUnderWine -Environment (Get-WineEnvironment)
    }
    finally { Stop-Wine }
    foreach ($name in $SlowUnderWine) {
        $count.Skipped++
        $count.Notes.Add("skipped: ${name}: Wine answers too few echo requests a second")
    }
    $network = @(Select-String -Path "$Root/tests/network/*.rs" -Pattern '^\s*#\[test\]').Count
    $count.Skipped += $network
    $count.Notes.Add("skipped: $network tests of tests/network: they need Linux's network namespaces")
    return $count
}

# Thousands of dead hosts and of connects at once; long: on demand, 65,024 dead hosts.
function Invoke-WineSweep([switch] $Long) {
    $obstacle = Get-WineObstacle
    if ($obstacle) { return New-SkippedCount 'many hosts under Wine' $obstacle }
    Assert-Succeeded 'cargo build of sweep.exe' (Invoke-CrossCargo 'build' $WindowsTarget 'x86_64-w64-mingw32-gcc' @('--example', 'sweep'))
    try {
        $environment = Get-WineEnvironment
        if ($Long) { $environment['LONG'] = '1' }
        return Invoke-TestScript 'tests/module/laboratory.sh' -Environment $environment -Arguments `
            "$Root/tests/wine/sweep.sh", "$Root/target/cross/$WindowsTarget/debug/examples/sweep.exe"
    }
    finally { Stop-Wine }
}

# The C client, built by MinGW, against the package's library.
function Invoke-WineCClient {
    $obstacle = Get-WineObstacle
    if ($obstacle) { return New-SkippedCount 'C client under Wine' $obstacle }
    $folder = "$WindowsFolder/c"
    Copy-Changed "$(Split-Path (Get-TestedManifest))/native/win-x64/rust_runspaces.dll" "$folder/rust_runspaces.dll"
    $sources = (Get-Item "$Root/tests/c/*.c").FullName
    $null = Invoke-Required 'the C client' 'x86_64-w64-mingw32-gcc' (@(
            '-std=c99', '-D_POSIX_C_SOURCE=200809L', '-Wall', '-Wextra', '-Werror', '-pedantic', '-O2', "-I$Root/include",
            '-o', "$folder/client.exe") + $sources + @(
            "$folder/rust_runspaces.dll", '-lws2_32', '-static-libgcc', '-Wl,-Bstatic', '-lpthread', '-Wl,-Bdynamic'))
    return Get-ScriptCount 'the C client' (
        Invoke-Wine "$folder/client.exe" @('wine/') @{ TEST_SLOW_ECHO = '1' })
}

# Publishes a project for Windows, with the .NET runtime in it; gives the folder.
function Publish-ForWindows([string] $Project, [string] $Name) {
    $folder = "$WindowsFolder/$Name"
    $null = Invoke-Required "dotnet publish for $Name" 'dotnet' @(
        'publish', $Project, '-c', 'Release', '-r', 'win-x64', '--self-contained', 'true', '-o', $folder,
        '--nologo', '-nodeReuse:false')
    return $folder
}

# The module's tests in the real PowerShell for Windows.
function Invoke-WineModuleTest {
    $obstacle = Get-WineObstacle
    if (-not $obstacle -and -not (Find-Program 'script')) { $obstacle = 'there is no script' }
    if ($obstacle) { return New-SkippedCount 'module under Wine' $obstacle }
    $folder = Publish-ForWindows 'tests/wine/PowerShell.csproj' 'pwsh'
    $environment = Get-WineEnvironment
    $environment['RUSTRUNSPACES_MODULE'] = ConvertTo-WinePath (Get-TestedManifest)
    $environment['RUSTRUNSPACES_PESTER'] = ConvertTo-WinePath (Get-Pester)
    # The first program makes Wine's system, which two at once must not.
    $null = Invoke-Program -File 'wineboot' -Arguments '-i' -Environment $environment
    try {
        return Get-PesterCount @("$Root/tests/wine/run.sh", "$folder/pwsh.exe", (ConvertTo-WinePath "$Root/tests/module/Invoke-ModuleTests.ps1")) $environment
    }
    finally { Stop-Wine }
}

# What needs a .NET host of its own, the same executable as on Linux.
function Invoke-WineHostTest {
    $obstacle = Get-WineObstacle
    if ($obstacle) { return New-SkippedCount 'hosts of their own under Wine' $obstacle }
    $folder = Publish-ForWindows 'tests/powershell/PowerShellTests.csproj' 'powershell-tests'
    $report = "$WindowsFolder/powershell-tests.xml"
    if (Test-Path $report) { Remove-Item $report }
    # The verbose reporter names each test when it starts: a hang shows in the build's log.
    $result = Invoke-Wine "$folder/PowerShellTests.exe" `
        @('-xml', (ConvertTo-WinePath $report), '-noColor', '-reporter', 'verbose') `
        @{ RUSTRUNSPACES_MODULE = ConvertTo-WinePath (Get-TestedManifest) }
    return Get-ReportCount $report $result
}

# The engine's unit tests on arm64.
function Invoke-Arm64EngineTest {
    $obstacle = Get-PackObstacle
    if (-not $obstacle -and -not (Find-Program 'qemu-aarch64-static')) { $obstacle = 'there is no qemu-aarch64-static' }
    if ($obstacle) { return New-SkippedCount 'engine on arm64' $obstacle }
    $cross = @{
        Target = 'aarch64-unknown-linux-gnu'
        Linker = 'aarch64-linux-gnu-gcc'
        Runner = 'qemu-aarch64-static'
        Tests  = '--lib'
    }
    $count = Invoke-CrossTest @cross -Skipped (@($UnfitForQemu.Keys) + $AloneTests)
    $alone = Invoke-CrossTest @cross -Arguments $AloneTests, '--test-threads=1' -Environment @{ RUST_RUNSPACES_TEST_ALONE = '1' }
    Add-Count $count $alone
    foreach ($name in $UnfitForQemu.Keys) {
        $count.Skipped++
        $count.Notes.Add("skipped: ${name}: $($UnfitForQemu[$name])")
    }
    return $count
}
