#!/bin/sh
# The race detector where goroutines meet: "make race". All tests of db, events and serve; of
# store, which has many, those that start goroutines themselves. "make test-long" runs all.
set -eu
cd "$(dirname "$0")/.."

starting=$(awk '
	/^func / { name = $2; sub(/\(.*/, "", name) }
	/\.Go\(|go func/ && name ~ /^Test/ { print name }
' store/*_test.go | sort -u | paste -sd '|' -)
[ -n "$starting" ] || { echo "race: no test of store starts a goroutine" >&2; exit 1; }

go test -race -count=1 -timeout=15m -run="^($starting)\$" ./store
for folder in db events serve; do
	if [ ! -d $folder ]; then
		echo "race: there is no $folder"
		continue
	fi
	go test -race -count=1 -timeout=15m ./$folder
done
