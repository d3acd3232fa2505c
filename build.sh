#!/usr/bin/env bash
# Makes a Debian-like machine able to run build.ps1, and runs it with the task named here: finds
# or installs what is needed, picks the source of the crates, restores PowerShell where there is none
# of 7.4 or later. What a task does is build.ps1's business. Nothing outside this folder is touched but
# packages and their caches; for the package on Ubuntu also their sources (build/ubuntu-ports.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$PWD
log=$root/target/build.log

usage() {
    cat <<'END'
usage: ./build.sh build | run [arguments of Invoke-RustParallel] | test [quick | areas] | simulate [seconds] [seed] | fuzz [seconds] | check-races | soak [calls] [minutes] | pack | bench | header | clean
       ./build.sh cargo [arguments of cargo]

  build   builds library, header check and module into out/RustRunspaces
  run     builds, then sweeps this machine's own addresses, or what the arguments name
  test    builds, then runs all tests, the quick ones, or those of some areas
  simulate  the engine's scheduler over simulated networks, for so many seconds, or one seed again
  fuzz    bad input at random, for so many seconds a part
  check-races  data races in everything of the engine that has threads
  soak    builds, then many calls in one process: does it stay what it was
  pack    builds for all systems, checks, and writes the package into out
  bench   builds, then measures
  header  renews include/rust_runspaces.h
  clean   deletes what was built
  cargo   runs cargo with the crates this machine can get
END
}

# Progress goes to standard error: `build.sh cargo` keeps standard output for cargo.
say() { echo "build.sh: $*" >&2; }

fail() {
    say "$*"
    if [[ $task == test ]]; then
        echo "0 passed, 1 failed, 0 skipped"
    fi
    exit 1
}

# logged COMMAND...: its output goes to the log, the end of it to the screen when it fails.
logged() {
    local start
    start=$(wc -c <"$log")
    echo "\$ $*" >>"$log"
    if ! "$@" >>"$log" 2>&1; then
        tail -c +"$((start + 1))" "$log" | tail -n 30 >&2
        return 1
    fi
}

missing=()

# need PACKAGE PROOF: the proof is a command, or a path that may be a pattern.
need() {
    case $2 in
    /*) compgen -G "$2" >/dev/null || missing+=("$1") ;;
    *) command -v "$2" >/dev/null || missing+=("$1") ;;
    esac
}

# Installs the missing packages; fails, after saying the command to type, when it may not.
install_missing() {
    local packages=("${missing[@]}") as_root=()
    missing=()
    if [[ ${#packages[@]} -eq 0 ]]; then
        return 0
    fi
    local command="apt-get update && apt-get install -y -o DPkg::Lock::Timeout=120 --no-install-recommends ${packages[*]}"
    if [[ " ${packages[*]} " == *:arm64\ * ]]; then
        command="build/ubuntu-ports.sh && dpkg --add-architecture arm64 && $command"
    fi
    if ! command -v apt-get >/dev/null; then
        say "missing here, under Debian's names: ${packages[*]}"
        return 1
    fi
    if [[ $(id -u) -ne 0 ]]; then
        if ! sudo -n true 2>/dev/null; then
            say "packages are missing; to install them type here: sudo sh -c '$command'"
            return 1
        fi
        as_root=(sudo -n)
    fi
    say "installing ${packages[*]}"
    logged "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c "$command"
}

find_dotnet() {
    local candidate
    for candidate in "$(command -v dotnet || true)" "${DOTNET_ROOT:-}/dotnet" "$HOME/.dotnet/dotnet" \
        /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet; do
        if [[ -x $candidate ]] && "$candidate" --list-sdks 2>/dev/null | grep -q '^10\.'; then
            DOTNET_ROOT=$(dirname "$(readlink -f "$candidate")")
            export DOTNET_ROOT PATH="$DOTNET_ROOT:$PATH"
            return 0
        fi
    done
    fail "the .NET 10 SDK is missing. Get it from https://dotnet.microsoft.com/download/dotnet/10.0," \
        "or type: curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
}

find_rust() {
    if ! command -v cargo >/dev/null && [[ -x $HOME/.cargo/bin/cargo ]]; then
        export PATH="$HOME/.cargo/bin:$PATH"
    fi
    need cargo cargo
    need rustc rustc
    need gcc cc
    need libc6-dev /usr/include/stdio.h
    need ca-certificates /etc/ssl/certs/ca-certificates.crt
    need cbindgen cbindgen
    install_missing || fail "cannot build without them"
}

# The crates of the lock from crates.io where it answers. Otherwise Debian's: their checksums do
# not fit the lock, so cargo then works in a folder of links to everything but the lock.
pick_crates() {
    local key
    key=$(cat Cargo.toml Cargo.lock | sha256sum)
    if [[ -f target/crates && $(head -n 1 target/crates) == "$key" ]]; then
        crates=$(tail -n 1 target/crates)
    elif CARGO_NET_RETRY=0 CARGO_HTTP_TIMEOUT=15 cargo fetch --locked >>"$log" 2>&1; then
        crates=crates.io
    else
        say "crates.io does not answer: taking Debian's crates"
        crates=debian
    fi
    if [[ $crates == debian ]]; then
        need_debian_crates
        install_missing || fail "crates.io does not answer, and Debian's crates are not here"
        link_crate
        cargo_folder=$root/target/crate
        cargo_options=()
    else
        cargo_folder=$root
        cargo_options=(--locked)
    fi
    printf '%s\n%s\n' "$key" "$crates" >target/crates
}

need_debian_crates() {
    need librust-rayon-dev '/usr/share/cargo/registry/rayon-[0-9]*'
    need librust-libc-dev '/usr/share/cargo/registry/libc-[0-9]*'
    need librust-once-cell-dev '/usr/share/cargo/registry/once_cell-[0-9]*'
    need librust-proptest-dev '/usr/share/cargo/registry/proptest-[0-9]*'
    need librust-proptest+default-dev '/usr/share/cargo/registry/bit-set-[0-9]*'
}

link_crate() {
    local entry
    mkdir -p target/crate/.cargo
    cat >target/crate/.cargo/config.toml <<'END'
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "/usr/share/cargo/registry"
[net]
offline = true
END
    for entry in *; do
        case $entry in
        target | out | Cargo.lock) ;;
        *) [[ -e target/crate/$entry ]] || ln -sfn "../../$entry" "target/crate/$entry" ;;
        esac
    done
    find target/crate -maxdepth 1 -xtype l -delete
}

# .NET stops at its start when it finds no ICU, unless it is told to do without cultures.
check_icu() {
    if ! compgen -G '/usr/lib/*/libicuuc.so.*' >/dev/null && ! compgen -G '/usr/lib*/libicuuc.so.*' >/dev/null; then
        export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
    fi
}

# What only tests and measurements need: without it they are skipped, with the reason.
prepare_tests() {
    local icu
    need fping fping
    need iproute2 ip
    need nftables nft
    need gnuplot-nox gnuplot
    need valgrind valgrind
    need g++ g++
    need openssh-server /usr/sbin/sshd
    need openssh-client ssh
    need mono-runtime mono
    need mono-devel /usr/lib/mono/4.5/Facades/netstandard.dll
    if ! compgen -G '/usr/lib/*/libicuuc.so.*' >/dev/null && command -v apt-cache >/dev/null; then
        icu=$(apt-cache search --names-only '^libicu[0-9]+$' | sort -V | tail -n 1 | cut -d ' ' -f 1)
        missing+=("${icu:-libicu72}")
    fi
    install_missing || say "going on without them: what needs them is skipped"
}

# Builds for other systems take Debian's own Rust, whose standard libraries for them are packages,
# and Debian's crates, in the folder without a lock.
prepare_pack() {
    need rustc /usr/bin/rustc
    need cargo /usr/bin/cargo
    need libstd-rust-dev-windows /usr/lib/rustlib/x86_64-pc-windows-gnu
    need gcc-mingw-w64-x86-64 x86_64-w64-mingw32-gcc
    need gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
    need libstd-rust-dev:arm64 /usr/lib/rustlib/aarch64-unknown-linux-gnu
    need libc6-dev:arm64 /usr/lib/aarch64-linux-gnu/libc.so
    need_debian_crates
    install_missing || return 1
    link_crate
}

# Other systems are played: Windows by Wine, arm64 by qemu-user.
prepare_stand_ins() {
    need wine wine
    need wine64 /usr/lib/wine/wine64
    need qemu-user-static qemu-aarch64-static
    install_missing
}

# The machine's own PowerShell where it is 7.4 or later, else the one that .config/dotnet-tools.json
# pins; its folder is the first of the path, so that `pwsh` is the same everywhere below.
find_powershell() {
    # shellcheck disable=SC2016 # PowerShell's variables, not the shell's
    if command -v pwsh >/dev/null &&
        pwsh -NoProfile -NonInteractive -Command 'exit [int]($PSVersionTable.PSVersion -lt [version] "7.4")'; then
        return 0
    fi
    local version folder
    version=$(sed -n 's/.*"version": "\([0-9.]\{5,\}\)".*/\1/p' .config/dotnet-tools.json)
    if [[ ! -x target/pwsh/pwsh || $(<target/pwsh/version) != "$version" ]]; then
        say "restoring PowerShell $version"
        logged dotnet tool install PowerShell --version "$version" --tool-path target/pwsh ||
            fail "PowerShell $version cannot be restored, see $log"
        folder=$(dirname "$(find "$root/target/pwsh" -path '*/unix/System.Management.Automation.dll')")
        logged dotnet msbuild build/PowerShell.proj -restore -t:CompileAhead "-p:Folder=$folder" ||
            say "PowerShell is not compiled ahead, see $log: the tests take longer"
        echo "$version" >target/pwsh/version
    fi
    export PATH="$root/target/pwsh:$PATH"
}

task=${1:-}
case $task in
build | run | test | simulate | fuzz | check-races | soak | pack | bench | header | cargo) shift ;;
clean)
    rm -rf target out
    say "deleted target and out"
    exit 0
    ;;
*)
    usage
    [[ $task == help || $task == --help ]] && exit 0
    exit 2
    ;;
esac

: "${HOME:=$root/target/home}"
# Network tools stand in /usr/sbin, which is not in everybody's path. No background servers stay
# behind after a build, and nothing is sent about it.
export HOME PATH="$PATH:/usr/sbin:/sbin" MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false \
    DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 \
    DOTNET_GENERATE_ASPNET_CERTIFICATE=false POWERSHELL_TELEMETRY_OPTOUT=1
mkdir -p target "$HOME"
[[ $task == cargo ]] || : >"$log"
touch "$log"

find_rust
pick_crates
if [[ $task == cargo ]]; then
    export CARGO_TARGET_DIR=$root/target
    cd "$cargo_folder"
    exec cargo "${cargo_options[@]}" "$@"
fi

find_dotnet
case $task in
test | bench) prepare_tests ;;
esac
case $task in
test)
    if [[ ${1:-} != quick ]]; then
        prepare_pack || say "going on without them: the package is not tested"
        prepare_stand_ins || say "going on without them: Windows and arm64 are not tested"
    fi
    ;;
pack) prepare_pack || fail "cannot build for all systems without them" ;;
esac
check_icu
find_powershell
# Colours are for people.
[[ -t 1 ]] || export NO_COLOR=1
exec pwsh -NoProfile -NonInteractive -File "$root/build.ps1" "$task" "$@"
