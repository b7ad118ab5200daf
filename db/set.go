package db

// Set is a set of rows, column by column: how many rows travel at once.
type Set []Column

// Column is a column of a Set: of int64, of string or of []byte.
type Column struct {
	name  string
	ints  []int64
	texts []string
	blobs [][]byte
}

// Ints is a column of whole numbers.
func Ints(name string, v []int64) Column { return Column{name: name, ints: v} }

// Texts is a column of texts.
func Texts(name string, v []string) Column { return Column{name: name, texts: v} }

// Blobs is a column of bytes.
func Blobs(name string, v [][]byte) Column { return Column{name: name, blobs: v} }

func (c Column) isText() bool { return c.texts != nil }
func (c Column) isBlob() bool { return c.blobs != nil }

func (c Column) value(i int) any {
	switch {
	case c.isText():
		return c.texts[i]
	case c.isBlob():
		return c.blobs[i]
	}
	return c.ints[i]
}

// Len is the number of rows in the set.
func (s Set) Len() int {
	return max(len(s[0].ints), len(s[0].texts), len(s[0].blobs))
}

// Names are the names of the columns.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i, c := range s {
		names[i] = c.name
	}
	return names
}

// Field is a column of a set that is made of items.
type Field[T any] func(items []T) Column

// SetOf is a set with a row for each item, in order.
func SetOf[T any](items []T, fields ...Field[T]) Set {
	s := make(Set, len(fields))
	for i, field := range fields {
		s[i] = field(items)
	}
	return s
}

// Int is a column of whole numbers, each of which is taken from an item.
func Int[T any](name string, of func(T) int64) Field[T] {
	return func(items []T) Column { return Ints(name, mapped(items, of)) }
}

// Text is a column of texts, each of which is taken from an item.
func Text[T any](name string, of func(T) string) Field[T] {
	return func(items []T) Column { return Texts(name, mapped(items, of)) }
}

// Blob is a column of bytes, each of which is taken from an item.
func Blob[T any](name string, of func(T) []byte) Field[T] {
	return func(items []T) Column { return Blobs(name, mapped(items, of)) }
}

func mapped[T, V any](items []T, of func(T) V) []V {
	values := make([]V, len(items))
	for i, item := range items {
		values[i] = of(item)
	}
	return values
}
