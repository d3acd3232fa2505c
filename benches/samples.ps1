# Takes measurements and compares them: rounds in which every side runs once, medians, spread and
# ratios. Knows nothing of what is measured. A sample is seconds, or whatever unit a side gives.

$Invariant = [Globalization.CultureInfo]::InvariantCulture

# Warms every side up, then runs each $Rounds times, in turn (A B A B): what disturbs the machine for
# a while disturbs all sides alike. A side gives one number a run. $Fewer has the rounds of sides that
# are too slow for all of them. Gives side -> samples, in the order of the sides.
function Measure-Sides([int] $Rounds, [Collections.IDictionary] $Sides, [Collections.IDictionary] $Fewer = @{}) {
    $samples = [ordered] @{}
    foreach ($side in @($Sides.Keys)) {
        # .NET compiles what runs often a second time, better: a few calls, or two seconds of them.
        $watch = [Diagnostics.Stopwatch]::StartNew()
        for ($run = 0; $run -lt 4 -and $watch.Elapsed.TotalSeconds -lt 2 -and -not $Fewer.Contains($side); $run++) {
            $null = & $Sides[$side]
        }
        $samples[$side] = [Collections.Generic.List[double]]::new()
    }
    for ($round = 0; $round -lt $Rounds; $round++) {
        foreach ($side in @($Sides.Keys)) {
            if ($Fewer.Contains($side) -and $round -ge $Fewer[$side]) { continue }
            # Garbage of the side before is not this side's work.
            [GC]::Collect()
            $samples[$side].Add([double] (& $Sides[$side]))
        }
    }
    return $samples
}

# Seconds that a block takes, the median of $Repeat runs.
function Measure-Seconds([ScriptBlock] $Block, [int] $Repeat = 1) {
    $times = for ($i = 0; $i -lt $Repeat; $i++) {
        $watch = [Diagnostics.Stopwatch]::StartNew()
        $null = & $Block
        $watch.Elapsed.TotalSeconds
    }
    return Get-Median $times
}

function Get-Median([double[]] $Values) {
    $sorted = [double[]] $Values.Clone()
    [Array]::Sort($sorted)
    $middle = [Math]::Floor($sorted.Length / 2)
    if ($sorted.Length % 2) { return $sorted[$middle] }
    return ($sorted[$middle - 1] + $sorted[$middle]) / 2
}

# Median, Low and High of samples.
function Get-Summary([double[]] $Values) {
    $low = $Values[0]
    $high = $Values[0]
    foreach ($value in $Values) {
        $low = [Math]::Min($low, $value)
        $high = [Math]::Max($high, $value)
    }
    return [PSCustomObject] @{ Median = Get-Median $Values; Low = $low; High = $high; Count = $Values.Length }
}

# The ratios of the samples that were taken in the same round.
function Get-Ratios([double[]] $Dividends, [double[]] $Divisors) {
    $count = [Math]::Min($Dividends.Length, $Divisors.Length)
    return [double[]] $(for ($i = 0; $i -lt $count; $i++) { $Dividends[$i] / $Divisors[$i] })
}

# Three significant digits, never an exponent.
function Format-Number([double] $Value) {
    $magnitude = if ($Value -eq 0) { 0 } else { [Math]::Floor([Math]::Log10([Math]::Abs($Value))) }
    $decimals = [int] [Math]::Max(0, [Math]::Min(3, 2 - $magnitude))
    return $Value.ToString("N$decimals", $Invariant)
}

function Format-Summary($Summary, [double] $Factor = 1) {
    $median = Format-Number ($Summary.Median * $Factor)
    if ($Summary.Count -eq 1) { return $median }
    return "$median ($(Format-Number ($Summary.Low * $Factor))-$(Format-Number ($Summary.High * $Factor)))"
}
