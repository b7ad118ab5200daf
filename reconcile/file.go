package reconcile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/strictjson"
)

// longestLine is the most bytes that a line has.
const longestLine = 64 << 10

// columns are those that a CSV file has; the column payout may be there too.
var columns = []string{"account", "asset", "balance"}

// line is a line of JSON: a balance, a payout or both, or what state the figures are of.
type line struct {
	Account  *string `json:"account"`
	Asset    *string `json:"asset"`
	Balance  *string `json:"balance"`
	Payout   *string `json:"payout"`
	Position *string `json:"position"`
	At       *string `json:"at"`
	Payouts  *string `json:"payouts"`
}

// Read reads the figures of another ledger, in any order, and sorts them: lines of JSON, each an object with the texts
// account, asset, and balance or payout, and one, anywhere, with position, at and the day of the payouts; or CSV with
// the columns account, asset, balance and, if it has payouts, payout, in any order: then either may be empty. Amounts
// are in whole tokens. Those of zero and those of tokens that are not in assets are left out. Its error is
// ledger.ErrInvalid, with the number of the line, or that of reading.
func Read(in io.Reader, assets map[string]ledger.Asset) (f Figures, err error) {
	text := bufio.NewReaderSize(in, longestLine)
	if mark, _ := text.Peek(3); string(mark) == "\ufeff" {
		_, _ = text.Discard(3)
	}
	r := Reader{assets: assets}
	first, err := firstByte(text)
	switch {
	case err != nil:
		return Figures{}, err
	case first == '{':
		return r.end(r.lines(text))
	}
	return r.end(r.csv(text))
}

// firstByte is the first byte that is no white space; 0: there is none.
func firstByte(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return 0, nil
		case err != nil:
			return 0, err
		case !strings.ContainsRune(" \t\r\n", rune(b)):
			return b, in.UnreadByte()
		}
	}
}

// NewReader makes figures of some tokens.
func NewReader(assets map[string]ledger.Asset) *Reader { return &Reader{assets: assets} }

// Reader makes figures of amounts that come one by one. It is not safe for concurrent use.
type Reader struct {
	assets map[string]ledger.Asset
	last   string // the account of the last balance
	began  bool   // there was one
	f      Figures
	dated  bool
	repeat bool
}

// Repeat lets an amount come again: with the same content it has no further effect.
func (r *Reader) Repeat() { r.repeat = true }

// SetState sets what state the figures are of, as that ledger names it: its position, its time (RFC 3339), and the day
// of the payouts (2026-11-21), each of which may be "". ledger.ErrInvalid where they cannot be read, or were set
// before.
func (r *Reader) SetState(position, at, payouts string) error { return r.state(position, at, payouts) }

// AddBalance adds a balance in whole tokens: ledger.ErrInvalid, in its field, where it cannot be one. One of zero, or
// of a token that is not compared, is left out.
func (r *Reader) AddBalance(account, asset, amount string) error {
	return r.add(&r.f.Balances, account, asset, amount)
}

// AddPayout adds a payout in the same way. None is below zero.
func (r *Reader) AddPayout(account, asset, amount string) error {
	return r.add(&r.f.Payouts, account, asset, amount)
}

// Figures are what was added, sorted: ledger.ErrInvalid where an account has two amounts of a token.
func (r *Reader) Figures() (Figures, error) { return r.end(nil) }

func (r *Reader) end(err error) (Figures, error) {
	if err == nil && r.repeat {
		r.f.compact()
	}
	if err == nil {
		err = r.f.Sort()
	}
	if err != nil {
		return Figures{}, err
	}
	return r.f, nil
}

// add adds a balance to those of the figures, or a payout.
func (r *Reader) add(to *[]Balance, account, asset, amount string) error {
	field := "balance"
	if to == &r.f.Payouts {
		field = "payout"
	}
	id := ledger.Account(account)
	if account != r.last || !r.began { // most files have the tokens of an account together
		if err := id.CheckHolder(); err != nil {
			return ledger.At("account", err)
		}
		r.last, r.began = strings.Clone(account), true
	}
	a, known := r.assets[asset]
	if !known {
		r.f.Ignored++
		return nil
	}
	n, err := a.Parse(amount)
	if err == nil && n < 0 && field == "payout" {
		err = ledger.ErrInvalid.In("", "it is below zero")
	}
	if err != nil {
		return ledger.At(field, err)
	}
	if n != 0 {
		*to = append(*to, Balance{ledger.Account(r.last), a.Symbol, n})
	}
	return nil
}

// addBoth adds a balance, a payout, or both; "": there is none.
func (r *Reader) addBoth(account, asset, balance, payout string) error {
	if balance != "" || payout == "" {
		if err := r.add(&r.f.Balances, account, asset, balance); err != nil {
			return err
		}
	}
	if payout == "" {
		return nil
	}
	r.f.WithPayouts = true
	return r.add(&r.f.Payouts, account, asset, payout)
}

// state sets what state the figures are of.
func (r *Reader) state(position, at, payouts string) (err error) {
	if r.dated {
		return ledger.ErrInvalid.In("", "position and at are there twice")
	}
	r.dated, r.f.Position = true, ledger.Clip(position)
	if payouts != "" {
		if _, err := time.Parse(time.DateOnly, payouts); err != nil {
			return ledger.ErrInvalid.In("payouts", "%q is no day like 2026-11-21", ledger.Clip(payouts))
		}
		r.f.WithPayouts, r.f.PayoutsDay = true, payouts
	}
	if at != "" {
		if r.f.At, err = time.Parse(time.RFC3339, at); err != nil {
			return ledger.ErrInvalid.In("at", "%q is no time like 2026-11-22T00:00:00Z", ledger.Clip(at))
		}
		r.f.At = r.f.At.UTC()
	}
	return nil
}

func (r *Reader) lines(in *bufio.Reader) error {
	for n := 1; ; n++ {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return atLine(n, ledger.ErrInvalid.In("", "it is longer than %d bytes", longestLine))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			if err := r.line(text); err != nil {
				return atLine(n, err)
			}
		}
		if err != nil {
			return nil
		}
	}
}

func (r *Reader) line(text []byte) error {
	var l line
	if err := strictjson.Decode(text, &l); err != nil {
		return ledger.ErrInvalid.In("", "%w", err)
	}
	amount := l.Account != nil && l.Asset != nil && (valueOf(l.Balance) != "" || valueOf(l.Payout) != "")
	anything := l.Account != nil || l.Asset != nil || l.Balance != nil || l.Payout != nil
	switch state := l.Position != nil || l.At != nil || l.Payouts != nil; {
	case amount && !state:
		return r.addBoth(*l.Account, *l.Asset, valueOf(l.Balance), valueOf(l.Payout))
	case state && !anything:
		return r.state(valueOf(l.Position), valueOf(l.At), valueOf(l.Payouts))
	}
	return ledger.ErrInvalid.In("", "it has neither account, asset, and balance or payout, nor position, at or payouts")
}

func valueOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func (r *Reader) csv(in io.Reader) error {
	bounded := &boundedReader{in: in}
	file := csv.NewReader(bounded)
	file.ReuseRecord = true
	header, err := file.Read()
	if errors.Is(err, io.EOF) {
		return ledger.ErrInvalid.In("", "there is nothing to read: CSV begins with the line %q", strings.Join(columns, ","))
	}
	if err != nil {
		return csvError(err)
	}
	at := make([]int, len(columns))
	for i, name := range columns {
		if at[i] = slices.Index(header, name); at[i] < 0 {
			return ledger.ErrInvalid.In("", "the first line has no column %q; it names account, asset and balance", name)
		}
	}
	payouts := slices.Index(header, "payout")
	r.f.WithPayouts = payouts >= 0
	for {
		bounded.read = 0
		row, err := file.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return csvError(err)
		}
		payout := ""
		if payouts >= 0 {
			payout = row[payouts]
		}
		if err := r.addBoth(row[at[0]], row[at[1]], row[at[2]], payout); err != nil {
			n, _ := file.FieldPos(0)
			return atLine(n, err)
		}
	}
}

// boundedReader ends with an error where a row of CSV does not end: read is set to 0 before each.
type boundedReader struct {
	in   io.Reader
	read int // bytes since then: of the row, and of what is read ahead of it
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.read > 2*longestLine {
		return 0, ledger.ErrInvalid.In("", "a row is longer than %d bytes", longestLine)
	}
	n, err := b.in.Read(p)
	b.read += n
	return n, err
}

// csvError is an error of reading CSV: of its form, or of the file.
func csvError(err error) error {
	if form, is := errors.AsType[*csv.ParseError](err); is {
		return atLine(form.Line, ledger.ErrInvalid.In("", "%w", form.Err))
	}
	return err
}

func atLine(n int, err error) error { return fmt.Errorf("line %d: %w", n, err) }
