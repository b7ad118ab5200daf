#!/bin/sh
# Packs a built program, with its unit for systemd, into a Debian package. It starts
# nothing: books are made by "softstake init", and changed by "softstake upgrade" only.
set -eu
[ $# -eq 5 ] || { echo "usage: sh release/deb.sh PROGRAM ARCH VERSION LICENSES.txt FOLDER" >&2; exit 2; }
program=$1 arch=$2 licences=$4 out=$5
version=$(printf %s "${3#v}" | tr - '~') # what follows the "-" of v1.0.0-rc.1 comes before 1.0.0
here=$(dirname "$0")
umask 022
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

install -D -m 755 "$program" "$root/usr/bin/softstake"
install -D -m 644 "$here/softstake.service" "$root/usr/lib/systemd/system/softstake.service"
install -D -m 600 "$here/environment" "$root/etc/softstake/environment"
chmod 700 "$root/etc/softstake"
doc=$root/usr/share/doc/softstake
install -D -m 644 "$licences" "$doc/copyright"
install -m 644 "$here/../docs/operations.md" "$here/../CHANGELOG.md" "$here/../SECURITY.md" "$doc"
install -d "$doc/monitoring"
install -m 644 "$here/../monitoring/rules.yml" "$here/../monitoring/dashboard.json" "$doc/monitoring"

mkdir "$root/DEBIAN"
echo /etc/softstake/environment >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/control" <<CONTROL
Package: softstake
Version: $version
Architecture: $arch
Maintainer: The softstake authors
Section: net
Priority: optional
Description: Soft Staking for a spot ledger
 Double-entry books in SQLite or PostgreSQL, a daily reward on the day's average
 holding, an exchange-compatible REST API, and the holder's pages.
CONTROL
cat >"$root/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
SCRIPT
cat >"$root/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now softstake.service; fi
SCRIPT
cp "$root/DEBIAN/postinst" "$root/DEBIAN/postrm"
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; fi
dpkg-deb --root-owner-group -Zgzip --build "$root" "$out/softstake_${version}_$arch.deb" >/dev/null
