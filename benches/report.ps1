# What a run of the measurements says: Markdown tables, which read well on a screen, and files of
# every single sample. Needs samples.ps1, $Root and Write-Step.

$ReportFolder = "$Root/out/bench"

# Begins the report of one run.
function New-Report {
    $null = New-Item $ReportFolder -ItemType Directory -Force
    return [PSCustomObject] @{
        Lines   = [Collections.Generic.List[string]]::new()
        Samples = [Collections.Generic.List[string]]::new()
        Bars    = [Collections.Generic.List[string]]::new()
        Missed  = 0
        Judged  = 0
    }
}

function Write-Line($Report, [string] $Text = '') {
    $Report.Lines.Add($Text)
    Write-Step $Text
}

# A table whose columns are as wide as they need to be; numbers stand right.
function Write-Table($Report, [string[]] $Headers, [object[]] $Rows) {
    $widths = for ($column = 0; $column -lt $Headers.Length; $column++) {
        $width = $Headers[$column].Length
        foreach ($row in $Rows) { $width = [Math]::Max($width, ([string] $row[$column]).Length) }
        $width
    }
    $widths = @($widths)
    $rule = foreach ($width in $widths) { '-' * $width }
    foreach ($row in @(, $Headers) + @(, $rule) + $Rows) {
        $cells = for ($column = 0; $column -lt $widths.Length; $column++) {
            ([string] $row[$column]).PadRight($widths[$column])
        }
        Write-Line $Report "| $($cells -join ' | ') |"
    }
    Write-Line $Report
}

# Keeps every sample of a measurement for the CSV file.
function Add-Samples($Report, [string] $Work, [string] $Unit, [Collections.IDictionary] $Samples) {
    foreach ($side in $Samples.Keys) {
        $round = 0
        foreach ($value in $Samples[$side]) {
            $round++
            $Report.Samples.Add("""$Work"",""$side"",$round,$($value.ToString('R', $Invariant)),$Unit")
        }
    }
}

# One group of bars of the picture: milliseconds of each side.
function Add-Bars($Report, [string] $Work, [Collections.IDictionary] $Samples) {
    $Report.Bars.Add("$Work")
    foreach ($side in $Samples.Keys) {
        $summary = Get-Summary $Samples[$side]
        $figures = foreach ($value in $summary.Median, $summary.Low, $summary.High) {
            ($value * 1000).ToString('0.###', $Invariant)
        }
        $Report.Bars.Add("$side`t$($figures -join "`t")")
    }
}

# yes, NO or - for a target; counts it.
function Get-Verdict($Report, $Met) {
    if ($null -eq $Met) { return '-' }
    $Report.Judged++
    if ($Met) { return 'yes' }
    $Report.Missed++
    return 'NO'
}

# A row of a comparison: both sides in milliseconds, and the ratio of the samples of the same round.
# A target is for one of three things: our share of the other's time (TimeAtMost), our share of its
# rate (RateAtLeast), or our own milliseconds (MillisecondsAtMost).
function Get-Comparison {
    param($Report, [string] $Work, [Collections.IDictionary] $Samples, [string] $Ours, [string] $Other,
        $TimeAtMost, $RateAtLeast, $MillisecondsAtMost)

    $own = Get-Summary $Samples[$Ours]
    $others = '-'
    $ratios = '-'
    $ratio = $null
    if ($Other -and $Samples.Contains($Other)) {
        $others = "$Other $(Format-Summary (Get-Summary $Samples[$Other]) 1000)"
        $isRate = $null -ne $RateAtLeast
        $summary = Get-Summary $(if ($isRate) { Get-Ratios $Samples[$Other] $Samples[$Ours] }
            else { Get-Ratios $Samples[$Ours] $Samples[$Other] })
        $ratio = $summary.Median
        $ratios = "$(Format-Summary $summary) of its $(if ($isRate) { 'rate' } else { 'time' })"
    }
    $met = $null
    $target = '-'
    if ($null -ne $MillisecondsAtMost) {
        $target = "<= $MillisecondsAtMost ms"
        $met = $own.Median * 1000 -le $MillisecondsAtMost
    }
    elseif ($null -ne $TimeAtMost) {
        $target = "<= $(Format-Number $TimeAtMost)"
        if ($null -ne $ratio) { $met = $ratio -le $TimeAtMost }
    }
    elseif ($null -ne $RateAtLeast) {
        $target = ">= $(Format-Number $RateAtLeast)"
        if ($null -ne $ratio) { $met = $ratio -ge $RateAtLeast }
    }
    return , @($Work, "$Ours $(Format-Summary $own 1000)", $others, $ratios, $target, (Get-Verdict $Report $met))
}

$ComparisonHeaders = 'work', 'ours, ms', 'the other, ms', 'ratio', 'target', 'met'

# Writes NAME.csv (every sample), NAME.bars (for the picture) and NAME.md (the text).
function Save-Report($Report, [string] $Name) {
    Write-Line $Report "$($Report.Judged - $Report.Missed) of $($Report.Judged) targets met"
    Write-Line $Report
    $header = 'work,side,round,value,unit'
    @($header) + $Report.Samples | Set-Content "$ReportFolder/$Name.csv"
    $Report.Bars | Set-Content "$ReportFolder/$Name.bars"
    $Report.Lines | Set-Content "$ReportFolder/$Name.md"
}

# Puts the text of the last run of a part into the document, between the two comments that name it.
function Update-Document([string] $Part, [string] $Document) {
    $text = (Get-Content $Document -Raw).Replace("`r", '')
    $begin = "<!-- begin $Part -->`n"
    $end = "<!-- end $Part -->"
    $first = $text.IndexOf($begin, [StringComparison]::Ordinal) + $begin.Length
    $last = $text.IndexOf($end, [StringComparison]::Ordinal)
    if ($first -lt $begin.Length -or $last -lt $first) { throw "$Document has no place for the results of $Part" }
    $results = (Get-Content "$ReportFolder/$Part.md" -Raw).Replace("`r", '').TrimEnd()
    $text.Substring(0, $first) + "`n$results`n`n" + $text.Substring($last) | Set-Content $Document -NoNewline
}

# Draws the bars of the last run of each part, one below the other.
function Save-Picture([string[]] $Parts, [string] $Picture) {
    $rows = [Collections.Generic.List[string]]::new()
    foreach ($part in $Parts) {
        foreach ($line in Get-Content "$ReportFolder/$part.bars" -ErrorAction Ignore) {
            $cells = $line.Split("`t")
            if ($cells.Length -eq 1) {
                $rows.Add("$($rows.Count)`t{/:Bold $line}`tNaN`tNaN`tNaN`t0")
                continue
            }
            $colour = if ($cells[0] -match '^Invoke-RustParallel') { 0xb7410e } elseif ($cells[0] -eq 'engine alone') { 0xdea584 } else { 0x8a9199 }
            $rows.Add("$($rows.Count)`t$line`t$colour")
        }
    }
    $rows | Set-Content "$ReportFolder/picture.tsv"
    $settings = "data='$ReportFolder/picture.tsv'; picture='$Picture'; rows=$($rows.Count)"
    $null = Invoke-Required 'gnuplot' 'gnuplot' @('-e', $settings, "$Root/benches/picture.gp")
}
