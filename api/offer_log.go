package api

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

type logLineOut struct {
	At      string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When."`
	Actor   string `json:"actor" example:"token 4fQx81LmZp0a" doc:"Who: 'token ID', 'key KEY…', 'login EMAIL', 'operator NAME' of the command line, or 'serve' and other single words for a process. In lines of books from before this was kept: a name alone."`
	Role    string `json:"role,omitempty" example:"operator" doc:"The role: operator, exchange, auditor, holder or system. Absent: the line is from before it was kept."`
	Request string `json:"request,omitempty" example:"A7QZ3VYJ4N5KX2M6PBTCDEFGHI" doc:"The request's ID, as in the header X-Request-Id of its answer. Absent: the change came by no request."`
	Action  string `json:"action" example:"terms set" doc:"What was done."`
	Subject string `json:"subject" example:"BNB" doc:"To what: a token, an account, a document …"`
	Detail  string `json:"detail,omitempty" example:"from 2026-11-23 offered, APR 0.0015, minimum 0.5, cap 1000" doc:"In words."`
}

func (s *server) logRoutes() {
	get(s, "/v1/log", office, reader.logLines, about("list-log", "Operation", "Read who changed what",
		"Every change of the books, and who made it, the newest first."))
}

// mostBehind is how many lines of one moment are read past: setting prices writes 10,000 at the same moment.
const mostBehind = 1_000_000

// logKeys are those of the log: a moment, and how many lines of it were shown.
var logKeys = keyset[reports.LogPlace, reports.LogPlace]{
	2, func(l reports.LogPlace) []string { return []string{millis(l.At), strconv.Itoa(l.Seen)} },
	func(parts []string) (reports.LogPlace, error) {
		at, badTime := moment(parts[0])
		behind, badNumber := within(parts[1], 0, mostBehind)
		return reports.LogPlace{At: at, Seen: int(behind)}, errors.Join(badTime, badNumber)
	},
}

func (rd reader) logLines(ctx context.Context, in *struct{ Paging }) (*answer[list[logLineOut]], error) {
	after, err := logKeys.after(in.Paging)
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = &reports.LogPlace{At: rd.now().Add(24 * time.Hour)} // later than any line
	}
	lines, next, err := rd.LogPage(ctx, *after, in.Limit)
	if err != nil {
		return nil, err
	}
	items, err := shown(lines, func(l store.LogLine) (logLineOut, error) {
		return logLineOut{
			instant(l.At), l.Actor.Credential, string(l.Actor.Role), l.Actor.Request, l.Action, l.Subject, l.Detail,
		}, nil
	})
	out := list[logLineOut]{Items: items}
	if len(lines) == in.Limit {
		out.Next = cursorOf(logKeys.of(next)...)
	}
	return say(out, err)
}
