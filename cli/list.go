package cli

import (
	"bufio"
	"encoding/json"
	"io"
)

// list is how a command lists items: in a table for a person, or in JSON, as an array.
type list[T any] struct {
	json    bool
	columns []col
	item    func(T) (object any, row []string) // in JSON, and a cell for each column
	none    string                             // what a person reads where there is no item; "": nothing
}

// print lists all items, unless reading them failed.
func (l list[T]) print(env *Env, items []T, err error) error {
	if err != nil {
		return err
	}
	add, end := l.begin(env)
	for _, item := range items {
		if err := add(item); err != nil {
			return err
		}
	}
	return end()
}

// listPage is how many items are read at once.
const listPage = 1000

// printPages lists what page reads after an item, the zero one at first, page by page, up to
// a limit; 0: all. more says that it ended with last at the limit.
func (l list[T]) printPages(env *Env, limit int, page func(after T, most int) ([]T, error)) (last T, more bool,
	err error) {
	add, end := l.begin(env)
	for n := 0; limit == 0 || n < limit; {
		most := listPage
		if limit > 0 {
			most = min(most, limit-n)
		}
		items, err := page(last, most)
		if err != nil {
			return last, false, err
		}
		for _, last = range items {
			if err := add(last); err != nil {
				return last, false, err
			}
		}
		if n += len(items); len(items) < most {
			return last, false, end()
		}
	}
	return last, true, end()
}

// begin lists items as they are added, until the end.
func (l list[T]) begin(env *Env) (add func(T) error, end func() error) {
	if l.json {
		out := newJSONList(env.Stdout)
		return func(item T) error {
			object, _ := l.item(item)
			return out.add(object)
		}, out.end
	}
	grid := newGrid(l.columns...)
	add = func(item T) error {
		_, row := l.item(item)
		grid.add(row...)
		return nil
	}
	return add, func() error {
		if len(grid.rows) == 0 {
			return env.printf("%s", l.none)
		}
		return grid.write(env.Stdout)
	}
}

// jsonList writes an array, an element a line, as it comes.
type jsonList struct {
	out *bufio.Writer
	n   int
}

func newJSONList(w io.Writer) *jsonList { return &jsonList{out: bufio.NewWriter(w)} }

func (l *jsonList) add(v any) error {
	before := "[\n "
	if l.n > 0 {
		before = ",\n "
	}
	l.n++
	element, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = l.out.WriteString(before + string(element))
	return err
}

// end closes the array.
func (l *jsonList) end() error {
	end := "\n]\n"
	if l.n == 0 {
		end = "[]\n"
	}
	if _, err := l.out.WriteString(end); err != nil {
		return err
	}
	return l.out.Flush()
}
