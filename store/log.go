package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
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
// Every change of the books writes one.
func (db *DB) logLine(t tx, action, subject, detail string) error {
	return db.logLines(t, action, []string{subject}, []string{detail})
}

// logLines writes a line for each subject.
func (db *DB) logLines(t tx, action string, subjects, details []string) error {
	lines := make([]LogLine, len(subjects))
	for i, subject := range subjects {
		lines[i] = LogLine{Actor: db.actor, Action: action, Subject: subject, Detail: details[i]}
	}
	return db.writeLog(t, lines)
}

// logMany writes one line for a change of many accounts: at least one, sorted.
func (db *DB) logMany(t tx, action string, accounts []string, detail string) error {
	if last := len(accounts) - 1; last > 0 {
		detail = strings.TrimSpace(fmt.Sprintf("%d accounts, the last %s %s", len(accounts), accounts[last], detail))
	}
	return db.logLine(t, action, accounts[0], detail)
}

// writeLog writes lines of the log, now. Those of one transaction lie side by side, in the
// bucket of the first one's subject: as many pages would be written as there are lines.
func (db *DB) writeLog(t tx, lines []LogLine) error {
	n := len(lines)
	if n == 0 {
		return nil
	}
	buckets, actors, roles, requests := make([]int64, n), make([]string, n), make([]string, n), make([]string, n)
	actions, subjects, details := make([]string, n), make([]string, n), make([]string, n)
	for i, l := range lines {
		buckets[i] = int64(ledger.Account(lines[0].Subject).Bucket())
		actors[i], roles[i], requests[i] = l.Actor.Credential, string(l.Actor.Role), l.Actor.Request
		actions[i], subjects[i], details[i] = l.Action, l.Subject, l.Detail
	}
	_, err := t.Set(nil, `INSERT INTO log (bucket, at, actor, role, request, action, subject, detail)
	                      SELECT r.bucket, r.at, r.actor, r.role, r.request, r.action, r.subject, r.detail FROM {rows} WHERE true ON CONFLICT DO NOTHING`, set{
		ints("bucket", buckets), ints("at", slices.Repeat([]int64{db.now()}, n)),
		texts("actor", actors), texts("role", roles), texts("request", requests),
		texts("action", actions), texts("subject", subjects), texts("detail", details),
	})
	if err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}

// LogColumns are what readLogLine reads.
const LogColumns = "at, actor, role, request, action, subject, detail"

func ReadLogLine(r row) LogLine {
	return LogLine{
		At: timeOf(r.Int(0)), Actor: access.Actor{Credential: r.Text(1), Role: access.Role(r.Text(2)), Request: r.Text(3)},
		Action: r.Text(4), Subject: r.Text(5), Detail: r.Text(6),
	}
}

// CheckReason refuses a reason that is none, or that the log cannot keep as one line of at most
// 200 characters. Its errors are ErrInvalid.
func CheckReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return ledger.ErrInvalid.In("", "a reason is needed; it is kept in the log")
	}
	return ledger.CheckText("the reason", reason)
}
