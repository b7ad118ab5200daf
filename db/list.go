package db

// All are the rows of a query, in order, each as scan reads it; nil where there are none.
func All[T any](t View, scan func(Row) (T, error), sql string, args ...any) ([]T, error) {
	return collect(scan, func(fn func(Row) error) error { return t.Query(fn, sql, args...) })
}

// AllOf are the rows of View.QuerySet, each as scan reads it.
func AllOf[T any](t View, scan func(Row) (T, error), sql string, s Set, args ...any) ([]T, error) {
	return collect(scan, func(fn func(Row) error) error { return t.QuerySet(fn, sql, s, args...) })
}

// AllEach are the rows of View.QueryEach, each as scan reads it.
func AllEach[T any](t View, scan func(Row) (T, error), sql string, s Set) ([]T, error) {
	return collect(scan, func(fn func(Row) error) error { return t.QueryEach(fn, sql, s) })
}

// First is the first row of a query as scan reads it, or found is false.
func First[T any](t View, scan func(Row) (T, error), sql string, args ...any) (item T, found bool, err error) {
	err = t.Query(func(r Row) (err error) {
		if !found {
			found = true
			item, err = scan(r)
		}
		return err
	}, sql, args...)
	return item, found && err == nil, err
}

func collect[T any](scan func(Row) (T, error), query func(fn func(Row) error) error) (list []T, err error) {
	err = query(func(r Row) error {
		item, err := scan(r)
		list = append(list, item)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// IntOf scans a row of one number.
func IntOf(r Row) (int64, error) { return r.Int(0), nil }

// TextOf scans a row of one text.
func TextOf(r Row) (string, error) { return r.Text(0), nil }
