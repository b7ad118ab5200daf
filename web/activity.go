package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

func (s *server) activityRoutes() {
	s.get("/activity", s.activity)
	s.get("/activity.csv", s.activityFile)
}

// activityLength is how many happenings a page shows.
const activityLength = 40

// activityPage is what has happened to an account.
type activityPage struct {
	*view
	Asked  activityAsked
	Shows  []activityShow
	Tokens []string // that can be asked for; none where it makes no difference
	Days   []activityDay
	File   string // where the same is found as a file
	Again  string // where the page is asked for again when something happens; "": it is not the newest
	Newest string // where it begins
	Older  string // where it goes on; "": nowhere
	From   staking.Day
}

// activityShow is a part of the list that can be asked for.
type activityShow struct {
	Name, Path string
	Current    bool
}

// activityDay is a day of the visitor's, and what happened on it.
type activityDay struct {
	Label string
	Rows  []activityRow
}

// activity shows what has happened to the account.
func (s *server) activity(v *visit) error {
	asked, assets, err := v.activityAsked()
	if err != nil {
		return err
	}
	// Nothing is dated later than the end of tomorrow, whatever the clocks of other processes are.
	after := happeningPlace{At: s.Books.Now().AddDate(0, 0, 2).UnixMilli()}
	page := activityPage{
		view: v.view("activity.title"), Asked: asked, File: asked.path("/activity.csv", ""),
		Newest: asked.path("/activity", ""),
	}
	if from := v.value("from"); from == "" {
		page.Again = page.Newest
	} else if after, err = parsePlace(from, activitySources); err != nil {
		return err
	}
	happenings, next, err := mergePage(v.context(), s.sources(v.account(), asked), after, activityLength)
	if err != nil {
		return err
	}
	if next != nil {
		page.Older = asked.path("/activity", next.String())
		page.From = staking.DayOf(time.UnixMilli(next.At).UTC())
	}
	for _, show := range activityShows {
		other := activityAsked{show, asked.Asset}
		if !other.moves() {
			other.Asset = ""
		}
		page.Shows = append(page.Shows, activityShow{show, other.path("/activity", ""), show == asked.Show})
	}
	if asked.moves() {
		for symbol := range assets {
			page.Tokens = append(page.Tokens, symbol)
		}
		slices.Sort(page.Tokens)
	}
	if page.Days, err = page.days(happenings, assets); err != nil {
		return err
	}
	return v.show("activity", page)
}

// moves reports whether the part of the list has what moves tokens.
func (a activityAsked) moves() bool {
	return a.Show == showAll || a.Show == showWallet || a.Show == showRewards
}

// path is the address of the list, from a cursor on or, "", from the newest.
func (a activityAsked) path(path, from string) string {
	show := a.Show
	if show == showAll {
		show = ""
	}
	return address(path, "show", show, "asset", a.Asset, "from", from)
}

// activityAsked reads what is wanted of the list, and which assets there are. What
// there is no part of the list for shows all of it.
func (v *visit) activityAsked() (asked activityAsked, assets map[string]ledger.Asset, err error) {
	asked = activityAsked{Show: showAll, Asset: strings.ToUpper(v.value("asset"))}
	if show := v.value("show"); slices.Contains(activityShows, show) {
		asked.Show = show
	}
	if assets, err = v.assets(v.context()); err != nil {
		return asked, nil, err
	}
	if _, known := assets[asked.Asset]; !known || !asked.moves() {
		asked.Asset = ""
	}
	return asked, assets, nil
}

// days puts happenings under the visitor's days.
func (p *activityPage) days(happenings []happening, assets map[string]ledger.Asset) (days []activityDay, err error) {
	today := p.visit.Books.Now().In(p.visit.zone)
	labels := map[string]string{
		p.locale.date(today.AddDate(0, 0, -1)): p.T("activity.yesterday"), p.locale.date(today): p.T("activity.today"),
	}
	last := ""
	for _, h := range happenings {
		date := p.locale.date(h.moment().In(p.visit.zone))
		if date != last {
			label := date
			if word := labels[date]; word != "" {
				label = p.T("activity.day", "word", word, "date", date)
			}
			days, last = append(days, activityDay{Label: label}), date
		}
		row, err := p.row(h, assets)
		if err != nil {
			return nil, err
		}
		day := &days[len(days)-1]
		day.Rows = append(day.Rows, row)
	}
	return days, nil
}

// version is the number of a document's version as the language writes it.
func (p *view) version(n int) string { return p.Number(strconv.Itoa(n)) }
