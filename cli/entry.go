package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"softstake/ledger"
)

// entryJSON is an entry as a line of JSON says it.
type entryJSON struct {
	ID    string      `json:"id"`
	Kind  ledger.Kind `json:"kind"`
	At    *string     `json:"at"`
	Moves []moveJSON  `json:"moves"`
}

type moveJSON struct {
	From   ledger.Account `json:"from"`
	To     ledger.Account `json:"to"`
	Asset  string         `json:"asset"`
	Amount decimalString  `json:"amount"`
}

// decimalString is an amount in a line of JSON: a string, for many programs
// read a JSON number as a float, and lose units.
type decimalString string

// UnmarshalJSON refuses what is not a string.
func (d *decimalString) UnmarshalJSON(text []byte) error {
	if len(text) == 0 || text[0] != '"' {
		return fmt.Errorf("%w: the amount %s is not in quotes; write \"2.5\", for JSON numbers lose units", ledger.ErrInvalid, ledger.Clip(string(text)))
	}
	var s string
	err := json.Unmarshal(text, &s)
	*d = decimalString(s)
	return err
}

// entryParser reads entries from lines of JSON.
type entryParser struct {
	asset func(ctx context.Context, symbol string) (ledger.Asset, error)
	known map[string]ledger.Asset

	failed error // what the books failed with: no fault of the line's
}

// line reads an entry. Its errors are ledger.ErrInvalid, or what looking an asset up failed with.
func (p *entryParser) line(ctx context.Context, l inputLine) (ledger.Entry, error) {
	if l.bad != nil {
		return ledger.Entry{}, fmt.Errorf("%w: %w", ledger.ErrInvalid, l.bad)
	}
	var j entryJSON
	if err := decodeStrictly(l.text, &j); err != nil {
		return ledger.Entry{}, err
	}
	e := ledger.Entry{ID: j.ID, Kind: j.Kind}
	if j.At != nil {
		at, err := parseTime(*j.At)
		if err != nil {
			return e, inEntry(e, err)
		}
		e.At = at.Truncate(time.Millisecond)
	}
	for _, m := range j.Moves {
		asset, err := p.lookUp(ctx, m.Asset)
		if err != nil {
			return e, inEntry(e, err)
		}
		amount, err := asset.Parse(string(m.Amount))
		if err != nil {
			return e, inEntry(e, err)
		}
		e.Moves = append(e.Moves, ledger.Move{From: m.From, To: m.To, Asset: m.Asset, Amount: amount})
	}
	return e, nil
}

func inEntry(e ledger.Entry, err error) error {
	return fmt.Errorf("entry %q: %w", ledger.Clip(e.ID), err)
}

func (p *entryParser) lookUp(ctx context.Context, symbol string) (ledger.Asset, error) {
	if asset, ok := p.known[symbol]; ok {
		return asset, nil
	}
	asset, err := p.asset(ctx, symbol)
	if err != nil {
		if !errors.Is(err, ledger.ErrNotFound) {
			p.failed = err
		}
		return asset, err
	}
	if p.known == nil {
		p.known = map[string]ledger.Asset{}
	}
	p.known[symbol] = asset
	return asset, nil
}

// decodeStrictly reads one JSON value with no unknown and no repeated names, and
// nothing after it. Its errors are ledger.ErrInvalid.
func decodeStrictly(text []byte, into any) error {
	if fault := faultOfNames(json.NewDecoder(bytes.NewReader(text)), 0); errors.Is(fault, ledger.ErrInvalid) {
		return fault
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows the object; a line holds one entry")
		}
	}
	if err == nil || errors.Is(err, ledger.ErrInvalid) {
		return err
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Errorf("%w: %q cannot be a JSON %s", ledger.ErrInvalid, wrongType.Field, wrongType.Value)
	}
	return fmt.Errorf("%w: not an entry: %s", ledger.ErrInvalid, strings.TrimPrefix(err.Error(), "json: "))
}

// deepest is how far a line may be nested; what is deeper is no entry, and Decode says so.
const deepest = 8

// names are those that an entry and its moves may have.
var names = []string{"id", "kind", "at", "moves", "from", "to", "asset", "amount"}

// faultOfNames refuses, with ledger.ErrInvalid, a name that stands twice in one
// object, of which JSON would silently take the last, and one in other letters
// than ours, which JSON would take for ours. Its other errors are for Decode to tell.
func faultOfNames(d *json.Decoder, depth int) error {
	if depth > deepest {
		return errors.New("nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			token, err := d.Token()
			if err != nil {
				return err
			}
			name, isName := token.(string)
			if !isName {
				return errors.New("a name is missing")
			}
			if seen[name] {
				return fmt.Errorf("%w: %q stands twice in one object; say it once", ledger.ErrInvalid, ledger.Clip(name))
			}
			seen[name] = true
			for _, ours := range names {
				if name != ours && strings.EqualFold(name, ours) {
					return fmt.Errorf("%w: %q is written %q", ledger.ErrInvalid, ledger.Clip(name), ours)
				}
			}
		}
		if err := faultOfNames(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
