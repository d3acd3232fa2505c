# Trouble that callers make: the module removed and imported again while it works, a second version of
# it in the process, jobs that end their caller, many calls at once, secrets in what a call is given.

BeforeDiscovery {
    # Each fails, or tells much, in another way; the caller's variables have the secret.
    $Telling = @(
        'Invoke-RustParallel a, b { param($c, $p) Start-Sleep 20 } -ArgumentList $secret -JobTimeoutSeconds 0.05'
        'Invoke-RustParallel a, b { param($c, $p) Start-Sleep 20 } -ArgumentList $secret -MaximumWaitTimeSeconds 0.05'
        'Invoke-RustParallel a { $null = $using:secret; Start-Sleep 20 } -JobTimeoutSeconds 0.05'
        'Invoke-RustParallel a { throw ''no'' } -ArgumentList $secret -Variables secret'
        '1 | Invoke-RustParallel { exit 3 } -ArgumentList $secret -AsObject'
        '1 | Invoke-RustParallel { $null = $using:secret; $Host.UI.ReadLine() }'
        '1 | Invoke-RustParallel { 1 } -InitializationScript { $null = $using:secret; throw ''no'' }'
        '1 | Invoke-RustParallel -CommandName Get-Item -ParameterName Path -Parameters @{ Absent = $secret }'
        '1 | Invoke-RustParallel -CommandName Get-Item -ParameterName Path -Parameters @{ Path = $secret }'
        '1 | Invoke-RustParallel -CommandName Get-Item -ParameterName Absent -Parameters @{ Filter = $secret }'
        '1 | Invoke-RustParallel { 1 } -ArgumentList $secret -Variables absent'
        '1 | Invoke-RustParallel { 1 } -ArgumentList { $secret }'
        '$job = 1 | Invoke-RustParallel { Start-Sleep 20 } -ArgumentList $secret -AsJob; $job | Format-List * | Out-String; $job.ChildJobs | Format-List * | Out-String; Stop-Job $job; Receive-Job $job; Remove-Job $job -Force'
    )
}

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/ChildProcess.ps1"

    # A copy of the module whose assembly says that it is version 9: its row in the table Assembly (ECMA-335, II.22.2).
    function Copy-OtherVersion([string] $Folder) {
        $manifest = Copy-Module $Folder
        $file = Join-Path $Folder 'RustRunspaces.dll'
        $bytes = [IO.File]::ReadAllBytes($file)
        $portable = New-Object Reflection.PortableExecutable.PEReader (New-Object IO.MemoryStream (, $bytes))
        try {
            $reader = [Reflection.Metadata.PEReaderExtensions]::GetMetadataReader($portable)
            $row = $portable.PEHeaders.MetadataStartOffset + [Reflection.Metadata.Ecma335.MetadataReaderExtensions]::GetTableMetadataOffset($reader, 'Assembly')
        }
        finally { $portable.Dispose() }
        # Behind the number of the hash algorithm.
        [BitConverter]::GetBytes([uint16] 9).CopyTo($bytes, $row + 4)
        [IO.File]::WriteAllBytes($file, $bytes)
        [Reflection.AssemblyName]::GetAssemblyName($file).Version.Major | Should -Be 9
        return $manifest
    }
}

Describe 'the module' {
    It 'may be removed and imported again while a job runs' {
        Get-ChildLine @'
Import-Module $Manifest
$gate = [hashtable]::Synchronized(@{})
$job = 1..40 | Invoke-RustParallel { while ($_ -gt 1 -and -not ($using:gate).Open) { Start-Sleep -Milliseconds 5 }; $_ } -ThrottleLimit 4 -AsJob
while (-not $job.HasMoreData) { Start-Sleep -Milliseconds 5 }
Remove-Module RustRunspaces
$null -eq (Get-Module RustRunspaces)
Import-Module $Manifest
"$(1..3 | Invoke-RustParallel { $_ } -Ordered)"
"$($job.State)"
$gate.Open = $true
$results = @(Receive-Job $job -Wait)
"$($results.Count) $(@($results | Sort-Object -Unique).Count) $($job.State)"
Remove-Job $job
'@ | Should -BeExactly 'True', '1 2 3', 'Running', '40 40 Completed'
    }

    It 'may be removed and imported again by what its output is piped to, and by its jobs' {
        Get-ChildLine @'
Import-Module $Manifest
$seen = 1..20 | Invoke-RustParallel { if ($_ -eq 5) { Get-Module RustRunspaces | Remove-Module -Force }; $_ } | ForEach-Object {
    if ($_ -eq 3) { Remove-Module RustRunspaces -Force; Import-Module $Manifest }
    $_
}
"$(@($seen | Sort-Object -Unique).Count)"
"$(1..3 | Invoke-RustParallel { $_ } -Ordered)"
'@ | Should -BeExactly '20', '1 2 3'
    }

    It 'of another version, imported by its path, leaves the first in its place' -Tag 'Slow' {
        Use-PowerShell7
        $other = Copy-OtherVersion (Join-Path $TestDrive ([guid]::NewGuid()))
        $lines = @(Get-ChildLine ('Import-Module $Manifest; try { Import-Module ''' + $other + ''' } catch { $_.Exception.Message }
            "$(1..3 | Invoke-RustParallel { $_ } -Ordered)"; [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq ''RustRunspaces'' } | ForEach-Object { $_.GetName().Version.Major }'))
        # .NET has one assembly of a name in its default context, and gives the one that is there.
        $lines | Should -BeExactly '1 2 3', '0'
    }

    It 'of another version works beside the first in a load context of its own' -Tag 'Slow' {
        Use-PowerShell7
        $other = Copy-OtherVersion (Join-Path $TestDrive ([guid]::NewGuid()))
        $lines = @(Get-ChildLine ('$other = ''' + (Join-Path (Split-Path $other) 'RustRunspaces.dll') + "'`n" + @'
Import-Module $Manifest
$context = [Runtime.Loader.AssemblyLoadContext]::new('another version')
Import-Module -Assembly $context.LoadFromAssemblyPath($other) -Prefix Other
$jobs = @(
    1..200 | Invoke-RustParallel { Start-Sleep -Milliseconds 2; $_ } -AsJob
    1..200 | Invoke-OtherRustParallel { Start-Sleep -Milliseconds 2; $_ } -AsJob
)
$first = Invoke-RustParallel 127.0.0.0/26 -TcpPort 1 -AsObject
$second = Invoke-OtherRustParallel 127.0.0.0/26 -TcpPort 1 -AsObject
"$(@($first | Where-Object Status -EQ Refused).Count) $(@($second | Where-Object Status -EQ Refused).Count)"
"$($first[0].GetType().Assembly.GetName().Version.Major) $($second[0].GetType().Assembly.GetName().Version.Major)"
foreach ($job in $jobs) { $results = @(Receive-Job $job -Wait); "$($results.Count) $(@($results | Sort-Object -Unique).Count) $($job.GetType().Assembly.GetName().Version.Major)" }
if ($IsLinux) { @([IO.File]::ReadAllLines('/proc/self/maps') | Where-Object { $_ -clike '*rust_runspaces*' } | ForEach-Object { $_.Substring($_.IndexOf('/')) } | Select-Object -Unique).Count } else { 2 }
'@))
        $lines | Should -BeExactly '62 62', '0 9', '200 200 0', '200 200 9', '2'
    }
}

Describe 'calls' {
    It 'ten at once have their own answers each' {
        $port = New-RefusedPort
        try {
            $runs = foreach ($number in 1..5) {
                Start-Script '1..100 | Invoke-RustParallel { "$using:number $_" } -ThrottleLimit 4' @{ number = $number }
                Start-Script 'Invoke-RustParallel 127.0.0.0/25 -TcpPort $port -AsObject' @{ port = $port.Number }
            }
            $number = 0
            foreach ($run in $runs) {
                $null = Wait-Script $run
                $run.Failure | Should -BeNullOrEmpty
                $run.Errors.Count | Should -Be 0
                if ($number % 2 -eq 0) {
                    $own = [int] ($number / 2) + 1
                    @(ConvertTo-Line $run.Output | Where-Object { $_ -clike "$own *" } | Sort-Object -Unique).Count | Should -Be 100
                }
                @($run.Output).Count | Should -Be $(if ($number % 2 -eq 0) { 100 } else { 126 })
                $number++
            }
        }
        finally { Close-Port $port }
    }

    It 'end in time where one of their jobs stops the caller' {
        $before = @(Get-Runspace)
        $holder = [hashtable]::Synchronized(@{})
        $run = Start-Script '1..50 | Invoke-RustParallel { while (-not ($using:holder).Shell) { Start-Sleep -Milliseconds 5 }; $null = ($using:holder).Shell.BeginStop($null, $null); Start-Sleep 20 } -ThrottleLimit 4' @{ holder = $holder }
        $holder.Shell = $run.Shell
        $null = Wait-Script $run
        $run.Failure | Should -BeOfType ([Management.Automation.PipelineStoppedException])
        $run.Duration.TotalSeconds | Should -BeLessThan 10
        Get-LeftRunspace $before | Should -BeNullOrEmpty
    }

    It 'may be made by their jobs, and by the jobs of those' {
        Get-SortedLine '1..3 | Invoke-RustParallel { $a = $_; 1..2 | Invoke-RustParallel { $b = "$using:a$_"; 1 | Invoke-RustParallel { "$using:b$_" } } }' |
            Should -BeExactly '111', '121', '211', '221', '311', '321'
    }

    It 'tell no secret that they were given: <_>' -ForEach $Telling {
        $secret = 'correct-horse-4711'
        $run = Invoke-Script "$_ -Verbose -Debug".Replace('-Force -Verbose -Debug', '-Force') @{ secret = $secret; DebugPreference = 'Continue' }
        $said = @($run.Errors) + @($run.Failure) + @($run.Warnings) + @($run.Verbose) + @($run.Debug) + @($run.Information) + @($run.Progress) + @($run.Output) |
            Where-Object { $null -ne $_ } | ForEach-Object { $_.ToString(); if ($_ -is [Management.Automation.ErrorRecord]) { $_.ErrorDetails; $_.CategoryInfo.ToString(); $_.FullyQualifiedErrorId } }
        "$said" | Should -Not -BeNullOrEmpty
        "$said" | Should -Not -Match $secret
    }
}
