package web

import (
	"cmp"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// activityLength is how many events a page shows.
const activityLength = 40

// activityPage is the events of an account.
type activityPage struct {
	*view
	Asked  activityAsked
	Shows  []activityShow
	Tokens []string // that can be asked for; none where it makes no difference
	Days   []activityDay
	File   string // the same as a file
	Again  string // where the page is asked for again after an event; "": it is not the newest
	Newest string // the first page
	Older  string // the next page; "": there is none
	From   staking.Day
}

// activityShow is a part of the list that can be asked for.
type activityShow struct {
	Name, Path string
	Current    bool
}

// activityDay is a day in the visitor's zone, with its events.
type activityDay struct {
	Label string
	Rows  []activityRow
}

// activity shows the events of the account.
func (v *visit) activity() error {
	asked, assets, err := v.activityAsked()
	if err != nil {
		return err
	}
	page := activityPage{
		view: v.view("activity.title"), Asked: asked, File: asked.path("/activity.csv", ""),
		Newest: asked.path("/activity", ""),
	}
	after := v.newest()
	if from := v.value("from"); from == "" {
		page.Again = page.Newest
	} else if after, err = parseCursor(from, activitySources); err != nil {
		return err
	}
	events, next, err := mergePage(v.sources(asked), after, activityLength)
	if err != nil {
		return err
	}
	if next != nil {
		page.Older, page.From = asked.path("/activity", next.String()), staking.DayOf(next.moment())
	}
	for _, show := range activityShows {
		other := activityAsked{show, asked.Asset}
		if !other.moves() {
			other.Asset = ""
		}
		page.Shows = append(page.Shows, activityShow{show, other.path("/activity", ""), show == asked.Show})
	}
	if asked.moves() {
		page.Tokens = slices.Sorted(maps.Keys(assets))
	}
	if page.Days, err = page.days(events, assets); err != nil {
		return err
	}
	return v.show("activity", page)
}

// newest is before all events: none is dated later than the end of tomorrow, whatever
// the clocks of other processes are.
func (v *visit) newest() cursor { return cursor{At: v.Books.Now().AddDate(0, 0, 2).UnixMilli()} }

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
	return ui.Address(path, "show", show, "asset", a.Asset, "from", from)
}

// activityAsked reads what is asked for of the list, and which assets there are. An
// unknown part is the whole list.
func (v *visit) activityAsked() (asked activityAsked, assets map[string]ledger.Asset, err error) {
	asked = activityAsked{cmp.Or(v.choice("show", activityShows), showAll), strings.ToUpper(v.value("asset"))}
	assets, err = v.assets()
	if _, known := assets[asked.Asset]; !known || !asked.moves() {
		asked.Asset = ""
	}
	return asked, assets, err
}

// days puts events under the visitor's days.
func (p *activityPage) days(events []event, assets map[string]ledger.Asset) (days []activityDay, err error) {
	today := p.visit.Books.Now().In(p.Location)
	labels := map[string]string{
		p.Date(today.AddDate(0, 0, -1)): p.T("activity.yesterday"), p.Date(today): p.T("activity.today"),
	}
	last := ""
	for _, e := range events {
		date := p.Date(e.moment().In(p.Location))
		if date != last {
			label := date
			if word := labels[date]; word != "" {
				label = p.T("activity.day", "word", word, "date", date)
			}
			days, last = append(days, activityDay{Label: label}), date
		}
		row, err := p.row(e, assets)
		if err != nil {
			return nil, err
		}
		day := &days[len(days)-1]
		day.Rows = append(day.Rows, row)
	}
	return days, nil
}

// activityRow is an event in words.
type activityRow struct {
	Title string
	Note  string // what it means; may be ""
	Where string // the client and the address; may be ""
	Hour  template.HTML
	Sides []activitySide
}

// activitySide is a change of a balance in words.
type activitySide struct {
	Amount, Asset string
	Credit, Held  bool
	Link          string // to the explanation, or ""
}

// row puts an event into words.
func (p *view) row(e event, assets map[string]ledger.Asset) (activityRow, error) {
	row := activityRow{Title: p.eventTitle(e), Note: p.eventNote(e), Where: p.Where(e.Client, e.Address)}
	at := e.moment()
	row.Hour = p.Stamp(at, at.In(p.Location).Format("15:04"), p.Time(at)+" UTC")
	for _, s := range e.Sides {
		asset, err := p.visit.asset(assets, s.Asset)
		if err != nil {
			return row, err
		}
		side := activitySide{Amount: p.Signed(asset, s.Amount), Asset: s.Asset, Credit: s.Amount > 0, Held: s.Held}
		if e.Name == rewardEvent {
			side.Link = rewardPath(e.Day, s.Asset)
		}
		row.Sides = append(row.Sides, side)
	}
	return row, nil
}

// rewardEvent is the name of a day's rewards.
const rewardEvent = "reward"

// eventTitle is what happened.
func (p *view) eventTitle(e event) string {
	switch e.Name {
	case rewardEvent:
		return p.N("activity.is.reward", len(e.Sides), "day", p.Day(e.Day))
	case string(ledger.Trade):
		if from, to, both := e.converted(); both {
			return p.T("activity.is.converted", "from", from, "to", to)
		}
	case "accepted":
		return p.T("activity.is.accepted", "document", p.Called(e.Detail), "version", p.Number(strconv.Itoa(e.Version)))
	}
	return p.Happened(e.Name, e.Other, e.Detail)
}

// Happened is what an event is called on every page.
func (p *view) Happened(name string, other ledger.Account, detail string) string {
	key := "activity.is." + name
	if !p.Has(key) {
		key = "activity.is.other" // written by a newer program than this one
	}
	return p.T(key, "other", other, "detail", detail)
}

// nameOf names what changed a balance by an amount: a transfer by its direction,
// and all else by its kind.
func nameOf(kind ledger.Kind, amount ledger.Amount) string {
	switch {
	case kind == ledger.Transfer && amount < 0:
		return "transfer-out"
	case kind == ledger.Transfer:
		return "transfer-in"
	}
	return string(kind)
}

// converted is which token became which, where it was one each.
func (e event) converted() (from, to string, both bool) {
	if len(e.Sides) != 2 || (e.Sides[0].Amount < 0) == (e.Sides[1].Amount < 0) {
		return "", "", false
	}
	given, got := e.Sides[0].Asset, e.Sides[1].Asset
	if e.Sides[1].Amount < 0 {
		given, got = got, given
	}
	return given, got, given != got
}

// eventNote is what an event means for the holder, where the title does not say it.
func (p *view) eventNote(e event) string {
	day := staking.DayOf(e.moment())
	if e.Name == "switch-off-region" && e.Detail == "" {
		return p.T("activity.note.switch-off-residence", "day", p.Day(day))
	}
	region, from, coming := strings.Cut(e.Detail, " from ")
	if last, err := staking.ParseDay(from); coming && err == nil {
		day = last
	}
	if key := "activity.note." + e.Name; p.Has(key) {
		return p.T(key, "region", p.Region(staking.Region(region)), "day", p.Day(day), "detail", e.Detail)
	}
	return ""
}

// Called is what a document is called.
func (p *view) Called(name string) string {
	if key := "document." + name; p.Has(key) {
		return p.T(key)
	}
	return name
}

// Where names the device and the address from which something was done, as far as they are known.
func (p *view) Where(client, address string) string {
	if client != "" {
		client = p.Device(client)
	}
	words := slices.DeleteFunc([]string{client, address}, func(word string) bool { return word == "" })
	return strings.Join(words, " · ")
}

// activityColumns are those of the file: words for programs, in every language the
// same. An event with several sides has a line for each.
var activityColumns = []string{
	"time_utc", "event", "asset", "amount", "balance", "other_account", "entry", "reward_day", "detail", "client",
	"address",
}

// activityFile is the list as a CSV file, the newest first. It is written while it
// is read, so that no part of it need be in memory.
func (v *visit) activityFile() error {
	asked, assets, err := v.activityAsked()
	if err != nil {
		return err
	}
	name := "activity_" + string(v.account()) + "_" + v.Books.Now().Format(time.DateOnly)
	return v.file(name, activityColumns, func(line func(...string) error) error {
		return merge(v.sources(asked), v.newest(), activityLength, func(e event) (bool, error) {
			for _, change := range e.Sides {
				if _, err := v.asset(assets, change.Asset); err != nil {
					return true, err
				}
			}
			for _, cells := range e.lines(assets) {
				if err := line(cells...); err != nil {
					return true, err
				}
			}
			return false, nil
		})
	})
}

// lines are an event's in the file; a gap has none. assets has each of its sides'.
func (e event) lines(assets map[string]ledger.Asset) (lines [][]string) {
	if e.Gap {
		return nil
	}
	at, day, detail := ledger.FormatTime(e.moment()), "", e.Detail
	if e.Name == rewardEvent {
		day = e.Day.String()
	}
	if e.Version > 0 {
		detail += " " + strconv.Itoa(e.Version)
	}
	line := func(asset, amount, balance string) {
		lines = append(lines, []string{
			at, e.Name, asset, amount, balance, download.Cell(string(e.Other)), download.Cell(e.Entry), day,
			download.Cell(detail), download.Cell(e.Client), download.Cell(e.Address),
		})
	}
	for _, s := range e.Sides {
		balance := "free"
		if s.Held {
			balance = "held"
		}
		line(s.Asset, assets[s.Asset].Format(s.Amount), balance)
	}
	if len(e.Sides) == 0 {
		line("", "", "")
	}
	return lines
}
