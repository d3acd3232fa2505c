#!/bin/sh
# Many hosts at once under Wine, in the tests' own network: the program `sweep` (tests/programs) built for
# Windows, over dead hosts and closed ports, bounded in time and in the memory that it takes. Of echo
# requests Wine works on 256 at a time, a thread each, so that they take that much longer than on Windows.
#
# usage: laboratory.sh sweep.sh SWEEP.EXE
#
#   LONG  not empty: 65,024 dead hosts instead, for minutes
set -u
program=$1
passed=0
failed=0
skipped=0
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# sweep NAME OUTCOME JOBS SECONDS MEGABYTES ARGUMENTS...
sweep() {
    name=$1 outcome=$2 jobs=$3 seconds=$4 megabytes=$5
    shift 5
    timeout $((seconds + 30)) wine "$program" --quiet "$@" >"$said" &
    process=$!
    peak=0
    # The program is a child of timeout's, with the same working memory to its end.
    while kill -0 $process 2>/dev/null; do
        for child in $(cat /proc/$process/task/$process/children 2>/dev/null); do
            now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$child/status" 2>/dev/null)
            peak=${now:-$peak}
        done
        sleep 0.05
    done
    wait $process
    told=$(sed -nE "s/^total.*\tjobs=$jobs\t.*\t$outcome=$jobs\t.*\telapsed_ns=([0-9]+)[0-9]{6}\r?$/\1/p" "$said")
    figures="${told:-no} ms, $((peak / 1024)) MB"
    if [ "${told:-999999}" -le $((seconds * 1000)) ] && [ $peak -gt 0 ] && [ $peak -le $((megabytes * 1024)) ]; then
        passed=$((passed + 1))
        echo "ok $name ($figures)"
    else
        failed=$((failed + 1))
        echo "not ok $name $figures, $seconds s and $megabytes MB at most: $(cat "$said")"
    fi
}

if [ "${RUSTRUNSPACES_TEST_NETWORK:-}" = inside ] && [ -n "${LONG:-}" ]; then
    sweep dead_hosts_65024 timed_out 65024 420 96 --count 1 --timeout 1000 10.99.0.0-10.99.253.255
elif [ "${RUSTRUNSPACES_TEST_NETWORK:-}" = inside ]; then
    sweep dead_hosts timed_out 4096 30 96 --count 1 --timeout 100 10.99.0.0-10.99.15.255
    sweep connects_to_dead_hosts timed_out 4096 20 96 --tcp 9 --timeout 500 10.99.0.0-10.99.15.255
    sweep connects_to_closed_ports refused 4096 20 96 --tcp 9 127.1.0.0-127.1.15.255
else
    skipped=1
    echo "skip many_hosts there is no network of the tests' own: ${RUSTRUNSPACES_TEST_NETWORK:-start it by laboratory.sh}"
fi
echo "$passed passed, $failed failed, $skipped skipped"
exit $((failed > 0))
