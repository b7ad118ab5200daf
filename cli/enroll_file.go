package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
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
	return env.books(func(ctx context.Context, db *store.DB) (err error) {
		in, size, err := env.file(c.File)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.Close()) }()
		next, err := enrollLines(in, c.File, store.EnrollRequest{At: c.At.orZero(), Client: client})
		if err != nil {
			return err
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		lines, failed := stream(ctx, next)
		e := &enroller{env: env, db: db, meter: newMeter(env, "enrolling", size)}
		if err = e.enroll(ctx, lines); err == nil {
			err = <-failed
		}
		if err != nil {
			return errors.Join(err, e.meter.end())
		}
		return e.sum()
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
	if r.Address != "" {
		address, err := netip.ParseAddr(r.Address)
		if err != nil || address.Zone() != "" {
			return c, ledger.ErrInvalid.In("address", "%q is not an IP address such as 192.0.2.7", ledger.Clip(r.Address))
		}
		c.Address = address.String()
	}
	if r.Country == "" {
		return c, nil
	}
	var err error
	c.Country, err = staking.ParseRegion(r.Country)
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
	env   *Env
	db    *store.DB
	meter *meter

	lines                       int
	bytes                       int64
	enrolled, repeated, refused int
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
	for _, l := range batch {
		if l.bad == nil {
			switch o := outcomes[0]; {
			case o.Err != nil:
				l.bad = o.Err
			case o.Repeated:
				e.repeated++
			default:
				e.enrolled++
			}
			outcomes = outcomes[1:]
		}
		if l.bad != nil {
			e.refused++
			if err := e.meter.warnf("line %d: %s", l.n, plain(l.bad)); err != nil {
				return err
			}
		}
		e.bytes += l.bytes
	}
	before := e.lines
	e.lines += len(batch)
	e.meter.to(e.bytes, fmt.Sprintf("enrolling, %d lines", e.lines))
	if !isTerminal(e.env.Stderr) && e.lines/loadReported > before/loadReported {
		return e.env.warnf("%d lines are read", e.lines)
	}
	return nil
}

// sum reports what became of the whole file. Its error says that something was refused.
func (e *enroller) sum() error {
	if err := e.meter.end(); err != nil {
		return err
	}
	if err := e.env.warnf("enrolled %d, repeated %d, refused %d", e.enrolled, e.repeated, e.refused); err != nil {
		return err
	}
	if e.refused > 0 {
		return fmt.Errorf("%s refused; correct %s and give the file again: repeating the others has no further effect",
			count(e.refused, "line was", "lines were"), itOrThem(e.refused))
	}
	return nil
}
