package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestAFullDisk fills the disk of the books while it is posted and while a run is
// in flight: each is answered, nothing half is left, and when there is space again
// everything goes on where it was.
func TestAFullDisk(t *testing.T) {
	seed := Seed(t)
	disk := smallDisk(t, "96m")
	town := Town{Holders: 1500, Days: 3, Last: Day1 + 2, Changes: 100}
	clock := testkit.NewClock((town.Last + 2).Start()) // days have begun since the books were open
	elsewhere := NewURL(t, "sqlite", false)
	town.Build(t, elsewhere, Chance(seed, 0))
	wanted := town.Undisturbed(t, elsewhere)
	url := "sqlite:" + filepath.Join(disk, "books.db")
	town.Build(t, url, Chance(seed, 0))
	db := Open(t, url, clock.Now)

	acked := map[string]string{}
	batch := 0
	post := func() ([]ledger.Entry, error) {
		entries := make([]ledger.Entry, 20)
		chance := Chance(seed, uint64(batch))
		for i := range entries {
			entries[i] = town.Transfer(fmt.Sprintf("disk-%d-%d", batch, i), chance)
		}
		outcomes, err := db.Post(context.Background(), entries)
		take(acked, entries, outcomes)
		return entries, err
	}
	fill(t, disk) // before the rows of today are there
	_, err := post()
	refusedFull(t, err)
	free(t, disk)
	for range 50 {
		if _, err := post(); err != nil {
			t.Fatal(err)
		}
		batch++
	}
	fill(t, disk)
	err = untilFull(func() error {
		_, err := post()
		batch++
		return err
	})
	refusedFull(t, err)
	compareAcked(t, acked, Posted(t, url, "disk-"), false)
	Clean(t, db)
	free(t, disk)
	batch-- // the same again
	if entries, err := post(); err != nil || acked[entries[0].ID] == "" {
		t.Fatalf("after there was space again: %v", err)
	}

	o, full := town.Options(), sync.OnceFunc(func() { fill(t, disk) })
	o.Progress = func(s staking.Step) {
		if s.Day == town.Last && s.Stage == "accrue" && s.Done == 3 {
			full()
		}
	}
	_, err = staking.Run(t.Context(), db, clock.Now(), o)
	refusedFull(t, err)
	Clean(t, db)
	free(t, disk)
	if _, err := staking.Run(t.Context(), db, clock.Now(), town.Options()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, town.rewards(t, url)); diff != "" {
		t.Errorf("the rewards of an undisturbed run, and (+) of this one:\n%s", diff)
	}
	compareAcked(t, acked, Posted(t, url, "disk-"), false)
	Clean(t, db)
}

// smallDisk is a folder with a file system of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("softstake", dir, "tmpfs", 0, "size="+size)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skipf("a small disk cannot be made; it takes root: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func ballast(disk string) string { return filepath.Join(disk, "ballast") }

// fill leaves no byte of the disk free.
func fill(t *testing.T, disk string) {
	t.Helper()
	f, err := os.Create(ballast(disk))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1 << 20, 4096} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func free(t *testing.T, disk string) {
	t.Helper()
	if err := os.Remove(ballast(disk)); err != nil {
		t.Fatal(err)
	}
}

// untilFull does something until it fails.
func untilFull(do func() error) error {
	for range 100_000 {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// refusedFull expects an error that says what to do.
func refusedFull(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "is full; nothing was changed; free some space and try again") {
		t.Fatalf("the disk is full, and the error is: %v", err)
	}
	t.Log(err)
}

func take(acked map[string]string, entries []ledger.Entry, outcomes []store.Outcome) {
	for i, o := range outcomes {
		if o.Err == nil {
			acked[entries[i].ID] = strconv.FormatInt(o.At.UnixMilli(), 10)
		}
	}
}
