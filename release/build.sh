#!/bin/sh
# Builds a release into a new folder: "make release". For each target an archive, an SBOM
# and, for Linux, a Debian package; beside them SHA256SUMS. The same revision gives the same
# bytes, in whatever folder: TestReproducible compares. Needs Go, git, GNU tar and dpkg-deb.
set -eu
out=${1:?"usage: sh release/build.sh FOLDER [OS/ARCH...]"}
shift
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64 darwin/arm64
mkdir "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
if [ -n "$(git status --porcelain)" ]; then
	echo "release: there are changes that are not committed; commit them first" >&2
	exit 1
fi

# Nothing of this machine's settings goes into the files.
umask 022
export LC_ALL=C TZ=UTC CGO_ENABLED=0 GOFLAGS=-mod=readonly GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT=
export GOTOOLCHAIN="go$(awk '$1 == "go" { print $2 }' go.mod)"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for target; do
	os=${target%/*} arch=${target#*/}
	echo "release: $os/$arch"
	GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=true -ldflags='-s -w' -o "$work/softstake" .
	version=$(go version -m "$work/softstake" | awk '$1 == "mod" { print $3 }')
	name=softstake_${version}_${os}_$arch

	go run ./release "$work/softstake" "$out/$name.sbom.json" "$work/LICENSES.txt"
	mkdir "$work/$name"
	cp "$work/softstake" "$work/LICENSES.txt" LICENSE README.md CHANGELOG.md SECURITY.md "$work/$name"
	cp -R docs monitoring "$work/$name"
	tar -C "$work" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=go-w --mtime="@$SOURCE_DATE_EPOCH" \
		-cf - "$name" | gzip -9n >"$out/$name.tar.gz"
	[ "$os" != linux ] || sh release/deb.sh "$work/softstake" "$arch" "$version" "$work/LICENSES.txt" "$out"
	rm -r "$work/$name"
done
(cd "$out" && sha256sum -- * >"$work/SHA256SUMS" && cp "$work/SHA256SUMS" .)
