package web

import (
	"strconv"
	"time"

	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
)

// activityColumns are those of the file: words for programs, in every language the
// same. A happening with several sides has a line for each.
var activityColumns = []string{
	"time_utc", "event", "asset", "amount", "balance", "other_account", "entry", "reward_day", "detail", "client",
	"address",
}

// activityFile is the list as a CSV file, the newest first. It is written while it
// is read, so that no part of it need be in memory.
func (s *server) activityFile(v *visit) error {
	asked, assets, err := v.activityAsked()
	if err != nil {
		return err
	}
	name := "activity_" + string(v.account()) + "_" + s.Books.Now().Format(time.DateOnly)
	return v.file(name, activityColumns, func(line func(...string) error) error {
		newest := happeningPlace{At: s.Books.Now().AddDate(0, 0, 2).UnixMilli()}
		return merge(v.context(), s.sources(v.account(), asked), newest, activityLength,
			func(h happening) (bool, error) {
				for _, change := range h.Sides {
					if _, err := s.asset(v.context(), assets, change.Asset); err != nil {
						return true, err
					}
				}
				for _, cells := range h.lines(assets) {
					if err := line(cells...); err != nil {
						return true, err
					}
				}
				return false, nil
			})
	})
}

// lines are a happening's in the file; a gap has none. assets has each of its sides'.
func (h happening) lines(assets map[string]ledger.Asset) (lines [][]string) {
	if h.Gap {
		return nil
	}
	at, day, detail := instant(h.moment()), "", h.Detail
	if h.Name == happenedReward {
		day = h.Day.String()
	}
	if h.Version > 0 {
		detail += " " + strconv.Itoa(h.Version)
	}
	line := func(asset, amount, balance string) []string {
		return []string{
			at, h.Name, asset, amount, balance, download.Cell(string(h.Other)), download.Cell(h.Entry), day,
			download.Cell(detail), download.Cell(h.Client), download.Cell(h.Address),
		}
	}
	for _, s := range h.Sides {
		balance := "free"
		if s.Held {
			balance = "held"
		}
		lines = append(lines, line(s.Asset, assets[s.Asset].Format(s.Amount), balance))
	}
	if len(h.Sides) == 0 {
		lines = append(lines, line("", "", ""))
	}
	return lines
}
