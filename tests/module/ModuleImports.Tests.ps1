# Imports of -ModuleNames beside each other: one that hangs, one that calls Invoke-RustParallel itself,
# and slow ones of many workers.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    function New-Module([string] $Name, [string] $Text) {
        $folder = New-Item -ItemType Directory -Path (Join-Path $TestDrive $Name)
        $file = Join-Path $folder.FullName "$Name.psm1"
        Set-Content -Path $file -Value $Text
        return $file
    }
}

Describe 'an import of a module' {
    It 'that hangs keeps later calls from nothing' -Tag Slow {
        $hangs = New-Module Hangs '[Threading.Thread]::Sleep(20000); function Get-Hangs { 1 }'
        $quick = New-Module Quick 'function Get-Quick { "quick" }'
        $hanging = Start-Script '1 | Invoke-RustParallel { 1 } -ModuleNames $module -TimeoutSeconds 25' @{ module = $hangs }
        Start-Sleep -Milliseconds 500
        $run = Invoke-CleanScript '1 | Invoke-RustParallel { Get-Quick } -ModuleNames $module' @{ module = $quick }
        ConvertTo-Line $run.Output | Should -Be 'quick'
        # The bound of an import, and what a busy machine adds.
        $run.Duration.TotalSeconds | Should -BeLessThan 10
        # Once it is over, nobody waits for that import any more.
        (Invoke-CleanScript '1 | Invoke-RustParallel { Get-Again } -ModuleNames $module' @{ module = (New-Module Again 'function Get-Again { 1 }') }).Duration.TotalSeconds | Should -BeLessThan 4
        $null = Stop-Script $hanging
    }

    It 'may call Invoke-RustParallel with a module itself' {
        $inner = New-Module Inner 'function Get-Inner { "inner" }'
        $outer = New-Module Outer "`$script:found = 1, 2 | Invoke-RustParallel { Get-Inner } -ModuleNames '$inner'; function Get-Outer { `$script:found -join ',' }"
        $run = Invoke-CleanScript '1..3 | Invoke-RustParallel { Get-Outer } -ModuleNames $module -ThrottleLimit 3' @{ module = $outer }
        ConvertTo-Line $run.Output | Should -Be 'inner,inner', 'inner,inner', 'inner,inner'
        # An import that waited for itself would last as long as the bound.
        $run.Duration.TotalSeconds | Should -BeLessThan 4.5
    }

    It 'that is slow is not as slow as all of them one after another' -Tag Slow {
        $slow = New-Module Slow 'Start-Sleep -Milliseconds 1500; function Get-Slow { "slow" }'
        $barrier = New-Object Threading.Barrier 6
        # Six workers: the first alone, the others side by side.
        $run = Invoke-CleanScript '1..6 | Invoke-RustParallel { $null = ($using:barrier).SignalAndWait(25000); Get-Slow } -ModuleNames $module -ThrottleLimit 6' @{ module = $slow; barrier = $barrier }
        ConvertTo-Line $run.Output | Should -Be (@('slow') * 6)
        $run.Duration.TotalSeconds | Should -BeLessThan 7.5
    }

    It 'is whole in each of many workers, the first time and later' {
        $modules = 1..4 | ForEach-Object { New-Module "Together$_" (((1..30) | ForEach-Object { "function Get-Part$_ { 1 }" }) -join "`n").Replace('Get-Part', "Get-T$_`x") }
        foreach ($round in 1, 2) {
            $barrier = New-Object Threading.Barrier 12
            Get-Line '1..12 | Invoke-RustParallel -ThrottleLimit 12 -ModuleNames $modules { $null = ($using:barrier).SignalAndWait(25000); (Get-Command Get-T?x* -CommandType Function).Count }' @{ modules = $modules; barrier = $barrier } |
                Should -Be (@('120') * 12)
        }
    }
}

Describe 'a module of the engine' {
    AfterEach { Set-MissingMember }

    It 'comes along: <_>' -ForEach 'Microsoft.PowerShell.Utility', 'Microsoft.PowerShell.Management', 'Microsoft.PowerShell.Security' {
        $run = Invoke-CleanScript '1, 2 | Invoke-RustParallel { (Get-Module).Name } -ModuleNames $name -ThrottleLimit 1' @{ name = $_ }
        ConvertTo-Line $run.Output | Should -Be $_, $_
        $run.Warnings.Count | Should -Be 0
    }

    It 'may be imported by a job, as in a console' {
        $run = Invoke-CleanScript '1 | Invoke-RustParallel { Import-Module Microsoft.PowerShell.Utility, Microsoft.PowerShell.Management; (Get-Module Microsoft.PowerShell.*).Count; Microsoft.PowerShell.Management\Test-Path . }'
        ConvertTo-Line $run.Output | Should -Be '2', 'True'
        $run.Warnings.Count | Should -Be 0
    }

    It 'is there where the engine has it for a snap-in' {
        Set-MissingMember ImportedSnapins
        Get-Line '1 | Invoke-RustParallel { Get-Random -Maximum 1 } -ModuleNames Microsoft.PowerShell.Utility' | Should -Be '0'
    }
}
