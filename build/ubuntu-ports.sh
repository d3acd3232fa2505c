#!/bin/sh
# On Ubuntu for amd64, makes apt able to get packages of arm64, which are on ports.ubuntu.com alone: adds that
# for arm64, and keeps the sources that are there to the architectures dpkg has now, as their servers have no index
# for it and every update would fail. To be run before arm64 is added. Does nothing on other systems, nor where
# ports.ubuntu.com is a source already.
#
# usage: ubuntu-ports.sh [ROOT]   the folder above etc, else the system's own
set -eu
root=${1:-}
apt=$root/etc/apt
ID='' VERSION_CODENAME=''
# shellcheck source=/dev/null
. "$root/etc/os-release"
if [ "$ID" != ubuntu ] || [ "$(dpkg --print-architecture)" != amd64 ] || grep -qrs 'ports\.ubuntu\.com' "$apt/sources.list" "$apt/sources.list.d"; then
    exit 0
fi
architectures=$({ echo amd64 && dpkg --print-foreign-architectures; } | grep -vx arm64)

# One line a source: options in brackets.
list=$(echo "$architectures" | paste -sd ,)
for file in "$apt/sources.list" "$apt"/sources.list.d/*.list; do
    [ -f "$file" ] || continue
    sed -E -i -e '/^[[:space:]]*deb(-src)?[[:space:]]+\[[^]]*arch[+-]?=/b' \
        -e "s/^([[:space:]]*deb(-src)?[[:space:]]+)\[/\1[arch=$list /;t" \
        -e "s/^([[:space:]]*deb(-src)?[[:space:]]+)/\1[arch=$list] /" "$file"
done

# A stanza a source: a line among others, and stanzas are divided by empty lines.
words=$(echo "$architectures" | paste -sd ' ')
for file in "$apt"/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    awk -v line="Architectures: $words" '
        function stanza() { if (types && !limited) print line; types = limited = 0 }
        /^[[:space:]]*$/ { stanza() }
        tolower($0) ~ /^types:/ { types = 1 }
        tolower($0) ~ /^architectures(-add|-remove)?:/ { limited = 1 }
        { print }
        END { stanza() }' "$file" >"$file.new"
    # As it was: owner, mode, links.
    cat "$file.new" >"$file"
    rm "$file.new"
done

cat >"$apt/sources.list.d/arm64-ports.sources" <<SOURCE
Types: deb
URIs: http://ports.ubuntu.com/ubuntu-ports/
Suites: $VERSION_CODENAME $VERSION_CODENAME-updates $VERSION_CODENAME-security
Components: main universe
Architectures: arm64
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
SOURCE
