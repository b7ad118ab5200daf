package schema

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// ofLogin begins the credential of a person who has logged in.
const ofLogin = "login "

// oldEmail is an e-mail address in books that kept them in the log and with entries.
type oldEmail struct {
	email, reference, account string
	ended                     int64
}

// emailsOf are the addresses that the books have, by address, each with a new reference.
type emailsOf map[string]*oldEmail

func (o emailsOf) add(email, account string, ended int64) {
	if !strings.Contains(email, "@") {
		return
	}
	if o[email] == nil {
		o[email] = &oldEmail{email: email, reference: rand.Text()}
	}
	if o[email].ended = ended; account != "" {
		o[email].account = account
	}
}

// refer is a text of the log or of an entry, with a reference in the place of the address.
func (o emailsOf) refer(text string) string {
	if known := o[strings.TrimPrefix(text, ofLogin)]; known != nil {
		return ofLogin + known.reference
	}
	return text
}

// referToEmails gives every login a reference, and puts the references in the place of e-mail addresses: in the log,
// and with entries. An address whose login is gone has one as well, and counts as ended now.
func referToEmails(ctx context.Context, t db.Tx, now int64, progress func(rows int64)) error {
	emails := emailsOf{}
	for _, sql := range []string{
		"SELECT DISTINCT substr(credential, 7), '' FROM entries WHERE substr(credential, 1, 6) = 'login '",
		"SELECT DISTINCT substr(actor, 7), '' FROM log WHERE substr(actor, 1, 6) = 'login '",
		"SELECT DISTINCT detail, subject FROM log WHERE substr(action, 1, 6) = 'login '",
		"SELECT email, account FROM logins",
	} {
		ended := now
		if strings.HasSuffix(sql, "logins") {
			ended = 0
		}
		err := t.Query(func(r db.Row) error { emails.add(r.Text(0), r.Text(1), ended); return nil }, sql)
		if err != nil {
			return err
		}
	}
	if err := emails.write(t); err != nil {
		return err
	}
	for bucket, rows := int64(0), int64(0); bucket < ledger.Buckets; bucket++ {
		n, err := emails.replace(t, bucket)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		rows += n
		progress(rows)
	}
	return nil
}

func (o emailsOf) write(t db.Tx) error {
	all := slices.SortedFunc(maps.Values(o), func(a, b *oldEmail) int { return strings.Compare(a.email, b.email) })
	bucketOf := func(name string) int64 { return int64(ledger.Account(name).Bucket()) }
	reference := db.Text("reference", func(e *oldEmail) string { return e.reference })
	email := db.Text("email", func(e *oldEmail) string { return e.email })
	if err := t.Insert("emails", db.SetOf(all,
		db.Int("bucket", func(e *oldEmail) int64 { return bucketOf(e.reference) }), reference, email,
		db.Text("account", func(e *oldEmail) string { return e.account }),
		db.Int("ended", func(e *oldEmail) int64 { return e.ended }))); err != nil {
		return err
	}
	_, err := t.Set(nil, "UPDATE logins SET reference = r.reference FROM {rows} WHERE logins.bucket = r.bucket AND "+
		"logins.email = r.email", db.SetOf(all,
		db.Int("bucket", func(e *oldEmail) int64 { return bucketOf(e.email) }), email, reference))
	return err
}

// oldLine is a line of the log: all of it is its key.
type oldLine struct{ action, subject, actor, detail, request string }

// replace puts references in the place of the addresses of a bucket, and returns in how many rows.
func (o emailsOf) replace(t db.Tx, bucket int64) (rows int64, err error) {
	type entry struct{ id, credential string }
	entries, err := db.All(t, func(r db.Row) (entry, error) { return entry{r.Text(0), r.Text(1)}, nil },
		"SELECT entry, credential FROM entries WHERE bucket = $1 AND substr(credential, 1, 6) = 'login '", bucket)
	if err != nil {
		return 0, err
	}
	rows, err = t.Set(nil, "UPDATE entries SET credential = r.credential FROM {rows} WHERE entries.bucket = r.bucket AND "+
		"entries.entry = r.entry", db.SetOf(entries,
		db.Int("bucket", func(entry) int64 { return bucket }),
		db.Text("entry", func(e entry) string { return e.id }),
		db.Text("credential", func(e entry) string { return o.refer(e.credential) })))
	if err != nil {
		return rows, err
	}
	type timed struct {
		at int64
		oldLine
	}
	lines, err := db.All(t, func(r db.Row) (timed, error) {
		return timed{r.Int(0), oldLine{r.Text(1), r.Text(2), r.Text(3), r.Text(4), r.Text(5)}}, nil
	}, "SELECT at, action, subject, actor, detail, request FROM log WHERE bucket = $1 AND "+
		"(substr(actor, 1, 6) = 'login ' OR substr(action, 1, 6) = 'login ')", bucket)
	if err != nil {
		return rows, err
	}
	detail := func(l timed) string {
		if strings.HasPrefix(l.action, ofLogin) {
			return o.refer(l.detail)
		}
		return l.detail
	}
	n, err := t.Set(nil, `UPDATE log SET actor = r.new_actor, detail = r.new_detail FROM {rows}
	                       WHERE log.bucket = r.bucket AND log.at = r.at AND log.action = r.action AND log.subject = r.subject
	                         AND log.actor = r.actor AND log.detail = r.detail AND log.request = r.request`, db.SetOf(lines,
		db.Int("bucket", func(timed) int64 { return bucket }),
		db.Int("at", func(l timed) int64 { return l.at }),
		db.Text("action", func(l timed) string { return l.action }),
		db.Text("subject", func(l timed) string { return l.subject }),
		db.Text("actor", func(l timed) string { return l.actor }),
		db.Text("detail", func(l timed) string { return l.detail }),
		db.Text("request", func(l timed) string { return l.request }),
		db.Text("new_actor", func(l timed) string { return o.refer(l.actor) }),
		db.Text("new_detail", detail)))
	return rows + n, err
}
