package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// termsLine is what a file changes of a token's terms from a day on; what it does not state stays.
type termsLine struct {
	Asset    string      `json:"asset"`
	From     staking.Day `json:"from"`
	APR      *string     `json:"apr"`
	Min      *string     `json:"minimum"`
	Cap      *string     `json:"cap"`
	Fee      *string     `json:"fee"`
	Mode     *string     `json:"mode"`
	Measure  *string     `json:"measure"`
	PerOwner *bool       `json:"perOwner"`
	GrossAPR *string     `json:"grossApr"`
	Offered  *bool       `json:"offered"`

	// What a list of terms has beside.
	Coming   json.RawMessage `json:"coming"`
	Revision json.RawMessage `json:"revision"`
	SetAt    json.RawMessage `json:"setAt"`
	SetBy    json.RawMessage `json:"setBy"`
	Reason   json.RawMessage `json:"reason"`
}

// change is what the line changes. A token with a line is on offer unless the line says otherwise.
func (l termsLine) change() staking.TermsChange {
	return staking.TermsChange{APR: l.APR, Min: l.Min, Cap: l.Cap, Fee: l.Fee, Mode: l.Mode, Measure: l.Measure,
		PerOwner: l.PerOwner, GrossAPR: l.GrossAPR, Offered: cmp.Or(l.Offered, new(true))}
}

// termsFile are the lines of a file, by token, in order of their days.
type termsFile map[string][]termsLine

// on is the line of a token that holds on a day, if one does.
func (f termsFile) on(symbol string, d staking.Day) (line termsLine, holds bool) {
	for _, l := range f[symbol] {
		if l.From <= d {
			line, holds = l, true
		}
	}
	return line, holds
}

// readTermsFile reads terms as CSV, or as a JSON array. No name: no lines.
func readTermsFile(ctx context.Context, env *Env, db *store.DB, name string) (termsFile, error) {
	if name == "" {
		return termsFile{}, nil
	}
	text, err := readFile(env, name, func(in io.Reader) ([]byte, error) {
		return io.ReadAll(io.LimitReader(in, longestLine+1))
	})
	switch {
	case err != nil:
		return nil, err
	case len(text) > longestLine:
		return nil, fmt.Errorf("%s: the file is longer than %d bytes", name, longestLine)
	}
	var lines []termsLine
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		if err := strictjson.Decode(text, &lines); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	} else if lines, err = readTermsCSV(bytes.NewReader(text), name); err != nil {
		return nil, err
	}
	f := termsFile{}
	for _, l := range lines {
		if _, err := db.Asset(ctx, l.Asset); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		of := f[l.Asset]
		at, twice := slices.BinarySearchFunc(of, l.From, func(l termsLine, d staking.Day) int {
			return cmp.Compare(l.From, d)
		})
		if twice {
			return nil, ledger.ErrInvalid.In("from", "%s: these are the second terms of %s from %s; keep one of them", name,
				l.Asset, l.From)
		}
		f[l.Asset] = slices.Insert(of, at, l)
	}
	return f, nil
}

// readTermsCSV reads lines of CSV; an empty field states nothing.
func readTermsCSV(in io.Reader, name string) (lines []termsLine, err error) {
	file, err := openCSV(in, name, "from", "asset", "apr?", "min?", "cap?", "fee?", "mode?", "measure?", "per_owner?",
		"gross_apr?", "offered?")
	if err != nil {
		return nil, err
	}
	for {
		row, line, err := file.next()
		if err == io.EOF {
			return lines, nil
		}
		var l termsLine
		if err = cmp.Or(err, line.bad); err == nil {
			l, err = parseTermsRow(row)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, line.n, err)
		}
		lines = append(lines, l)
	}
}

// parseTermsRow reads a row, in the order of readTermsCSV.
func parseTermsRow(row []string) (l termsLine, err error) {
	if l.From, err = staking.ParseDay(row[0]); err != nil {
		return l, err
	}
	l.Asset = row[1]
	for i, into := range []**string{&l.APR, &l.Min, &l.Cap, &l.Fee, &l.Mode, &l.Measure} {
		if text := row[2+i]; text != "" {
			*into = &text
		}
	}
	if row[9] != "" {
		l.GrossAPR = &row[9]
	}
	for i, into := range map[int]**bool{8: &l.PerOwner, 10: &l.Offered} {
		if row[i] == "" {
			continue
		}
		yes, err := strconv.ParseBool(row[i])
		if err != nil {
			return l, ledger.ErrInvalid.In("", "%q is neither true nor false", ledger.Clip(row[i]))
		}
		*into = &yes
	}
	return l, nil
}

// readIncomes reads a CSV file of incomes, all of whose lines must be readable.
func readIncomes(ctx context.Context, env *Env, db *store.DB, name string) ([]staking.Income, error) {
	return readFile(env, name, func(in io.Reader) (all []staking.Income, err error) {
		file, err := openIncomes(in, name)
		if err != nil {
			return nil, err
		}
		parse := entryParser{asset: db.Asset}
		for {
			row, line, err := file.next()
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			var i staking.Income
			if err = cmp.Or(err, line.bad); err == nil {
				i, err = parse.income(ctx, row)
			}
			if err != nil {
				return nil, fmt.Errorf("%s, line %d: %w", name, line.n, err)
			}
			all = append(all, i)
		}
	})
}
