#!/bin/sh
# Looks for data races in the library's own locks, queues and hand-overs by ThreadSanitizer: several threads
# at one pool, over the C interface (tests/threads.rs), with plain threads in rayon's place (the crate's feature
# `races`). Then the same with a race put in by hand, which must be found. Last line: the counts.
#
#   CARGO_COMMAND  a command line that runs cargo
#   LONG           not empty: ten times the pools, and the units of the library that have threads
set -u
cd "$(dirname "$0")/../.." || exit 1

cargo=${CARGO_COMMAND:-./build.sh cargo}
root=$PWD
build=$root/target/races
target=x86_64-unknown-linux-gnu
pools=400
[ -z "${LONG:-}" ] || pools=4000
passed=0
failed=0

mkdir -p "$build" || exit 1

skip_all() {
    echo "skip races $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

# The flag by which newer compilers take a standard library without the sanitizer; older ones just do.
flags='-Zsanitizer=thread -Zshare-generics=n'
allowed='-Cunsafe-allow-abi-mismatch=sanitizer'
# compiles FLAG...: whether a program can be built with them.
compiles() {
    echo 'fn main() {}' | RUSTC_BOOTSTRAP=1 "${RUSTC:-rustc}" "$@" --target $target --crate-name probe \
        -o "$build/probe" - 2>/dev/null
}
[ "$(uname -m)" = x86_64 ] || skip_all "they are looked for on x86_64 only"
# shellcheck disable=SC2086 # lists of flags
if compiles $flags $allowed; then
    flags="$flags $allowed"
elif ! compiles $flags; then
    skip_all "this rustc has no ThreadSanitizer"
fi
# Newer kernels put programs where ThreadSanitizer has its own memory.
plain='setarch -R'
$plain true 2>/dev/null || plain=
$plain "$build/probe" 2>/dev/null || skip_all "ThreadSanitizer does not run on this system"

# races NAME FOLDER ARGUMENT...: cargo test with these, which builds into the folder; its exit code.
races() {
    log=$build/$1.log
    folder=$2
    shift 2
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=$flags RR_THREADS_POOLS=$pools \
        TSAN_OPTIONS="exitcode=66 suppressions=$root/tests/races/suppressions.txt print_suppressions=1" \
        $plain $cargo test --features races --target $target --target-dir "$folder" "$@" >"$log" 2>&1
}

# clean NAME ARGUMENT...: the same, where nothing may be found.
clean() {
    name=$1
    shift
    if races "$name" "$build/clean" "$@" && grep -q '^test result: ok\. [1-9]' "$log" && ! grep -q '^WARNING: ThreadSanitizer' "$log"; then
        passed=$((passed + 1))
        echo "ok races/$name $(grep -oE '[0-9]+ pools in [^,]*' "$log")"
        sed -n 's/^\([0-9][0-9]* race:.*\)/    suppressed: \1/p' "$log"
    else
        failed=$((failed + 1))
        grep -A 12 '^WARNING: ThreadSanitizer' "$log" | head -n 60
        tail -n 5 "$log"
        echo "not ok races/$name see $log"
    fi
}

clean threads --test threads -- --test-threads=1 --nocapture
if [ -n "${LONG:-}" ]; then
    clean pool --test pool -- --test-threads=1
    clean units --lib -- --test-threads=1 completions:: segment:: resolve:: call::tests pool:: reactor::tests second_sender
fi

# A copy of the crate whose pools are woken without the lock.
seeded=$build/seeded
rm -rf "$seeded"
mkdir -p "$seeded"
cp -r Cargo.toml src tests benches "$seeded"
if [ "$(tail -n 1 target/crates 2>/dev/null)" = debian ]; then
    cp target/crate/Cargo.lock "$seeded"
else
    cp Cargo.lock "$seeded"
fi
unlocked='let shared = \&self.shared as *const Mutex<Shared> as usize as *mut Mutex<Shared>;
        unsafe { (*shared).get_mut() }.unwrap().woken = true;'
sed -i "s/lock(&self\.shared)\.woken = true;/$(echo "$unlocked" | tr '\n' ' ')/" "$seeded/src/completions.rs"
if cmp -s src/completions.rs "$seeded/src/completions.rs"; then
    failed=$((failed + 1))
    echo "not ok races/seeded there is no such line in src/completions.rs any more"
elif ! races seeded "$build/seeded-build" --manifest-path "$seeded/Cargo.toml" --test threads -- --test-threads=1 &&
    grep -q 'SUMMARY: ThreadSanitizer: data race .*completions\.rs' "$log"; then
    passed=$((passed + 1))
    echo "ok races/a_seeded_race_is_found"
else
    failed=$((failed + 1))
    tail -n 20 "$log"
    echo "not ok races/a_seeded_race_is_found see $log"
fi

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
