# Every target that has a "##" is listed by `make help`.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    = 10s

.PHONY: help build run test test-long race fuzz check release bench screenshots pictures

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

build: ## build ./softstake, one static binary
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -o softstake .

run: ## a made-up town of holders, to look at
	go run . demo

test: ## THE test command: installs what is missing, checks format, vets, tests
	@sh scripts/test.sh

test-long: ## the tests with the race detector and long random runs (tens of minutes)
	SOFTSTAKE_REQUIRE_POSTGRES=1 SOFTSTAKE_LONG=1 go test -race -count=1 -timeout=90m ./...

race: ## the race detector where goroutines meet: store, db, events, serve (minutes)
	@sh scripts/race.sh

fuzz: ## each fuzz target for FUZZTIME (10s)
	@grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/:.*func / /' | \
	while read -r file target; do \
		echo "fuzz: $$target in $$(dirname $$file)"; \
		go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$(dirname $$file)" || exit 1; \
	done

check: ## format, vet, staticcheck
	@untidy=$$(gofmt -l .); if [ -n "$$untidy" ]; then echo "run gofmt -w on:"; echo "$$untidy"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...

release: ## binaries, Debian packages, checksums and SBOMs of the committed tree, in dist/
	rm -rf dist
	sh release/build.sh dist

screenshots: ## a picture of every page, both widths and themes, in screenshots/
	SOFTSTAKE_REQUIRE_BROWSER=1 SOFTSTAKE_SCREENSHOTS="$(CURDIR)/screenshots" go test ./browser -count=1 -run=TestEveryPage

pictures: ## the three pictures of the README, in docs/
	SOFTSTAKE_REQUIRE_BROWSER=1 SOFTSTAKE_PICTURES="$(CURDIR)/docs" go test ./browser -count=1 -run=TestPicturesForTheReadme

bench: ## measure how fast this machine settles, posts and answers, on SQLite
	go run . bench settle
	go run . bench post
	go run . bench http
