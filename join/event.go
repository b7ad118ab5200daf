// Package join is the contract by which the changes of another ledger come in: its events, how they are read from our
// JSON or from another's, and what a source of them is. It knows no books and no SQL.
package join

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/strictjson"
)

// Type is what an event says.
type Type string

// The types of event.
const (
	Change    Type = "change"    // the free or the held part of an account's token has changed
	Balance   Type = "balance"   // a snapshot: what the part is
	Reward    Type = "reward"    // the source has credited a reward that the books have paid
	Open      Type = "open"      // an account was opened
	Residence Type = "residence" // its verified residence
	Close     Type = "close"     // it is closed forever
	Freeze    Type = "freeze"    // nothing leaves it
	Unfreeze  Type = "unfreeze"
	Watermark Type = "watermark" // every event of the partition from before a moment is delivered
	Ignored   Type = "ignored"   // a record that a mapping leaves out: only its position counts
)

// The limits of a source's own words.
const (
	MaxSource    = 32
	MaxPartition = 64
	MaxEventID   = 64
	MaxText      = 64 << 10 // of a record, in bytes
)

// Event is one event of a partition. Amounts are decimal numbers of the token, which the books read as smallest units,
// exactly.
type Event struct {
	Place           // increasing within the partition; a watermark may have that of the event before it
	Previous *Place // that of the event before it; nil: its position is one less
	Number   int64  // of an event whose place is a broker's, by who wrote it: increasing, without gaps; 0: it has none
	Follows  *int64 // the number of the event before it; nil: its number is one less
	Mark     string // that of its record
	Initial  bool   // of the snapshot with which its partition begins: a balance sets the part, whatever it was
	Type     Type
	ID       string    // unique in the source; "" of a watermark and of what is ignored
	At       time.Time // when it counts by the source's clock, UTC, cut to milliseconds; of a watermark: before when
	Account  ledger.Account
	Token    string
	Held     bool   // it is about the held part; else about the free part
	Change   string // above or below zero
	After    string // the balance of the part after the event, as the source has it; "": it does not say
	Reverses string // the ID of the event that it takes back or corrects
	Reward   string // the ID of the entry that paid the reward
	Owner    string
	Region   string // a verified residence; "": none
	Earns    bool   // of a freeze: its days earn
	Reason   string
}

// form is an event as JSON.
type form struct {
	Position     *int64 `json:"position,omitempty"`
	Previous     *int64 `json:"previous,omitempty"`
	Type         string `json:"type,omitempty"`
	ID           string `json:"id,omitempty"`
	At           string `json:"at,omitempty"`
	Account      string `json:"account,omitempty"`
	Token        string `json:"token,omitempty"`
	Kind         string `json:"kind,omitempty"`
	Change       string `json:"change,omitempty" example:"-2.5"`
	BalanceAfter string `json:"balanceAfter,omitempty" example:"7.5"`
	Reverses     string `json:"reverses,omitempty"`
	Reward       string `json:"reward,omitempty"`
	Owner        string `json:"owner,omitempty"`
	Region       string `json:"region,omitempty"`
	Verified     *bool  `json:"verified,omitempty"`
	Earns        *bool  `json:"earns,omitempty"`
	Reason       string `json:"reason,omitempty"`
	Before       string `json:"before,omitempty"`
}

// members are the fields that an event of a type must have and may have, beside position, previous and type.
type members struct{ must, may []string }

func membersOf(must, may string) members { return members{strings.Fields(must), strings.Fields(may)} }

var types = map[Type]members{
	Change:    membersOf("id at account token change", "kind balanceAfter reverses"),
	Balance:   membersOf("id at account token balanceAfter", "kind"),
	Reward:    membersOf("id at account token change reward", "balanceAfter"),
	Open:      membersOf("id at account", "owner region verified"),
	Residence: membersOf("id at account region verified", ""),
	Close:     membersOf("id at account", ""),
	Freeze:    membersOf("id at account reason earns", ""),
	Unfreeze:  membersOf("id at account reason", ""),
	Watermark: membersOf("before", ""),
}

// given are the names of the fields that the form has.
func (f form) given() (names []string) {
	for _, g := range []struct {
		name string
		is   bool
	}{
		{"id", f.ID != ""}, {"at", f.At != ""}, {"account", f.Account != ""}, {"token", f.Token != ""},
		{"kind", f.Kind != ""}, {"change", f.Change != ""}, {"balanceAfter", f.BalanceAfter != ""},
		{"reverses", f.Reverses != ""}, {"reward", f.Reward != ""}, {"owner", f.Owner != ""}, {"region", f.Region != ""},
		{"verified", f.Verified != nil}, {"earns", f.Earns != nil}, {"reason", f.Reason != ""}, {"before", f.Before != ""},
	} {
		if g.is {
			names = append(names, g.name)
		}
	}
	return names
}

// Decode reads an event from our JSON, strictly: a name that is unknown, is there twice or does not belong to the type
// is an error. position is that of the record in its source; 0: the event has it itself; Numbered: its place is a
// broker's, and the event has none or a number of its own. The errors are ledger.ErrInvalid.
func Decode(text []byte, position int64) (Event, error) {
	if len(text) > MaxText {
		return Event{}, ledger.ErrInvalid.In("", "the record has %d bytes; at most %d are allowed", len(text), MaxText)
	}
	var f form
	if readFlat(text, &f) {
		return f.event(position)
	}
	f = form{}
	if err := strictjson.Decode(text, &f); err != nil {
		if fault, is := errors.AsType[*strictjson.Fault](err); is {
			return Event{}, ledger.ErrInvalid.In(fault.Field, "%s", fault.Message)
		}
		return Event{}, ledger.ErrInvalid.In("", "%v", err)
	}
	return f.event(position)
}

// event is the event of the form.
func (f form) event(position int64) (Event, error) {
	e := Event{
		Place: Place{Position: position}, Type: Type(f.Type), ID: f.ID, Account: ledger.Account(f.Account), Token: f.Token,
		Held: f.Kind == "held", Change: f.Change, After: f.BalanceAfter, Reverses: f.Reverses, Reward: f.Reward,
		Owner: f.Owner, Region: f.Region, Earns: f.Earns != nil && *f.Earns, Reason: f.Reason,
	}
	if e.Type == "" {
		e.Type = Change
	}
	if err := f.checkMembers(e.Type); err != nil {
		return e, err
	}
	if err := e.place(f); err != nil {
		return e, err
	}
	if f.Verified != nil && !*f.Verified {
		e.Region = ""
	}
	field, at := e.TimeField(), f.At
	if e.Type == Watermark {
		at = f.Before
	}
	moment, err := time.Parse(time.RFC3339Nano, at)
	if err != nil || moment.Year() < 1970 || moment.Year() > 9999 {
		return e, ledger.ErrInvalid.In(field, "%q is not a time such as 2026-11-27T12:00:00.000Z", ledger.Clip(at))
	}
	e.At = moment.UTC().Truncate(time.Millisecond)
	return e, e.check(f.Kind)
}

// TimeField is the name of the event's time in our JSON.
func (e Event) TimeField() string {
	if e.Type == Watermark {
		return "before"
	}
	return "at"
}

// Numbered is the position to decode a record with whose place is a broker's: that of the event is a number of its own.
const Numbered = -1

// Order is how an event stands to the one before it by their numbers.
type Order int

// The orders.
const (
	Next    Order = iota // it is the next one, or nothing is known
	Repeats              // it was there before, as a broker may send it again
	Gap                  // events are missing before it
	Back                 // it says that it follows an earlier one
)

// Order is how the event stands to those before it, of which the last number is given; 0: none had one.
func (e Event) Order(last int64) Order {
	before := e.Number - 1
	if e.Follows != nil {
		before = *e.Follows
	}
	switch {
	case e.Number == 0 || last == 0:
		return Next
	case e.Number <= last:
		return Repeats
	case before > last:
		return Gap
	case before < last:
		return Back
	}
	return Next
}

// number gives an event whose place is a broker's the number that it has.
func (e *Event) number(f form) error {
	e.Position = 0
	if e.Follows = f.Previous; f.Position == nil && f.Previous == nil {
		return nil
	}
	if f.Position == nil || *f.Position < 1 {
		return ledger.ErrInvalid.In("position", "it is missing or below 1")
	}
	if e.Number = *f.Position; f.Previous != nil && (*f.Previous < 0 || *f.Previous >= e.Number) {
		return ledger.ErrInvalid.In("previous", "%d is not before the position %d", *f.Previous, e.Number)
	}
	return nil
}

// place gives the event its position.
func (e *Event) place(f form) error {
	if e.Position == Numbered {
		return e.number(f)
	}
	if f.Position != nil {
		if e.Position != 0 && *f.Position != e.Position {
			return ledger.ErrInvalid.In("position", "the event says that its position is %d, and it is record "+
				"%d", *f.Position, e.Position)
		}
		e.Position = *f.Position
	}
	if e.Position < 1 {
		return ledger.ErrInvalid.In("position", "it is missing or below 1")
	}
	if f.Previous != nil {
		e.Previous = &Place{Position: *f.Previous}
		if *f.Previous < 0 || *f.Previous >= e.Position {
			return ledger.ErrInvalid.In("previous", "%d is not before the position %d", *f.Previous, e.Position)
		}
	}
	return nil
}

func (f form) checkMembers(t Type) error {
	m, known := types[t]
	if !known {
		return ledger.ErrInvalid.In("type", "the type %q is unknown", ledger.Clip(string(t)))
	}
	given := f.given()
	for _, name := range m.must {
		if !slices.Contains(given, name) {
			return ledger.ErrInvalid.In(name, "an event of the type %q has it; it is missing", t)
		}
	}
	for _, name := range given {
		if !slices.Contains(m.must, name) && !slices.Contains(m.may, name) {
			return ledger.ErrInvalid.In(name, "an event of the type %q does not have it", t)
		}
	}
	if (f.Region != "") != (f.Verified != nil) {
		return ledger.ErrInvalid.In("verified", "a region and whether it is verified go together")
	}
	return nil
}

// amountScale is more decimals than any token has: the books know how many are kept.
const amountScale = 18

func (e Event) check(kind string) error {
	if kind != "" && kind != "free" && kind != "held" {
		return ledger.ErrInvalid.In("kind", "%q is neither \"free\" nor \"held\"", ledger.Clip(kind))
	}
	if e.Type == Watermark {
		return nil
	}
	if err := CheckName("id", e.ID, MaxEventID); err != nil {
		return err
	}
	if e.Reverses != "" {
		if err := CheckName("reverses", e.Reverses, MaxEventID); err != nil {
			return err
		}
	}
	if e.Reward != "" {
		if err := ledger.At("reward", ledger.CheckID("entry", e.Reward)); err != nil {
			return err
		}
	}
	if err := ledger.At("account", e.Account.CheckHolder()); err != nil {
		return err
	}
	for _, a := range [][2]string{{"change", e.Change}, {"balanceAfter", e.After}} {
		if err := checkAmount(a[0], a[1]); err != nil {
			return err
		}
	}
	if e.Type == Reward && strings.HasPrefix(e.Change, "-") {
		return ledger.ErrInvalid.In("change", "a reward is above zero")
	}
	if e.Reason != "" {
		return ledger.At("reason", ledger.CheckText("the reason", e.Reason))
	}
	return nil
}

// checkAmount refuses what is no decimal number. The books refuse more decimals than their token has.
func checkAmount(field, amount string) error {
	if amount == "" {
		return nil
	}
	if len(amount) > 40 {
		return ledger.ErrInvalid.In(field, "the number has %d characters; at most 40 are allowed", len(amount))
	}
	whole, _, _ := strings.Cut(amount, ".")
	if _, err := ledger.ParseDecimal(whole, 0); err != nil {
		return ledger.At(field, err)
	}
	_, err := ledger.ParseDecimal("0"+strings.TrimPrefix(amount, whole), amountScale)
	return ledger.At(field, err)
}

// CheckName refuses a name of a source, of a partition or of an event that is not 1 to most characters of A-Z a-z 0-9
// . _ : and -, or that is "." or "..". The error is ledger.ErrInvalid.
func CheckName(field, name string, most int) error {
	bad := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:-", r))
	}
	if name == "" || len(name) > most || name == "." || name == ".." || strings.ContainsFunc(name, bad) {
		return ledger.ErrInvalid.In(field, "%q is not 1 to %d characters of A-Z a-z 0-9 . _ : and -", ledger.Clip(name), most)
	}
	return nil
}
