package evidence_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/testkit"
)

// TestCommandSigns: a command signs with a key that the process does not have, and what it prints is verified.
func TestCommandSigns(t *testing.T) {
	if private := os.Getenv("TEST_ANCHOR_KEY"); private != "" { // it is the command
		s, _, err := evidence.KeySigner(private)
		ok(t, err)
		signature := testkit.Must(s.Sign(testkit.Must(io.ReadAll(os.Stdin))(t)))(t)
		_, err = fmt.Println(base64.StdEncoding.EncodeToString(signature))
		ok(t, err)
		os.Exit(0)
	}
	private, public, err := evidence.NewKey(rand.Reader, "hsm.example.com")
	ok(t, err)
	t.Setenv("TEST_ANCHOR_KEY", private)
	command := os.Args[0] + " -test.run=TestCommandSigns"
	message := []byte("hsm.example.com\n1\n")
	s := evidence.CommandSigner(t.Context(), command, testkit.Must(evidence.ParseVerifier(public))(t))
	signature := testkit.Must(s.Sign(message))(t)
	if !s.Verify(message, signature) {
		t.Error("the signature is not verified")
	}
	other := evidence.CommandSigner(t.Context(), command, newSigner(t).Verifier)
	if _, err := other.Sign(message); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("the signature of another key: %v", err)
	}
}

func TestTreesAreThoseOfRFC6962(t *testing.T) {
	var leaves, stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (found []tlog.Hash, err error) {
		for _, i := range at {
			found = append(found, stored[i])
		}
		return found, nil
	})
	for n := range int64(70) {
		leaf := tlog.RecordHash(fmt.Appendf(nil, "leaf %d", n))
		leaves = append(leaves, leaf)
		stored = append(stored, testkit.Must(tlog.StoredHashesForRecordHash(n, leaf, read))(t)...)
		if got, want := evidence.TreeHash(leaves), testkit.Must(tlog.TreeHash(n+1, read))(t); got != want {
			t.Errorf("%d leaves: %v, want %v", n+1, got, want)
		}
	}
}

// TestTheLastAnchorIsShown: a console shows how far records reach, and how far they are signed.
func TestTheLastAnchorIsShown(t *testing.T) {
	books, clock := books(t, "sqlite", town)
	shown := func() reports.Anchor { return testkit.Must(reports.New(books.Reader()).Anchor(t.Context()))(t) }
	if a := shown(); a != (reports.Anchor{Recorded: town.First() - 1, Signed: town.First() - 1}) {
		t.Errorf("before there is a record: %+v", a)
	}
	signer := newSigner(t)
	live(t, books, clock, 2, func() {
		makeAll(t, books)
		if shown().Recorded == town.Last+1 { // the day after stays unsigned
			sign(t, books, signer)
		}
	})
	if a := shown(); a.Recorded != town.Last+2 || a.Signed != town.Last+1 || a.Signer != signer.Name() ||
		a.SignedAt.IsZero() || check(t, books, signer, a.Note).Covered != a.Signed {
		t.Errorf("the last anchor: %+v", a)
	}
}

// TestDeliveries: since when checkpoints do not arrive is kept, until one does.
func TestDeliveries(t *testing.T) {
	books, clock := books(t, "sqlite", town)
	last := func() (d evidence.Delivery) {
		t.Helper()
		return testkit.Must(reports.New(books.Reader()).Anchor(t.Context()))(t).Delivery
	}
	began := clock.Now()
	for _, fault := range []string{"one", "another"} {
		ok(t, books.Evidence().Delivered(t.Context(), 3, errors.New(fault)))
		if d := last(); d != (evidence.Delivery{Failed: began, Fault: fault}) {
			t.Errorf("%+v", d)
		}
		clock.Advance(time.Minute)
	}
	for range 2 { // again is no later
		ok(t, books.Evidence().Delivered(t.Context(), 3, nil))
		if d := last(); d != (evidence.Delivery{Sent: began.Add(2 * time.Minute), Size: 3}) {
			t.Errorf("%+v", d)
		}
		clock.Advance(time.Second)
	}
}
