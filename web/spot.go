package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// holding is a token of the books, and what the visitor has of it.
type holding struct {
	Asset      ledger.Asset
	Free, Held ledger.Amount
	Worth      ledger.Amount // of both, in USDT
	Priced     bool          // it is known what it is worth
	Tagged     bool          // it bears the tag
}

// Any reports whether there is something of it.
func (h holding) Any() bool { return h.Free > 0 || h.Held > 0 }

// smallWorth is what a balance is worth that is not small.
const smallWorth = ui.Dollar

// Small reports whether it may be hidden. A token without a price may be worth much.
func (h holding) Small() bool { return !h.Any() || h.Priced && h.Worth < smallWorth }

// worth is what an amount is worth in USDT: nothing that is priced where the price is not
// known, or the value overflows.
func worth(a ledger.Asset, n ledger.Amount, prices map[string]pricing.Price) (value ledger.Amount, priced bool) {
	price, known := prices[a.Symbol]
	value, err := conversion.Value(a, n, price.Price)
	return value, known && err == nil
}

// before is the order in which tokens are shown: those of which the visitor has any, by
// worth; the others by symbol.
func (h holding) before(o holding) int {
	return cmp.Or(trueFirst(h.Any(), o.Any()), trueFirst(h.Priced && h.Any(), o.Priced && o.Any()),
		cmp.Compare(o.Worth, h.Worth), strings.Compare(h.Asset.Symbol, o.Asset.Symbol))
}

// trueFirst compares two conditions: what holds is first.
func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// spotPage is the Spot wallet.
type spotPage struct {
	*view
	Holdings  []holding // those that are shown
	Total     ledger.Amount
	Unpriced  []string // what there is and is not in the total, for want of a price
	Query     string   // what was searched for
	HideSmall bool
	Small     int    // how many are hidden for being small
	On        bool   // the switch is
	Tagged    string // the token that bears the tag
	Why       string // there is no tag
	Anything  bool   // the wallet is not empty
}

// longestQuery is how many characters of a search are used.
const longestQuery = 50

// spot is the Spot wallet.
func (v *visit) spot() error {
	p := spotPage{view: v.view("spot.title"), HideSmall: v.value("small") == "hide"}
	p.Query = ui.Cut(strings.TrimSpace(v.value("q")), longestQuery)
	holdings, err := v.readSpot(&p)
	if err != nil {
		return err
	}
	for i, h := range holdings {
		p.add(h)
		switch holdings[i].Tagged = h.Asset.Symbol == p.Tagged; {
		case !p.finds(h.Asset.Symbol):
		case p.HideSmall && h.Small():
			p.Small++
		default:
			p.Holdings = append(p.Holdings, holdings[i])
		}
	}
	slices.SortFunc(p.Holdings, holding.before)
	slices.Sort(p.Unpriced)
	return v.show("spot", p)
}

// readSpot reads every token of the books with the visitor's balances, and whether Soft Staking is on.
func (v *visit) readSpot(p *spotPage) ([]holding, error) {
	e := earnFacts{view: p.view}
	var err error
	if e.Holder, err = v.holder(reports.Eligibility | reports.Offer); err != nil {
		return nil, err
	}
	prices, err := v.Reports.PricesFor(v.context(), e.Holder.Today)
	if err != nil {
		return nil, err
	}
	assets, err := v.Books.Assets(v.context())
	if err != nil {
		return nil, err
	}
	has := map[string]reports.Balance{}
	for _, b := range e.Holder.Balances {
		has[b.Asset] = b
	}
	var holdings []holding
	for _, a := range assets {
		h := holding{Asset: a, Free: has[a.Symbol].Free, Held: has[a.Symbol].Held}
		if sum, err := h.Free.Add(h.Held); err == nil {
			h.Worth, h.Priced = worth(a, sum, prices)
		}
		holdings = append(holdings, h)
	}
	p.On = e.Holder.On()
	if !p.On && e.Holder.Region != nil {
		p.Why = e.whyRestricted()
	} else if p.Tagged = tagOf(e.Holder.Tokens, prices); p.Tagged == "" {
		p.Why = e.whyNothing()
	}
	return holdings, nil
}

// tagOf is which of the tokens on offer bears the tag, or "". One that another product has
// today does not.
func tagOf(tokens []reports.OfferedToken, prices map[string]pricing.Price) string {
	var candidates []staking.Candidate
	for _, t := range tokens {
		if t.Excluded != "" {
			continue
		}
		c := staking.Candidate{Terms: t.Terms, Free: t.Joint}
		c.Worth, c.Priced = worth(t.Asset, t.Free, prices)
		candidates = append(candidates, c)
	}
	symbol, _ := staking.Tag(candidates)
	return symbol
}

// add counts a holding into the total.
func (p *spotPage) add(h holding) {
	if !h.Any() {
		return
	}
	p.Anything = true
	if total, err := p.Total.Add(h.Worth); h.Priced && err == nil {
		p.Total = total
		return
	}
	p.Unpriced = append(p.Unpriced, h.Asset.Symbol)
}

// finds reports whether a token is searched for: by its symbol or its name.
func (p *spotPage) finds(symbol string) bool {
	query := strings.ToLower(p.Query)
	return strings.Contains(strings.ToLower(symbol), query) ||
		strings.Contains(strings.ToLower(p.TokenName(symbol)), query)
}

// Everything is the same search without hiding small balances.
func (p spotPage) Everything() string { return ui.Address("/spot", "q", p.Query) }

// Missing names what is not in the total.
func (p spotPage) Missing() string { return p.list(p.Unpriced) }

// TokenName is what a token is called, or its symbol where the catalogue has no name for it.
func (p *view) TokenName(symbol string) string {
	if key := "token." + strings.ToLower(symbol); p.Has(key) {
		return p.T(key)
	}
	return symbol
}

// FreePlaces and HeldPlaces are how many decimals their columns have.
func (p spotPage) FreePlaces() int { return p.places(func(h holding) ledger.Amount { return h.Free }) }
func (p spotPage) HeldPlaces() int { return p.places(func(h holding) ledger.Amount { return h.Held }) }

func (p spotPage) places(of func(holding) ledger.Amount) (most int) {
	for _, h := range p.Holdings {
		_, fraction, _ := strings.Cut(h.Asset.Format(of(h)), ".")
		most = max(most, len(fraction))
	}
	return most
}

// change is what an entry did to a token of the wallet: to what is free, to what is
// held, or to both.
type change struct {
	At         time.Time
	Asset      ledger.Asset
	Free, Held ledger.Amount
	What       string         // what it is: activity.is.WHAT in the catalogue
	Other      ledger.Account // another holder, or ""
	Day        staking.Day    // that a reward was earned on
	key        reports.LineKey
}

// Reward reports whether it is one.
func (c change) Reward() bool { return c.What == string(reports.KindReward) }

// Came reports whether there is more in the wallet for it.
func (c change) Came() bool { return c.Free+c.Held > 0 }

// spotHistoryPage is the changes of the wallet's balances, the newest first.
type spotHistoryPage struct {
	*view
	Assets  []ledger.Asset
	Asset   string // "": all
	Changes []change
	First   bool   // it is the newest page
	Next    string // the cursor of the next page; "": there is none
}

const (
	// changesShown is how many changes a page has.
	changesShown = 50
	// linesReads is how many reads fill a page: a wallet in which nothing moved for years
	// has many empty pages of lines.
	linesReads = 3
)

// spotHistory is the Spot wallet's history.
func (v *visit) spotHistory() error {
	p := spotHistoryPage{view: v.view("spot.history.title"), Asset: v.value("asset"), First: v.value("after") == ""}
	var err error
	if p.Assets, err = v.Books.Assets(v.context()); err != nil {
		return err
	}
	assets := ledger.BySymbol(p.Assets)
	if _, known := assets[p.Asset]; p.Asset != "" && !known {
		return ledger.ErrNotFound.In("asset", "asset %q", ledger.Clip(p.Asset))
	}
	var after *reports.LineKey
	if !p.First {
		if after, err = lineAfter(v.value("after")); err != nil {
			return err
		}
	}
	asked := reports.LinesAsked{From: v.Books.FirstDay(), To: staking.DayOf(v.Books.Now()), Asset: p.Asset}
	for reads, full := 0, false; reads < linesReads && !full && (reads == 0 || after != nil); reads++ {
		// a change has two at most
		lines, next, err := v.Reports.Lines(v.context(), v.account(), asked, after, 2*changesShown)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if full = !p.add(l, assets[l.Asset]); full {
				break
			}
			after = &l.Key
		}
		if !full {
			after = next
		}
	}
	if after != nil {
		p.Next = lineText(*after)
	}
	return v.show("spot-history", p)
}

// add adds a line, unless it begins another change and the page is full. The two
// sides of what is held or let go are one change.
func (p *spotHistoryPage) add(l reports.JournalLine, asset ledger.Asset) (added bool) {
	if n := len(p.Changes); n > 0 {
		last := &p.Changes[n-1]
		if last.key.At.Equal(l.Key.At) && last.key.Entry == l.Key.Entry && last.key.Move == l.Key.Move {
			last.put(l)
			return true
		}
		if n == changesShown {
			return false
		}
	}
	c := change{At: l.At, Asset: asset, What: whatHappened(l), key: l.Key}
	if l.Kind == ledger.Transfer {
		c.Other = l.Other.Owner()
	}
	if c.Reward() {
		c.Day = staking.DayOf(l.At) - 1 // it counts from the end of its day
	}
	c.put(l)
	p.Changes = append(p.Changes, c)
	return true
}

// put puts a line's amount into the part that it changes.
func (c *change) put(l reports.JournalLine) {
	if l.Account.IsHeld() {
		c.Held += l.Amount
	} else {
		c.Free += l.Amount
	}
}

// whatHappened names a line; one side of a trade by what was done with the token.
func whatHappened(l reports.JournalLine) string {
	switch {
	case l.Kind == ledger.Trade && l.Amount < 0:
		return "sold"
	case l.Kind == ledger.Trade:
		return "bought"
	}
	return nameOf(l.Kind, l.Amount)
}

// lineText is a line's cursor in an address: "1764547200000.0.1.ENTRY".
func lineText(k reports.LineKey) string {
	return fmt.Sprintf("%d.%d.%d.%s", k.At.UnixMilli(), k.Move, k.Side, k.Entry)
}

// lineAfter reads what lineText writes. Its error is ledger.ErrNotFound.
func lineAfter(text string) (*reports.LineKey, error) {
	n, entry, err := parseNumbers(text, 3)
	if err != nil {
		return nil, err
	}
	if n[0] < 0 || n[0] > lastMoment || n[1] < -1 || n[1] > ledger.MaxMoves || n[2] < 0 || n[2] > 1 ||
		len(entry) > 2*ledger.MaxID || strings.Contains(entry, "\x00") {
		return nil, noCursor(text)
	}
	return &reports.LineKey{
		At: time.UnixMilli(n[0]).UTC(), Entry: strings.ToValidUTF8(entry, ""), Move: int(n[1]), Side: int(n[2]),
	}, nil
}

// Newest is the first page, and Older the next.
func (p spotHistoryPage) Newest() string { return p.address("") }
func (p spotHistoryPage) Older() string  { return p.address(p.Next) }

func (p spotHistoryPage) address(after string) string {
	return ui.Address(p.Path(), "asset", p.Asset, "after", after)
}
