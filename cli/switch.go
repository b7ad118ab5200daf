package cli

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// clientFlags are what a holder used for the switch.
type clientFlags struct {
	Platform   string         `enum:"web,ios,android" default:"web" help:"What the holder used: ${enum}."`
	AppVersion string         `placeholder:"3.1.0" help:"Version of the mobile app; needed with ios and android."`
	Address    string         `placeholder:"IP" help:"Network address the holder came from."`
	Country    staking.Region `placeholder:"CODE" help:"Country the holder came from."`
}

func (f clientFlags) client() (staking.Client, error) {
	c := staking.Client{Platform: f.Platform, Version: f.AppVersion}
	if f.Address != "" && !setAddress(&c, f.Address) {
		return c, usage("--address %q is not an IP address such as 192.0.2.7 or 2001:db8::7", ledger.Clip(f.Address))
	}
	err := setCountry(&c, string(f.Country))
	return c, err
}

// setAddress reports whether the text is an IP address, which the client then has.
func setAddress(c *staking.Client, text string) bool {
	address, err := netip.ParseAddr(text)
	c.Address = address.String()
	return err == nil && address.Zone() == ""
}

// setCountry gives the client a country, unless it is "". Its error is that of staking.ParseRegion.
func setCountry(c *staking.Client, country string) (err error) {
	if country != "" {
		c.Country, err = staking.ParseRegion(country)
	}
	return err
}

// acceptCmd accepts documents for a holder.
type acceptCmd struct {
	Account  ledger.Account `arg:""`
	Document string         `arg:"" optional:"" help:"One of them; without it all three."`
	Version  *int           `placeholder:"N" help:"Version that was accepted; without it the current one."`
	clientFlags
}

func (c *acceptCmd) Help() string {
	return `Who accepted which version, when, from which client and address is kept. Repeating has no further effect.

Example:

  softstake accept alice`
}

func (c *acceptCmd) Run(env *Env) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	names := []string{c.Document}
	if c.Document == "" {
		names = staking.DocumentNames
	}
	version := given(c.Version, 0)
	switch {
	case c.Version == nil:
	case c.Document == "":
		return usage("--version goes with a document's name")
	case version < 1:
		return usage("--version %d is no version; the first is 1, and without --version it is the current one", version)
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		for _, name := range names {
			err := db.Documents().Accept(ctx, c.Account, name, version, client)
			if err := env.done(err, "%s accepted %s.\n", c.Account, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// enrollCmd switches Soft Staking on.
type enrollCmd struct {
	Account ledger.Account `arg:"" optional:""`
	File    string         `placeholder:"FILE" help:"Switch on the accounts of a file; - is the standard input."`
	At      *instant       `placeholder:"TIME" help:"When the switch was pressed, such as 2026-11-22T10:00:00Z: a moment of an open day. Without it: now."`
	clientFlags
}

func (c *enrollCmd) Help() string {
	return `Every token on offer in the account earns from the day after. The account needs a verified residence where Soft Staking is offered, a mobile app of version 3.1.0 or later (the web needs none), and the current version of each document accepted. On already: nothing changes.

A file has a line for each account, in CSV with the column account, and those of accepted_at, accepted, at, platform, version, address and country that it needs; or in JSON, with the names account, acceptedAt, accepted (a list), and so on. accepted_at is when the holder accepted the documents, with its zone: not before they were published. accepted names them, separated by spaces, such as "terms-of-use:1 risk-warning:2"; without it, it is the current version of each. What a line says nothing of is as the flags say. Bad lines are shown with their numbers, and nothing of them is written; the others are switched on, some thousand in a transaction, and the exit status is 1. After an interruption, give the same file again.

Examples:

  softstake enroll alice
  softstake enroll --file holders.csv`
}

func (c *enrollCmd) Run(env *Env) error {
	if c.File != "" {
		return c.runFile(env)
	}
	if c.Account == "" {
		return usage("give an account, or a --file of many")
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		e, err := db.Enroll(ctx, c.Account, client, time.Time(given(c.At, instant{})))
		format := "Soft Staking is on for %s. The first day measured is %s, 00:00 to 24:00 UTC; its reward comes after " +
			"midnight.\n"
		if e.From <= staking.DayOf(env.Now()) {
			format = "Soft Staking is on for %s; measured since %s.\n"
		}
		return env.done(err, format, c.Account, e.From)
	})
}

// leaveCmd switches Soft Staking off.
type leaveCmd struct {
	Account ledger.Account `arg:""`
	At      *instant       `placeholder:"TIME" help:"When the switch was pressed: a moment of an open day. Without it: now."`
	clientFlags
}

func (c *leaveCmd) Help() string {
	return `The day it is switched off earns nothing; the days before it are paid all the same. It always works.

Example:

  softstake leave alice`
}

func (c *leaveCmd) Run(env *Env) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.Leave(ctx, c.Account, client, time.Time(given(c.At, instant{}))),
			"Soft Staking is off for %s.\n", c.Account)
	})
}

// enrollBatch is how many lines go into the books together.
const enrollBatch = 5_000

// enrollLine is a line that was read, or what is wrong with it.
type enrollLine struct {
	n     int
	bytes int64
	row   store.EnrollRequest
	bad   error
}

// enrollRow is a line as it is written: an object in JSON, or a row of CSV.
type enrollRow struct {
	Account    string   `json:"account"`
	AcceptedAt string   `json:"acceptedAt"`
	Accepted   []string `json:"accepted"` // names, each with ":" and a version or without
	At         string   `json:"at"`
	Platform   string   `json:"platform"`
	Version    string   `json:"version"`
	Address    string   `json:"address"`
	Country    string   `json:"country"`
}

// runFile switches on the accounts of a file, batch after batch.
func (c *enrollCmd) runFile(env *Env) error {
	if c.Account != "" {
		return usage("give an account, or a --file of many")
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		e := &enroller{db: db, tally: tally{env: env, doing: "enrolling", verb: "enrolled",
			again: "give the file again: repeating the others has no further effect"}}
		return e.read(c.File, func(in io.Reader) error {
			next, err := enrollLines(in, c.File, store.EnrollRequest{At: time.Time(given(c.At, instant{})), Client: client})
			if err != nil {
				return err
			}
			return readLines(ctx, &e.tally, func(context.Context) (enrollLine, error) { return next() }, e.enroll)
		})
	})
}

// enrollLines reads a file of JSON objects, one a line, or of CSV, whichever it begins
// like. usual is what counts where a line says nothing of it.
func enrollLines(in io.Reader, name string, usual store.EnrollRequest) (next func() (enrollLine, error), err error) {
	text := bufio.NewReaderSize(in, 64<<10)
	if first, err := text.Peek(1); err == nil && first[0] == '{' {
		all := newLines(text)
		return func() (enrollLine, error) {
			line, err := all.next()
			l := enrollLine{n: line.n, bytes: int64(len(line.text)), bad: line.bad}
			if err != nil || l.bad != nil {
				return l, err
			}
			var row enrollRow
			if l.bad = strictjson.Decode(line.text, &row); l.bad == nil {
				l.row, l.bad = row.request(usual)
			}
			return l, nil
		}, nil
	}
	file, err := openCSV(text, name, "account", "accepted_at?", "accepted?", "at?", "platform?", "version?", "address?",
		"country?")
	if err != nil {
		return nil, err
	}
	return func() (enrollLine, error) {
		row, line, err := file.next()
		l := enrollLine{n: line.n, bytes: int64(len(line.text)), bad: line.bad}
		if err != nil || l.bad != nil {
			return l, err
		}
		l.row, l.bad = enrollRow{row[0], row[1], strings.Fields(row[2]), row[3], row[4], row[5], row[6],
			row[7]}.request(usual)
		return l, nil
	}, nil
}

// request is a line as the books take it. Its errors are ledger.ErrInvalid.
func (r enrollRow) request(usual store.EnrollRequest) (store.EnrollRequest, error) {
	request := usual
	request.Account = ledger.Account(r.Account)
	var err error
	at := func(text string, usual time.Time) time.Time {
		if text == "" || err != nil {
			return usual
		}
		usual, err = parseTime(text)
		return usual
	}
	request.At, request.AcceptedAt = at(r.At, usual.At), at(r.AcceptedAt, time.Time{})
	if err == nil {
		request.Client, err = r.client(usual.Client)
	}
	if err == nil {
		request.Accepted, err = r.documents()
	}
	return request, err
}

// client is what the holder used.
func (r enrollRow) client(usual staking.Client) (staking.Client, error) {
	c := staking.Client{Platform: cmp.Or(r.Platform, usual.Platform), Version: r.Version, Address: usual.Address,
		Country: usual.Country}
	if r.Platform == "" {
		c.Version = cmp.Or(r.Version, usual.Version)
	}
	if platforms := []string{"web", "ios", "android"}; !slices.Contains(platforms, c.Platform) {
		return c, ledger.ErrInvalid.In("platform", "%q is not a platform; it is one of %s", ledger.Clip(c.Platform),
			strings.Join(platforms, ", "))
	}
	if r.Address != "" && !setAddress(&c, r.Address) {
		return c, ledger.ErrInvalid.In("address", "%q is not an IP address such as 192.0.2.7", ledger.Clip(r.Address))
	}
	err := setCountry(&c, r.Country)
	return c, err
}

// documents are those that were accepted: the current version of each where none is
// named, and none at all where there is no time of it.
func (r enrollRow) documents() (all []store.DocumentVersion, err error) {
	named := r.Accepted
	if len(named) == 0 && r.AcceptedAt != "" {
		named = staking.DocumentNames
	}
	for _, word := range named {
		d := store.DocumentVersion{Name: word}
		if name, version, is := strings.Cut(word, ":"); is {
			d.Name = name
			if d.Version, err = strconv.Atoi(version); err != nil || d.Version < 1 {
				return nil, ledger.ErrInvalid.In("accepted", "%q is not a document and its version, such as risk-warning:2",
					ledger.Clip(word))
			}
		}
		all = append(all, d)
	}
	return all, nil
}

// enroller switches on the accounts of lines, and counts what became of them.
type enroller struct {
	tally
	db *store.DB
}

func (e *enroller) enroll(ctx context.Context, lines <-chan enrollLine) error {
	return inBatches(ctx, lines, enrollBatch, func(batch []enrollLine) error { return e.batch(ctx, batch) })
}

// batch switches on the accounts of some lines, and shows how far the file is.
func (e *enroller) batch(ctx context.Context, batch []enrollLine) error {
	var requests []store.EnrollRequest
	for _, l := range batch {
		if l.bad == nil {
			requests = append(requests, l.row)
		}
	}
	outcomes, err := e.db.EnrollBatch(ctx, requests)
	if err != nil {
		return err
	}
	bytes := int64(0)
	for _, l := range batch {
		o := store.EnrollOutcome{Err: l.bad}
		if l.bad == nil {
			o, outcomes = outcomes[0], outcomes[1:]
		}
		if err := e.became(l.n, o.Err, o.Repeated); err != nil {
			return err
		}
		bytes += l.bytes
	}
	return e.progress(len(batch), bytes, "read")
}
