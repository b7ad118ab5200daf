package topic

import (
	"cmp"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/strictjson"
)

// The types of messages.
const (
	begin  = "begin"
	amount = "amount"
	end    = "end"
)

// message is a message: what its type does not have is "".
type message struct {
	Type string `json:"type"`
	Set  string `json:"set"`

	Day      string `json:"day"` // of begin, as the others up to Payouts
	Position string `json:"position"`
	At       string `json:"at"`
	Payouts  string `json:"payouts"`

	Account string `json:"account"` // of amount
	Asset   string `json:"asset"`
	Balance string `json:"balance"`
	Payout  string `json:"payout"`

	Tokens []total `json:"tokens"` // of end
}

// total is what a set has of a token. Amounts of zero do not count.
type total struct {
	Asset     string `json:"asset"`
	Balances  int    `json:"balances"` // how many
	Sum       string `json:"sum"`      // in whole tokens
	Payouts   int    `json:"payouts"`
	PayoutSum string `json:"payoutSum"`
}

const (
	longestMessage = 1 << 20 // the one of an end has every token
	longestName    = 100     // of a set
)

// decode reads a message, and checks that it has what its type has, and nothing else.
func decode(text []byte) (m message, err error) {
	if len(text) > longestMessage {
		return m, ledger.ErrInvalid.In("", "it is longer than %d bytes", longestMessage)
	}
	if err := strictjson.Decode(text, &m); err != nil {
		return m, ledger.ErrInvalid.In("", "%w", err)
	}
	others := m
	others.Type, others.Set = "", ""
	required := true
	switch m.Type {
	case begin:
		_, err := time.Parse(time.DateOnly, m.Day)
		required = err == nil
		others.Day, others.Position, others.At, others.Payouts = "", "", "", ""
	case amount:
		required = m.Account != "" && m.Asset != "" && cmp.Or(m.Balance, m.Payout) != ""
		others.Account, others.Asset, others.Balance, others.Payout = "", "", "", ""
	case end:
		required, others.Tokens = m.Tokens != nil, nil
	default:
		return m, ledger.ErrInvalid.In("type", "%q is none of begin, amount and end", ledger.Clip(m.Type))
	}
	switch {
	case m.Set == "" || len(m.Set) > longestName:
		return m, ledger.ErrInvalid.In("set", "a name has 1 to %d bytes", longestName)
	case !required:
		return m, ledger.ErrInvalid.In("", "a message of the type %s has not all that it must have", m.Type)
	case !reflect.ValueOf(others).IsZero():
		return m, ledger.ErrInvalid.In("", "a message of the type %s has what belongs to another type", m.Type)
	}
	return m, nil
}

// set is a set of the day that is read.
type set struct {
	name       string
	begin      message
	end        *message // nil: none has come
	from, to   join.Place
	figures    *reconcile.Reader
	bytes      int64 // of its messages
	fault      error // the first one: then nothing more is kept
	unexpected bool  // whether there is a payout, and the begin names no day of payouts
}

// newSet is a set that begins.
func newSet(begin message, from join.Place, assets map[string]ledger.Asset) *set {
	s := &set{name: begin.Set, begin: begin, from: from, figures: reconcile.NewReader(assets)}
	s.figures.Repeat()
	s.fault = s.figures.SetState(begin.Position, begin.At, begin.Payouts)
	return s
}

// add adds a message, which may have come before.
func (s *set) add(m message, at join.Place) {
	var err error
	switch m.Type {
	case begin:
		if !reflect.DeepEqual(m, s.begin) {
			err = ledger.ErrInvalid.In("set", "it begins twice, with different content")
		}
	case amount:
		if s.fault != nil {
			return
		}
		if m.Balance != "" {
			err = s.figures.AddBalance(m.Account, m.Asset, m.Balance)
		}
		if m.Payout != "" && err == nil {
			s.unexpected = s.begin.Payouts == ""
			err = s.figures.AddPayout(m.Account, m.Asset, m.Payout)
		}
	case end:
		if s.end == nil {
			s.end, s.to = &m, at
		} else if !reflect.DeepEqual(m, *s.end) {
			err = ledger.ErrInvalid.In("set", "it ends twice, with different content")
		}
	}
	if err != nil && s.fault == nil {
		s.fault, s.figures = ledger.ErrInvalid.In("", "message %s: %w", at, err), nil
	}
}

// whole are the figures of a set that has an end: ledger.ErrInvalid where they are not as many as it says, or sum to
// something else.
func (s *set) whole(assets map[string]ledger.Asset) (f reconcile.Figures, err error) {
	if err = s.fault; err == nil && s.unexpected {
		err = ledger.ErrInvalid.In("payouts", "there are payouts, and it does not begin with the day that they are for")
	}
	if err == nil {
		f, err = s.figures.Figures()
	}
	if err != nil {
		return reconcile.Figures{}, err
	}
	says := map[string]total{}
	for _, t := range s.end.Tokens {
		if _, is := says[t.Asset]; is {
			return reconcile.Figures{}, ledger.ErrInvalid.In("tokens", "%s is there twice", ledger.Clip(t.Asset))
		}
		says[t.Asset] = t
	}
	for _, symbol := range sorted(assets) {
		a, t := assets[symbol], says[symbol]
		if err := check(a, "balances", f.Balances, t.Balances, t.Sum); err != nil {
			return reconcile.Figures{}, err
		}
		if err := check(a, "payouts", f.Payouts, t.Payouts, t.PayoutSum); err != nil {
			return reconcile.Figures{}, err
		}
	}
	return f, nil
}

func sorted(assets map[string]ledger.Asset) (symbols []string) {
	for symbol := range assets {
		symbols = append(symbols, symbol)
	}
	slices.Sort(symbols)
	return symbols
}

// decimal is how a sum is written. It may be more than an amount.
var decimal = regexp.MustCompile(`^-?[0-9]{1,60}(\.[0-9]{1,60})?$`)

// check compares amounts of a token with how many the end of their set says that there are, and with their sum.
func check(a ledger.Asset, what string, all []reconcile.Balance, count int, text string) error {
	have, sum := 0, new(big.Int)
	for _, b := range all {
		if b.Asset == a.Symbol {
			have++
			sum.Add(sum, big.NewInt(int64(b.Amount)))
		}
	}
	if have != count {
		return ledger.ErrInvalid.In("tokens", "it has %d %s of %s, and its end says %d", have, what, a.Symbol, count)
	}
	if text = cmp.Or(text, "0"); !decimal.MatchString(text) {
		return ledger.ErrInvalid.In("tokens", "the sum %q of %s is no amount", ledger.Clip(text), a.Symbol)
	}
	said, _ := new(big.Rat).SetString(text)
	units := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(a.Scale)), nil)
	if said.Cmp(new(big.Rat).SetFrac(sum, units)) != 0 {
		return ledger.ErrInvalid.In("tokens", "its %s of %s sum to %s, and its end says %s", what, a.Symbol,
			ledger.FormatBig(sum, a.Scale), ledger.Clip(text))
	}
	return nil
}
