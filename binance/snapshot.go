package binance

import (
	"time"

	"github.com/softstake/softstake/staking"
)

const (
	// snapshotDays are the most snapshots of one request, and the longest range in days.
	snapshotDays = 30
	// snapshotReach is how far a snapshot may lie back: a month.
	snapshotReach = 31 * day
)

// snapshotRow is the Spot account at the end of a day.
type snapshotRow struct {
	Data snapshotData `json:"data"`
	Type string       `json:"type"`
	Time int64        `json:"updateTime"` // the last second of the day, in milliseconds
}

type snapshotData struct {
	Balances []balance `json:"balances"`
	Bitcoin  string    `json:"totalAssetOfBtc"`
}

// accountSnapshot copies GET /sapi/v1/accountSnapshot: the balances at the end of each
// UTC day of the last month, the oldest first, counted back by the journal. There is no
// margin and no futures account, and so no snapshot of one.
func accountSnapshot(r *request) (any, error) {
	kind, err := r.parameters.need("type")
	if err != nil {
		return nil, err
	}
	if kind != "SPOT" && kind != "MARGIN" && kind != "FUTURES" {
		return nil, mandatory("type")
	}
	limit, err := r.parameters.int("limit", 7, 7, snapshotDays)
	if err != nil {
		return nil, err
	}
	from, to, err := r.span(time.Duration(limit)*day, snapshotDays*day)
	if err != nil {
		return nil, err
	}
	oldest := r.now.Add(-snapshotReach)
	switch {
	case from.Before(oldest) && r.parameters.text("startTime") != "":
		return nil, invalid("startTime")
	case to.Before(oldest):
		return nil, invalid("endTime")
	case from.Before(oldest):
		from = oldest
	}
	rows := []snapshotRow{}
	if kind == "SPOT" {
		rows, err = r.snapshots(from, to, limit)
	}
	return struct {
		Code      int           `json:"code"`
		Message   string        `json:"msg"`
		Snapshots []snapshotRow `json:"snapshotVos"`
	}{200, "", rows}, err
}

// snapshots are those of a range of time, both ends inclusive, the latest of them where
// there are more than a limit.
func (r *request) snapshots(from, to time.Time, limit int) ([]snapshotRow, error) {
	first := staking.DayOf(from.Add(time.Second+day-time.Nanosecond)) - 1
	last := min(staking.DayOf(to.Add(time.Second)), staking.DayOf(r.now)) - 1
	snapshots, err := r.Snapshots(r.ctx, r.account, max(first, last-staking.Day(limit)+1), last)
	if err != nil {
		return nil, err
	}
	assets, err := r.assets()
	if err != nil {
		return nil, err
	}
	rows := []snapshotRow{}
	for _, s := range snapshots {
		v, err := r.valuation(s.Day)
		if err != nil {
			return nil, err
		}
		balances, holdings := []balance{}, []holding{}
		for _, b := range s.Balances {
			h := holding{assets[b.Asset], b.Free, b.Held}
			holdings = append(holdings, h)
			balances = append(balances, h.balance())
		}
		total, err := v.bitcoin(holdings...)
		if err != nil {
			return nil, err
		}
		end := (s.Day + 1).Start().Add(-time.Second)
		rows = append(rows, snapshotRow{snapshotData{balances, total}, "spot", end.UnixMilli()})
	}
	return rows, nil
}
