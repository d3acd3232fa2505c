# Everything that ships, builds or tests can be read by Windows PowerShell 5.1: its syntax, cmdlets and
# types are a list, as it runs nowhere but on Windows.

BeforeDiscovery {
    $Newer = @(
        @{ Script = '$a ? 1 : 2'; Complaint = 'ternary' }
        @{ Script = '$a ?? 1'; Complaint = '??' }
        @{ Script = '$a ??= 1'; Complaint = '??=' }
        @{ Script = '${a}?.Length'; Complaint = '?.' }
        @{ Script = '${a}?[0]'; Complaint = '?[' }
        @{ Script = 'a && b'; Complaint = '&&' }
        @{ Script = 'a || b'; Complaint = '||' }
        @{ Script = 'a &'; Complaint = 'background' }
        @{ Script = "Get-Item .`n| Out-Null"; Complaint = 'pipe at the beginning' }
        @{ Script = 'function f { clean { } }'; Complaint = 'clean' }
        @{ Script = '[Linq.Enumerable]::Empty[int]()'; Complaint = 'type arguments' }
        @{ Script = '1u'; Complaint = 'number' }
        @{ Script = '0b11'; Complaint = 'number' }
        @{ Script = '"`e[0m"'; Complaint = 'escapes' }
        @{ Script = 'if ($IsWindows) { }'; Complaint = '$IsWindows' }
        @{ Script = '[semver] ''1.2.3'''; Complaint = '[semver]' }
        @{ Script = '[ulong[]] 1'; Complaint = '[ulong]' }
        @{ Script = 'param([ushort] $Port)'; Complaint = '[ushort]' }
        @{ Script = 'Join-String'; Complaint = 'Join-String' }
        @{ Script = '1..3 | ForEach-Object -Parallel { $_ }'; Complaint = '-Parallel' }
        @{ Script = '1..3 | % -Parallel { $_ }'; Complaint = '-Parallel' }
        @{ Script = '''{}'' | ConvertFrom-Json -AsHashtable'; Complaint = '-AsHashtable' }
        @{ Script = '1..3 | ForEach-Object -Par { $_ }'; Complaint = '-Par of ForEach-Object' }
        @{ Script = 'Get-Content a -AsB'; Complaint = '-AsB of Get-Content' }
        @{ Script = '1..3 | sort -Top 1'; Complaint = '-Top of Sort-Object' }
        @{ Script = 'gc a -AsByteStream'; Complaint = '-AsByteStream of Get-Content' }
        @{ Script = 'dir -FollowSymlink'; Complaint = '-FollowSymlink of Get-ChildItem' }
        @{ Script = 'iwr $uri -SkipCertificateCheck'; Complaint = '-SkipCertificateCheck of Invoke-WebRequest' }
        @{ Script = 'Invoke-WebRequest $uri -Form $form'; Complaint = '-Form' }
        @{ Script = 'Invoke-RestMethod $uri -ResponseHeadersVariable h'; Complaint = '-ResponseHeadersVariable' }
        @{ Script = 'Import-Module a -UseWindowsPowerShell'; Complaint = '-UseWindowsPowerShell' }
        @{ Script = 'Import-Module a -SkipEditionCheck'; Complaint = '-SkipEditionCheck' }
        @{ Script = 'Get-Command a -UseFuzzyMatching'; Complaint = '-UseFuzzyMatching' }
        @{ Script = 'Get-Item a -ProgressAction Ignore'; Complaint = '-ProgressAction' }
        @{ Script = 'gerr'; Complaint = 'the command gerr' }
        @{ Script = 'Join-Path a b c'; Complaint = 'Join-Path' }
        @{ Script = 'Join-Path -Path a -ChildPath b c'; Complaint = 'Join-Path' }
        @{ Script = 'Join-Path -Resolve a b c'; Complaint = 'Join-Path' }
        @{ Script = '''a'' | Out-File b -Encoding utf8NoBOM'; Complaint = 'utf8NoBOM' }
        @{ Script = 'Set-Content a 1 -Encoding:utf8BOM'; Complaint = 'utf8BOM' }
        @{ Script = 'Set-Content a 1 -Enc ''ansi'''; Complaint = 'ansi' }
        @{ Script = 'Get-Content a -Encoding 1252'; Complaint = '1252' }
        @{ Script = 'enum E : byte { One }'; Complaint = 'enum' }
        @{ Script = '''a''..''f'''; Complaint = 'range' }
        @{ Script = 'param([ValidateScript({ $_ }, ErrorMessage = ''no'')] $Value)'; Complaint = 'ErrorMessage' }
        @{ Script = 'if ($global:IsLinux) { }'; Complaint = '$IsLinux' }
        @{ Script = '[System.Management.Automation.SemanticVersion] ''1.2.3'''; Complaint = 'SemanticVersion' }
        @{ Script = '[Management.Automation.SemanticVersion]::new(1)'; Complaint = 'SemanticVersion' }
        @{ Script = '[IO.Path]::GetRelativePath(''a'', ''b'')'; Complaint = 'IO.Path::GetRelativePath' }
        @{ Script = '[System.Math]::Clamp(1, 2, 3)'; Complaint = 'Math::Clamp' }
        @{ Script = '[io.file]::Move(''a'', ''b'', $true)'; Complaint = '::Move' }
        @{ Script = '[Environment]::ProcessPath'; Complaint = '::ProcessPath' }
        @{ Script = 'if ('; Complaint = 'Missing' }
    )
    $Older = @(
        '''a && b'', "$(1 + 1) ?? 2" # ForEach-Object -Parallel'
        'Invoke-RustParallel -Parallel { $_ }'
        '[Collections.Generic.List[string]]::new(); [ordered] @{ a = 0x1F; b = 12kb; c = 1.5; d = 10L }'
        "Get-ChildItem |`n  Where-Object { `$_ } |`n  Select-Object -First 1"
        'Split-Path a -Leaf; Resolve-Path a -Relative; 1..3 | ForEach-Object -Pr { $_ }; Get-ChildItem -Fo; Get-Date -U %s'
        'Test-Connection a -Ti 64; Export-Csv a -NoT; Export-Csv a -UseC; New-PSSession a -UseSSL; Read-Host -AsSecureString'
        '1..3 | sort -Descending | select -First 1 | % { $_ } | ? { $_ } | tee -Variable a; gc a -Tail 1; dir -Recurse; iwr a -UseBasicParsing'
        'Set-Content a 1 -Encoding UTF8; Get-Content a -Encoding:Byte; Out-File a -Enc ascii; Get-Content a -Encoding $encoding; ''utf8NoBOM'''
        'Join-Path a b; Join-Path -Path a -ChildPath b -Resolve; Join-Path a b -ErrorAction Stop; Join-Path a, c b'
        'Expand-Archive a b; Compress-Archive a b; Install-Module a; Register-PSRepository a; Clear-Host; Get-Verb'
        'enum E { One }; class C : Exception { }; 1..3; ''1''..''3''; $env:IsLinux; function f([ValidateSet(''a'')] $Value) { }'
        '[IO.File]::Move(''a'', ''b''); [IO.File]::Copy(''a'', ''b'', $true); [IO.Path]::GetFullPath(''a''); [Math]::Max(1, 2); [uint64] 1; [System.UInt16] 1'
    ) | ForEach-Object { @{ Script = $_ } }
}

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    . "$PSScriptRoot/WindowsPowerShell51.ps1"

    # The scripts, manifests and formats of the repository: Name, Text.
    $Scripts = & {
        $root = (Resolve-Path (Join-Path $PSScriptRoot '../..')).ProviderPath
        if (-not (Test-Path -LiteralPath (Join-Path $root 'Cargo.toml'))) { return }
        $folders = @(Get-ChildItem -LiteralPath $root -Directory | Where-Object { $_.Name -notin 'target', 'out' -and $_.Name -notlike '.*' })
        $files = @(Get-ChildItem -LiteralPath $root -File) + @($folders | Get-ChildItem -Recurse -File)
        foreach ($file in $files | Where-Object { $_.Extension -in '.ps1', '.psm1', '.psd1', '.ps1xml' }) {
            @{ Name = $file.FullName.Substring($root.Length + 1).Replace('\', '/'); Text = [IO.File]::ReadAllText($file.FullName) }
        }
    }
    $texts = @(Get-Content -LiteralPath "$PSScriptRoot/Session.ps1" -Raw) + @($Scripts | Where-Object { $_.Name -notlike '*.ps1xml' } | ForEach-Object { $_.Text })
    $OwnCommands = New-WordSet (@('Invoke-RustParallel', 'Invoke-RustParallelSite', 'Invoke-OwnRustParallel') + @($texts | ForEach-Object { Get-FunctionName $_ }))

    function Use-Repository { if (-not $Scripts) { Skip-Test 'the repository is not above the tests' } }
}

Describe 'Windows PowerShell 5.1' {
    It 'has all that scripts, manifests and formats use' {
        Use-Repository
        # Measurements, and the tests of sessions over ssh, are made in PowerShell 7.4 or later: what they use is there.
        $mayMeasure = ' of ForEach-Object$| GC::GetTotalAllocatedBytes$| Start-ThreadJob$|-HostName of New-PSSession$| the parameter -Subsystem of New-PSSession$'
        $complaints = foreach ($script in $Scripts) {
            Get-Complaint $script.Name $script.Text $OwnCommands | Where-Object { $script.Name -notmatch '^(benches|tests/sites)/' -or $_ -cnotmatch $mayMeasure }
        }
        $complaints | Should -BeNullOrEmpty
    }

    It 'reads the encoding of scripts' {
        Use-Repository
        # Without a byte order mark it takes a file for the system's old code page: ASCII is the same in all.
        @($Scripts | Where-Object { $_.Text -cmatch '[^\x00-\x7f]' } | ForEach-Object { $_.Name }) | Should -BeNullOrEmpty
    }

    It 'is asked of <File>, too' -ForEach @(
        @{ File = 'build.ps1' }
        @{ File = 'module/RustRunspaces.psd1' }
        @{ File = 'module/RustRunspaces.format.ps1xml' }
        @{ File = 'examples/Watch-Hosts.ps1' }
        @{ File = 'tests/module/Session.ps1' }
    ) {
        Use-Repository
        @($Scripts | ForEach-Object { $_.Name }) -ccontains $File | Should -BeTrue
    }

    It 'has not: <Script>' -ForEach $Newer {
        # The parser that does not know it says something else.
        Use-PowerShell7
        $complaints = @(Get-Complaint 'script.ps1' $Script $OwnCommands)
        @($complaints | Where-Object { $_.Contains($Complaint) }).Count | Should -BeGreaterThan 0 -Because "it says '$complaints'"
    }

    It 'has not what is newer in <Element> of a format or type file' -ForEach @(
        @{ Element = 'ScriptBlock' }
        @{ Element = 'GetScriptBlock' }
        @{ Element = 'SetScriptBlock' }
        @{ Element = 'Script' }
    ) {
        Use-PowerShell7
        @(Get-Complaint 'f.ps1xml' "<Configuration><$Element>`$_ ?? 1</$Element></Configuration>" $OwnCommands).Count | Should -Be 1
    }

    It 'has: <Script>' -ForEach $Older { Get-Complaint 'script.ps1' $Script $OwnCommands | Should -BeNullOrEmpty }

    It 'has not what is newer in a script of a test: <Script>' -ForEach @(
        @{ Script = "Get-Line '1 | ForEach-Object -Parallel { `$_ }'"; Line = 1 }
        @{ Script = "`$a = Get-Table @'`n1`n`$b ?? 2`n'@"; Line = 3 }
        @{ Script = "Invoke-Script ""`$Text; Join-String"""; Line = 1 }
        @{ Script = "It 'a' { Get-Item a }; It 'b' { `n1 | ForEach-Object -Parallel { 1 } }"; Line = 2 }
    ) {
        Use-PowerShell7
        $complaints = @(Get-Complaint 'a.Tests.ps1' $Script $OwnCommands)
        $complaints.Count | Should -Be 1
        $complaints[0] | Should -MatchExactly "^a\.Tests\.ps1:${Line}: "
    }

    It 'need not have what a test uses in PowerShell 7 only, or a script defines: <Script>' -ForEach @(
        @{ Script = "It 'a' { Use-PowerShell7; Get-Line '1 | ForEach-Object -Parallel { `$_ ?? 1 }'; 1 | ForEach-Object -Parallel { 1 } }" }
        @{ Script = "Get-Line 'function Get-Own { 1 }; Get-Own'" }
        @{ Script = "Get-Line ""& { `$Block""" }
    ) { Get-Complaint 'a.Tests.ps1' $Script $OwnCommands | Should -BeNullOrEmpty }
}
