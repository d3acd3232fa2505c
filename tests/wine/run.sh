#!/bin/sh
# Runs Invoke-ModuleTests.ps1 in PowerShell under Wine: run.sh PWSH.EXE SCRIPT [ARGUMENTS]. The console of
# PowerShell wants a terminal, which `script` gives; what it prints there is for people, and its exit code
# proves nothing, so that the result is what stands in the report. Where there is none, what it printed
# last says which files were done.
set -eu
program=$1
shift
report=$(mktemp)
trap 'rm -f "$report"' EXIT
quoted="wine '$program' -NoProfile -NonInteractive -ExecutionPolicy Bypass -File"
for argument in "$@" -Report "Z:$report"; do
    quoted="$quoted '$argument'"
done
timeout --kill-after=20 18m script -qec "$quoted" /dev/null >"$report.said" </dev/null || true
if [ ! -s "$report" ]; then
    tail -n 30 "$report.said"
    rm -f "$report.said"
    echo 'not ok module PowerShell under Wine ended without a report'
    echo '0 passed, 1 failed, 0 skipped'
    exit 1
fi
rm -f "$report.said"
tr -d '\r' <"$report"
