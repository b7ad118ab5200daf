package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/webhook"
)

// Stream is what is delivered to a target, by numbers of its own.
type Stream string

// The streams, as they are kept.
const (
	PayoutStream Stream = "payouts"
	EventStream  Stream = "events" // of the outbox
)

// TargetLease is for how long a process has a target for itself: above what sending takes until it is written.
const TargetLease = time.Minute

// Target is where payouts or events are delivered to, and how far.
type Target struct {
	Stream  Stream
	Name    string
	Address string // without a password
	Kinds   string // of the events that it gets, with commas; "" of payouts
	Number  int64  // of the last one that it has; 0: none
	Added   time.Time
	AddedBy string    // the credential
	Moved   time.Time // when Number last moved; zero: never
	Failed  time.Time // since when delivering fails; zero: it does not
	Error   string    // why; "": it does not fail
	Holder  string    // the process that delivers, until Lease; "": none, or to a table
	Lease   time.Time
}

// TargetColumns are what ReadTarget reads.
const TargetColumns = "stream, name, address, kinds, number, added, added_by, moved, failed, error, holder, lease"

// ReadTarget reads a row whose first columns are TargetColumns. It never fails.
func ReadTarget(r db.Row) (Target, error) {
	return Target{Stream(r.Text(0)), r.Text(1), r.Text(2), r.Text(3), r.Int(4), db.TimeOf(r.Int(5)), r.Text(6),
		db.TimeOrZero(r.Int(7)), db.TimeOrZero(r.Int(8)), r.Text(9), r.Text(10), db.TimeOrZero(r.Int(11))}, nil
}

// The limits of what is kept of a target, in bytes and characters.
const (
	maxTargetName    = 64
	maxTargetAddress = 1_000
	maxTargetError   = 500
)

// ReasonOtherTarget is of a ledger.ErrConflict: the name is that of a target with another address or other kinds.
const ReasonOtherTarget = "other-target"

// NewTarget is where something is to be delivered to.
type NewTarget struct {
	Stream        Stream
	Name, Address string
	Kinds         string // of events, with commas between them: see webhook.ParseEventKinds
	// From is the number of the first one that it gets. 0: of payouts the first that ever was, of events the next one.
	From int64
}

func (n *NewTarget) check() (err error) {
	if err := ledger.CheckID("name", n.Name); err != nil {
		return ledger.At("name", err)
	}
	if len(n.Name) > maxTargetName {
		return ledger.ErrInvalid.In("name", "%q has more than %d characters", ledger.Clip(n.Name), maxTargetName)
	}
	if n.From < 0 {
		return ledger.ErrInvalid.In("from", "a number is not below zero")
	}
	if n.Stream == EventStream {
		if n.Kinds, err = webhook.ParseEventKinds(n.Kinds); err != nil {
			return err
		}
	} else {
		n.Kinds = ""
	}
	return ledger.At("address", ledger.CheckLine("the address", n.Address, maxTargetAddress))
}

// describe says what is delivered where, for the log and for those who approve it.
func (n *NewTarget) describe() string {
	if n.Stream == EventStream {
		return "events (" + n.Kinds + ") are delivered to " + n.Address
	}
	return "payouts are delivered to " + n.Address
}

// operations are what the log calls changes of the targets of a stream.
var operations = map[Stream]struct{ add, resend, end control.Operation }{
	PayoutStream: {control.DeliverPayouts, control.ResendPayouts, control.EndDelivery},
	EventStream:  {control.DeliverEvents, control.ResendEvents, control.EndEventDelivery},
}

// AddTarget makes a target known, before anything is delivered to it, and returns how far it is. One of events may need
// approval: it gets what holders have. Repeating it has no further effect. ledger.ErrConflict if the name is that of
// another address or other kinds: what is up to its number is there, and not here. ledger.ErrInvalid for what cannot be
// a target, payouts from a number on, and events that are not kept.
func (b *DB) AddTarget(ctx context.Context, n NewTarget) (target Target, err error) {
	if err := n.check(); err != nil {
		return target, err
	}
	// Mostly it is there, and nobody need wait to write it.
	target, err = b.Target(ctx, n.Stream, n.Name)
	if errors.Is(err, ledger.ErrNotFound) {
		if err = b.engine.Write(ctx, func(t db.Tx) error { return b.addTarget(t, n) }); err == nil {
			target, err = b.Target(ctx, n.Stream, n.Name)
		}
	}
	switch {
	case err != nil:
	case target.Address != n.Address:
		err = ledger.ErrConflict.In("name", "%s delivers to %s", n.Name, target.Address).Because(ReasonOtherTarget)
	case target.Kinds != n.Kinds:
		err = ledger.ErrConflict.In("kinds", "%s gets %s", n.Name, target.Kinds).Because(ReasonOtherTarget)
	}
	return target, annotate(err, "deliver %s to %s", n.Stream, ledger.Clip(n.Name))
}

func (b *DB) addTarget(t db.Tx, n NewTarget) error {
	number := n.From - 1
	switch {
	case n.Stream == PayoutStream && n.From > 1:
		return ledger.ErrInvalid.In("from", "a target that is new gets payouts from number 1 on")
	case n.Stream == PayoutStream:
		number = 0
	default:
		removed, newest, err := eventNumbers(t)
		if err != nil {
			return err
		}
		if n.From == 0 {
			number = newest
		} else if number < removed || number > newest {
			return ledger.ErrInvalid.In("from", "events are kept from number %d on; from is %[1]d to %d", removed+1,
				newest+1)
		}
	}
	done, err := t.Exec("INSERT INTO targets ("+TargetColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, '', '', 0) "+
		"ON CONFLICT DO NOTHING", string(n.Stream), n.Name, n.Address, n.Kinds, number, b.now(), b.actor.Credential)
	if err != nil || done == 0 {
		return err
	}
	effect := n.describe()
	if n.Stream == EventStream {
		if n.From > 0 {
			effect += fmt.Sprintf(" from number %d on", n.From)
		}
		if err := b.permit(t, control.DeliverEvents, n, n.Name, effect); err != nil {
			return err
		}
	}
	return b.logLine(t, string(operations[n.Stream].add), n.Name, effect)
}

// eventNumbers are the numbers of the last event that is not kept any more and of the newest one.
func eventNumbers(t db.View) (removed, newest int64, err error) {
	_, err = db.One(t, []*int64{&removed, &newest}, "SELECT removed, last FROM sequences WHERE name = 'outbox'")
	return removed, newest, err
}

// Target is a target; ledger.ErrNotFound if there is none.
func (b *DB) Target(ctx context.Context, stream Stream, name string) (target Target, err error) {
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		target, err = findTarget(t, stream, name, "")
		return err
	})
	return target, err
}

// findTarget reads a target, with a lock or "".
func findTarget(t db.View, stream Stream, name, lock string) (Target, error) {
	target, found, err := db.First(t, ReadTarget, "SELECT "+TargetColumns+
		" FROM targets WHERE stream = $1 AND name = $2"+lock, string(stream), name)
	if err == nil && !found {
		err = ledger.ErrNotFound.In("name", "no %s are delivered to %q", stream, ledger.Clip(name))
	}
	return target, err
}

// ClaimTarget gives a process a target for TargetLease, or prolongs that, and returns it. found is false where another
// process has it, or it is not there any more. holder names the process.
func (b *DB) ClaimTarget(ctx context.Context, stream Stream, name, holder string) (target Target, found bool,
	err error) {
	err = b.engine.Write(ctx, func(t db.Tx) error {
		now := b.clock()
		n, err := t.Exec("UPDATE targets SET holder = $3, lease = $4 WHERE stream = $1 AND name = $2 "+
			"AND (holder = $3 OR holder = '' OR lease <= $5)", string(stream), name, holder,
			now.Add(TargetLease).UnixMilli(), now.UnixMilli())
		if found = err == nil && n > 0; !found {
			return err
		}
		target, err = findTarget(t, stream, name, "")
		return err
	})
	return target, found, annotate(err, "claim the target %s", ledger.Clip(name))
}

// ReleaseTarget lets another process have a target at once. It has no effect where another has it.
func (b *DB) ReleaseTarget(ctx context.Context, stream Stream, name, holder string) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		_, err := t.Exec("UPDATE targets SET holder = '', lease = 0 WHERE stream = $1 AND name = $2 AND holder = $3",
			string(stream), name, holder)
		return err
	})
	return annotate(err, "release the target %s", ledger.Clip(name))
}

// MoveTarget keeps that a target which had what there was up to a number has that up to another one, and does not fail
// any more. holder is the process that has claimed it, whose lease is prolonged; "": nobody has. ledger.ErrConflict
// where it is not at the first number, or another process has it, or somebody has something sent again.
func (b *DB) MoveTarget(ctx context.Context, stream Stream, name, holder string, from, to int64) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		now := b.clock()
		var lease int64
		if holder != "" {
			lease = now.Add(TargetLease).UnixMilli()
		}
		n, err := t.Exec("UPDATE targets SET number = $5, moved = $6, failed = 0, error = '', lease = $7 "+
			"WHERE stream = $1 AND name = $2 AND holder = $3 AND number = $4", string(stream), name, holder, from, to,
			now.UnixMilli(), lease)
		if err == nil && n == 0 {
			err = ledger.ErrConflict.In("", "it is not at number %d, or another process has it", from)
		}
		return err
	})
	return annotate(err, "keep how far %s is", ledger.Clip(name))
}

// FailTarget keeps why delivering to a target fails; "": it does not. Since when it fails stays with the first reason.
// Repeating it has no further effect; of a target that is not known it has none.
func (b *DB) FailTarget(ctx context.Context, stream Stream, name, reason string) error {
	if letters := []rune(reason); len(letters) > maxTargetError {
		reason = string(letters[:maxTargetError])
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		_, err := t.Exec("UPDATE targets SET error = $3, failed = CASE WHEN $3 = '' THEN 0 WHEN failed = 0 THEN $4 "+
			"ELSE failed END WHERE stream = $1 AND name = $2 AND error <> $3", string(stream), name, reason, b.now())
		return err
	})
	return annotate(err, "keep why delivering to %s fails", ledger.Clip(name))
}

// ResendTarget has what there is from a number on delivered to a target again, at an address that may be another one,
// and events of kinds that may be others: it has lost them, or was recovered to a moment. Whoever reads them goes by
// their IDs. Whoever delivers to it stops, and begins again. Another address or other kinds of events may need
// approval, as adding a target of events does. ledger.ErrInvalid where the number is below 1, or above the one that is
// next: none is left out but events that are not kept any more. ledger.ErrNotFound if there is no such target.
func (b *DB) ResendTarget(ctx context.Context, n NewTarget) error {
	if err := n.check(); err != nil {
		return err
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		target, err := findTarget(t, n.Stream, n.Name, t.Lock())
		if err != nil {
			return err
		}
		effect := fmt.Sprintf("%s from number %d on; it had those up to %d", n.describe(), n.From, target.Number)
		first, last := int64(1), target.Number+1
		if n.Stream == EventStream {
			removed, newest, err := eventNumbers(t)
			if err != nil {
				return err
			}
			first, last = removed+1, max(min(last, newest+1), removed+1)
			if lost := n.From - target.Number - 1; lost > 0 {
				effect += fmt.Sprintf("; %d after that are not kept any more, and are never sent", lost)
			}
		}
		if n.From < first || n.From > last {
			return ledger.ErrInvalid.In("from", "%s has the %s up to number %d; from is %d to %d", n.Name, n.Stream,
				target.Number, first, last)
		}
		if _, err := t.Exec("UPDATE targets SET address = $3, kinds = $4, number = $5, failed = 0, error = '', "+
			"holder = '', lease = 0 WHERE stream = $1 AND name = $2", string(n.Stream), n.Name, n.Address, n.Kinds,
			n.From-1); err != nil {
			return err
		}
		if n.Stream == EventStream && (n.Address != target.Address || n.Kinds != target.Kinds) {
			if err := b.permit(t, control.ResendEvents, n, n.Name, effect); err != nil {
				return err
			}
		}
		return b.logLine(t, string(operations[n.Stream].resend), n.Name, effect)
	})
	return annotate(err, "deliver %s again to %s", n.Stream, ledger.Clip(n.Name))
}

// EndTarget forgets a target: nobody waits for what it does not have, and whoever delivers to it stops.
// ledger.ErrNotFound if there is none.
func (b *DB) EndTarget(ctx context.Context, stream Stream, name string) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		target, err := findTarget(t, stream, name, t.Lock())
		if err == nil {
			_, err = t.Exec("DELETE FROM targets WHERE stream = $1 AND name = $2", string(stream), name)
		}
		if err != nil {
			return err
		}
		return b.logLine(t, string(operations[stream].end), name, fmt.Sprintf("it has the %s up to number %d, at %s",
			stream, target.Number, target.Address))
	})
	return annotate(err, "end delivering to %s", ledger.Clip(name))
}
