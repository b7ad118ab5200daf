#!/bin/sh
# The test command: `make test`. On a fresh Debian machine with Go it installs
# what is missing, and then checks everything that is committed here.
set -eu
cd "$(dirname "$0")/.."

if ! command -v go >/dev/null; then
	echo "test: Go is missing: install the version that go.mod names" >&2
	exit 1
fi

have_postgres() {
	command -v initdb >/dev/null && return
	for initdb in /usr/lib/postgresql/*/bin/initdb; do
		[ -x "$initdb" ] && return
	done
	return 1
}

# The package would make and start a database cluster of its own, which the tests
# do not need: while it is installed, a setting tells it not to.
install_postgres() {
	setting=/etc/postgresql-common/createcluster.d/softstake.conf
	mkdir -p "$(dirname "$setting")"
	echo "create_main_cluster = false" >"$setting"
	trap 'rm -f "$setting"' EXIT
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql
}

if ! have_postgres; then
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		echo "test: PostgreSQL is missing. Install it (on Debian: sudo apt-get install postgresql)," >&2
		echo "      or test on SQLite alone: go test ./..." >&2
		exit 1
	fi
	install_postgres
fi

export SOFTSTAKE_REQUIRE_POSTGRES=1 # missing is a failure, not a skipped test

echo "test: gofmt"
untidy=$(gofmt -l .)
if [ -n "$untidy" ]; then
	echo "test: not formatted; run gofmt -w on:" >&2
	echo "$untidy" >&2
	exit 1
fi

echo "test: go vet"
go vet ./...

echo "test: go test"
go test ./... -count=1 -timeout=30m

echo "test: all passed: format, vet, and the tests on SQLite and PostgreSQL"
