# In a fresh process: how long the import of a module takes, and with a second argument, the first
# call of Invoke-RustParallel and the median of ten later ones. Output: seconds as `name=value`.
param([string] $Manifest, [string] $Calls)

$watch = [Diagnostics.Stopwatch]::StartNew()
Import-Module $Manifest
"import=$($watch.Elapsed.TotalSeconds)"
if ($Calls) {
    $watch.Restart()
    $null = Invoke-RustParallel -ComputerName 127.0.0.1
    "first=$($watch.Elapsed.TotalSeconds)"
    $later = [double[]]::new(10)
    for ($i = 0; $i -lt $later.Length; $i++) {
        $watch.Restart()
        $null = Invoke-RustParallel -ComputerName 127.0.0.1
        $later[$i] = $watch.Elapsed.TotalSeconds
    }
    [Array]::Sort($later)
    "later=$($later[5])"
}
