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
have_python() { command -v python3 >/dev/null; }
have_chromium() { command -v chromium >/dev/null; }

install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }

# What is removed at the end, if it was made.
setting=
memory=
program=
trap 'rm -rf "$setting" "$memory" "$program"' EXIT
trap 'exit 1' INT TERM

# The package would make and start a database cluster of its own, which the tests
# do not need: while it is installed, a setting tells it not to.
install_postgres() {
	setting=/etc/postgresql-common/createcluster.d/softstake.conf
	mkdir -p "$(dirname "$setting")"
	echo "create_main_cluster = false" >"$setting"
	install postgresql
}

if ! have_postgres || ! have_node || ! have_npm || ! have_python || ! have_chromium; then
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		echo "test: PostgreSQL, Node, npm, Python or Chromium is missing. Install them (on Debian: sudo apt-get install" >&2
		echo "      postgresql nodejs npm python3 chromium), or run what needs none of them: go test ./..." >&2
		exit 1
	fi
	apt-get update
	have_postgres || install_postgres
	have_node || install nodejs
	have_npm || install npm # some packages of Node bring it, and refuse Debian's beside it
	have_python || install python3
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

# Books that are thrown away need no disk, which costs the system more time than the
# tests themselves. So they are made in memory, where there is room for them and programs
# may be started; nothing is told apart by it, as no test takes the power away.
if [ -z "${TMPDIR:-}" ] && [ "$(df -kP /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')" -gt 4000000 ] 2>/dev/null; then
	memory=$(mktemp -d /dev/shm/softstake-test-XXXXXX)
	chmod 711 "$memory" # PostgreSQL runs as another user
	echo '#!/bin/sh' >"$memory/try"
	chmod +x "$memory/try"
	if "$memory/try" 2>/dev/null; then export TMPDIR="$memory"; fi
fi

# Compilers, linkers and tests are short programs with small heaps: collecting garbage less often costs them some 100 MB,
# and saves a tenth of the CPU time.
export GOGC=400

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

# The program that tests of six packages start is linked once.
program=$(mktemp -d)
chmod 755 "$program"
export SOFTSTAKE_PROGRAM="$program/softstake"
go build -o "$SOFTSTAKE_PROGRAM" .

echo "test: go test"
# Vetting is done, and nobody debugs the programs that are linked for the tests.
go test ./... -count=1 -timeout=30m -vet=off -ldflags=-w

echo "test: all passed: format, vet, and the tests on SQLite and PostgreSQL, with the exchange's clients and generated ones, and in a browser"
