// Package history reads the exchange's Transaction History export, and says what Soft Staking would have paid on it. It knows no database.
package history

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"softstake/ledger"
	"softstake/staking"
)

// maxRows bounds the rows of a file, so that what is kept of it fits memory.
const maxRows = 5_000_000

// Options say how a file is to be read.
type Options struct {
	Assets map[string]ledger.Asset // the tokens to read, by symbol; rows of other coins are only counted
	Offset *Offset                 // the zone of the column Time; nil: what the file's name says
	Strict bool                    // a row that cannot be read is an error, instead of being left out
}

// File is what is kept of an export: the rows of its Spot account.
type File struct {
	Zone    Zone
	Rows    []Row          // the tokens asked for, in order of time and then of lines
	Spot    int            // readable Spot rows, of any coin, rewards too
	First   time.Time      // of the first of them, in UTC; zero where there is none
	Last    time.Time      // of the last of them
	Rounded int            // rows of the tokens asked for that had more decimals than are kept
	Others  map[string]int // Spot rows of other coins, by coin
	Away    int            // rows of other accounts
	Skipped []Skipped      // rows that could not be read, in order of lines

	assets map[string]ledger.Asset
}

// Row is a change of a token's Spot balance.
type Row struct {
	Line   int
	At     time.Time // in UTC, whole seconds
	Coin   string
	Change ledger.Amount // in the token's smallest units, rounded half away from zero
	Reward bool          // paid by the real product, so no part of the balance
}

// Skipped is a row that could not be read, whatever its account.
type Skipped struct {
	Line   int
	Reason string
}

// String tells the person with the file where to look.
func (s Skipped) String() string { return fmt.Sprintf("line %d: %s", s.Line, s.Reason) }

// Read reads an export to its end. name is the file's, for the zone in it. What
// is not such an export is refused, and so is any row that cannot be read if the
// options are strict; the messages are for the person who gave the file.
func Read(r io.Reader, name string, o Options) (*File, error) {
	records, err := newRecords(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	columns, err := readHeader(records)
	if err != nil {
		return nil, fmt.Errorf("%s is not a Transaction History export: %w", name, err)
	}
	zone, err := zoneOf(name, columns.utc, o.Offset)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &File{Zone: zone, Others: map[string]int{}, assets: o.Assets}
	for n := 1; ; n++ {
		rec, err := records.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if n > maxRows {
			return nil, fmt.Errorf("%s has more than %d rows; export a shorter time", name, maxRows)
		}
		if reason := f.add(columns, rec); reason != nil {
			s := Skipped{rec.line, reason.Error()}
			if o.Strict {
				return nil, fmt.Errorf("%s, %s; mend it, or leave such rows out by reading without --strict", name, s)
			}
			f.Skipped = append(f.Skipped, s)
		}
	}
	slices.SortStableFunc(f.Rows, func(a, b Row) int { return a.At.Compare(b.At) })
	return f, nil
}

// rewardOperation is what the operation of the real product's rewards contains, in any case.
const rewardOperation = "soft staking"

// add takes a row in, or says why it cannot be read.
func (f *File) add(c columns, rec record) error {
	if rec.bad != nil {
		return rec.bad
	}
	at, err := parseTime(c.time.of(rec), f.Zone.Offset)
	if err != nil {
		return err
	}
	coin := c.coin.of(rec)
	if coin == "" {
		return errors.New("it has no coin")
	}
	// How many decimals the exchange keeps of another coin is not known, so its
	// amount is only held to 63 bits of whole coins.
	asset, asked := f.assets[coin]
	change, rounded, err := parseAmount(c.change.of(rec), asset.Scale)
	if err != nil {
		return err
	}
	if !strings.EqualFold(c.account.of(rec), "Spot") {
		f.Away++
		return nil
	}
	f.Spot++
	if f.First.IsZero() || at.Before(f.First) {
		f.First = at
	}
	if at.After(f.Last) {
		f.Last = at
	}
	if !asked {
		f.Others[coin]++
		return nil
	}
	if rounded {
		f.Rounded++
	}
	reward := strings.Contains(strings.ToLower(c.operation.of(rec)), rewardOperation)
	f.Rows = append(f.Rows, Row{Line: rec.line, At: at, Coin: asset.Symbol, Change: change, Reward: reward})
	return nil
}

// parseTime reads "2025-07-24 21:30:41" or "25-07-24 21:30:41" as a time in UTC.
// Two digits of a year are those of this century: the exchange is younger.
func parseTime(s string, zone Offset) (time.Time, error) {
	if s == "" {
		return time.Time{}, errors.New("it has no time")
	}
	full := s
	if len(s) == len("25-07-24 21:30:41") {
		full = "20" + s
	}
	t, err := time.Parse(time.DateTime, full)
	if err != nil || len(full) != len(time.DateTime) {
		return time.Time{}, fmt.Errorf("its time %q is not one such as 2025-07-24 21:30:41", ledger.Clip(s))
	}
	t = t.Add(-time.Duration(zone))
	if t.Unix() < 0 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("its time %q is not between 1970 and 9999", ledger.Clip(s))
	}
	return t, nil
}

// Coins are the other coins with Spot rows, those with most rows first.
func (f *File) Coins() []string {
	coins := make([]string, 0, len(f.Others))
	for coin := range f.Others {
		coins = append(coins, coin)
	}
	slices.SortFunc(coins, func(a, b string) int {
		return cmp.Or(cmp.Compare(f.Others[b], f.Others[a]), cmp.Compare(a, b))
	})
	return coins
}

// Window is the days that are measured, the first and the last of them included;
// empty where the last is before the first.
type Window struct{ First, Last staking.Day }

// Window is the days that the file covers: the holder switched on at the first
// Spot row, so that the first day is the one after it, and the last is the day of
// the last. Without a Spot row it is empty.
func (f *File) Window() Window {
	if f.Spot == 0 {
		return Window{First: 1, Last: 0}
	}
	return Window{First: staking.DayOf(f.First) + 1, Last: staking.DayOf(f.Last)}
}
