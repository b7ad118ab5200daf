package audit

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Member is an account that takes part in a campaign where not all do.
type Member struct {
	Campaign string
	Account  ledger.Account
	At       int64 // when it was enrolled, in milliseconds since 1970
}

// Label is a word that an account has on some days.
type Label struct {
	Account     ledger.Account
	Label       string
	From, Until staking.Day
}

// Switch is a switch event.
type Switch struct {
	Account ledger.Account
	At      int64 // milliseconds since 1970
	Action  string
}

// places is who takes part in a campaign where not all do, of those who were covered on one of
// the days that were declared when the audit began.
type places struct {
	rows, counted int64
	last, out     rank // the last one in, and the first one out
}

// rank is when an account was enrolled.
type rank struct {
	at      int64
	account ledger.Account
}

func (r rank) compare(other rank) int {
	return cmp.Or(cmp.Compare(r.at, other.at), cmp.Compare(r.account, other.account))
}

// rank compares the members of a campaign among the span's accounts with their enrollments, and
// adds those that have one to ranked.
func (w *worker) rank(c *Campaign, ranked map[Member]bool) {
	x := &w.campaigns
	seats := x.places[c.ID]
	if seats == nil {
		seats = &places{}
		x.places[c.ID] = seats
	}
	through := min(c.last(), w.weighedThrough[c.ID])
	var before ledger.Account
	for _, e := range w.enrolled {
		if e.Account == before || e.Until <= c.First || e.From > c.last() {
			continue
		}
		before = e.Account
		own := rank{w.madeAt(e), e.Account}
		m := memberOf(x.members[e.Account], c.ID)
		switch {
		case m != nil && m.At != own.at:
			w.find(Finding{Account: e.Account, What: fmt.Sprintf(
				"is a member of the campaign %s since %s; it was enrolled at %s", c.ID, stamp(m.At), stamp(own.at))})
		case m != nil && e.From <= through:
			seats.counted++
			if seats.counted == 1 || seats.last.compare(own) < 0 {
				seats.last = own
			}
		case m == nil && e.From <= through && (seats.out == (rank{}) || own.compare(seats.out) < 0):
			seats.out = own
		}
		if m != nil {
			ranked[*m] = true
			seats.rows++
		}
	}
}

// memberOf is an account's membership of a campaign; nil: there is none.
func memberOf(members []Member, campaign string) *Member {
	for i := range members {
		if members[i].Campaign == campaign {
			return &members[i]
		}
	}
	return nil
}

// mergePlaces adds what a worker has counted of the members of campaigns.
func (a *audit) mergePlaces(w *worker) {
	for id, p := range w.campaigns.places {
		sum := a.places[id]
		if sum == nil {
			sum = &places{}
			a.places[id] = sum
		}
		sum.rows += p.rows
		sum.counted += p.counted
		if p.counted > 0 && sum.last.compare(p.last) < 0 {
			sum.last = p.last
		}
		if p.out != (rank{}) && (sum.out == (rank{}) || p.out.compare(sum.out) < 0) {
			sum.out = p.out
		}
	}
}

// comparePlaces looks at who takes part in campaigns where not all do: those who were enrolled
// first, and nobody is left out while there are places.
func (a *audit) comparePlaces(campaigns []Campaign) {
	for i := range campaigns {
		c, p := &campaigns[i], a.places[campaigns[i].ID]
		if c.Campaign.Members == 0 || p == nil {
			continue
		}
		wrong := func(account ledger.Account, what string) {
			a.find(Finding{Account: account, What: what + " of the campaign " + c.ID})
		}
		switch {
		case p.rows > c.Campaign.Members:
			wrong("", fmt.Sprintf("there are %d members, more than the %d", p.rows, c.Campaign.Members))
		case p.out != (rank{}) && p.counted < c.Campaign.Members:
			wrong(p.out.account, "is no member, and there are places left,")
		case p.out != (rank{}) && p.out.compare(p.last) < 0:
			wrong(p.out.account, "was enrolled before "+string(p.last.account)+", and is no member")
		}
	}
}

// madeAt is when an enrollment was made: at the first switch event of the day before it begins
// that set it on after the last that set it off, or else at the end of that day.
func (w *worker) madeAt(e staking.Enrollment) int64 {
	begin, end := (e.From - 1).Millis(), e.From.Millis()
	made, lastOff, found := end-1, int64(-1), false
	for _, s := range w.campaigns.made[e.Account] {
		if s.At < begin || s.At >= end {
			continue
		}
		switch word, _, _ := strings.Cut(s.Action, ":"); {
		case word == "off":
			made, lastOff, found = end-1, s.At, false
		case word == "on" && !found && s.At > lastOff:
			made, found = s.At, true
		}
	}
	return made
}
