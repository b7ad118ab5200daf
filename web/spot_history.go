package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

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

// spotHistoryPage is what the wallet's tokens went through, the newest first.
type spotHistoryPage struct {
	*view
	Assets  []ledger.Asset
	Asset   string // "": all
	Changes []change
	First   bool   // it begins with the newest
	Next    string // where it goes on; "": there is no more
}

const (
	// changesShown is how many lines a page has.
	changesShown = 50
	// linesReads is how often a page is read on that is not full yet: a wallet in
	// which nothing moved for years has many pages with nothing on them.
	linesReads = 3
)

// spotHistory is the Spot wallet's history.
func (s *server) spotHistory(v *visit) error {
	p := spotHistoryPage{view: v.view("spot.history.title"), Asset: v.value("asset"), First: v.value("after") == ""}
	var err error
	if p.Assets, err = v.Books.Assets(v.context()); err != nil {
		return err
	}
	assets := bySymbol(p.Assets)
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
	for range linesReads {
		full := false
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
		if full {
			break
		}
		if after = next; after == nil {
			break
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

// whatHappened names a line: of a trade, of which it is one side, by what was done with the token.
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
	var n [3]int64
	rest, ok := text, true
	for i := range n {
		var number string
		number, rest, ok = strings.Cut(rest, ".")
		var err error
		if n[i], err = strconv.ParseInt(number, 10, 64); err != nil || !ok {
			return nil, ledger.ErrNotFound.In("", "the place %q", ledger.Clip(text))
		}
	}
	at := time.UnixMilli(n[0]).UTC()
	if at.Year() < 1970 || at.Year() > 9999 || n[1] < -1 || n[1] > ledger.MaxMoves || n[2] < 0 || n[2] > 1 ||
		len(rest) > 2*ledger.MaxID || strings.Contains(rest, "\x00") {
		return nil, ledger.ErrNotFound.In("", "the place %q", ledger.Clip(text))
	}
	return &reports.LineKey{At: at, Entry: strings.ToValidUTF8(rest, ""), Move: int(n[1]), Side: int(n[2])}, nil
}

// Newest is the address of this page's newest lines, and Older of those that come after it.
func (p spotHistoryPage) Newest() string { return p.address("") }
func (p spotHistoryPage) Older() string  { return p.address(p.Next) }

func (p spotHistoryPage) address(after string) string {
	return address(p.Path(), "asset", p.Asset, "after", after)
}
