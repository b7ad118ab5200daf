package history

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Offer is which tokens are offered under which terms, on every day.
type Offer struct {
	Assets map[string]ledger.Asset // by symbol
	// Tokens with terms in the mode share. Their APR is what holders got or may get for a period: a file says it, and
	// what comes of it is an estimate.
	Shared map[string]bool
	terms  map[string][]staking.Terms // by symbol, in order of the days they hold from
}

func newOffer() Offer {
	return Offer{map[string]ledger.Asset{}, map[string]bool{}, map[string][]staking.Terms{}}
}

// ShippedOffer offers the shipped tokens under the shipped terms on every day.
func ShippedOffer() (Offer, error) {
	tokens, err := staking.ShippedTokens(0)
	if err != nil {
		return Offer{}, err
	}
	o := newOffer()
	for _, t := range tokens {
		o.Assets[t.Asset.Symbol] = t.Asset
		o.terms[t.Asset.Symbol] = []staking.Terms{t.Terms}
	}
	return o, nil
}

// newScale is the number of decimals of a token that is not among the shipped.
const newScale = 8

// termsColumns are the columns of a file of terms. It may lack the optional ones, and a
// line may leave them empty.
var (
	termsColumns    = []string{"from", "asset", "apr", "min", "cap"}
	optionalColumns = []string{"mode", "measure", "fee", "gross_apr", "per_owner"}
)

// ReadOffer reads terms from a CSV file with the columns from, asset, apr, min
// and cap: each line's terms hold from its day until the next of its token, and
// before its first a token is not offered. It may have the columns mode, measure, fee,
// gross_apr and per_owner, too. What a period of the mode share comes to is not known from
// one holder's history: there the apr is the net rate a year of the days from the line's
// own on or, where it is empty, the gross rate less the fee, rounded down. A history is one
// owner's, so per_owner changes nothing. name is the file's. Any line that cannot be read is
// an error.
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
	columns, err := readNames(records, termsColumns, optionalColumns)
	if err != nil {
		return Offer{}, fmt.Errorf("%s holds no terms: %w", name, err)
	}
	o := newOffer()
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
// returns where the wanted ones stand, and then the optional ones: -1 where they do not.
func readNames(r *records, wanted, optional []string) (at []column, err error) {
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
	for _, name := range optional {
		if c, there := found[columnKey(name)]; there {
			at = append(at, c)
		} else {
			at = append(at, -1)
		}
	}
	return at, nil
}

// add takes the terms of a record in: its columns are termsColumns and optionalColumns.
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
	change, shared, err := changeOf(c, rec)
	if err != nil {
		return err
	}
	terms, err := change.First(asset, from)
	if err != nil {
		return err
	}
	if shared {
		o.Shared[symbol] = true
	}
	at, twice := slices.BinarySearchFunc(o.terms[symbol], from, byDay)
	if twice {
		return fmt.Errorf("these are the second terms of %s from %s; keep one of them", symbol, from)
	}
	o.Assets[symbol] = asset
	o.terms[symbol] = slices.Insert(o.terms[symbol], at, terms)
	return nil
}

// changeOf are the figures of a record, and whether they are of the mode share: as far as an estimate goes, it pays the
// period's rate day by day.
func changeOf(c []column, rec record) (change staking.TermsChange, shared bool, err error) {
	given := func(i int) *string {
		if text := c[i].of(rec); text != "" {
			return &text
		}
		return nil
	}
	least, most := c[3].of(rec), c[4].of(rec)
	change = staking.TermsChange{
		APR: given(2), Min: &least, Cap: &most, Measure: given(6), Fee: given(7), GrossAPR: given(8),
	}
	if text := given(9); text != nil {
		is, err := strconv.ParseBool(*text)
		if err != nil {
			return change, false, fmt.Errorf("per_owner %q is neither true nor false", ledger.Clip(*text))
		}
		change.PerOwner = &is
	}
	if mode := given(5); mode == nil || *mode != staking.Share.String() {
		change.Mode = mode
		return change, false, nil
	}
	switch {
	case change.APR != nil:
	case change.GrossAPR == nil:
		err = errors.New("in the mode share, state apr, the net rate of the days from here on, or gross_apr and fee")
	default: // the APR follows
		change.Fee = cmp.Or(change.Fee, new("0"))
	}
	return change, true, err
}

// Terms are a token's, in order of the days they hold from.
func (o Offer) Terms(symbol string) []staking.Terms { return slices.Clone(o.terms[symbol]) }

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
