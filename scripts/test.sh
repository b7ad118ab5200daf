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

have_node() { command -v node >/dev/null; }
have_npm() { command -v npm >/dev/null; }
have_chromium() { command -v chromium >/dev/null; }

install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }

# The package would make and start a database cluster of its own, which the tests
# do not need: while it is installed, a setting tells it not to.
install_postgres() {
	setting=/etc/postgresql-common/createcluster.d/softstake.conf
	mkdir -p "$(dirname "$setting")"
	echo "create_main_cluster = false" >"$setting"
	trap 'rm -f "$setting"' EXIT
	install postgresql
}

if ! have_postgres || ! have_node || ! have_npm || ! have_chromium; then
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		echo "test: PostgreSQL, Node, npm or Chromium is missing. Install them (on Debian: sudo apt-get install" >&2
		echo "      postgresql nodejs npm chromium), or run what needs none of them: go test ./..." >&2
		exit 1
	fi
	apt-get update
	have_postgres || install_postgres
	have_node || install nodejs
	have_npm || install npm # some packages of Node bring it, and refuse Debian's beside it
	have_chromium || install chromium fonts-liberation
fi

# The programs written for the exchange that are tried on the server, what looks for
# barriers in the pages, and what reads the API's description. They run no scripts of their own when they are installed,
# and are left alone while nothing changes.
for packages in clients browser contract; do
	if [ ! $packages/node_modules/.package-lock.json -nt $packages/package-lock.json ]; then
		echo "test: npm ci in $packages"
		(cd $packages && npm ci --loglevel=error --no-audit --no-fund --ignore-scripts)
	fi
done


# What is missing from here on is a failure, not a skipped test.
export SOFTSTAKE_REQUIRE_POSTGRES=1 SOFTSTAKE_REQUIRE_CLIENTS=1 SOFTSTAKE_REQUIRE_BROWSER=1

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

echo "test: all passed: format, vet, and the tests on SQLite and PostgreSQL, with the exchange's clients and generated ones, and in a browser"
