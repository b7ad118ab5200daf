package ingest_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ingest"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// unreadable is a folder of which one partition cannot be opened.
type unreadable struct {
	join.Folder
	partition string // "": each can be
}

var errUnreachable = errors.New("it is not reachable")

func (u unreadable) Open(ctx context.Context, partition string, start join.Start) (join.Reader, error) {
	if partition == u.partition {
		return nil, errUnreachable
	}
	return u.Folder.Open(ctx, partition, start)
}

// eventsIn writes the events of a partition, a line each.
func eventsIn(t *testing.T, folder, partition string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, partition+".jsonl"), []byte(strings.Join(lines, "\n")+"\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
}

// TestASourceThatCannotBeReadIsNotKnown: days wait for what the books know of a source. So they know none of its
// partitions until all of those that are there were opened.
func TestASourceThatCannotBeReadIsNotKnown(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC))
	books := scenario.Open(t, scenario.Books(t, "sqlite", store.Options{Clock: clock.Now, Actor: access.Process("test")},
		store.Setup{From: staking.DayOf(clock.Now()), Documents: staking.ShippedDocuments()}), clock.Now)
	folder := t.TempDir()
	for _, partition := range []string{"p1", "p2"} {
		eventsIn(t, folder, partition, `{"type":"watermark","before":"2026-03-02T11:00:00Z"}`)
	}
	source := unreadable{join.Folder(folder), "p2"}
	run := func(decode func([]byte, int64) (join.Event, error)) (ingest.Result, error) {
		return ingest.Run(t.Context(), ingest.Config{Books: books, Source: source, Name: "shop", Decode: decode,
			Log: slog.New(slog.DiscardHandler), Poll: time.Millisecond, Batch: 10,
			Random: func(int64) int64 { return 0 }, UntilEnd: true})
	}
	known := func() []store.Partition { return testkit.Must(reports.New(books.Reader()).Partitions(t.Context()))(t) }
	if _, err := run(join.Decode); !errors.Is(err, errUnreachable) || len(known()) != 0 {
		t.Fatalf("%v; the books know %d partitions", err, len(known()))
	}
	source.partition = ""
	if _, err := run(join.Decode); err != nil || len(known()) != 2 {
		t.Fatalf("%v; the books know %d partitions", err, len(known()))
	}

	// Of a source that is known a partition that comes later is known at once, and the others go on.
	eventsIn(t, folder, "p3", `{"type":"watermark","before":"2026-03-02T11:00:00Z"}`)
	source.partition = "p3"
	if _, err := run(join.Decode); !errors.Is(err, errUnreachable) || len(known()) != 3 {
		t.Fatalf("%v; the books know %d partitions", err, len(known()))
	}
	source.partition = ""

	// What is known may be read again by another mapping, which cannot read it.
	eventsIn(t, folder, "p1", `{"type":"watermark","before":"2026-03-02T11:00:00Z"}`, `{"type":"open","id":"o-1",`+
		`"at":"2026-03-02T11:00:00Z","account":"alice"}`)
	if result, err := run(join.Decode); err != nil || result.Stopped != nil {
		t.Fatal(result, err)
	}
	if result, err := run(func([]byte, int64) (join.Event, error) {
		return join.Event{}, errors.New("the mapping has another column")
	}); err != nil || result.Stopped != nil {
		t.Errorf("%+v, %v: a record that the books have is not to be mapped", result, err)
	}
}
