#!/bin/sh
# Runs the tests of this folder against four sites: OpenSSH's sshd with PowerShell as its subsystem, each
# in a network namespace of its own with its own addresses and routes, and a network of hosts behind
# them. Everything is in namespaces of networks, mounts and processes that end with the script, whatever
# happens to it; nothing outside is changed. The last line is the sum of what was counted.
#
#     run.sh [arguments of ../module/Invoke-ModuleTests.ps1]
#     RUSTRUNSPACES_SITES_COMMAND='pwsh -File x.ps1' run.sh     something else, in the same network
#
#   POWERSHELL             the command line that starts PowerShell; pwsh by default
#   RUSTRUNSPACES_MODULE   the manifest of the module under test; what the build made by default
#   RUSTRUNSPACES_PESTER   the manifest of Pester
set -eu
here=$(cd "$(dirname "$0")" && pwd)
powershell=${POWERSHELL:-pwsh}
manifest=${RUSTRUNSPACES_MODULE:-$here/../../out/RustRunspaces/RustRunspaces.psd1}

skip() {
    echo "skip sites: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

if [ "${RUSTRUNSPACES_SITES:-}" != inside ]; then
    [ "$(id -u)" -eq 0 ] || skip "namespaces and sshd need root"
    command -v ip >/dev/null || skip "ip is not there (Debian: iproute2)"
    [ -x /usr/sbin/sshd ] || skip "sshd is not there (Debian: openssh-server)"
    command -v ssh >/dev/null || skip "ssh is not there (Debian: openssh-client)"
    reason=$(unshare --net --mount --pid --fork true 2>&1) || skip "the system permits no namespaces: $reason"
    [ -f "$manifest" ] || { echo "not ok sites: there is no module at $manifest"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    # With the first process of the process namespace all the others end.
    RUSTRUNSPACES_SITES=inside RUSTRUNSPACES_SITES_FOLDER=$folder \
        unshare --net --mount --pid --fork --kill-child --mount-proc -- "$0" "$@"
    exit
fi

folder=$RUSTRUNSPACES_SITES_FOLDER
# PowerShell names its pipes there by the process's id and the second: runs side by side have the same ids.
export TMPDIR="$folder/tmp"
mkdir "$TMPDIR"
# No record of what a start has compiled, as in build/Tests.ps1, which does not start every run of this.
export DOTNET_MultiCoreJitMinNumCpus=ff
"$here/../module/few-mounts.sh"
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/sshd
ip link set lo up

# Sites by name, as a person would call them. The client is this namespace.
cat >"$folder/hosts" <<'HOSTS'
127.0.0.1 localhost
10.77.0.1 paris
10.77.0.2 oslo
10.77.0.3 lima
10.77.0.4 rome
HOSTS
mount --bind "$folder/hosts" /etc/hosts

# attach NAME ADDRESS: a namespace on the common wire.
ip netns add wire
ip -n wire link add bridge type bridge
ip -n wire link set bridge up
attach() {
    if [ "$1" = client ]; then
        ip link add eth0 type veth peer name "to-$1" netns wire
        ip addr add "$2/24" dev eth0
        ip link set eth0 up
    else
        ip netns add "$1"
        ip -n "$1" link set lo up
        ip -n wire link add "to-$1" type veth peer name eth0 netns "$1"
        ip -n "$1" addr add "$2/24" dev eth0
        ip -n "$1" link set eth0 up
    fi
    ip -n wire link set "to-$1" master bridge up
}
attach client 10.77.0.100

# 10.78.0.0/16 are hosts that all answer; rome has no way to the second half. 10.99.0.0/16 is silent.
# 10.76.N.0/24 belongs to site N alone; fd00:76::/32 to each.
attach hosts 10.77.0.200
ip -n hosts route add local 10.78.0.0/16 dev lo
ip netns exec hosts sysctl -qw net.ipv4.icmp_ratelimit=0
ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
cp "$folder/key.pub" "$folder/authorized"
chmod 700 "$folder"

# The module where each site looks for modules; rome's is replaced by the test of versions.
module=$(dirname "$manifest")
subsystem=$folder/powershell
cat >"$subsystem" <<SUBSYSTEM
#!/bin/sh
exec $powershell "\$@"
SUBSYSTEM
chmod 755 "$subsystem"
# Endpoints of other kinds, at every site: New-PSSession -HostName rome -Subsystem old
#   old          another version of the module
#   constrained  with the module, in constrained language mode
#   restricted   what JEA begins with: no script text, no commands but a few
#   lacking      restricted, but with script text: what asks for the command is told that it is not there
#   readonly     on file systems that are read-only, but for an empty /var/tmp, which is the home there
mkdir -p "$folder/old/RustRunspaces"
echo 'function Invoke-RustParallel {}' >"$folder/old/RustRunspaces/RustRunspaces.psm1"
cat >"$folder/old-powershell" <<SUBSYSTEM
#!/bin/sh
PSModulePath=$folder/old exec $powershell "\$@"
SUBSYSTEM
chmod 755 "$folder/old-powershell"
cat >"$folder/readonly-powershell" <<SUBSYSTEM
#!/bin/sh
exec unshare --mount -- "$folder/readonly" "\$@"
SUBSYSTEM
cat >"$folder/readonly" <<READONLY
#!/bin/sh
mount -t tmpfs tmpfs /var/tmp
cut -d ' ' -f 5 /proc/self/mountinfo | while read -r point; do
    case \$point in
        /proc | /proc/* | /sys | /sys/* | /dev | /dev/* | /var/tmp) ;;
        *) mount -o remount,bind,ro "\$point" ;;
    esac
done
HOME=/var/tmp TMPDIR=/var/tmp PSModuleAnalysisCachePath=/dev/null exec $powershell "\$@"
READONLY
chmod 755 "$folder/readonly-powershell" "$folder/readonly"
endpoint() {
    cat >"$folder/$1.pssc" <<CONFIG
@{ SchemaVersion = '2.0.0.0'; GUID = '$(cat /proc/sys/kernel/random/uuid)'; SessionType = '$2'; LanguageMode = '$3' }
CONFIG
    echo "Subsystem $1 $subsystem -sshs -NoLogo -NoProfile -ConfigurationFile $folder/$1.pssc" >>"$folder/subsystems"
}
echo "Subsystem old $folder/old-powershell -sshs -NoLogo -NoProfile" >"$folder/subsystems"
echo "Subsystem readonly $folder/readonly-powershell -sshs -NoLogo -NoProfile" >>"$folder/subsystems"
endpoint constrained Default ConstrainedLanguage
endpoint restricted RestrictedRemoteServer NoLanguage
endpoint lacking RestrictedRemoteServer ConstrainedLanguage

number=0
for site in paris oslo lima rome; do
    number=$((number + 1))
    attach $site "10.77.0.$number"
    ip -n $site route add local "10.76.$number.0/24" dev lo
    ip -n $site route add 10.99.0.0/16 dev lo
    ip -n $site -6 route add local fd00:76::/32 dev lo
    if [ $site = rome ]; then
        ip -n $site route add 10.78.0.0/17 via 10.77.0.200
        ip -n $site route add unreachable 10.78.128.0/17
    else
        ip -n $site route add 10.78.0.0/16 via 10.77.0.200
    fi
    mkdir -p "$folder/$site/modules"
    ln -s "$module" "$folder/$site/modules/RustRunspaces"
    ssh-keygen -q -t ed25519 -N '' -f "$folder/$site/host_key"
    cat >"$folder/$site/sshd_config" <<CONFIG
Port 22
ListenAddress 10.77.0.$number
HostKey $folder/$site/host_key
PidFile $folder/$site/pid
AuthorizedKeysFile $folder/authorized
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
MaxStartups 100
SetEnv PATH="$PATH" PSModulePath="$folder/$site/modules" POWERSHELL_TELEMETRY_OPTOUT=1 TMPDIR="$TMPDIR" DOTNET_TieredPGO="${DOTNET_TieredPGO:-}" DOTNET_JITMinOpts="${DOTNET_JITMinOpts:-}" DOTNET_MultiCoreJitMinNumCpus=$DOTNET_MultiCoreJitMinNumCpus DOTNET_ROOT="${DOTNET_ROOT:-}" SITE=$site
Subsystem powershell $subsystem -sshs -NoLogo -NoProfile
$(cat "$folder/subsystems")
CONFIG
    ip netns exec $site /usr/sbin/sshd -f "$folder/$site/sshd_config" -E "$folder/$site/log"
done

# lima by a way on which everything takes 150 ms, there and back; not every kernel can delay packets.
cat >"$folder/slow" <<'SLOW'
use IO::Select; use IO::Socket::INET; use Time::HiRes 'time';
my $there = IO::Socket::INET->new(PeerAddr => 'lima:22') or die;
my @late;
while (1) {
    my $wait = @late ? $late[0][0] - time : 60;
    for my $end (IO::Select->new(*STDIN, $there)->can_read($wait > 0 ? $wait : 0)) {
        sysread($end, my $bytes, 65536) or exit;
        push @late, [time + 0.15, $end == $there ? *STDOUT : $there, $bytes];
    }
    while (@late && $late[0][0] <= time) {
        my (undef, $to, $bytes) = @{shift @late};
        for (my $sent = 0; $sent < length $bytes;) { $sent += syswrite($to, $bytes, length($bytes) - $sent, $sent) or exit; }
    }
}
SLOW
cat >"$folder/ssh_config" <<CONFIG
Host slow
    ProxyCommand perl $folder/slow
Host *
    User root
    IdentityFile $folder/key
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
    BatchMode yes
CONFIG
mkdir -p "$folder/home/.ssh"
export RUSTRUNSPACES_MODULE="$manifest" POWERSHELL_TELEMETRY_OPTOUT=1

# ssh of the client: with the tests' own settings, whatever the user's are.
mkdir "$folder/bin"
cat >"$folder/bin/ssh" <<SSH
#!/bin/sh
exec $(command -v ssh) -F "$folder/ssh_config" "\$@"
SSH
chmod 755 "$folder/bin/ssh"
export PATH="$folder/bin:$PATH"

if [ -n "${RUSTRUNSPACES_SITES_COMMAND:-}" ]; then
    exec sh -c "$RUSTRUNSPACES_SITES_COMMAND"
fi
# shellcheck disable=SC2086 # a command line
$powershell -NoProfile -File "$here/../module/Invoke-ModuleTests.ps1" -Folder "$here" "$@" | tee "$folder/said"
sum=$(tail -n 1 "$folder/said")
case $sum in
    *', 0 failed, '*) exit 0 ;;
esac
# A test that fails may have met a session that was lost: why, as both ends have it.
touch "$folder/lost"
sed 's/^/    lost: /' "$folder/lost"
for site in paris oslo lima rome; do
    grep -Ev 'Accepted publickey|Connection from|Server listening|Starting session|subsystem request|Received disconnect|Disconnected from' "$folder/$site/log" |
        tail -n 20 | sed "s/^/    sshd of $site: /"
done
echo "$sum"
exit 1
