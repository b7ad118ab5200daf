package console

import (
	"strconv"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/ui"
)

// log is the log of all changes, the newest first.
func (v *visit) log() error {
	from := reports.LogPlace{At: v.Books.Now().Add(time.Hour)} // a line may be of a clock that runs ahead a little
	if at, err := strconv.ParseInt(v.value("at"), 10, 64); err == nil {
		from.At = time.UnixMilli(at)
	}
	if seen, err := strconv.Atoi(v.value("seen")); err == nil && seen >= 0 && seen < 1_000_000 {
		from.Seen = seen
	}
	lines, next, err := v.Reports.LogPage(v.context(), from, pageSize)
	if err != nil {
		return err
	}
	p := listPage{view: v.view("log.title"), Table: table{Title: "log.title", Empty: "log.none",
		Columns: []column{{"log.at", false}, {"log.action", false}, {"log.who", false}, {"log.detail", false}}}}
	for _, l := range lines {
		what := cell{Text: l.Action, Note: l.Subject}
		if account := ledger.Account(l.Subject); account.CheckHolder() == nil && l.Action == "account read" {
			what.Link = accountPath(account)
		}
		p.Table.Rows = append(p.Table.Rows, row{text(p.Local(l.At)), what,
			{Text: l.Actor.String(), Note: string(l.Actor.Role)}, {Text: l.Detail, Note: l.Actor.Request, Stored: true}})
	}
	if len(lines) == pageSize {
		p.Next = ui.Address(Path+"/log", "at", strconv.FormatInt(next.At.UnixMilli(), 10), "seen",
			strconv.Itoa(next.Seen))
	}
	return v.show("list", p)
}
