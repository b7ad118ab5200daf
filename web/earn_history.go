package web

import (
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// rewardsPage is a page of an account's rewards, the newest first.
type rewardsPage struct {
	Rewards  []reports.Reward
	From, To staking.Day // what was looked at; From above To: there was nothing to look at
	Next     string      // the place where the older ones go on, or ""
}

const (
	historyRows = 50
	// historyDays is how many days a page looks at: one who has earned nothing for
	// years waits no longer for it than others.
	historyDays = 366
)

// rewardsPage reads the visitor's rewards of an asset or of all (""), after a place
// or the newest (""), at most limit. The error of a place or an asset that cannot be
// is ledger.ErrNotFound.
func (v *visit) rewardsPage(enrollments []staking.Enrollment, asset, after string, limit int) (p rewardsPage,
	err error) {
	key, err := placeOf(after)
	if err != nil {
		return p, err
	}
	p.To = staking.DayOf(v.Books.Now()) - 1
	if key != nil {
		p.To = min(p.To, key.Day)
	}
	first := p.To + 1
	for _, e := range enrollments { // no other day has a reward
		if e.From < e.Until {
			first = min(first, e.From)
			break
		}
	}
	p.From = max(first, p.To-historyDays+1)
	p.Rewards, err = v.Reports.RewardPage(v.context(), v.account(),
		reports.RewardsAsked{From: p.From, To: p.To, Asset: asset, Newest: true}, key, limit+1)
	switch {
	case err != nil:
		return p, err
	case len(p.Rewards) > limit:
		p.Rewards = p.Rewards[:limit]
		last := p.Rewards[limit-1]
		p.Next = last.Day.String() + "." + last.Asset
	case p.From > first:
		p.Next = (p.From - 1).String()
	}
	return p, nil
}

// placeOf reads a cursor among rewards: "2026-11-22.BNB" is after that reward,
// "2026-11-22" is before all of that day, "" is before all.
func placeOf(text string) (*reports.RewardKey, error) {
	if text == "" {
		return nil, nil
	}
	day, asset, _ := strings.Cut(text, ".")
	d, err := staking.ParseDay(day)
	if err != nil {
		return nil, ledger.ErrNotFound
	}
	return &reports.RewardKey{Day: d, Asset: asset}, nil
}

// historyPage is all rewards.
type historyPage struct {
	*view
	rewardsPage
	Asset  string   // that they are of, or ""
	Choice []string // the tokens there are rewards of
	First  bool     // it is the newest page, which grows
	Assets map[string]ledger.Asset
	Today  staking.Day
}

// earnHistory is all rewards, page by page.
func (s *server) earnHistory(v *visit) error {
	h := historyPage{
		view: v.view("earn.history.title"), Asset: v.value("asset"), First: v.value("after") == "",
		Today: staking.DayOf(v.Books.Now()),
	}
	var err error
	if h.Assets, err = v.assets(v.context()); err != nil {
		return err
	}
	holder, err := v.holder(0)
	if err != nil {
		return err
	}
	h.Choice = earned(holder)
	if h.rewardsPage, err = v.rewardsPage(holder.Enrollments, h.Asset, v.value("after"), historyRows); err != nil {
		return err
	}
	if h.Asset != "" && !slices.Contains(h.Choice, h.Asset) {
		h.Choice = append(h.Choice, h.Asset)
	}
	return v.show("earn-history", h)
}

// earned are the tokens that a holder has rewards of, also those not on offer any more.
func earned(h reports.Holder) (tokens []string) {
	for _, b := range h.Balances {
		if b.Earned > 0 {
			tokens = append(tokens, b.Asset)
		}
	}
	return tokens
}

// Newest is the address of the newest page.
func (h historyPage) Newest() string { return historyPath(h.Asset, "") }

// Older is the address of the rewards before these.
func (h historyPage) Older() string { return historyPath(h.Asset, h.Next) }

// Of is the address of the rewards of an asset, or of all.
func (h historyPage) Of(asset string) string { return historyPath(asset, "") }

func historyPath(asset, after string) string {
	return address("/earn/history", "asset", asset, "after", after)
}
