#!/bin/sh
# A network of the tests' own, on Linux: runs the command named here in new network and mount
# namespaces, where some addresses are silent or have no route and names come from a file of the
# tests'. Nothing outside is changed, and nothing remains. Where the system permits no namespaces the
# command runs without, and RUSTRUNSPACES_TEST_NETWORK says why: tests that need them are skipped.
set -eu

if [ "${RUSTRUNSPACES_TEST_NETWORK:-}" = inside ]; then
    exec "$@"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/.ssh"
cat >"$folder/hosts" <<'HOSTS'
127.0.0.1 localhost
::1 localhost
127.0.0.21 mini.test
fd00:99::22 dual.test
127.0.0.22 dual.test
127.0.0.23 xn--bcher-kva.test
HOSTS
echo 'hosts: files' >"$folder/nsswitch.conf"
cp "$(dirname "$0")/few-mounts.sh" "$folder/"
cat >"$folder/.ssh/known_hosts" <<'KNOWN'
# a comment
known.test,10.96.0.9 ssh-ed25519 AAAA
[ported.test]:2222 ssh-ed25519 AAAA
@cert-authority *.pattern.test ssh-ed25519 AAAA
|1|F1E2= ssh-ed25519 AAAA
KNOWN
cat >"$folder/setup" <<'SETUP'
ip link set lo up &&
ip address add fd00:99::22/128 dev lo &&
ip route add 10.99.0.0/16 dev lo &&
ip route add unreachable 10.98.0.0/16 &&
ip route add blackhole 10.97.0.0/16 &&
ip route add prohibit 10.96.0.0/16 &&
mount --bind "$0/hosts" /etc/hosts &&
mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf &&
"$0/few-mounts.sh" &&
exec "$@"
SETUP

# A user without rights is root in a user namespace of its own, where the system permits that.
user=
[ "$(id -u)" -eq 0 ] || user=--map-root-user
inside() {
    unshare $user --net --mount --fork --kill-child -- /bin/sh -c "$(cat "$folder/setup")" "$folder" "$@"
}
if reason=$(inside true 2>&1); then
    RUSTRUNSPACES_TEST_NETWORK=inside HOME=$folder inside "$@"
else
    RUSTRUNSPACES_TEST_NETWORK=${reason:-unshare failed} "$@"
fi
