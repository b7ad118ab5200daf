package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// PayoutAnswer is what another ledger says of a payout: it has credited it, or refuses it.
type PayoutAnswer struct {
	Payout      string // its ID: that of the reward's or the compensation's entry
	Transaction string // the other ledger's own ID of the transaction that credited it, 1 to 200 characters; "": none did
	Refused     string // why it is refused, 1 to 200 characters; "": it is credited
}

// PayoutOutcome is what became of a PayoutAnswer.
type PayoutOutcome struct {
	Repeated bool  // it was answered so before
	Err      error // why the answer is refused: ledger.ErrInvalid, ledger.ErrNotFound or ledger.ErrConflict
}

// answersAtOnce is how many answers share a transaction.
const answersAtOnce = 2_000

// AnswerPayouts keeps what another ledger says of payouts. A payout is credited once: another transaction for it, and a
// refusal of one that is credited, are ledger.ErrConflict. What was refused may be credited later. Repeating an answer
// has no further effect, and so has a refusal for another reason: the first reason stays. A transaction that begins
// with join/ is ledger.ErrInvalid: so do those of the events of joined sources. The outcomes are in the order of the
// answers; parts of 2,000 are committed one by one, and a call that failed is made again as it was. Safe for concurrent
// use.
func (b *DB) AnswerPayouts(ctx context.Context, answers []PayoutAnswer) ([]PayoutOutcome, error) {
	outcomes := make([]PayoutOutcome, 0, len(answers))
	for part := range slices.Chunk(answers, answersAtOnce) {
		var some []PayoutOutcome
		err := b.engine.Write(ctx, func(t db.Tx) error {
			a := newAnswering(b, t)
			for _, answer := range part {
				a.add(answer, notJoined(answer))
			}
			if err := a.read(); err != nil {
				return err
			}
			some = a.decide()
			if err := a.write(); err != nil {
				return err
			}
			credited, refused := a.counts()
			if credited+refused == 0 {
				return nil
			}
			return b.logLine(t, "payouts answer", "payouts", fmt.Sprintf("credited: %d, refused: %d", credited, refused))
		})
		if err != nil {
			return nil, fmt.Errorf("answer %d payouts: %w", len(part), err)
		}
		outcomes = append(outcomes, some...)
	}
	return outcomes, nil
}

// answering is one transaction that answers payouts.
type answering struct {
	b       *DB
	t       db.Tx
	answers []PayoutAnswer
	wrong   []error // by answer: it names no payout, or says nothing of it
	payouts map[string]*answeredPayout
}

// answeredPayout is a payout, and what is said of it.
type answeredPayout struct {
	payoutKey
	id          string
	account     ledger.Account
	paid        bool          // the books have paid it
	numbered    bool          // its batch has its number: it is a payout
	amount      ledger.Amount // of what is paid, in smallest units
	transaction string        // that credited it; "": none
	refused     bool
	credits     bool // it is credited in this transaction, and
	refuses     bool // refused in it
	before      bool // it was refused before this transaction
	reason      string
	event       string // the entry's ID of the event of a joined source that has credited it; "": none has
}

func newAnswering(b *DB, t db.Tx) *answering {
	return &answering{b: b, t: t, payouts: map[string]*answeredPayout{}}
}

// notJoined refuses the transaction of an event of a joined source: only the event itself says that.
func notJoined(answer PayoutAnswer) error {
	if ledger.IsJoinID(answer.Transaction) {
		return ledger.ErrInvalid.In("transaction", "%q begins with join/, as the events of joined sources do",
			ledger.Clip(answer.Transaction))
	}
	return nil
}

// add adds an answer, which is checked by itself; wrong: why it is refused already.
func (a *answering) add(answer PayoutAnswer, wrong error) {
	p, err := parsePayout(answer.Payout)
	if err == nil {
		err = wrong
	}
	for _, said := range []struct{ field, text string }{{"transaction", answer.Transaction}, {"refused", answer.Refused}} {
		if err == nil && said.text != "" {
			err = ledger.At(said.field, ledger.CheckLine("the text", said.text, maxPayoutText))
		}
	}
	if err == nil && (answer.Transaction == "") == (answer.Refused == "") {
		err = ledger.ErrInvalid.In("transaction", "an answer has either a transaction or why the payout is refused")
	}
	a.answers, a.wrong = append(a.answers, answer), append(a.wrong, err)
	if err == nil && a.payouts[p.id] == nil {
		a.payouts[p.id] = p
	}
}

// maxPayoutText is how many characters an answer has at most.
const maxPayoutText = 200

// parsePayout reads the ID of a payout: reward/DAY/TOKEN/ACCOUNT or compensation/DAY/TOKEN/ACCOUNT/NAME.
func parsePayout(id string) (*answeredPayout, error) {
	wrong := ledger.ErrInvalid.In("payout", "%q is not the ID of a payout, such as reward/2026-11-22/BNB/alice",
		ledger.Clip(id))
	if ledger.CheckID("payout", id) != nil {
		return nil, wrong
	}
	of, entry := ledger.Compensated{}, id
	if c, is := ledger.ParseCompensationID(id); is {
		of = c
	} else if parts := strings.Split(id, "/"); len(parts) == 4 && parts[0] == "reward" {
		of, entry = ledger.Compensated{Day: parts[1], Asset: parts[2], Account: ledger.Account(parts[3])}, ""
	}
	day, err := staking.ParseDay(of.Day)
	if err != nil || of.Account.CheckHolder() != nil {
		return nil, wrong
	}
	return &answeredPayout{id: id, account: of.Account,
		payoutKey: payoutKey{int64(of.Account.Bucket()), staking.Due{Asset: of.Asset, Day: day}, entry}}, nil
}

// sorted are the payouts in the order of their batches.
func (a *answering) sorted(which func(*answeredPayout) bool) (some []*answeredPayout) {
	for _, p := range a.payouts {
		if which(p) {
			some = append(some, p)
		}
	}
	slices.SortFunc(some, func(p, q *answeredPayout) int {
		return cmp.Or(comparePayoutKeys(p.payoutKey, q.payoutKey), cmp.Compare(p.id, q.id))
	})
	return some
}

func comparePayoutKeys(p, q payoutKey) int {
	return cmp.Or(cmp.Compare(p.bucket, q.bucket), cmp.Compare(p.Day, q.Day), cmp.Compare(p.Asset, q.Asset),
		cmp.Compare(p.entry, q.entry))
}

func keyOfPayout(p *answeredPayout) payoutKey { return p.payoutKey }

// read locks the batches, in order, and reads which of the payouts there are and what was said of them.
func (a *answering) read() error {
	all := a.sorted(func(*answeredPayout) bool { return true })
	if len(all) == 0 {
		return nil
	}
	return annotate(inOrder(
		func() error { return a.lockBatches(all) },
		func() error { return a.readPaid(all) },
		func() error { return a.readAnswers(all) }), "read payouts")
}

func (a *answering) lockBatches(all []*answeredPayout) error {
	numbered := map[payoutKey]bool{}
	keys := slices.CompactFunc(slices.Clone(all), func(p, q *answeredPayout) bool { return p.payoutKey == q.payoutKey })
	err := a.t.QueryEach(func(r db.Row) error {
		numbered[readPayoutKey(r)] = r.Int(4) > 0
		return nil
	}, "SELECT bucket, day, asset, entry, first FROM payout_batches WHERE bucket = $1 AND day = $2 AND asset = $3 AND "+
		"entry = $4"+a.t.Lock(), db.SetOf(keys, payoutFields(keyOfPayout)...))
	for _, p := range all {
		p.numbered = numbered[p.payoutKey]
	}
	return err
}

// readPaid reads the amounts of those that the books have paid.
func (a *answering) readPaid(all []*answeredPayout) error {
	visit := func(r db.Row) error {
		p := a.payouts[r.Text(0)]
		p.paid, p.amount = true, ledger.Amount(r.Int(1))
		return nil
	}
	fields := payoutFields(keyOfPayout,
		db.Int("entries", func(p *answeredPayout) int64 { return entryBucket(p.id) }),
		db.Text("account", func(p *answeredPayout) string { return string(p.account) }),
		db.Text("payout", func(p *answeredPayout) string { return p.id }))
	rewards := slices.DeleteFunc(slices.Clone(all), func(p *answeredPayout) bool { return p.entry != "" })
	err := a.t.QuerySet(visit, `SELECT r.payout, x.reward FROM {rows} JOIN rewards x ON x.bucket = r.bucket AND x.day = r.day
	     AND x.account = r.account AND x.asset = r.asset AND x.reward > 0`, db.SetOf(rewards, fields...))
	if err != nil {
		return err
	}
	compensations := slices.DeleteFunc(slices.Clone(all), func(p *answeredPayout) bool { return p.entry == "" })
	return a.t.QuerySet(visit, `SELECT r.payout, (SELECT p.amount FROM postings p WHERE p.bucket = r.bucket AND p.day = e.at / 86400000 AND p.at = e.at
	      AND p.entry = e.entry AND p.account = r.account AND p.asset = r.asset)
	     FROM {rows} JOIN entries e ON e.bucket = r.entries AND e.entry = r.entry`, db.SetOf(compensations, fields...))
}

func (a *answering) readAnswers(all []*answeredPayout) error {
	return a.t.QuerySet(func(r db.Row) error {
		p := a.payouts[r.Text(0)]
		if r.Int(1) == 0 {
			p.refused, p.before = true, true
		} else {
			p.transaction = r.Text(2)
		}
		return nil
	}, `SELECT r.payout, x.credited, x.reference FROM {rows} JOIN payout_answers x ON x.bucket = r.bucket
	     AND x.payout = r.payout`, db.SetOf(all, db.Int("bucket", func(p *answeredPayout) int64 { return p.bucket }),
		db.Text("payout", func(p *answeredPayout) string { return p.id })))
}

// decide is the outcome of each answer, in their order.
func (a *answering) decide() []PayoutOutcome {
	outcomes := make([]PayoutOutcome, len(a.answers))
	for i, answer := range a.answers {
		o := &outcomes[i]
		if o.Err = a.wrong[i]; o.Err != nil {
			continue
		}
		switch p := a.payouts[answer.Payout]; {
		case !p.numbered || !p.paid:
			o.Err = ledger.ErrNotFound.In("payout", "payout %s", p.id)
		case p.transaction != "" && p.transaction == answer.Transaction,
			p.transaction == "" && p.refused && answer.Refused != "":
			o.Repeated = true
		case p.transaction != "":
			o.Err = ledger.ErrConflict.In("payout", "payout %s is credited by the transaction %q", p.id, p.transaction)
		case answer.Refused != "":
			p.refused, p.refuses, p.reason = true, true, answer.Refused
		default:
			p.transaction, p.credits = answer.Transaction, true
		}
	}
	return outcomes
}

// counts are how many payouts are credited and refused in this transaction.
func (a *answering) counts() (credited, refused int) {
	for _, p := range a.payouts {
		credited += int(db.Flag(p.credits))
		refused += int(db.Flag(p.refuses))
	}
	return credited, refused
}

// write writes the answers that are new, and counts them in their batches.
func (a *answering) write() error {
	type row struct {
		*answeredPayout
		credited  int64
		reference string
	}
	type change struct {
		payoutKey
		credited, refused int64
	}
	var rows []row
	var changes []change
	for _, p := range a.sorted(func(p *answeredPayout) bool { return p.credits || p.refuses }) {
		if len(changes) == 0 || changes[len(changes)-1].payoutKey != p.payoutKey {
			changes = append(changes, change{payoutKey: p.payoutKey})
		}
		c := &changes[len(changes)-1]
		if p.refuses {
			rows = append(rows, row{p, 0, p.reason})
		}
		if p.credits {
			rows = append(rows, row{p, 1, p.transaction})
		}
		c.credited += db.Flag(p.credits)
		c.refused += db.Flag(p.refuses && !p.credits) - db.Flag(p.credits && p.before)
	}
	if len(rows) == 0 {
		return nil
	}
	now := a.b.now()
	written, err := people.Refer(a.t, now, map[string]bool{a.b.actor.Credential: true})
	if err != nil {
		return err
	}
	n, err := insert(a.t, "payout_answers", db.SetOf(rows,
		db.Int("bucket", func(r row) int64 { return r.bucket }),
		db.Text("payout", func(r row) string { return r.id }),
		db.Int("credited", func(r row) int64 { return r.credited }),
		db.Text("reference", func(r row) string { return r.reference }),
		db.Int("at", func(row) int64 { return now }),
		db.Text("credential", func(row) string { return written[a.b.actor.Credential] })))
	if err == nil && n != int64(len(rows)) { // answered at the same time: what is no payout has no batch to lock
		err = db.ErrRetry
	}
	if err == nil {
		_, err = a.t.Set(nil, `UPDATE payout_batches SET credited = payout_batches.credited + r.credited,
		       refused = payout_batches.refused + r.refused FROM {rows}`+ofPayoutBatch,
			db.SetOf(changes, payoutFields(func(c change) payoutKey { return c.payoutKey },
				db.Int("credited", func(c change) int64 { return c.credited }),
				db.Int("refused", func(c change) int64 { return c.refused }))...))
	}
	return annotate(err, "write what is said of payouts")
}

// creditRewards keeps that the source has credited rewards, each by the entry's ID of the event. A reward that the
// books have not paid, or have paid to another or with another amount, and one that another event has credited before,
// of whatever source, stop the partition: the source has given its holder what the books do not say. So does an event
// that comes again with another account or amount. One that an acknowledgement has credited stays as it is.
func (x *joining) creditRewards() error {
	a := newAnswering(x.DB, x.t)
	var events []*joinedEvent
	for _, e := range x.events {
		if e.Type == join.Reward {
			a.add(PayoutAnswer{Payout: e.Reward, Transaction: e.entry}, nil)
			events = append(events, e)
		}
	}
	if err := inOrder(a.read, a.readEvents); err != nil {
		return err
	}
	for i, e := range events {
		if a.wrong[i] != nil {
			return x.refuse(e.Event, e.index, ledger.At("reward", a.wrong[i]))
		}
		p, asset := a.payouts[e.Reward], x.assets[e.Token]
		var err error
		switch {
		case !p.paid || p.account != e.Account || p.Asset != e.Token:
			err = ledger.ErrNotFound.In("reward", "reward %s of %s in %s", e.Reward, e.Account, e.Token)
		case p.amount != e.amount:
			err = errDiffers.In("change", "%s is of %s %s, and the source has credited %s", p.id, asset.Format(p.amount),
				p.Asset, asset.Format(e.amount))
		case e.repeats:
		case p.event == e.entry: // from another partition, since repeats were looked for
			return db.ErrRetry
		case p.event != "":
			err = errDiffers.In("reward", "%s is credited by the event %s already", p.id, p.event)
		default:
			p.event = e.entry
			if p.transaction == "" {
				p.transaction, p.credits = e.entry, true
			}
		}
		if err != nil {
			return x.refuse(e.Event, e.index, err)
		}
	}
	return a.write()
}

// readEvents reads which events of joined sources have credited the rewards.
func (a *answering) readEvents() error {
	err := a.t.QuerySet(func(r db.Row) error { a.payouts[r.Text(0)].event = r.Text(1); return nil },
		"SELECT r.payout, f.entry FROM {rows} JOIN join_references f ON f.refers = r.payout",
		db.SetOf(a.sorted(func(*answeredPayout) bool { return true }),
			db.Text("payout", func(p *answeredPayout) string { return p.id })))
	return annotate(err, "read who has credited rewards")
}
