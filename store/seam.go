package store

import (
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// The names of the seam to the database, short: every statement of this package has some.
type (
	tx   = db.Tx
	view = db.View
	row  = db.Row
	set  = db.Set
)

// errRetry is for what another transaction has changed at the same time: this one is run again.
var errRetry = db.ErrRetry

// ErrSchema says that the books have another schema than this program works with.
var ErrSchema = db.ErrSchema

func ints(name string, v []int64) db.Column   { return db.Ints(name, v) }
func texts(name string, v []string) db.Column { return db.Texts(name, v) }
func blobs(name string, v [][]byte) db.Column { return db.Blobs(name, v) }

// one reads a query's single row of int64s, or says that there is none.
func one(t view, into []*int64, sql string, args ...any) (found bool, err error) {
	return db.One(t, into, sql, args...)
}

// A moment is kept as milliseconds since 1970.
func timeOf(millis int64) time.Time      { return db.TimeOf(millis) }
func timeOrNever(millis int64) time.Time { return db.TimeOrZero(millis) }
func millisOf(t time.Time) int64         { return db.MillisOf(t) }
func stamp(millis int64) string          { return ledger.FormatTime(db.TimeOf(millis)) }
