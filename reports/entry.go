package reports

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Posted is an entry in the books, when it was written, and who posted it.
type Posted struct {
	ledger.Entry
	PostedAt time.Time
	Actor    access.Actor // of a reward, who ran the day; zero: it was written before this was kept
	// Flagged is when it was posted, if it is authoritative and left a balance below zero
	// for a time, and Resolved when that was reconciled. Zero: not.
	Flagged, Resolved time.Time
}

// Entry is Posted without who posted the entry.
func (rs *Reports) Entry(ctx context.Context, id string) (e ledger.Entry, postedAt time.Time, err error) {
	p, err := rs.Posted(ctx, id)
	return p.Entry, p.PostedAt, err
}

// Posted is an entry as the journal names it: one that was posted, a reward that was
// credited (reward/DAY/TOKEN/ACCOUNT), or a token's day that was declared
// (declare/DAY/TOKEN), with a move for each bucket that it is paid in. ErrNotFound if
// there is none.
func (rs *Reports) Posted(ctx context.Context, id string) (Posted, error) {
	return read(ctx, rs, "look an entry up", func(t db.View) (p Posted, err error) {
		found := false
		p.ID = id
		switch kind, key := runEntry(id); kind {
		case KindReward:
			found, err = readCredited(t, key, &p)
		case kindDeclare:
			found, err = readDeclaration(t, key, &p)
		default:
			if found, err = readPosted(t, &p); err == nil && found {
				err = readFlag(t, &p)
			}
		}
		if err == nil && !found {
			err = ledger.ErrNotFound.In("", "entry %q", ledger.Clip(id))
		}
		return p, err
	})
}

// Reconciliation is "open" of an entry that is to be reconciled still, "resolved" of one
// that was, and "" of every other.
func (p Posted) Reconciliation() string {
	switch {
	case !p.Resolved.IsZero():
		return "resolved"
	case !p.Flagged.IsZero():
		return "open"
	}
	return ""
}

// readFlag reads whether the entry is to be reconciled, or was.
func readFlag(t db.View, p *Posted) error {
	var flagged, resolved int64 // the same for each balance of the entry
	found, err := db.One(t, []*int64{&flagged, &resolved},
		"SELECT flagged, resolved FROM reconciliations WHERE entry = $1 LIMIT 1", p.ID)
	if err == nil && found {
		p.Flagged, p.Resolved = db.TimeOf(flagged), db.TimeOrZero(resolved)
	}
	return err
}

// written reads when and by whom the entry was written, a row's first four columns.
func (p *Posted) written(r db.Row) {
	p.PostedAt = db.TimeOf(r.Int(0))
	p.Actor = access.Actor{Credential: r.Text(1), Role: access.Role(r.Text(2)), Request: r.Text(3)}
}

// runKey is what finds an entry that a run writes.
type runKey struct {
	day     staking.Day
	asset   string
	account ledger.Account // of a reward only
}

// runEntry parses the ID of an entry that a run writes: reward/DAY/TOKEN/ACCOUNT or
// declare/DAY/TOKEN. kind is "" for any other ID. These entries are not in the table
// entries; they are found by day, token and account.
func runEntry(id string) (kind ledger.Kind, key runKey) {
	parts := strings.Split(id, "/")
	switch {
	case len(parts) == 4 && parts[0] == string(KindReward):
		kind, key.account = KindReward, ledger.Account(parts[3])
	case len(parts) == 3 && parts[0] == string(kindDeclare):
		kind = kindDeclare
	default:
		return "", runKey{}
	}
	day, err := staking.ParseDay(parts[1])
	if err != nil {
		return "", runKey{}
	}
	key.day, key.asset = day, parts[2]
	return kind, key
}

// readCredited reads a reward that was credited, as the entry that it stands for.
func readCredited(t db.View, key runKey, e *Posted) (found bool, err error) {
	reward, found, err := db.First(t, func(r db.Row) (ledger.Amount, error) {
		e.written(r)
		return ledger.Amount(r.Int(4)), nil
	}, `SELECT paid_at, credential, role, request, reward FROM rewards
	     WHERE bucket = $1 AND day = $2 AND account = $3 AND asset = $4 AND reward > 0`,
		int64(key.account.Bucket()), int64(key.day), string(key.account), key.asset)
	e.Kind, e.At = KindReward, (key.day + 1).Start()
	e.Moves = []ledger.Move{{From: ledger.Payable, To: key.account, Asset: key.asset, Amount: reward}}
	return found, err
}

// readDeclaration reads what was declared for a token's day, by bucket. A day that
// nobody earned on has no moves.
func readDeclaration(t db.View, key runKey, e *Posted) (found bool, err error) {
	err = t.Query(func(r db.Row) error { found = true; e.written(r); return nil },
		"SELECT declared_at, credential, role, request FROM declarations WHERE day = $1 AND asset = $2", int64(key.day),
		key.asset)
	if err != nil || !found {
		return false, err
	}
	e.Kind, e.At = kindDeclare, (key.day + 1).Start()
	moves, err := db.AllOf(t, func(r db.Row) (ledger.Move, error) {
		return ledger.Move{From: ledger.Rewards, To: ledger.Payable, Asset: key.asset, Amount: ledger.Amount(r.Int(0))}, nil
	}, "SELECT b.total FROM {rows} JOIN batches b ON b.bucket = r.bucket AND b.day = r.day AND b.asset = r.asset "+
		"AND b.total > 0 ORDER BY b.bucket",
		append(store.EveryBucket(key.day), inEach("asset", key.asset)))
	e.Moves = moves
	return err == nil, err
}

// readPosted reads an entry that was posted.
func readPosted(t db.View, e *Posted) (found bool, err error) {
	err = t.Query(func(r db.Row) error { found, e.At = true, db.TimeOf(r.Int(4)); e.written(r); return nil },
		"SELECT posted_at, credential, role, request, at FROM entries WHERE bucket = $1 AND entry = $2",
		int64(e.Bucket()), e.ID)
	if err != nil || !found {
		return false, err
	}
	if err := people.ResolveActor(t, &e.Actor); err != nil {
		return false, err
	}
	return true, readMoves(t, &e.Entry)
}

// readMoves reads an entry's moves, wherever they lie: each bucket is asked by key.
func readMoves(t db.View, e *ledger.Entry) error {
	postings, err := db.AllOf(t, scan(readPosting), `SELECT `+postingColumns+`
	      FROM {rows} JOIN postings p ON p.bucket = r.bucket AND p.day = r.day AND p.at = r.at AND p.entry = r.entry AND p.side = 0`,
		append(store.EveryBucket(staking.DayOf(e.At)), inEach("entry", e.ID),
			db.Ints("at", slices.Repeat([]int64{e.At.UnixMilli()}, ledger.Buckets))))
	if err != nil {
		return err
	}
	slices.SortFunc(postings, func(a, b ledger.Posting) int { return a.Move - b.Move })
	for _, p := range postings {
		e.Kind = p.Kind
		e.Moves = append(e.Moves, ledger.Move{From: p.Account, To: p.Other, Asset: p.Asset, Amount: -p.Amount})
	}
	return nil
}

// Reconciliation is a balance that an authoritative entry left below zero for a time, to
// be reconciled with the ledger that decided the entry.
type Reconciliation struct {
	Entry    string
	Account  ledger.Account // the free or the held part
	Asset    string
	At       time.Time     // UTC, of the entry: from here on the balance may be below zero
	Until    time.Time     // the first moment at which it is not below zero any more, as it was when the entry was posted
	Lowest   ledger.Amount // in between, as it was when the entry was posted; below zero
	Flagged  time.Time     // when the entry was posted
	Resolved time.Time     // zero: it is not
	Reason   string        // of the resolution; the log says who
}

// Reconciliations are the next after one, of which Flagged, Entry, Account and Asset
// count, in the order of their posting, at most limit; the zero one is before all. With
// open they are those that are not resolved.
func (rs *Reports) Reconciliations(ctx context.Context, after Reconciliation, open bool,
	limit int) ([]Reconciliation, error) {
	most := int64(1 << 62)
	if open {
		most = 0
	}
	return list(ctx, rs, "read the reconciliations", readReconciliation,
		`SELECT entry, account, asset, at, until, lowest, flagged, resolved, reason FROM reconciliations
		  WHERE (flagged, entry, account, asset) > ($1, $2, $3, $4) AND resolved <= $5
		  ORDER BY flagged, entry, account, asset LIMIT $6`,
		db.MillisOf(after.Flagged), after.Entry, string(after.Account), after.Asset, most, int64(max(limit, 0)))
}

func readReconciliation(r db.Row) (Reconciliation, error) {
	return Reconciliation{
		Entry: r.Text(0), Account: ledger.Account(r.Text(1)), Asset: r.Text(2),
		At: db.TimeOf(r.Int(3)), Until: db.TimeOf(r.Int(4)), Lowest: ledger.Amount(r.Int(5)),
		Flagged: db.TimeOf(r.Int(6)), Resolved: db.TimeOrZero(r.Int(7)), Reason: r.Text(8),
	}, nil
}
