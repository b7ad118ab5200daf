package postgres

import (
	"fmt"

	"github.com/jackc/pglogrepl"

	"github.com/softstake/softstake/join"
)

// decoder makes records of the changes.
type decoder struct {
	encoder
	relations map[uint32]*relation
	last      join.Place  // of the record before
	inside    bool        // a transaction has begun
	resume    *join.Start // that transaction is to come first; nil: it has
	skip      int64       // how many rows of this transaction the books have
}

// resumes reports whether the next transaction is the one of which the books have a part.
func (d *decoder) resumes() bool { return d.resume != nil }

// gone is the error where the transaction of which the books have a part is not there.
func (d *decoder) gone() error {
	return fmt.Errorf("%w: the database does not send position %s again, which the books have", join.ErrChanged, d.last)
}

func (d *decoder) beginTransaction(m *pglogrepl.BeginMessage) error {
	d.place = join.Place{Position: int64(m.FinalLSN)}
	d.skip = 0
	switch {
	case d.resume != nil && d.place.Position != d.last.Position:
		return d.gone()
	case d.resume != nil:
		d.skip = d.last.Part
		if d.resume.Again {
			d.skip--
		}
	case d.place.Position < d.last.Position:
		return fmt.Errorf("%w: a transaction of position %d comes after %s", join.ErrChanged, d.place.Position, d.last)
	}
	d.begin(m.FinalLSN, m.CommitTime)
	d.inside = true
	return nil
}

func (d *decoder) endTransaction() error {
	d.inside = false
	if d.resume != nil && d.place.Part < d.last.Part {
		return d.gone()
	}
	d.resume = nil
	return nil
}

// decode makes the records of a change: one for each row, and one for each table that was emptied.
func (d *decoder) decode(m pglogrepl.Message) (records []join.Record, err error) {
	switch m := m.(type) {
	case *pglogrepl.RelationMessage:
		r := &relation{name: m.Namespace + "." + m.RelationName}
		for _, c := range m.Columns {
			r.columns = append(r.columns, column{name: c.Name, typ: c.DataType, key: c.Flags&1 != 0})
		}
		d.relations[m.RelationID] = r
	case *pglogrepl.InsertMessage:
		return d.one("insert", m.RelationID, nil, m.Tuple, 0)
	case *pglogrepl.UpdateMessage:
		return d.one("update", m.RelationID, m.OldTuple, m.NewTuple, m.OldTupleType)
	case *pglogrepl.DeleteMessage:
		return d.one("delete", m.RelationID, m.OldTuple, nil, m.OldTupleType)
	case *pglogrepl.TruncateMessage:
		for _, id := range m.RelationIDs {
			one, err := d.one("truncate", id, nil, nil, 0)
			if err != nil {
				return nil, err
			}
			records = append(records, one...)
		}
	}
	return records, nil
}

// one makes the record of a change of a row, unless the books have it.
func (d *decoder) one(op string, table uint32, old, now *pglogrepl.TupleData, kind uint8) ([]join.Record, error) {
	r := d.relations[table]
	if r == nil || !d.inside {
		return nil, fmt.Errorf("a change of the table %d came without the table or its transaction", table)
	}
	if d.place.Part++; d.place.Part <= d.skip {
		return nil, nil
	}
	before, err := r.tuple(old, kind == pglogrepl.DeleteMessageTupleTypeKey)
	if err != nil {
		return nil, err
	}
	after, err := r.tuple(now, false)
	if err != nil {
		return nil, err
	}
	if before != nil && kind == pglogrepl.UpdateMessageTupleTypeOld {
		for i, v := range after {
			if v.kind == pglogrepl.TupleDataTypeToast { // it is as it was
				after[i] = before[i]
			}
		}
	}
	previous := d.last
	d.last = d.place
	return []join.Record{{Place: d.place, Previous: &previous, Text: d.row(op, r, before, after), ID: d.id()}}, nil
}

// tuple are the values of a row, or those of its key.
func (r *relation) tuple(t *pglogrepl.TupleData, key bool) ([]value, error) {
	if t == nil {
		return nil, nil
	}
	if len(t.Columns) != len(r.columns) {
		return nil, fmt.Errorf("a row of %s has %d columns, and the table %d", r.name, len(t.Columns), len(r.columns))
	}
	values := make([]value, len(t.Columns))
	for i, c := range t.Columns {
		if !key || r.columns[i].key {
			values[i] = value{c.DataType, c.Data}
		}
	}
	return values, nil
}
