package ledger_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
)

// fnvBucket says a second time what a bucket is: the four bytes of FNV-1a, XORed.
func fnvBucket(id string) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	b := h.Sum(nil)
	return int(b[0] ^ b[1] ^ b[2] ^ b[3])
}

// Stored rows lie by these numbers: this test may grow, its lines may never change.
func TestBucketsArePinned(t *testing.T) {
	for _, v := range []struct {
		account ledger.Account
		bucket  int
	}{
		{"", 197},
		{"alice", 81},
		{"alice/held", 81},
		{"bob", 52},
		{"bob/held", 52},
		{"carol", 242},
		{"Alice", 243},
		{"a", 237},
		{"0", 62},
		{"1", 131},
		{"1000000", 26},
		{"user-1", 171},
		{"user-2", 248},
		{"acct:77:spot", 171},
		{"@custody", 99},
		{"@desk", 25},
		{"@rewards", 138},
		{"@payable", 126},
		{"4f1c2d3e-5b6a-4c7d-8e9f-0a1b2c3d4e5f", 17},
		{ledger.Account(strings.Repeat("x", 128)), 35},
		{ledger.Account(strings.Repeat("x", 128)).Held(), 35},
	} {
		if got := v.account.Bucket(); got != v.bucket {
			t.Errorf("%s lies in bucket %d; it was stored in %d", v.account, got, v.bucket)
		}
	}
}

func TestAccountBucketIsThatOfItsOwner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`@?[A-Za-z0-9._:-]{0,128}`).Draw(t, "id")
		a := ledger.Account(id)
		if want := fnvBucket(id); a.Bucket() != want || a.Held().Bucket() != want {
			t.Fatalf("%q lies in %d, its held part in %d; want %d", id, a.Bucket(), a.Held().Bucket(), want)
		}
	})
}

func TestEntryBucketIsThatOfTheWholeID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[A-Za-z0-9._:@/-]{0,128}`).Draw(t, "id")
		if got, want := (ledger.Entry{ID: id}).Bucket(), fnvBucket(id); got != want {
			t.Fatalf("entry %q lies in %d; want %d", id, got, want)
		}
	})
	if (ledger.Entry{ID: "order/1"}).Bucket() == (ledger.Entry{ID: "order/2"}).Bucket() {
		t.Error("what follows a slash counts in an entry's ID")
	}
}

// Whatever way an operator numbers its holders, no bucket gets far more than its share.
func TestBucketsAreFilledEvenly(t *testing.T) {
	const share = 400
	for _, shape := range []string{"%d", "user-%d", "%09d", "%x", "acct:%d:spot", "4f1c2d3e-0000-4000-8000-%012x"} {
		var count [ledger.Buckets]int
		for i := range share * ledger.Buckets {
			count[ledger.Account(fmt.Sprintf(shape, i)).Bucket()]++
		}
		for bucket, n := range count {
			if n < share*3/4 || n > share*5/4 {
				t.Errorf("IDs like %s: bucket %d has %d of them; its share is %d", shape, bucket, n, share)
			}
		}
	}
}

func TestAccountParts(t *testing.T) {
	type parts struct {
		Owner                          ledger.Account
		Held, House, Spread, Overdraws bool
	}
	for a, want := range map[ledger.Account]parts{
		"alice":      {Owner: "alice"},
		"alice/held": {Owner: "alice", Held: true},
		"alice.held": {Owner: "alice.held"},
		"@custody":   {Owner: "@custody", House: true, Spread: true, Overdraws: true},
		"@desk":      {Owner: "@desk", House: true, Spread: true, Overdraws: true},
		"@payable":   {Owner: "@payable", House: true, Spread: true},
		"@rewards":   {Owner: "@rewards", House: true},
		"custody":    {Owner: "custody"},
	} {
		if d := cmp.Diff(want, parts{a.Owner(), a.IsHeld(), a.IsHouse(), a.IsSharded(), a.Overdraws()}); d != "" {
			t.Errorf("%s (-want +got):\n%s", a, d)
		}
	}
	if h := ledger.Account("alice").Held(); h != "alice/held" || !h.IsHeld() || h.Owner() != "alice" {
		t.Errorf("alice's held part is %s of %s", h, h.Owner())
	}
}

func TestCheckIDAndCheckHolder(t *testing.T) {
	id, holder := regexp.MustCompile(`^[A-Za-z0-9._:@/-]{1,128}$`), regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
	check := func(t rapid.TB, s string) {
		if err := ledger.CheckID("entry", s); (err == nil) != id.MatchString(s) ||
			(err != nil && !errors.Is(err, ledger.ErrInvalid)) {
			t.Fatalf("ID %q: %v", s, err)
		}
		if err := ledger.Account(s).CheckHolder(); (err == nil) != holder.MatchString(s) ||
			(err != nil && !errors.Is(err, ledger.ErrInvalid)) {
			t.Fatalf("holder %q: %v", s, err)
		}
	}
	for _, s := range []string{
		"", "a", "alice", "Alice.B_c:d-9", "alice/held", "/", "/held", "@", "@alice", "a@b", "a b", "a\n", "a\x00", "ä",
		"a%", "a\\", "a'b", "~", "[", "`", "{",
		strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("/", 128), "a\xff",
	} {
		check(t, s)
	}
	for b := range 256 {
		check(t, string([]byte{'a', byte(b)}))
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.StringN(0, 140, 140).Draw(t, "s")) })
}

// TestNewIDsCanStandInAPath: clients remove empty segments, "." and ".." from a URL.
func TestNewIDsCanStandInAPath(t *testing.T) {
	dotted := map[string]bool{}
	for _, id := range []string{".", "..", "./a", "../a", "a/.", "a/..", "a/../b", "a/./b", "/..", "../", "@/..",
		"../completed", "fund/..", "opening/../BNB", "import/./2026-11-22T10:00:00Z",
		"/", "//", "/a", "a/", "a//b", "@/"} {
		dotted[id] = true
	}
	for _, id := range []string{
		"...", "a.", ".a", "..a", "a..", "a..b", "a.b", "-.", ".-", ":..", "a/...", "a/.b", "a/b..", "order/1",
		"a/b/c", "....",
	} {
		dotted[id] = false
	}
	for id, is := range dotted {
		e := ledger.Entry{ID: id, Kind: ledger.Deposit}
		if err := e.CheckNew(); (err != nil) != is || err != nil && !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("entry %q: %v", id, err)
		}
		if strings.Contains(id, "/") {
			continue
		}
		a := ledger.Account(id)
		if err := a.CheckNew(); (err != nil) != is || err != nil && !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("account %q: %v", id, err)
		}
		if err := a.CheckHolder(); err != nil {
			t.Errorf("an account %q in the books is read: %v", id, err)
		}
	}
	if err := (ledger.Entry{ID: "../completed", Kind: ledger.WithdrawalCompleted}).CheckNew(); err != nil {
		t.Errorf("a withdrawal that was requested can be ended: %v", err)
	}
	if err := ledger.Account("@rewards").CheckNew(); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("what no holder may be called is refused as well: %v", err)
	}
}

func TestMessagesAboutIDsStayShort(t *testing.T) {
	err := ledger.Account(strings.Repeat("x", 1_000_000)).CheckHolder()
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("a message does not repeat a long ID: %.400v", err)
	}
}
