package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// verbs are what can happen, or be looked at. Each says what the books answered.
var verbs map[string]func(*Player, line) (string, error)

func init() {
	verbs = map[string]func(*Player, line) (string, error){
		"day":      func(*Player, line) (string, error) { return "", nil },
		"now":      (*Player).now,
		"terms":    (*Player).setTerms,
		"correct":  (*Player).correctTerms,
		"limit":    (*Player).limit,
		"approve":  (*Player).approve,
		"fund":     (*Player).fund,
		"campaign": (*Player).campaign,
		"end":      (*Player).endCampaign,
		"left":     (*Player).left,
		"open":     (*Player).open,
		"region":   (*Player).region,
		"owner":    (*Player).owner,
		"label":    (*Player).label,
		"unlabel":  (*Player).unlabel,
		"enroll":   (*Player).enrollLine,
		"switch":   (*Player).switchOn,
		"leave":    (*Player).leave,
		"deposit": entryVerb(ledger.Deposit,
			func(l line) (from, to ledger.Account) { return ledger.Custody, l.holder(0) }),
		"withdraw": entryVerb(ledger.Withdrawal,
			func(l line) (from, to ledger.Account) { return l.holder(0), ledger.Custody }),
		"complete": entryVerb(ledger.Withdrawal,
			func(l line) (from, to ledger.Account) { return l.holder(0).Held(), ledger.Custody }),
		"hold": entryVerb(ledger.Hold,
			func(l line) (from, to ledger.Account) { return l.holder(0), l.holder(0).Held() }),
		"release": entryVerb(ledger.Release,
			func(l line) (from, to ledger.Account) { return l.holder(0).Held(), l.holder(0) }),
		"transfer": (*Player).transfer,
		"trade":    (*Player).trade,
		"settle":   (*Player).settle,
		"run":      (*Player).run,
		"reward":   (*Player).reward,
		"average":  (*Player).figure,
		"opening":  (*Player).figure,
		"eligible": (*Player).figure,
		"balance":  (*Player).balance,
		"earned":   (*Player).earned,
		"pool":     (*Player).pool,
		"journal":  (*Player).journal,
		"exclude":  (*Player).exclude,
		"include":  (*Player).include,
		"why":      (*Player).why,
		"income":   (*Player).income,
		"fees":     (*Player).fees,
		"divided":  (*Player).divided,
	}
}

// terms reads "TOKEN APR min M cap C", or "TOKEN off". In the mode share the word share stands
// for the APR. Then may follow "fee F", "measure daily-minimum", "per-owner" and "gross APR".
func (l line) terms(asset ledger.Asset, from staking.Day) (t staking.Terms, err error) {
	apr := l.word(1)
	switch apr {
	case "off":
		return staking.Terms{Asset: asset.Symbol, From: from, Cap: 1}, nil
	case "share":
		apr, t.Mode = "0", staking.Share
	}
	least, _ := l.option("min")
	most, _ := l.option("cap")
	mode := t.Mode
	if t, err = staking.ParseTerms(asset, from, apr, least, most); err != nil {
		return t, err
	}
	t.Mode, t.PerOwner = mode, slices.Contains(l.words, "per-owner")
	if fee, given := l.option("fee"); given {
		t.Fee, err = staking.ParseRate(fee)
	}
	if gross, given := l.option("gross"); given && err == nil {
		t.GrossAPR, err = staking.ParseRate(gross)
	}
	if measure, given := l.option("measure"); given && err == nil {
		t.Measure, err = staking.ParseMeasure(measure)
	}
	return t, err
}

// now moves the clock to a time of the day.
func (p *Player) now(l line) (string, error) {
	at, err := parseTime(l.word(0))
	l.at = at
	p.clock.Forward(l.moment())
	return "", err
}

// setTerms sets terms from tomorrow on, unless the books began with them.
func (p *Player) setTerms(l line) (string, error) {
	first := slices.IndexFunc(p.script.lines, func(one line) bool {
		return one.verb == "terms" && one.word(0) == l.word(0)
	})
	if p.script.lines[first].n == l.n {
		return "the books began with them", nil
	}
	terms, err := p.terms(l, staking.DayOf(p.clock.Now())+1)
	if err != nil {
		return "", err
	}
	return "", p.db.SetTerms(p.ctx, terms)
}

// correctTerms reads "correct TOKEN APR min M cap C of N".
func (p *Player) correctTerms(l line) (string, error) {
	d, err := l.of()
	if err != nil {
		return "", err
	}
	terms, err := p.terms(l, d)
	if err != nil {
		return "", err
	}
	return "", p.db.CorrectTerms(p.ctx, d, terms, "a slip of the pen")
}

// terms are the line's, of a token that the books keep.
func (p *Player) terms(l line, from staking.Day) (staking.Terms, error) {
	asset, err := p.db.Asset(p.ctx, l.word(0))
	if err != nil {
		return staking.Terms{}, err
	}
	return l.terms(asset, from)
}

// of is the day that "of N" names, or the line's own.
func (l line) of() (staking.Day, error) {
	n, given := l.option("of")
	if !given {
		return dayOf(l.day), nil
	}
	day, err := strconv.Atoi(n)
	return dayOf(day), err
}

// limit reads "limit TOKEN total X" and "limit TOKEN change PERCENT".
func (p *Player) limit(l line) (string, error) {
	asset, err := p.db.Asset(p.ctx, l.word(0))
	if err != nil {
		return "", err
	}
	limit := staking.Limit{Asset: asset.Symbol}
	if total, given := l.option("total"); given {
		limit.MaxTotal, err = asset.Parse(total)
	}
	if change, given := l.option("change"); given && err == nil {
		limit.MaxChange, err = ledger.ParseDecimal(change, 2)
	}
	if err != nil {
		return "", err
	}
	return "", p.db.SetLimit(p.ctx, limit)
}

func (p *Player) approve(l line) (string, error) {
	d, err := l.of()
	if err != nil {
		return "", err
	}
	return "", p.db.Approve(p.ctx, d, l.word(0))
}

// fund reads "fund TOKEN AMOUNT"; an amount below zero is taken out.
func (p *Player) fund(l line) (string, error) {
	amount, _, err := p.amount(l.word(1), l.word(0))
	if err != nil {
		return "", err
	}
	take := amount < 0
	if take {
		amount = -amount
	}
	return p.outcome(l)(p.db.Fund(p.ctx, l.id, l.word(0), amount, take))
}

func (p *Player) open(l line) (string, error) {
	repeated, err := p.db.OpenAccount(p.ctx, l.holder(0), staking.Region(l.word(1)))
	return fmt.Sprintf("repeated %t", repeated), err
}

func (p *Player) region(l line) (string, error) {
	_, err := p.db.SetRegion(p.ctx, l.holder(0), staking.Region(l.word(1)))
	return "", err
}

// owner reads "owner HOLDER OWNER", from tomorrow on; the owner "none" is none.
func (p *Player) owner(l line) (string, error) {
	owner := l.word(1)
	if owner == "none" {
		owner = ""
	}
	o, repeated, err := p.db.SetOwner(p.ctx, l.holder(0), owner, 0)
	return fmt.Sprintf("from %s, repeated %t", o.From, repeated), err
}

// label and unlabel read "label HOLDER LABEL", from tomorrow on.
func (p *Player) label(l line) (string, error) {
	label, repeated, err := p.db.AddLabel(p.ctx, l.holder(0), l.word(1), 0)
	return fmt.Sprintf("from %s until %d, repeated %t", label.From, label.Until, repeated), err
}

func (p *Player) unlabel(l line) (string, error) {
	from, repeated, err := p.db.RemoveLabel(p.ctx, l.holder(0), l.word(1), 0)
	return fmt.Sprintf("from %s, repeated %t", from, repeated), err
}

// enrollLine accepts the documents and switches on; switchOn switches on alone.
func (p *Player) enrollLine(l line) (string, error) {
	return "", p.enroll(l.holder(0), l.moment())
}

func (p *Player) switchOn(l line) (string, error) {
	e, err := p.db.Enroll(p.ctx, l.holder(0), staking.Client{}, l.moment())
	return fmt.Sprintf("from %s until %d", e.From, e.Until), err
}

func (p *Player) leave(l line) (string, error) {
	return "", p.db.Leave(p.ctx, l.holder(0), staking.Client{}, l.moment())
}

// entryVerb makes an entry of one move of "VERB HOLDER AMOUNT TOKEN".
func entryVerb(kind ledger.Kind, sides func(line) (from, to ledger.Account)) func(*Player, line) (string, error) {
	return func(p *Player, l line) (string, error) {
		from, to := sides(l)
		return p.post(l, kind, from, to, l.word(1), l.word(2))
	}
}

// transfer reads "transfer FROM TO AMOUNT TOKEN".
func (p *Player) transfer(l line) (string, error) {
	return p.post(l, ledger.Transfer, l.holder(0), l.holder(1), l.word(2), l.word(3))
}

func (p *Player) post(l line, kind ledger.Kind, from, to ledger.Account, amount, token string) (string, error) {
	n, asset, err := p.amount(amount, token)
	if err != nil {
		return "", err
	}
	return p.postEntry(l,
		ledger.Entry{Kind: kind, Moves: []ledger.Move{{From: from, To: to, Asset: asset.Symbol, Amount: n}}})
}

// trade reads moves between commas: "trade alice bob 1 BNB, bob alice/held 600 USDT".
func (p *Player) trade(l line) (string, error) {
	e := ledger.Entry{Kind: ledger.Trade}
	for _, move := range strings.Split(strings.Join(l.words, " "), ",") {
		w := strings.Fields(move)
		if len(w) != 4 {
			return "", fmt.Errorf("the move %q is not FROM TO AMOUNT TOKEN", move)
		}
		n, asset, err := p.amount(w[2], w[3])
		if err != nil {
			return "", err
		}
		e.Moves = append(e.Moves,
			ledger.Move{From: ledger.Account(w[0]), To: ledger.Account(w[1]), Asset: asset.Symbol, Amount: n})
	}
	return p.postEntry(l, e)
}

// amount reads an amount of a token. A token that the books do not keep is left
// for them to refuse.
func (p *Player) amount(s, token string) (ledger.Amount, ledger.Asset, error) {
	asset, err := p.db.Asset(p.ctx, token)
	if errors.Is(err, ledger.ErrNotFound) {
		asset = ledger.Asset{Symbol: token, Scale: 8}
	} else if err != nil {
		return 0, asset, err
	}
	n, err := asset.Parse(s)
	return n, asset, err
}

func (p *Player) postEntry(l line, e ledger.Entry) (string, error) {
	e.ID, e.At = l.id, l.moment()
	outcomes, err := p.db.Post(p.ctx, []ledger.Entry{e})
	if err != nil {
		return "", err
	}
	return p.outcome(l)(outcomes[0], outcomes[0].Err)
}

// outcome is an entry's as text. "again" expects it to be a repetition.
func (p *Player) outcome(l line) func(store.Outcome, error) (string, error) {
	return func(o store.Outcome, err error) (string, error) {
		if err == nil && o.Repeated != l.again && !p.random {
			err = fmt.Errorf("repeated is %t", o.Repeated)
		}
		return fmt.Sprintf("at %d, posted at %d, repeated %t",
			o.At.UnixMilli(), o.PostedAt.UnixMilli(), o.Repeated), err
	}
}
