# The streams of jobs: each record reaches the caller's stream once and in order, and the caller's
# preferences and redirections decide what becomes of it.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'streams of jobs' {
    It 'each stream of a job reaches that of the caller once' {
        Get-Line @'
$VerbosePreference = 'Continue'; $DebugPreference = 'Continue'
1 | Invoke-RustParallel {
    'out'; Write-Error 'err'; Write-Warning 'warn'; Write-Verbose 'verb'; Write-Debug 'debug'; Write-Information 'info'; Write-Host 'host'
} *>&1 | ForEach-Object { "$($_.GetType().Name) $_" } | Where-Object { $_ -match ' (out|err|warn|verb|debug|info|host)$' }
'@ | Should -BeExactly @(
            'String out', 'ErrorRecord err', 'WarningRecord warn', 'VerboseRecord verb', 'DebugRecord debug'
            'InformationRecord info', 'InformationRecord host'
        )
    }

    It 'the order of the records of a job is kept across its streams' {
        Get-Line '1 | Invoke-RustParallel { 1..100 | ForEach-Object { "o$_"; Write-Warning "w$_"; Write-Host "h$_" } } *>&1 | ForEach-Object { "$_" }' |
            Should -BeExactly (1..100 | ForEach-Object { "o$_", "w$_", "h$_" })
    }

    It 'a redirection or preference silences a stream: <Silence>' -ForEach @(
        @{ Silence = ''; Shown = 'err info verb warn' }
        @{ Silence = '2>$null'; Shown = 'info verb warn' }
        @{ Silence = '-ErrorAction SilentlyContinue'; Shown = 'info verb warn' }
        @{ Silence = '-ErrorAction Ignore'; Shown = 'info verb warn' }
        @{ Silence = '3>$null'; Shown = 'err info verb' }
        @{ Silence = '-WarningAction SilentlyContinue'; Shown = 'err info verb' }
        @{ Silence = '4>$null'; Shown = 'err info warn' }
        @{ Silence = '6>$null'; Shown = 'err verb warn' }
        @{ Silence = '-InformationAction Ignore'; Shown = 'err verb warn' }
        @{ Silence = '*>$null'; Shown = '' }
    ) {
        $lines = Get-Line (@'
& {
    $VerbosePreference = 'Continue'
    1 | Invoke-RustParallel { Write-Error err; Write-Warning warn; Write-Verbose verb; Write-Information info } SILENCE
} *>&1 | ForEach-Object { "$_" } | Where-Object { $_ -in 'err', 'warn', 'verb', 'info' } | Sort-Object
'@.Replace('SILENCE', $Silence))
        $lines -join ' ' | Should -BeExactly $Shown
    }

    It 'warnings are judged by the preference of the caller: <Preference>' -ForEach @(
        @{ Preference = 'SilentlyContinue'; Shown = 0 }
        @{ Preference = 'Ignore'; Shown = 0 }
        @{ Preference = 'Continue'; Shown = 2 }
    ) {
        (Invoke-CleanScript "`$WarningPreference = '$Preference'; 1, 2 | Invoke-RustParallel { Write-Warning `"w`$_`" }").Warnings.Count | Should -Be $Shown
    }

    It 'a warning variable collects what is not shown' {
        $run = Invoke-CleanScript '$WarningPreference = "SilentlyContinue"; 1..3 | Invoke-RustParallel { Write-Warning "w$_" } -WarningVariable kept; $kept.Count'
        ConvertTo-Line $run.Output | Should -BeExactly '3'
        $run.Warnings.Count | Should -Be 0
    }

    It 'an information variable collects what is not shown' {
        Get-Line '$InformationPreference = "SilentlyContinue"; 1..2 | Invoke-RustParallel { Write-Information i } -InformationVariable kept; $kept.Count' |
            Should -BeExactly '2'
    }

    It 'warnings can be redirected to output' {
        Get-Line '1 | Invoke-RustParallel { Write-Warning "w$_" } 3>&1' | Should -BeExactly 'w1'
    }

    It 'a caller who stops at warnings is stopped by one of a job' {
        (Invoke-Script "1 | Invoke-RustParallel { Write-Warning 'w'; 'went on' } -WarningAction Stop").Failure | Should -Not -BeNullOrEmpty
    }

    It 'verbose runs in jobs only where the caller shows it: <Argument>' -ForEach @(
        @{ Argument = ''; Preference = 'SilentlyContinue'; Shown = 0 }
        @{ Argument = '-Verbose'; Preference = 'Continue'; Shown = 1 }
        @{ Argument = '-Verbose:$false'; Preference = 'SilentlyContinue'; Shown = 0 }
    ) {
        $run = Invoke-CleanScript "1 | Invoke-RustParallel { Write-Verbose 'from the job'; `$VerbosePreference } $Argument"
        ConvertTo-Line $run.Output | Should -BeExactly $Preference
        @(ConvertTo-Line $run.Verbose | Where-Object { $_ -ceq 'from the job' }).Count | Should -Be $Shown
    }

    It 'debug runs in jobs only where the caller shows it: <Argument>' -ForEach @(
        @{ Argument = ''; Lines = @('SilentlyContinue') }
        @{ Argument = '-Debug'; Lines = @('from the job', 'Continue') }
    ) {
        Get-Line "1 | Invoke-RustParallel { Write-Debug 'from the job'; `$DebugPreference } $Argument 5>&1" | Should -BeExactly $Lines
    }

    It 'the preference variable of the caller turns verbose on' {
        ConvertTo-Line (Invoke-CleanScript "`$VerbosePreference = 'Continue'; 1 | Invoke-RustParallel { Write-Verbose 'from the job' }").Verbose |
            Where-Object { $_ -ceq 'from the job' } | Should -BeExactly 'from the job'
    }

    It 'a preference that a job changed is restored for the next' {
        Get-Line @'
1, 2 | Invoke-RustParallel -ThrottleLimit 1 {
    "$WarningPreference $ErrorActionPreference"
    $global:WarningPreference = 'SilentlyContinue'; $global:ErrorActionPreference = 'Stop'
}
'@ | Should -BeExactly 'Continue Continue', 'Continue Continue'
    }

    It 'what is written to the host directly comes as information' {
        Get-Line '1 | Invoke-RustParallel { $Host.UI.WriteLine("direct") } 6>&1 | ForEach-Object { "$($_.GetType().Name) $_" }' |
            Should -BeExactly 'InformationRecord direct'
    }

    It 'information keeps its tags' {
        Get-Line '1 | Invoke-RustParallel { Write-Information i -Tags one, two } 6>&1 | ForEach-Object { $_.Tags }' | Should -BeExactly 'one', 'two'
    }

    It 'Write-Host can be silenced by redirection' {
        Get-Line '& { 1 | Invoke-RustParallel { Write-Host h; $_ } } 6>&1' | Should -BeExactly 'h', '1'
        Get-Line '& { 1 | Invoke-RustParallel { Write-Host h; $_ } 6>$null } 6>&1' | Should -BeExactly '1'
    }

    It 'every record of many jobs comes once' {
        $run = Invoke-Script '1..500 | Invoke-RustParallel { $_; Write-Warning "$_"; Write-Error "$_" }'
        $numbers = 1..500 | ForEach-Object { "$_" } | Sort-Object
        ConvertTo-Line $run.Output | Sort-Object | Should -BeExactly $numbers
        ConvertTo-Line $run.Warnings | Sort-Object | Should -BeExactly $numbers
        ConvertTo-Line $run.Errors | Sort-Object | Should -BeExactly $numbers
    }

    It 'everything is written on the pipeline thread' {
        # Downstream runs where output is written.
        Get-Line '$own = [Threading.Thread]::CurrentThread.ManagedThreadId; 1..20 | Invoke-RustParallel { $_ } | ForEach-Object { [Threading.Thread]::CurrentThread.ManagedThreadId - $own }' |
            Should -BeExactly (@('0') * 20)
    }

    It 'a flood of output waits for its consumer' {
        # 4,096 records a worker may be undelivered. What a job has been able to write when the first of its
        # records is read is that, and what the consumer has read meanwhile.
        $written = New-Object 'Collections.Concurrent.ConcurrentQueue[int]'
        $lines = @(Get-Line @'
1 | Invoke-RustParallel { $w = $using:written; for ($i = 0; $i -lt 20000; $i++) { $w.Enqueue($i); $i } } |
    ForEach-Object { if ($_ -eq 0) { Start-Sleep -Milliseconds 700; $written.Count } }
'@ @{ written = $written })
        $lines.Count | Should -Be 1
        [int] $lines[0] | Should -BeGreaterOrEqual 2
        [int] $lines[0] | Should -BeLessOrEqual 4098
        $written.Count | Should -Be 20000
    }
}
