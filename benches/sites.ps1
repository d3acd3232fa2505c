# The measurements over sessions: the same sweep from 1, 2 and 4 sites, what the border between caller and
# site costs, and script jobs. The sites are those of tests/sites: PowerShell behind an sshd each, in
# network namespaces, all on this machine. Called by run.ps1; needs $report, $Rounds and what run.ps1 has
# loaded.

# Gives kind -> name -> samples, in the order of the first round.
function Measure-Sites {
    $environment = @{
        RUSTRUNSPACES_MODULE        = "$ModuleFolder/RustRunspaces.psd1"
        RUSTRUNSPACES_SITES_COMMAND = "pwsh -NoProfile -NonInteractive -File $Root/benches/fresh/sites.ps1 $([Math]::Min($Rounds, 5))"
    }
    $result = Invoke-Program -File "$Root/tests/sites/run.sh" -Environment $environment -LimitMinutes 20
    $samples = @{ sample = [ordered] @{}; constant = [ordered] @{} }
    foreach ($line in $result.Output.Split("`n")) {
        if ($line -notmatch '^(sample|constant) (.+)=([0-9.E+-]+)\s*$') { continue }
        $list = $samples[$Matches[1]]
        if (-not $list.Contains($Matches[2])) { $list[$Matches[2]] = [Collections.Generic.List[double]]::new() }
        $list[$Matches[2]].Add([double]::Parse($Matches[3], $Invariant))
    }
    if (-not $samples.sample.Count -or $result.ExitCode -ne 0) { Write-Line $report "Sites were not measured: $(Get-LastLine $result.Text 5)" }
    return $samples
}

# A work with its milliseconds and, where it was done another way too, the ratio of the same rounds.
function Get-SiteRow($Samples, [string] $Work, [string] $Other, $TimesAtLeast) {
    $ratio = '-'
    $met = $null
    if ($Other) {
        $summary = Get-Summary (Get-Ratios $Samples[$Other] $Samples[$Work])
        $ratio = "$(Format-Summary $summary) times as fast as with 1 site"
        if ($TimesAtLeast) { $met = $summary.Median -ge $TimesAtLeast }
    }
    $target = if ($TimesAtLeast) { ">= $TimesAtLeast" } else { '-' }
    return @($Work, (Format-Summary (Get-Summary $Samples[$Work])), $ratio, $target, (Get-Verdict $report $met))
}

$measured = Measure-Sites
$samples = $measured.sample
if ($samples.Count) {
    $rows = [Collections.Generic.List[object]]::new()
    foreach ($rate in '20000', '5000') {
        $one = "80,000 hosts, $rate a second a site, 1 site"
        $rows.Add((Get-SiteRow $samples $one))
        $rows.Add((Get-SiteRow $samples "80,000 hosts, $rate a second a site, 2 sites" $one))
        $rows.Add((Get-SiteRow $samples "80,000 hosts, $rate a second a site, 4 sites" $one 3.5))
    }
    foreach ($place in 'here', 'at the site alone', 'over the session') { $rows.Add((Get-SiteRow $samples "65,534 hosts, unlimited, $place")) }
    $there, $over = $samples['65,534 hosts, unlimited, at the site alone'], $samples['65,534 hosts, unlimited, over the session']
    $more = Get-Summary ([double[]] @(for ($i = 0; $i -lt $over.Count; $i++) { $over[$i] - $there[$i] }))
    $rows.Add(@('65,534 results, what the border adds', (Format-Summary $more), '-', '<= 100 ms', (Get-Verdict $report ($more.Median -le 100))))
    $rows.Add((Get-SiteRow $samples "65,534 results as objects, caller's processor"))
    $rows.Add((Get-SiteRow $samples '640 script jobs of 100 ms, 32 threads, 4 sites'))
    Write-Table $report @('work', 'ms', 'ratio', 'target', 'met') $rows
    Add-Samples $report 'over sessions' 'ms' $samples
    # What docs/scale.ps1 begins with.
    Write-Table $report @('over sessions', 'measured') @($measured.constant.Keys | ForEach-Object { , @($_, (Format-Summary (Get-Summary $measured.constant[$_]))) })
    Add-Samples $report 'over sessions' '-' $measured.constant
}
Write-Line $report "Load averages at the end: $(Get-Load)"
