# $Data is the table of results of the host form. For items there is none, and the name is the block's own.

BeforeAll { . "$PSScriptRoot/Session.ps1" }

Describe 'the name $Data in a block for items' {
    It 'is a variable like any other: <Block>' -ForEach @(
        @{ Block = '$data += $_; $data'; Expected = '7' }
        @{ Block = 'if (-not $data) { "none" }'; Expected = 'none' }
        @{ Block = 'Write-Output 7 -OutVariable data | Out-Null; $data[0]'; Expected = '7' }
        @{ Block = '$data = @{}; $data["x"] = $_; $data.x'; Expected = '7' }
        @{ Block = '$null -eq $Data'; Expected = 'True' }
        @{ Block = 'foreach ($data in @(7)) { $data }'; Expected = '7' }
        @{ Block = '[CmdletBinding()] param($data) $data'; Expected = '7' }
        @{ Block = 'function Add-It { $data += 7; $data } Add-It'; Expected = '7' }
        @{ Block = '$a, $data = 1, @{ x = 7 }; $data["x"]'; Expected = '7' }
        @{ Block = '($data) = @{ x = 7 }; $data["x"]'; Expected = '7' }
        @{ Block = '$local:data = @{ x = 7 }; $data["x"]'; Expected = '7' }
        @{ Block = '$script:data = @{ x = 7 }; $data["x"]'; Expected = '7' }
        @{ Block = '[ValidateNotNull()][hashtable]$data = @{ x = 7 }; $data["x"]'; Expected = '7' }
        @{ Block = 'Set-Variable -Name data @{ x = 7 }; $data["x"]'; Expected = '7' }
        @{ Block = 'nv data @{ x = 7 }; $data["x"]'; Expected = '7' }
        @{ Block = 'Write-Output 7 -ov:data | Out-Null; $data[0]'; Expected = '7' }
        @{ Block = 'Write-Output 7 -OutV data | Out-Null; $data[0]'; Expected = '7' }
        @{ Block = '7 | Tee-Object -Variable data | Out-Null; @($data)[0]'; Expected = '7' }
    ) {
        $run = Invoke-CleanScript "7 | Invoke-RustParallel { $Block }"
        ConvertTo-Line $run.Output | Should -Be $Expected
        $run.Warnings.Count | Should -Be 0
    }

    It 'gets one warning naming -ComputerName where entries are used and nothing else sets it: <Block>' -ForEach @(
        @{ Block = '$Data[$_] = 1' }
        @{ Block = '$Data.Entry = 1' }
        @{ Block = '$Data.Add($_, 1)' }
        @{ Block = '"$($Data["x"])"' }
        @{ Block = '$null = Join-Path data x; $Data[$_] = 1' }
        @{ Block = '$null = Write-Output -InputObject data; $Data[$_] = 1' }
    ) {
        $run = Invoke-Script "1..3 | Invoke-RustParallel { $Block }"
        $run.Warnings.Count | Should -Be 1
        $run.Warnings[0].Message | Should -Match '-ComputerName'
    }

    It 'is that of the initialization script' {
        $run = Invoke-CleanScript '1 | Invoke-RustParallel { $Data["x"] } -InitializationScript { $data = @{ x = 7 } }'
        ConvertTo-Line $run.Output | Should -Be '7'
        $run.Warnings.Count | Should -Be 0
    }

    It 'is the caller''s by -Variables' {
        $run = Invoke-CleanScript '$data = @{ x = 7 }; 1 | Invoke-RustParallel { $Data["x"] } -Variables data'
        ConvertTo-Line $run.Output | Should -Be '7'
        $run.Warnings.Count | Should -Be 0
    }
}

Describe 'the name $Data in a block for hosts' {
    It 'is the table of results' {
        (Get-Table 'Invoke-RustParallel a { $Data[$_] = "set" }')['a'] | Should -Be 'set'
        (Get-Table 'Invoke-RustParallel a { function Set-It { $Data["a"] = "set" } Set-It }')['a'] | Should -Be 'set'
    }

    It 'overwrites the caller''s with a word' {
        $run = Invoke-CleanScript '$data = 7; Invoke-RustParallel a { $Data.GetType().Name } -Variables data'
        $run.Output[0]['a'] | Should -Match 'Hashtable'
        $run.Warnings.Count | Should -Be 1
        $run.Warnings[0].Message | Should -Match 'Data'
    }
}
