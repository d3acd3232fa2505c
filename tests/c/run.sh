#!/bin/sh
# Builds and runs the C client against the release library (plain, and with the client under
# UndefinedBehaviorSanitizer) and against a library that is itself instrumented with
# AddressSanitizer; and under valgrind's memcheck. Checks the header and the exported symbols. Last line:
# the sum of all runs.
#
#   NATIVE_DIR     folder of the release library, as the module ships it
#   CARGO_COMMAND  a command line that runs cargo, to build the instrumented library
#   CC, CXX        compilers; gcc and g++ by default
#   QUICK          not empty: without sanitizers and valgrind
set -u
cd "$(dirname "$0")/../.." || exit 1

native=${NATIVE_DIR:-out/RustRunspaces/native/linux-x64}
cargo=${CARGO_COMMAND:-./build.sh cargo}
cc=${CC:-gcc}
cxx=${CXX:-g++}
build=$PWD/target/c
client=tests/c
target=x86_64-unknown-linux-gnu
# Undefined behaviour is looked for in the library by AddressSanitizer, in the client by both.
strict="-std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -pedantic -g -Iinclude"
passed=0
failed=0
skipped=0

mkdir -p "$build" || exit 1

ok() {
    passed=$((passed + 1))
    echo "ok $1"
}

not_ok() {
    failed=$((failed + 1))
    echo "not ok $1 $2"
}

skip() {
    skipped=$((skipped + 1))
    echo "skip $1 $2"
}

# run_client NAME COMMAND...: adds the numbers of the client's summary to ours. A sanitizer's report,
# a crash or a hang shows in the exit code, and a report at the end stands behind the summary.
run_client() {
    name=$1
    shift
    "$@" "$name/" >"$build/$name.log" 2>&1
    code=$?
    set -- "$name"
    grep -vE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$build/$1.log"
    # shellcheck disable=SC2046 # three numbers
    set -- "$1" $(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' \
        "$build/$1.log")
    passed=$((passed + ${2:-0}))
    failed=$((failed + ${3:-0}))
    skipped=$((skipped + ${4:-0}))
    if [ "$code" -eq 0 ]; then
        ok "$1/ends_cleanly"
    elif [ "${3:-0}" -eq 0 ]; then
        not_ok "$1/ends_cleanly" "exit code $code, see $build/$1.log"
    fi
}

# compile NAME LIBRARY_DIR FLAG...: the client as $build/NAME, the one with faults as $build/NAME-seeded.
compile() {
    name=$1
    libraries=$2
    shift 2
    # shellcheck disable=SC2086 # a list of flags
    "$cc" $strict "$@" -o "$build/$name" "$client"/*.c -L"$libraries" -lrust_runspaces \
        -Wl,-rpath,"$libraries" -pthread &&
        "$cc" $strict "$@" -o "$build/$name-seeded" "$client"/seeded/main.c -L"$libraries" -lrust_runspaces \
            -Wl,-rpath,"$libraries"
}

# finds NAME FAULT SIGN COMMAND...: the checker must say the sign of a fault that is in the program.
finds() {
    name=$1-finds/$2
    sign=$3
    shift 3
    if "$@" 2>&1 | grep -q "$sign"; then
        ok "$name"
    else
        not_ok "$name" "a seeded fault was not reported"
    fi
}

library=$native/librust_runspaces.so
if [ ! -f "$library" ]; then
    not_ok "library" "$library is missing, build it first"
    echo "$passed passed, $failed failed, $skipped skipped"
    exit 1
fi
folder=$(cd "$native" && pwd)

# The header against the library.
sed '/^ *\/\//d' include/rust_runspaces.h | grep -oE '\brr_[a-z_]+\(' | tr -d '(' | sort -u \
    >"$build/declared"
nm -D --defined-only "$library" | awk '{ print $3 }' | sort -u >"$build/exported"
if [ -s "$build/declared" ] && diff "$build/declared" "$build/exported" >"$build/symbols.diff"; then
    ok exported_symbols_are_the_functions_of_the_header
else
    cat "$build/symbols.diff"
    not_ok exported_symbols_are_the_functions_of_the_header "see the difference above"
fi

if ! command -v "$cxx" >/dev/null 2>&1; then
    skip the_header_serves_cpp "no $cxx"
elif "$cxx" -Wall -Wextra -Werror -pedantic -Iinclude -o "$build/header" "$client/header.cpp" \
    -L"$folder" -lrust_runspaces -Wl,-rpath,"$folder" && "$build/header"; then
    ok the_header_serves_cpp
else
    not_ok the_header_serves_cpp "does not compile, link or run"
fi

# The program in the documentation.
sed -n '/^```c$/,/^```$/p' docs/c-api.md | sed '/^```/d' >"$build/example.c"
# shellcheck disable=SC2086 # a list of flags
if ! "$cc" $strict -o "$build/example" "$build/example.c" -L"$folder" -lrust_runspaces \
    -Wl,-rpath,"$folder"; then
    not_ok the_documented_program_sweeps "does not compile"
else
    "$build/example" 127.0.0.0/30 'no host!' 127.0.0.9 >"$build/example.out" 2>"$build/example.err"
    code=$?
    if grep -q '^rr_pool_submit_probes: ' "$build/example.err"; then
        skip the_documented_program_sweeps "$(cat "$build/example.err")"
    elif [ $code -eq 0 ] && [ "$(grep -c '\] is up, [0-9.]* ms$' "$build/example.out")" -eq 3 ] &&
        grep -q '^127.0.0.0/30\[1\] is up' "$build/example.out" &&
        grep -q '^no host!: ' "$build/example.err"; then
        ok the_documented_program_sweeps
    else
        cat "$build/example.out" "$build/example.err"
        not_ok the_documented_program_sweeps "exit code $code, output above"
    fi
fi

# As a program would use it.
if compile plain "$folder" -O2; then
    run_client plain "$build/plain"
else
    not_ok plain "does not compile"
fi

if [ -n "${QUICK:-}" ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
    exit $((failed > 0))
fi

# The client under UndefinedBehaviorSanitizer.
if ! echo 'int main(void) { return 0; }' |
    "$cc" -x c -fsanitize=undefined -o "$build/probe" - 2>/dev/null; then
    skip undefined "$cc has no UndefinedBehaviorSanitizer"
elif compile undefined "$folder" -O1 -fsanitize=undefined -fno-sanitize-recover=all; then
    run_client undefined "$build/undefined"
else
    not_ok undefined "does not compile"
fi

# Client and library under AddressSanitizer, with leaks looked for at the end. Nothing is
# suppressed: what lives on by intent (a callback that never returns) is reachable.
if [ "$(uname -m)" != x86_64 ]; then
    skip address "the instrumented library is built for x86_64 only"
elif ! echo 'int main(void) { return 0; }' |
    "$cc" -x c -fsanitize=address -o "$build/probe" - 2>/dev/null; then
    skip address "$cc has no AddressSanitizer"
elif ! echo 'pub fn probe() {}' | RUSTC_BOOTSTRAP=1 "${RUSTC:-rustc}" -Zsanitizer=address \
    --target $target --crate-type lib --crate-name probe --out-dir "$build" - 2>/dev/null; then
    skip address "this rustc has no AddressSanitizer"
elif ! RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address $cargo build --lib --target $target \
    --target-dir "$build/address-target" >"$build/address-build.log" 2>&1; then
    tail -n 20 "$build/address-build.log"
    not_ok address "the instrumented library does not build"
elif compile address "$build/address-target/$target/debug" -O1 -fsanitize=address \
    -fno-omit-frame-pointer; then
    export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
    run_client address "$build/address"
    finds address read 'heap-buffer-overflow' "$build/address-seeded" read
    finds address leak 'LeakSanitizer: detected memory leaks' "$build/address-seeded" leak
    unset ASAN_OPTIONS
else
    not_ok address "does not compile"
fi

# The release library, all of whose memory valgrind follows. A forked child says nothing: it has lost the
# stacks of the threads it does not have.
memcheck() {
    valgrind -q --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
        --child-silent-after-fork=yes --suppressions="$client/memcheck.supp" --fair-sched=try --log-file="$build/memcheck.found" "$@"
}
if ! command -v valgrind >/dev/null 2>&1; then
    skip memcheck "no valgrind"
else
    export TEST_LIGHT=1
    run_client memcheck memcheck "$build/plain"
    unset TEST_LIGHT
    if grep '^==' "$build/memcheck.found"; then
        not_ok memcheck/nothing_is_reported "see above"
    else
        ok memcheck/nothing_is_reported
    fi
    found_by_memcheck() { memcheck "$@"; cat "$build/memcheck.found"; }
    finds memcheck read 'Invalid read' found_by_memcheck "$build/plain-seeded" read
    finds memcheck leak 'definitely lost' found_by_memcheck "$build/plain-seeded" leak
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
