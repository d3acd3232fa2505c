#!/bin/sh
# Runs the C client on C libraries other than this machine's: Debian 11's glibc, which has its threads
# and its loader's functions in files of their own, and musl, which has no versions. Both come from
# the package archive and are unpacked, not installed; each is run by its own loader. Last line: the
# sum of all runs.
#
# usage: run.sh LIBRARY_FOLDER GCC STUBS_FOLDER [EMULATOR]
#
#   RUSTC  the compiler of the library; rustc by default
set -u
library=$(cd "$1" && pwd)
gcc=$2
stubs=$(cd "$3" && pwd)
emulator=${4:-}
cd "$(dirname "$0")/../.." || exit 1

case $($gcc -dumpmachine) in
aarch64*) machine=arm64 target=aarch64-unknown-linux-gnu triple=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 musl=ld-musl-aarch64.so.1 ;;
*) machine=amd64 target=x86_64-unknown-linux-gnu triple=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 musl=ld-musl-x86_64.so.1 ;;
esac
build=$PWD/target/libc-test/$machine
rustc=${RUSTC:-rustc}
passed=0
failed=0
skipped=0
mkdir -p "$build"

sum() {
    echo "$passed passed, $failed failed, $skipped skipped"
    exit $((failed > 0))
}

skip() {
    skipped=$((skipped + 1))
    echo "skip $1 $2"
}

not_ok() {
    failed=$((failed + 1))
    echo "not ok $1 $2"
}

# Unpacks the packages of Debian 11 into $build/root, with lists and status of its own: the machine's
# are not touched.
unpack() {
    if [ -f "$build/root/done" ]; then
        return 0
    fi
    archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        grep '/debian/*$' | head -n 1)
    if [ -z "$archive" ]; then
        return 1
    fi
    mkdir -p "$build/lists/partial" "$build/cache/archives/partial" "$build/packages" "$build/root"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$keyring] $archive bullseye main" >"$build/sources.list"
    set -- -o "Dir::Etc::SourceList=$build/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State::Lists=$build/lists" -o "Dir::Cache=$build/cache" -o Dir::State::status=/dev/null \
        -o "APT::Architecture=$machine" -o "APT::Architectures=$machine" -o APT::Sandbox::User=root
    (
        cd "$build/packages" &&
            apt-get "$@" -qq update && apt-get "$@" -qq download libc6 libgcc-s1 musl
    ) >"$build/apt.log" 2>&1 || return 1
    for package in "$build"/packages/*.deb; do
        dpkg -x "$package" "$build/root" || return 1
    done
    touch "$build/root/done"
}

# run NAME COMMAND...: adds the client's own sum to ours.
run() {
    name=$1
    shift
    "$@" "$build/client" "$name/" >"$build/$name.log" 2>&1
    code=$?
    grep -vE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$build/$name.log"
    # shellcheck disable=SC2046 # three numbers
    set -- $(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$build/$name.log")
    passed=$((passed + ${1:-0}))
    failed=$((failed + ${2:-0}))
    skipped=$((skipped + ${3:-0}))
    if [ "$code" -ne 0 ] && [ "${2:-0}" -eq 0 ]; then
        not_ok "$name/ends_cleanly" "exit code $code, see $build/$name.log"
    fi
}

# unwind NAME COMMAND...: panics are contained and threads' values dropped.
unwind() {
    name=$1
    shift
    "$@" "$build/unwinding"
    code=$?
    if [ $code -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok $name/panics_are_contained_and_values_of_threads_dropped"
    else
        not_ok "$name/panics_are_contained_and_values_of_threads_dropped" "exit code $code"
    fi
}

# Built against the stubs, too: it shall start where the library does.
if ! $gcc -std=c99 -D_POSIX_C_SOURCE=200809L -O2 -Iinclude -o "$build/client" tests/c/*.c \
    "-L$stubs" "-L$library" -lrust_runspaces "$stubs/libpthread.so" "$stubs/libdl.so" \
    "$stubs/functions.o" -Wl,--allow-shlib-undefined; then
    not_ok "client" "does not compile"
    sum
fi
# With the engine's own options.
if ! $rustc --edition 2021 --crate-type cdylib -O -C panic=unwind -C lto=fat -C codegen-units=1 \
    --target $target -C "linker=$gcc" -C "link-arg=-L$stubs" -C "link-arg=$stubs/functions.o" \
    -C link-arg=-Wl,--no-as-needed -C "link-arg=$stubs/libpthread.so" -C "link-arg=$stubs/libdl.so" -o "$build/libunwinding.so" tests/libc/unwinding.rs ||
    ! $gcc -O2 -o "$build/unwinding" tests/libc/unwinding.c "-L$stubs" "-L$build" -lunwinding \
        "$stubs/functions.o" "$stubs/libdl.so" -Wl,--allow-shlib-undefined; then
    not_ok "unwinding" "does not compile"
    sum
fi
if ! unpack; then
    skip "other C libraries" "Debian 11's packages cannot be had here, see $build/apt.log"
    sum
fi

# What an emulator is too slow for, or cannot do, is left out.
if [ -n "$emulator" ]; then
    TEST_SLOW_ECHO=1
    TEST_EMULATED=1
    export TEST_SLOW_ECHO TEST_EMULATED
fi

old=$build/root/lib/$triple
# shellcheck disable=SC2086 # a program, or nothing
run "glibc-2.31-$machine" $emulator "$old/$loader" --library-path "$old:$library"
# shellcheck disable=SC2086 # as above
unwind "glibc-2.31-$machine" $emulator "$old/$loader" --library-path "$old:$build"

# Of the older system only libgcc_s, with what it wants of its own.
mkdir -p "$build/musl"
cp "$old/libgcc_s.so.1" "$build/musl/"
preload=
if [ $machine = amd64 ]; then
    preload=$build/musl/cpu_model.so
    $gcc -shared -fPIC -nostdlib -o "$preload" tests/libc/cpu_model.c || not_ok "cpu_model" "does not compile"
fi
# shellcheck disable=SC2086 # a program, or nothing
run "musl-$machine" $emulator "$build/root/lib/$musl" ${preload:+--preload "$preload"} \
    --library-path "$build/musl:$library"
# shellcheck disable=SC2086 # as above
unwind "musl-$machine" $emulator "$build/root/lib/$musl" ${preload:+--preload "$preload"} \
    --library-path "$build/musl:$build"
sum
