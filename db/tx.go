package db

// View is what a transaction can read. Parameters are $1, $2 … in both databases; an
// argument is an int64, a string or []byte. A row is valid only during the call of fn,
// and fn must not run another statement.
type View interface {
	// Query calls fn for each row.
	Query(fn func(Row) error, sql string, args ...any) error
	// QuerySet calls fn for each row of a SELECT over a set of rows, which the statement
	// names {rows} and calls r. args follow the set's columns as parameters.
	QuerySet(fn func(Row) error, sql string, s Set, args ...any) error
	// QueryEach runs a SELECT for each row of the set, in order, the columns as its
	// parameters.
	QueryEach(fn func(Row) error, sql string, s Set) error
}

// Tx is a transaction that can write.
type Tx interface {
	View
	// Exec runs a statement and returns how many rows it changed.
	Exec(sql string, args ...any) (int64, error)
	// Set runs a statement over a set of rows, which the statement names {rows} and calls
	// r, and returns how many rows it changed. fn gets what the statement returns of them;
	// it may be nil. args follow the set's columns as parameters.
	Set(fn func(Row) error, sql string, s Set, args ...any) (int64, error)
	// Each runs a statement for each row of the set, in order, the columns as its
	// parameters.
	Each(fn func(Row) error, sql string, s Set) error
	// Insert brings rows into a table, fast. A row whose key is there is an error.
	Insert(table string, s Set) error
	// Share is what a SELECT ends with to share a row's lock.
	Share() string
}

// Row is one row of a result, its columns from 0.
type Row interface {
	Int(i int) int64
	Text(i int) string
	Bytes(i int) []byte
}

// One reads a query's single row of int64s, or says that there is none.
func One(t View, into []*int64, sql string, args ...any) (found bool, err error) {
	err = t.Query(func(r Row) error {
		found = true
		for i, p := range into {
			*p = r.Int(i)
		}
		return nil
	}, sql, args...)
	return found, err
}

// Count reads the single number of a query, or 0.
func Count(t View, sql string, args ...any) (n int64, err error) {
	_, err = One(t, []*int64{&n}, sql, args...)
	return n, err
}

// Flag is how a bool is kept.
func Flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}
