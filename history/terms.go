package history

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Offer is which tokens are offered under which terms, on every day.
type Offer struct {
	Assets map[string]ledger.Asset    // by symbol
	terms  map[string][]staking.Terms // by symbol, in order of the days they hold from
}

// ShippedOffer offers the shipped tokens under the shipped terms on every day.
func ShippedOffer() (Offer, error) {
	tokens, err := staking.ShippedTokens(0)
	if err != nil {
		return Offer{}, err
	}
	o := Offer{map[string]ledger.Asset{}, map[string][]staking.Terms{}}
	for _, t := range tokens {
		o.Assets[t.Asset.Symbol] = t.Asset
		o.terms[t.Asset.Symbol] = []staking.Terms{t.Terms}
	}
	return o, nil
}

// newScale is the number of decimals of a token that is not among the shipped.
const newScale = 8

// ReadOffer reads terms from a CSV file with the columns from, asset, apr, min
// and cap: each line's terms hold from its day until the next of its token, and
// before its first a token is not offered. name is the file's. Any line that
// cannot be read is an error.
func ReadOffer(r io.Reader, name string) (Offer, error) {
	shipped, err := ShippedOffer()
	if err != nil {
		return Offer{}, err
	}
	text, err := newText(r)
	if errors.As(err, new(readError)) {
		return Offer{}, fmt.Errorf("read %s: %w", name, err)
	}
	if err != nil {
		return Offer{}, fmt.Errorf("%s holds no terms: %w", name, err)
	}
	records := newRecords(text)
	columns, err := readNames(records, "from", "asset", "apr", "min", "cap")
	if err != nil {
		return Offer{}, fmt.Errorf("%s holds no terms: %w", name, err)
	}
	o := Offer{map[string]ledger.Asset{}, map[string][]staking.Terms{}}
	for {
		rec, err := records.next()
		if err == io.EOF {
			return o, nil
		}
		if err != nil {
			return Offer{}, fmt.Errorf("read %s: %w", name, err)
		}
		if err := o.add(columns, rec, shipped.Assets); err != nil {
			return Offer{}, fmt.Errorf("%s, line %d: %w", name, rec.line, err)
		}
	}
}

// readNames reads the first record of a file as the names of its columns, in any case, and
// returns where the wanted ones stand.
func readNames(r *records, wanted ...string) (at []column, err error) {
	rec, err := r.next()
	switch {
	case err == io.EOF:
		return nil, errors.New("it is empty")
	case err != nil:
		return nil, err
	case rec.bad != nil:
		return nil, rec.bad
	}
	found := map[string]column{}
	for i, name := range rec.fields {
		key := columnKey(name)
		if _, twice := found[key]; twice && key != "" {
			return nil, fmt.Errorf("its header has the column %q twice", strings.TrimSpace(name))
		}
		found[key] = column(i)
	}
	var missing []string
	for _, name := range wanted {
		c, there := found[name]
		if !there {
			missing = append(missing, name)
		}
		at = append(at, c)
	}
	if missing != nil {
		return nil, fmt.Errorf("its header has no column %s", strings.Join(missing, ", "))
	}
	return at, nil
}

// add takes the terms of a record in: its columns are from, asset, apr, min and cap.
func (o Offer) add(c []column, rec record, shipped map[string]ledger.Asset) error {
	if rec.bad != nil {
		return rec.bad
	}
	from, err := staking.ParseDay(c[0].of(rec))
	if err != nil {
		return err
	}
	symbol := c[1].of(rec)
	asset, known := shipped[symbol]
	if !known {
		asset = ledger.Asset{Symbol: symbol, Scale: newScale, MaxSupply: ledger.MaxSupply}
	}
	if err := asset.Check(); err != nil {
		return err
	}
	terms, err := staking.ParseTerms(asset, from, c[2].of(rec), c[3].of(rec), c[4].of(rec))
	if err != nil {
		return err
	}
	at, twice := slices.BinarySearchFunc(o.terms[symbol], from, byDay)
	if twice {
		return fmt.Errorf("these are the second terms of %s from %s; keep one of them", symbol, from)
	}
	o.Assets[symbol] = asset
	o.terms[symbol] = slices.Insert(o.terms[symbol], at, terms)
	return nil
}

// On is what the token is offered under on a day: the terms dated last, up to
// that day. Before the first of them it is not offered.
func (o Offer) On(symbol string, d staking.Day) staking.Terms {
	terms := o.terms[symbol]
	at, exact := slices.BinarySearchFunc(terms, d, byDay)
	if exact {
		return terms[at]
	}
	if at == 0 {
		return staking.Terms{Asset: symbol}
	}
	return terms[at-1]
}

func byDay(t staking.Terms, d staking.Day) int { return cmp.Compare(t.From, d) }
