package cli

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/bench"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/serve"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/web"
)

type benchPagesCmd struct {
	Positions int    `default:"1000000" help:"Positions in the books: two of each holder."`
	Days      int    `default:"7" help:"Days of rewards."`
	Changes   int    `default:"2" help:"Changes of each position on the last of these days."`
	Visitors  int    `default:"200" help:"Holders who log in and look."`
	Reads     int    `default:"1000" help:"Requests of each page."`
	Seed      uint64 `default:"1" help:"Of the random holders."`
	JSON      bool   `name:"json" help:"Print one JSON object."`
}

func (benchPagesCmd) Help() string {
	return `Fills empty books with holders and some days of rewards, logs some of them in, and
measures how long the server takes to make each of their pages, gateway and log and
all, one after another, without a network, after each holder has seen the page once:
half of them, and 99 of 100, within so long. The bytes are those of the page, and of
all that a first visit loads with it, compressed.

Example:
  softstake bench pages
  softstake bench pages --positions 20000 --db postgres://softstake@localhost/bench --json`
}

// Run measures the pages.
func (c *benchPagesCmd) Run(env *Env) error {
	for _, n := range []int{c.Positions - 3, c.Days, c.Changes + 1, c.Visitors, c.Reads} {
		if n < 1 {
			return usage("--positions is at least 4, --changes 0 or more, and every other number above zero")
		}
	}
	o, done := benchOptions(env, c.Seed)
	r, err := bench.Pages(env.Context, o, bench.PagesOptions{
		Positions: c.Positions, Days: c.Days, Changes: c.Changes, Visitors: c.Visitors, Reads: c.Reads,
	}, env.handleBench)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if c.JSON {
		return c.json(env, r)
	}
	if err := env.printf("%s, %d positions, %d days of rewards; %d requests of each page\n\n", r.Engine, r.Positions,
		r.Days, r.Reads); err != nil {
		return err
	}
	g := newGrid(text("page"), figure("p50 ms"), figure("p99 ms"), figure("page KB"), figure("first load KB"))
	for _, p := range r.Pages {
		g.add(p.Path, thousandths(p.P50.Microseconds()), thousandths(p.P99.Microseconds()), thousandths(int64(p.Page)),
			thousandths(int64(p.Load)))
	}
	if err := g.write(env.Stdout); err != nil {
		return err
	}
	return env.printf("\nmemory of this process at most %d MiB\n", r.PeakRSS>>20)
}

// thousandths writes a number of thousandths with one decimal, rounded up.
func thousandths(n int64) string {
	tenths := (n + 99) / 100
	return strconv.FormatInt(tenths/10, 10) + "." + strconv.FormatInt(tenths%10, 10)
}

func (c *benchPagesCmd) json(env *Env, r bench.Looked) error {
	type page struct {
		Path string      `json:"path"`
		P50  json.Number `json:"p50Seconds"`
		P99  json.Number `json:"p99Seconds"`
		Page int         `json:"pageBytes"`
		Load int         `json:"firstLoadBytes"`
	}
	pages := make([]page, len(r.Pages))
	for i, p := range r.Pages {
		pages[i] = page{p.Path, seconds(p.P50), seconds(p.P99), p.Page, p.Load}
	}
	return writeJSON(env.Stdout, struct {
		Engine    string `json:"engine"`
		Positions int    `json:"positions"`
		Days      int    `json:"days"`
		Reads     int    `json:"reads"`
		Pages     []page `json:"pages"`
		PeakRSS   int64  `json:"peakRssBytes"`
	}{r.Engine, r.Positions, r.Days, r.Reads, pages, r.PeakRSS})
}

// benchServer serves books as serve does. The log is written, but nowhere: what a disk
// takes to keep it is another's measurement.
func benchServer(db *store.DB, sealer *access.Sealer, now func() time.Time, pages *web.Options) (*serve.Server, error) {
	return serve.New(serve.Config{Books: db, Sealer: sealer, Now: now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Pages: pages})
}

// handleBench answers for books as serve does.
func (env *Env) handleBench(db *store.DB, now func() time.Time) (http.Handler, error) {
	return benchServer(db, nil, now, &web.Options{Random: env.Random,
		Convert: &conversion.Rules{PriceMaxAge: conversion.MaxPriceAge}})
}
