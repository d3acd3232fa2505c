# The model of docs/scale.md: that it obeys what is known of it, has the rules of the module, and that the document
# says what it says.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    $Model = Join-Path $PSScriptRoot '../../docs/scale.ps1'
}

Describe 'The model of scale' {
    BeforeEach { $null = Get-RepositoryFile 'docs/scale.ps1' }

    It 'sites alike share the time, as long as the caller keeps up: <_> of them' -ForEach 1, 2, 4 {
        $row = & $Model -Sites $_ -Hosts 80000 -Rate 5000 -AliveShare 1 -SlowestShare 1 -RoundTripSeconds 0.006
        $row.Seconds | Should -BeGreaterOrEqual (16 / $_)
        $row.Seconds | Should -BeLessThan (16 / $_ * 1.03)
    }

    It 'slow sites get less, and all end together' {
        $row = & $Model -Sites 8 -Hosts 400000 -Rate 5000 -AliveShare 1 -SlowestShare 0.2
        $row.Seconds | Should -BeLessThan ($row.RateSeconds * 1.05)
        $row.IdleAtEnd | Should -BeLessThan 0.5
    }

    It 'hosts that do not answer cost all attempts, and the last one its timeout' {
        $row = & $Model -Sites 1 -Hosts 100000 -Rate 10000 -AliveShare 0 -Count 3 -SlowestShare 1
        $row.Packets | Should -Be 300000
        $row.Seconds | Should -BeGreaterThan 33
        $row.Seconds | Should -BeLessThan 34
    }

    It 'more sites than the caller can keep busy make nothing faster' {
        $few, $many = foreach ($sites in 100, 400) { & $Model -Sites $sites -Hosts 100000000 }
        $few.HeldUpBy | Should -Be 'caller'
        [Math]::Abs($many.Seconds / $few.Seconds - 1) | Should -BeLessThan 0.05
        $few.Seconds | Should -BeGreaterOrEqual $few.CallerSeconds
        $few.SitesForCaller | Should -BeLessThan 100
        (& $Model -Sites $few.SitesForCaller -Hosts 100000000).HeldUpBy | Should -Be 'rate'
    }

    It 'a round trip costs something only from where a site has nothing left' {
        $near, $far, $farther = foreach ($seconds in 0.01, 0.25, 1) { & $Model -Sites 4 -Hosts 1000000 -AliveShare 1 -RoundTripSeconds $seconds }
        $far.Seconds | Should -BeLessThan ($near.Seconds + 2)
        $farther.Seconds | Should -BeGreaterThan ($near.Seconds * 2)
    }

    It 'it has the rules of the module' {
        $rules = Get-Content (Get-RepositoryFile 'module/Sites/ProbeSite.cs') -Raw
        $text = Get-Content $Model -Raw
        foreach ($name in 'ChunkSeconds', 'AheadSeconds', 'LeastAheadSeconds', 'SmallestChunk', 'LargestChunk') {
            $null = $rules -match "const \w+ $name = ([\d_.]+);"
            $own = $Matches[1].Replace('_', '')
            $null = $text -match "(?m)^\`$$name = ([\d.]+)"
            $Matches[1] | Should -Be $own -Because $name
        }
    }

    It 'the document has its rows' {
        $document = (Get-Content (Get-RepositoryFile 'docs/scale.md') -Raw).Replace("`r", '')
        $rows = (& $Model -Table) -join "`n"
        $document.Contains("<!-- begin model -->`n$rows`n<!-- end model -->") | Should -BeTrue -Because "docs/scale.ps1 -Table says`n$rows"
    }
}
