#!/usr/bin/env bash
# Checks the embedded host: run.sh HOST. Prints `ok NAME` or `not ok NAME ...` for each behaviour
# and the sum as the last line. No terminal and no input is needed.
# Job control, and a signal set to its default: else a background process would be born deaf to
# SIGINT, as this script may have been itself.
set -um
host=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

# expect NAME EXPECTED ACTUAL
expect() {
    if [[ $3 == "$2" ]]; then
        passed=$((passed + 1))
        echo "ok $1"
    else
        failed=$((failed + 1))
        echo "not ok $1 expected [$2], got [$3]"
    fi
}

# run ARGUMENT...: leaves standard output, standard error and code of the host in $out, $err, $code.
run() {
    code=0
    "$host" "$@" >"$folder/out" 2>"$folder/err" </dev/null || code=$?
    out=$(<"$folder/out")
    err=$(<"$folder/err")
}

# signalled SIGNAL COMMAND: sends the signal once the command has begun; sets $code and $seconds.
signalled() {
    local begun=$SECONDS
    env --default-signal=INT "$host" -Command "[IO.File]::WriteAllText('$folder/begun', ''); $2" >/dev/null 2>&1 </dev/null &
    local process=$!
    while [[ ! -e $folder/begun ]] && kill -0 $process 2>/dev/null; do sleep 0.05; done
    rm -f "$folder/begun"
    kill -s "$1" $process
    code=0
    wait $process || code=$?
    seconds=$((SECONDS - begun))
}

cat >"$folder/arguments.ps1" <<'END'
param([string] $Name, [switch] $Switch)
"$Name|$Switch|$($args -join '+')|$PSScriptRoot"
END
run "$folder/arguments.ps1" -Name 'a b' -Switch:\$true rest -1
expect script_gets_its_arguments "a b|True|rest+-1|$folder" "$out"

echo 'exit 3; "not reached"' >"$folder/exit.ps1"
run -File "$folder/exit.ps1"
expect exit_in_a_script_is_the_exit_code 3 "$code"

run -Command 'exit 4'
expect exit_in_a_command_is_the_exit_code 4 "$code"

echo 'throw "broken"' >"$folder/throw.ps1"
run "$folder/throw.ps1"
expect an_uncaught_error_exits_1 1 "$code"
expect an_uncaught_error_names_its_line 1 "$(grep -c "throw.ps1:1" <<<"$err")"

echo 'sh -c "exit 5"' >"$folder/native.ps1"
run "$folder/native.ps1"
expect the_code_of_a_native_command_is_not_the_script_s 0 "$code"

run "$folder/absent.ps1"
expect an_absent_script_is_a_bad_command_line 64 "$code"

run -Command 'Write-Error "wrong" -ErrorId Mine; "after"'
expect an_error_does_not_end_the_script after "$out"
expect an_error_shows_its_id 1 "$(grep -c 'FullyQualifiedErrorId : Mine' <<<"$err")"

run -Command '$VerbosePreference = $DebugPreference = $InformationPreference = "Continue"
    Write-Verbose v; Write-Debug d; Write-Warning w; Write-Information i; Write-Host h; Write-Progress p; "o"'
expect every_stream_is_shown 'VERBOSE: v|DEBUG: d|WARNING: w|i|h|o' "$(tr '\n' '|' <<<"$out" | sed 's/|$//')"

run -Command '[PSCustomObject] @{ Name = "a"; Size = 1 }, [PSCustomObject] @{ Name = "b"; Size = 22 }; exit 7'
expect a_table_is_shown_before_an_exit 'Name Size ---- ---- a 1 b 22' "$(echo $out)"

run -Command 'sh -c "echo native"; "script"'
expect native_output_keeps_its_place 'native script' "$(echo $out)"

run -Command '$seen = 0; 1..1000 | ForEach-Object { $seen++; $_ } | Select-Object -First 2 | Out-Null; $seen'
expect select_first_stops_what_is_before_it 2 "$out"

run -Command '1..4 | ForEach-Object -Parallel { Get-Item / | Out-Null; Write-Output $_ } | Measure-Object -Sum | ForEach-Object Sum'
expect other_runspaces_find_the_stand_ins 10 "$out"

signalled INT 'Start-Sleep 60'
expect an_interrupt_exits_130 130 "$code"
expect an_interrupt_ends_a_sleep_at_once yes "$([[ $seconds -le 10 ]] && echo yes)"

signalled TERM 'while ($true) { }'
expect a_termination_exits_143 143 "$code"

echo "$passed passed, $failed failed, 0 skipped"
[[ $failed -eq 0 ]]
