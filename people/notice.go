package people

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// NoticeKind is what a notice is about.
type NoticeKind string

// The kinds of notice, each with its facts. No fact is a secret, an amount or a whole address of a chain: mail is read
// on its way.
const (
	NoticeDevice     NoticeKind = "device"      // a log-in with a browser that was not known: browser, where it is
	NoticeKey        NoticeKind = "key"         // a new API key: its short name, its permissions
	NoticePassword   NoticeKind = "password"    // a password was set: of which login
	NoticeInvitation NoticeKind = "invitation"  // staff took a password away, and gave a code to choose one: which login
	NoticeFactor     NoticeKind = "factor"      // a second factor was added or removed: which
	NoticeAddress    NoticeKind = "address"     // a new withdrawal address: token, network, its last characters
	NoticeWithdrawal NoticeKind = "withdrawal"  // a large withdrawal was requested: token, the address's last characters
	NoticePaused     NoticeKind = "paused"      // rewards are paused: why, one of the Paused
	NoticeOffer      NoticeKind = "offer"       // a token is not offered any more: token, from which day on
	NoticeLimit      NoticeKind = "limit"       // a daily limit is to be raised: token
	NoticeLowered    NoticeKind = "lowered"     // the holder's own daily limit was set, or lowered: token
	NoticeSetLimit   NoticeKind = "set-limit"   // the operator has lowered the account's daily limit: token
	NoticeAnyAddress NoticeKind = "any-address" // withdrawals are to go to any address
	NoticeSavedOnly  NoticeKind = "saved-only"  // withdrawals go to saved addresses only, from now on
	NoticeBreakGlass NoticeKind = "break-glass" // the break-glass credential is used: its ID; for admins only
)

// Why rewards are paused: the fact of NoticePaused.
const (
	PausedFrozen    = "frozen"
	PausedRegion    = "region"    // it is not offered where the holder resides
	PausedResidence = "residence" // no residence is verified any more
	PausedExcluded  = "excluded"  // another product has the account's tokens, or one of them, on some days
)

// NoticeKinds are all kinds.
var NoticeKinds = []NoticeKind{NoticeDevice, NoticeKey, NoticePassword, NoticeInvitation, NoticeFactor,
	NoticeAddress, NoticeWithdrawal, NoticePaused, NoticeOffer, NoticeLimit, NoticeLowered, NoticeSetLimit,
	NoticeAnyAddress, NoticeSavedOnly, NoticeBreakGlass}

// Optional reports whether a person may do without mail of the kind: it is not about security.
func (k NoticeKind) Optional() bool { return k == NoticePaused || k == NoticeOffer }

// Notice is something that a holder is to hear of.
type Notice struct {
	At    time.Time
	Nonce string // distinguishes notices of one moment; a part of the cursor
	Kind  NoticeKind
	Facts []string // as the kind defines them
}

// Notify is NotifyAll for a person who logs in: access.LoginSubject, whose account it then is, or access.StaffSubject,
// who has no account: then the notice is mail alone. It is ledger.ErrInvalid for another subject, and ErrNotFound for a
// login that does not exist.
func (p *People) Notify(t db.Tx, subject string, kind NoticeKind, facts ...string) error {
	_, email, _ := strings.Cut(subject, " ")
	switch subject {
	case access.StaffSubject(email):
		at, nonce := p.stamps.Next(p.now())
		return p.insertMails(t, []addressed{{email, notified{At: at, Nonce: nonce, Kind: kind, Facts: facts}}})
	case access.LoginSubject(email):
		l, err := findLogin(t, unguarded, email)
		if err != nil {
			return err
		}
		return p.NotifyAll(t, []ledger.Account{l.Account}, kind, facts...)
	}
	return ledger.ErrInvalid.In("", "%q is nobody who is notified", ledger.Clip(subject))
}

// notified is a notice on its way into the books.
type notified struct {
	Account ledger.Account // "": a member of staff's
	At      int64
	Nonce   string
	Kind    NoticeKind
	Facts   []string
}

// text is the facts as the books have them.
func (n notified) text() (string, error) {
	if len(n.Facts) == 0 {
		return "[]", nil
	}
	text, err := json.Marshal(n.Facts)
	if err != nil {
		return "", fmt.Errorf("write the facts of a notice: %w", err)
	}
	return string(text), nil
}

// NotifyAll adds a notice in the transaction of what it is about: to the activity of each account, and to the mail of
// each of its logins.
func (p *People) NotifyAll(t db.Tx, accounts []ledger.Account, kind NoticeKind, facts ...string) error {
	if len(accounts) == 0 {
		return nil
	}
	notices := make([]notified, len(accounts))
	of := make(map[ledger.Account]notified, len(accounts))
	for i, id := range accounts {
		at, nonce := p.stamps.Next(p.now())
		notices[i] = notified{Account: id, At: at, Nonce: nonce, Kind: kind, Facts: facts}
		of[id] = notices[i]
	}
	text, err := notices[0].text()
	if err != nil {
		return err
	}
	if _, err := t.Set(nil, `INSERT INTO notices (bucket, account, at, nonce, kind, facts)
		SELECT r.bucket, r.account, r.at, r.nonce, r.kind, r.facts FROM {rows} WHERE true ON CONFLICT DO NOTHING`,
		db.SetOf(notices,
			db.Int("bucket", func(n notified) int64 { return int64(n.Account.Bucket()) }),
			db.Text("account", func(n notified) string { return string(n.Account) }),
			db.Int("at", func(n notified) int64 { return n.At }),
			db.Text("nonce", func(n notified) string { return n.Nonce }),
			db.Text("kind", func(n notified) string { return string(n.Kind) }),
			db.Text("facts", func(notified) string { return text }))); err != nil {
		return fmt.Errorf("write notices: %w", err)
	}
	var mails []addressed
	err = t.QuerySet(func(r db.Row) error {
		mails = append(mails, addressed{r.Text(0), of[ledger.Account(r.Text(1))]})
		return nil
	}, "SELECT l.email, l.account FROM {rows} JOIN logins l ON l.account = r.account ORDER BY l.bucket, l.email",
		db.SetOf(accounts, db.Text("account", func(id ledger.Account) string { return string(id) })))
	if err != nil {
		return fmt.Errorf("look up who is notified: %w", err)
	}
	return p.insertMails(t, mails)
}

// Notices are at most limit notices of an account, the newest first, after the cursor (its At and Nonce), or from the
// start for nil. ErrNotFound if the account was never opened.
func (r Reader) Notices(ctx context.Context, id ledger.Account, after *Notice, limit int) ([]Notice, error) {
	sql := "SELECT at, nonce, kind, facts FROM notices WHERE bucket = $1 AND account = $2 "
	args := []any{int64(id.Bucket()), string(id), int64(max(limit, 0))}
	if after != nil {
		sql, args = sql+"AND (at, nonce) < ($4, $5) ", append(args, after.At.UnixMilli(), after.Nonce)
	}
	return ofAccount(ctx, r, "notices of "+string(id), id, func(r db.Row) (Notice, error) {
		facts, err := readFacts(r.Text(3))
		return Notice{db.TimeOf(r.Int(0)), r.Text(1), NoticeKind(r.Text(2)), facts}, err
	}, sql+"ORDER BY at DESC, nonce DESC LIMIT $3", args...)
}

// readFacts reads facts as text has written them.
func readFacts(text string) (facts []string, err error) {
	if err := json.Unmarshal([]byte(text), &facts); err != nil {
		return nil, fmt.Errorf("the books' facts of a notice cannot be read: %w", err)
	}
	return facts, nil
}
