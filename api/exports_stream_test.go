package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestBrokenExport: an export that cannot be finished is never taken for a whole
// one, whether much of it was sent or nothing.
func TestBrokenExport(t *testing.T) {
	rd := reader{log: slog.New(slog.DiscardHandler)}
	letters := table[string]{columns: []string{"letter"}, cells: func(s string) []string { return []string{s} }}
	for _, lines := range []int{0, 1, 100_000} {
		for _, format := range []string{"csv", "jsonl", "ndjson"} {
			for _, broken := range []bool{false, true} {
				export := letters.export(rd, "letters", format, func(_ context.Context, write func(string) error) error {
					for range lines {
						if err := write("a"); err != nil {
							return err
						}
					}
					if broken {
						return errors.New("the database went away")
					}
					return nil
				})
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					export.write(w, r)
				}))
				server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
				server.Start()
				answer, err := server.Client().Get(server.URL)
				if err == nil {
					_, err = io.ReadAll(answer.Body)
					err = errors.Join(err, answer.Body.Close())
				}
				server.Close()
				if (err != nil) != broken {
					t.Errorf("%d lines of %s, broken %t: %v", lines, format, broken, err)
				}
			}
		}
	}
}
