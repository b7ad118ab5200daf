package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// LogLine is one change of the books: who made it, and when.
type LogLine struct {
	At      time.Time
	Actor   access.Actor // Role and Request are "" in lines from before they were kept
	Action  string       // "terms set", "region add" …
	Subject string       // the account, token or document it is about
	Detail  string
}

// logLine writes a line of the log, in the transaction of the change that it is about.
// Every change of the books writes one, and one of an operation that is in no table, or that the actor's role may not
// do, is refused here: access.ErrForbidden.
func (b *DB) logLine(t db.Tx, action, subject, detail string) error {
	return b.logLines(t, []LogLine{{Actor: b.actor, Action: action, Subject: subject, Detail: detail}})
}

// LogRead writes into the log that the actor has looked at a holder's account, and at what. ledger.ErrNotFound for an
// account that does not exist. Each call writes a line.
func (b *DB) LogRead(ctx context.Context, id ledger.Account, what string) error {
	if id.CheckHolder() != nil {
		return noAccount(id)
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		if _, err := FindAccount(t, id); err != nil {
			return err
		}
		return b.logLine(t, string(control.ReadAccount), string(id), what)
	})
	return annotate(err, "log a read of %s", ledger.Clip(string(id)))
}

// logLines is logLine for several.
func (b *DB) logLines(t db.Tx, lines []LogLine) error {
	for _, l := range lines {
		if err := b.check(control.Operation(l.Action)); err != nil {
			return err
		}
		// Whatever a holder changes is about its own account, also in an operation that checks it nowhere else.
		if err := b.actor.CheckOwns(ledger.Account(l.Subject)); err != nil {
			return err
		}
	}
	return b.writeLog(t, lines)
}

// logMany writes one line for a change of many accounts: at least one, sorted.
func (b *DB) logMany(t db.Tx, action string, accounts []string, detail string) error {
	if last := len(accounts) - 1; last > 0 {
		detail = strings.TrimSpace(fmt.Sprintf("%d accounts, the last %s %s", len(accounts), accounts[last], detail))
	}
	return b.logLine(t, action, accounts[0], detail)
}

// writeLog writes lines of the log, now. Those of one transaction lie side by side, in the
// bucket of the first one's subject: as many pages would be written as there are lines.
// Each line is a row, also where one of the same moment says the same: the number counts them. Where another
// transaction has taken the number at the same time, this one is run again (db.ErrRetry).
func (b *books) writeLog(t db.Tx, lines []LogLine) error {
	if len(lines) == 0 {
		return nil
	}
	bucket, now := int64(ledger.Account(lines[0].Subject).Bucket()), b.now()
	credentials := make(map[string]bool, 1)
	for _, l := range lines {
		credentials[l.Actor.Credential] = true
	}
	written, err := people.Refer(t, now, credentials)
	if err != nil {
		return err
	}
	n := 0
	err = t.Each(func(db.Row) error { n++; return nil }, `INSERT INTO log (bucket, at, actor, role, request, action, subject, detail, number)
	      SELECT $1, $2, $3, $4, $5, $6, $7, $8, coalesce(max(l.number) + 1, 0) FROM log l
	       WHERE l.bucket = $1 AND l.at = $2 AND l.action = $6 AND l.subject = $7 AND l.actor = $3 AND l.detail = $8 AND l.request = $5
	          ON CONFLICT DO NOTHING RETURNING number`, db.SetOf(lines,
		db.Int("bucket", func(LogLine) int64 { return bucket }),
		db.Int("at", func(LogLine) int64 { return now }),
		db.Text("actor", func(l LogLine) string { return written[l.Actor.Credential] }),
		db.Text("role", func(l LogLine) string { return string(l.Actor.Role) }),
		db.Text("request", func(l LogLine) string { return l.Actor.Request }),
		db.Text("action", func(l LogLine) string { return l.Action }),
		db.Text("subject", func(l LogLine) string { return l.Subject }),
		db.Text("detail", func(l LogLine) string { return l.Detail }),
	))
	if err == nil && n < len(lines) {
		err = fmt.Errorf("%w: another transaction has written the same line", db.ErrRetry)
	}
	return annotate(err, "write the log")
}

// LogColumns are what ReadLogLine reads.
const LogColumns = "at, actor, role, request, action, subject, detail"

func ReadLogLine(r db.Row) (LogLine, error) {
	return LogLine{
		At: db.TimeOf(r.Int(0)), Actor: access.Actor{Credential: r.Text(1), Role: access.Role(r.Text(2)), Request: r.Text(3)},
		Action: r.Text(4), Subject: r.Text(5), Detail: r.Text(6),
	}, nil
}

// ResolveLog puts e-mail addresses in the place of the references to logins, in lines that were read.
func ResolveLog(t db.View, lines []LogLine) error {
	places := make([]*string, 0, len(lines))
	for i := range lines {
		places = append(places, &lines[i].Actor.Credential, &lines[i].Detail)
	}
	if err := people.Resolve(t, places...); err != nil {
		return err
	}
	for i, l := range lines {
		if strings.HasPrefix(l.Action, "login ") {
			lines[i].Detail = strings.TrimPrefix(l.Detail, "login ")
		}
	}
	return nil
}

// CheckReason refuses a reason that is none, or that the log cannot keep as one line of at most
// 200 characters. Its errors are ErrInvalid.
func CheckReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return ledger.ErrInvalid.In("", "a reason is needed; it is kept in the log")
	}
	return ledger.CheckText("the reason", reason)
}
