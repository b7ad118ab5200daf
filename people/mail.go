package people

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

const (
	// MailLife is how long a mail is tried to be sent. A notice that is older says nothing any more.
	MailLife = 72 * time.Hour
	// mailLease is how long a process has to send the mail that it has claimed, before another one tries.
	mailLease = 10 * time.Minute
	// MailsKept is how long it is kept what became of a mail.
	MailsKept = 30 * 24 * time.Hour
)

// Mail is a notice for an e-mail address.
type Mail struct {
	Email    string
	Account  ledger.Account // "": a member of staff's
	Notice   Notice
	Tries    int       // with this one
	Language string    // of the person's pages, or "": it is not known
	Sent     time.Time // when the mail server accepted it; zero: it did not
	Ended    bool      // nothing is left to do
	Problem  string    // why it was not sent, or ""
	Optional bool      // the person has not unsubscribed from what is optional
}

// addressed is a notice for an address.
type addressed struct {
	email string
	notified
}

// insertMails adds mails to the outbox, to be sent at once.
func (p *People) insertMails(t db.Tx, mails []addressed) error {
	if len(mails) == 0 {
		return nil
	}
	text, err := mails[0].text()
	if err != nil {
		return err
	}
	_, err = t.Set(nil, `INSERT INTO mails (bucket, email, at, nonce, account, kind, facts, tries, next, sent, problem)
		SELECT r.bucket, r.email, r.at, r.nonce, r.account, r.kind, r.facts, 0, r.at, 0, '' FROM {rows}
		 WHERE true ON CONFLICT DO NOTHING`,
		db.SetOf(mails,
			db.Int("bucket", func(m addressed) int64 { return keyBucket(m.email) }),
			db.Text("email", func(m addressed) string { return m.email }),
			db.Int("at", func(m addressed) int64 { return m.At }),
			db.Text("nonce", func(m addressed) string { return m.Nonce }),
			db.Text("account", func(m addressed) string { return string(m.Account) }),
			db.Text("kind", func(m addressed) string { return string(m.Kind) }),
			db.Text("facts", func(addressed) string { return text })))
	if err != nil {
		return fmt.Errorf("add mail to the outbox: %w", err)
	}
	return nil
}

const mailColumns = `SELECT m.email, m.at, m.nonce, m.account, m.kind, m.facts, m.tries, m.next, m.sent, m.problem,
	       coalesce(s.language, ''), coalesce(s.optional, 1)
	  FROM mails m LEFT JOIN mail_settings s ON s.bucket = m.bucket AND s.email = m.email `

func scanMail(r db.Row) (Mail, error) {
	facts, err := readFacts(r.Text(5))
	return Mail{
		Email: r.Text(0), Account: ledger.Account(r.Text(3)),
		Notice: Notice{db.TimeOf(r.Int(1)), r.Text(2), NoticeKind(r.Text(4)), facts},
		Tries:  int(r.Int(6)), Ended: r.Int(7) == 0, Sent: db.TimeOrZero(r.Int(8)), Problem: r.Text(9),
		Language: r.Text(10), Optional: r.Int(11) != 0,
	}, err
}

// ClaimMail takes the mail that is due the longest, or found is false. Whoever gets it sends it, and says with EndMail
// or RetryMail what became of it. No other process gets it until its lease is over: 10 minutes.
func (p *People) ClaimMail(ctx context.Context) (m Mail, found bool, err error) {
	err = p.db.Write(ctx, func(t db.Tx) error {
		now := p.now()
		m, found, err = db.First(t, scanMail,
			mailColumns+"WHERE m.next > 0 AND m.next <= $1 ORDER BY m.next, m.at LIMIT 1", now)
		if err != nil || !found {
			return err
		}
		m.Tries++
		n, err := t.Exec(`UPDATE mails SET tries = $1, next = $2 WHERE bucket = $3 AND email = $4 AND at = $5 AND nonce = $6
			AND tries = $1 - 1 AND next > 0 AND next <= $7`, int64(m.Tries), now+mailLease.Milliseconds(), keyBucket(m.Email),
			m.Email, m.Notice.At.UnixMilli(), m.Notice.Nonce, now)
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: another process has claimed the mail", db.ErrRetry)
		}
		return err
	})
	if err != nil {
		return Mail{}, false, fmt.Errorf("take a mail from the outbox: %w", err)
	}
	return m, found, nil
}

// EndMail says that a mail was accepted by the server, or "problem": why it is not sent at all.
func (p *People) EndMail(ctx context.Context, m Mail, problem string) error {
	sent := p.now()
	if problem != "" {
		sent = 0
	}
	return p.write(ctx, "say what became of a mail", func(t db.Tx) error {
		_, err := t.Exec("UPDATE mails SET next = 0, sent = $1, problem = $2 WHERE "+ofMail,
			sent, plain(problem), keyBucket(m.Email), m.Email, m.Notice.At.UnixMilli(), m.Notice.Nonce)
		return err
	})
}

// RetryMail says that a mail was not sent, and when to retry it.
func (p *People) RetryMail(ctx context.Context, m Mail, next time.Time, problem string) error {
	return p.write(ctx, "say when a mail is sent again", func(t db.Tx) error {
		_, err := t.Exec("UPDATE mails SET next = $1, problem = $2 WHERE "+ofMail+" AND next > 0",
			next.UnixMilli(), plain(problem), keyBucket(m.Email), m.Email, m.Notice.At.UnixMilli(), m.Notice.Nonce)
		return err
	})
}

// endMail ends the mail to an address that is no login any more.
func endMail(t db.Tx, email string) error {
	_, err := t.Exec("DELETE FROM mail_settings WHERE bucket = $1 AND email = $2", keyBucket(email), email)
	if err == nil {
		_, err = t.Exec("DELETE FROM mails WHERE bucket = $1 AND email = $2", keyBucket(email), email)
	}
	return err
}

// plain is what another server has said, as a line of text.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > ledger.MaxText {
		text = string(runes[:ledger.MaxText])
	}
	return text
}

// ofMail is the condition of a mail's row, in parameters 3 to 6.
const ofMail = "bucket = $3 AND email = $4 AND at = $5 AND nonce = $6"

// Mails are the latest mails to an address, the newest first, at most limit.
func (r Reader) Mails(ctx context.Context, email string, limit int) ([]Mail, error) {
	return list(ctx, r, "mails", "", scanMail,
		mailColumns+"WHERE m.bucket = $1 AND m.email = $2 ORDER BY m.at DESC, m.nonce DESC LIMIT $3",
		keyBucket(email), email, int64(max(limit, 0)))
}

// MailSettings are how a person gets mail.
type MailSettings struct {
	Language string // of the pages, "en"; "": it is not known
	Optional bool   // the person gets what is not about security
}

// MailSettings are those of an e-mail address, in capitals or not; who has set nothing gets everything.
func (r Reader) MailSettings(ctx context.Context, email string) (s MailSettings, err error) {
	if email, err = access.ParseEmail(email); err != nil {
		return s, err
	}
	err = r.reads.Look(ctx, func(t db.View) (err error) {
		s, err = findMailSettings(t, email)
		return err
	})
	if err != nil {
		return MailSettings{}, fmt.Errorf("read how %s gets mail: %w", email, err)
	}
	return s, nil
}

func findMailSettings(t db.View, email string) (MailSettings, error) {
	s, found, err := db.First(t, func(r db.Row) (MailSettings, error) {
		return MailSettings{r.Text(0), r.Int(1) != 0}, nil
	}, "SELECT language, optional FROM mail_settings WHERE bucket = $1 AND email = $2", keyBucket(email), email)
	if !found {
		s.Optional = true
	}
	return s, err
}

// ChangeMailSettings changes how an e-mail address gets mail. Repeating it has no further effect. ErrNotFound if nobody
// logs in with the address.
func (p *People) ChangeMailSettings(ctx context.Context, email string, change func(*MailSettings)) error {
	email, err := access.ParseEmail(email)
	if err != nil {
		return ledger.At("email", err)
	}
	return p.write(ctx, "set how "+email+" gets mail", func(t db.Tx) error {
		l, err := findLogin(t, p.guard, email)
		if err == nil {
			err = p.books.Actor().CheckOwns(l.Account)
		}
		if err != nil {
			return err
		}
		before, err := findMailSettings(t, email)
		after := before
		if change(&after); err != nil || after == before {
			return err
		}
		if err := ledger.CheckLine("the language", after.Language, maxLanguage); err != nil {
			return ledger.At("language", err)
		}
		_, err = t.Exec(`INSERT INTO mail_settings (bucket, email, language, optional) VALUES ($1, $2, $3, $4)
			ON CONFLICT (bucket, email) DO UPDATE SET language = excluded.language, optional = excluded.optional`,
			keyBucket(email), email, after.Language, db.Flag(after.Optional))
		return err
	})
}

// maxLanguage is the length in characters of the longest tag of a language.
const maxLanguage = 20
