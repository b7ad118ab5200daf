package testkit

import "testing"

// Must ends the test at an error: Must(f())(t) is the value of f.
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
