package store

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
)

// JoinSource is a source of another ledger's events.
type JoinSource struct {
	Name    string `json:"Source"`
	Address string `json:",omitempty"` // where it is read; it has no secrets. "": not said
	Mapping string `json:",omitempty"` // the SHA-256 of the mapping that reads it, in hexadecimal; "": none
}

// maxSourceAddress is how long an address may be.
const maxSourceAddress = 2000

func (s JoinSource) check() error {
	if err := join.CheckName("source", s.Name, join.MaxSource); err != nil {
		return err
	}
	if s.Address == "" {
		return nil
	}
	return ledger.At("address", ledger.CheckLine("the address", s.Address, maxSourceAddress))
}

// AddSource lets the events of a source be posted: what it says then comes in and goes out, whatever the limits of a
// day are. It may need approval, also where a source that was added is read elsewhere or by another mapping, and so do
// Join and AddPartition for a source that was never added. Repeating it has no further effect. It returns the number of
// the address, for JoinBatch; 0 where none is said.
func (b *DB) AddSource(ctx context.Context, s JoinSource) (address int64, err error) {
	if err := s.check(); err != nil {
		return 0, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if err := b.addSource(t, s); err != nil || s.Address == "" {
			return err
		}
		_, address, err = readAddress(t, s.Name)
		return err
	})
	return address, annotate(err, "join the source %s", s.Name)
}

func (b *DB) addSource(t db.Tx, s JoinSource) error {
	n, err := t.Exec("INSERT INTO join_sources (name, added, added_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", s.Name,
		b.now(), b.actor.Credential)
	if err != nil {
		return err
	}
	moved, err := b.moveSource(t, s)
	if err != nil || n == 0 && !moved {
		return err
	}
	effect := "its events are posted as it sends them, without the limits of a day"
	if moved {
		effect = fmt.Sprintf("it is read from %s, %s: %s", s.Address, mappedBy(s.Mapping), effect)
	}
	if err := b.permit(t, control.AddSource, s, s.Name, effect); err != nil {
		return err
	}
	return b.logLine(t, string(control.AddSource), s.Name, effect)
}

func mappedBy(mapping string) string {
	if mapping == "" {
		return "without a mapping"
	}
	return "by the mapping with the SHA-256 " + mapping
}

// moveSource keeps where a source is read and by which mapping, and reports whether that is new.
func (b *DB) moveSource(t db.Tx, s JoinSource) (moved bool, err error) {
	if s.Address == "" {
		return false, nil
	}
	is, number, err := readAddress(t, s.Name)
	if err != nil || is == s {
		return false, err
	}
	n, err := t.Exec("INSERT INTO join_addresses (source, number, address, mapping, set_at, set_by) "+
		"VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING", s.Name, number+1, s.Address, s.Mapping, b.now(),
		b.actor.Credential)
	if err == nil && n == 0 { // another has written it at the same time
		err = db.ErrRetry
	}
	return true, err
}

// readAddress is where a source is read, and the number of that; 0: nobody has said it.
func readAddress(t db.View, source string) (is JoinSource, number int64, err error) {
	is.Name = source
	err = t.Query(func(r db.Row) error {
		number, is.Address, is.Mapping = r.Int(0), r.Text(1), r.Text(2)
		return nil
	}, "SELECT number, address, mapping FROM join_addresses WHERE source = $1 ORDER BY number DESC LIMIT 1", source)
	return is, number, annotate(err, "read the address of a source")
}

// ReasonOtherAddress is of a ledger.ErrConflict: the source is read elsewhere, or by another mapping, than it was when
// this was begun.
const ReasonOtherAddress = "other-address"

// checkAddress refuses what was read at an address, by its number, that is not the source's any more.
func checkAddress(t db.View, source string, address int64) error {
	if address == 0 {
		return nil
	}
	_, number, err := readAddress(t, source)
	if err == nil && number != address {
		err = ledger.ErrConflict.In("", "the source %s is read at another address, or by another mapping, since this was "+
			"begun; start again", source).Because(ReasonOtherAddress)
	}
	return err
}
