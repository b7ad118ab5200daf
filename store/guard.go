package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store/schema"
)

// rowKeys is the purpose of the keys that the MACs of rows are made with.
const rowKeys = "rows that give a right"

// newSealer reads the key outside the database when it is needed first; nil: there is none.
func newSealer(o Options) func() (*access.Sealer, error) {
	var known atomic.Pointer[access.Sealer]
	return func() (sealer *access.Sealer, err error) {
		if sealer = known.Load(); sealer == nil && o.Sealer != nil {
			if sealer, err = o.Sealer(); err == nil {
				known.Store(sealer)
			}
		}
		return sealer, err
	}
}

// ReasonSealedBefore is of ledger.ErrInvalid: a secret that was proposed cannot be read with the key of now.
const ReasonSealedBefore = "sealed-before"

// resealed is a secret of a proposal that is executed, sealed with the key of now: it may have changed since. Of what
// is not a proposal, and where there is no key, it is the secret as it is. ledger.ErrInvalid because of
// ReasonSealedBefore where no key opens it any more.
func (b *DB) resealed(sealed []byte, name string) ([]byte, error) {
	if b.approval == nil {
		return sealed, nil
	}
	sealer, err := b.sealer()
	if err != nil || sealer == nil {
		return sealed, err
	}
	again, _, err := sealer.Reseal(sealed, name)
	return again, sealedBefore(err)
}

// sealedBefore says why a secret of a proposal cannot be read.
func sealedBefore(err error) error {
	if err != nil {
		err = ledger.ErrInvalid.In("", "the key that secrets are sealed with has changed since this was proposed, and its "+
			"secret cannot be read: reject it, and propose it again").Because(ReasonSealedBefore)
	}
	return err
}

// newGuard guards rows with keys that are derived from the one outside the database.
func newGuard(o Options, read func() (*access.Sealer, error)) *integrity.Guard {
	return integrity.NewGuard(func(again bool) ([][]byte, error) {
		sealer, err := read()
		if err != nil || sealer == nil {
			return nil, err
		}
		derived, err := sealer.DeriveEach(rowKeys, again)
		keys := make([][]byte, len(derived))
		for i, key := range derived {
			keys[i] = key
		}
		return keys, err
	}, o.Refused)
}

// Guard checks the rows that give a right.
func (b *DB) Guard() *integrity.Guard { return b.guard }

// Protected is since when rows that give a right carry a MAC, or the zero time. From then on the key is needed.
func (b *DB) Protected(ctx context.Context) (since time.Time, err error) {
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		since, err = integrity.Protected(t)
		return err
	})
	b.guard.Expect(!since.IsZero())
	return since, annotate(err, "read whether rows are protected")
}

// ReasonProtected is of ledger.ErrConflict: the rows were protected before.
const ReasonProtected = "protected"

// Protect gives the rows of books from before their MACs, and so vouches for what they say: once, as the log keeps.
// Books that say so already stay as they are. It returns how many rows got one. ledger.ErrInvalid where there is no
// key; ledger.ErrConflict because of ReasonProtected where it was done before, and somebody has removed the mark.
// progress is called with how many rows it has looked at.
func (b *DB) Protect(ctx context.Context, progress func(rows int64)) (signed int64, err error) {
	err = b.engine.Write(ctx, func(t db.Tx) error {
		since, err := integrity.Protected(t)
		if err != nil || !since.IsZero() {
			return err
		}
		before, err := integrity.WasProtected(t)
		if err == nil && before {
			err = ledger.ErrConflict.In("", "the rows were protected before, and the mark of that is gone: somebody has "+
				"removed it; restore a backup").Because(ReasonProtected)
		}
		if err != nil {
			return err
		}
		on, err := b.guard.On()
		if err == nil && !on {
			err = ledger.ErrInvalid.In("", "there is no key outside the database")
		}
		if err == nil {
			signed, err = b.protect(t, integrity.GuardedKinds, progress)
		}
		return err
	})
	if err == nil {
		b.guard.Expect(true)
	}
	return signed, annotate(err, "protect the rows that give a right")
}

// protectSince gives the kinds of row their MACs that have some only after the schema that the books had. Those of a
// kind that had MACs before get none: one that is missing was removed. Books that were not protected because there was
// no key stay so, until Protect; integrity.ErrNoKey where they were, and the key is missing now.
func (b *DB) protectSince(t db.Tx, before int64, progress func(rows int64)) error {
	if before >= schema.AddressMACs() {
		return nil
	}
	kinds := integrity.GuardedKinds
	if before >= schema.MACs() {
		since, err := integrity.Protected(t)
		if err != nil || since.IsZero() {
			return err
		}
		b.guard.Expect(true)
		kinds = []integrity.Guarded{integrity.DepositAddresses, integrity.Sweeps}
	}
	_, err := b.protect(t, kinds, progress)
	return err
}

// protect gives the rows of some kinds their MACs. Without a key it has no effect.
func (b *DB) protect(t db.Tx, kinds []integrity.Guarded, progress func(rows int64)) (signed int64, err error) {
	on, err := b.guard.On()
	if err != nil || !on {
		return 0, err
	}
	if signed, err = b.guard.Protect(t, b.clock(), kinds, progress); err != nil || signed == 0 {
		return 0, err
	}
	return signed, b.logLine(t, "key protect", "books", fmt.Sprintf("%d rows that give a right", signed))
}

// RenewMACs gives each row that has its MAC by an older key one by the first, in small transactions, and returns how
// many. Repeating it goes on. seen is called with how many rows each step has looked at.
func (b *DB) RenewMACs(ctx context.Context, seen func(rows int64)) (renewed int64, err error) {
	if renewed, err = b.guard.Renew(ctx, b.engine, seen); err != nil || renewed == 0 {
		return renewed, err
	}
	return renewed, b.engine.Write(ctx, func(t db.Tx) error {
		return b.logLine(t, "key reseal", "rows", fmt.Sprintf("%d rows that give a right", renewed))
	})
}
