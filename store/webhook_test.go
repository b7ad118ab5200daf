package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/webhook"
)

// What needs approval of webhooks, on the books that webhookToPropose makes.
func addWebhook(ctx context.Context, db *store.DB) error {
	secret, err := sealedFor("new")
	if err != nil {
		return err
	}
	return db.AddWebhook(ctx, store.NewWebhook{Name: "new", URL: "https://example.com/new", Kinds: "balance",
		Secret: secret})
}

// sealed are secrets that are sealed: each seal of one is another text.
var sealed sync.Map

// sealedFor is the secret of an endpoint, sealed with the key of the books.
func sealedFor(name string) ([]byte, error) {
	sealer, err := scenario.Sealer()
	if err != nil {
		return nil, err
	}
	secret, err := sealer.Seal([]byte("secret"), webhook.Sealed(name))
	kept, _ := sealed.LoadOrStore(name, secret)
	return kept.([]byte), err
}

func rotateWebhook(ctx context.Context, db *store.DB) error {
	secret, err := sealedFor("w-1")
	if err != nil {
		return err
	}
	return db.RotateWebhook(ctx, store.WebhookSecret{Name: "w-1", Secret: secret})
}

func removeWebhook(ctx context.Context, db *store.DB) error {
	err := db.RemoveWebhook(ctx, "w-2")
	if ledger.ReasonOf(err) == store.ReasonUnknownWebhook { // it was done before
		err = nil
	}
	return err
}

func changeWebhook(ctx context.Context, db *store.DB) error {
	return db.ChangeWebhook(ctx, store.WebhookChange{Name: "w-1", URL: "https://example.com/other", Kinds: "balance"})
}

func skipWebhook(ctx context.Context, db *store.DB) error {
	err := db.SkipWebhook(ctx, store.WebhookSkip{Name: "w-1", Message: "payouts_1", Reason: "poison"})
	if ledger.ReasonOf(err) == store.ReasonUnknownMessage { // it was done before
		err = nil
	}
	return err
}

// What needs approval of the events that are delivered to a topic: another one, and another address.
func deliverEvents(ctx context.Context, db *store.DB) error {
	_, err := db.AddTarget(ctx, store.NewTarget{Stream: store.EventStream, Name: "new", Address: "kafka://127.0.0.1/new",
		Kinds: "balance"})
	return err
}

func resendEvents(ctx context.Context, db *store.DB) error {
	return db.ResendTarget(ctx, store.NewTarget{Stream: store.EventStream, Name: "t-1", Address: "kafka://127.0.0.1/other",
		Kinds: "balance", From: 1})
}

func webhookToPropose(t *testing.T, db *store.DB) {
	t.Helper()
	ok(t, db.AddWebhook(t.Context(), aWebhook("w-1")))
	ok(t, db.AddWebhook(t.Context(), aWebhook("w-2")))
	ok(t, db.SendWebhookAgain(t.Context(), "w-1", []webhook.Key{{Stream: webhook.PayoutStream, Number: 1}}))
	testkit.Must(db.AddTarget(t.Context(), store.NewTarget{Stream: store.EventStream, Name: "t-1",
		Address: "kafka://127.0.0.1/events", Kinds: "balance"}))(t)
}

// aWebhook is an endpoint that has got payouts, which may be sent again.
func aWebhook(name string) store.NewWebhook {
	return store.NewWebhook{Name: name, URL: "https://example.com/w", Kinds: "balance", Secret: []byte{1},
		PayoutsAfter: 2 * store.MaxWebhookMessages}
}

// TestEndpoints: one is added once; there is a limit of them, and of what waits for each.
func TestEndpoints(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for n := range store.MaxWebhooks {
			ok(t, db.AddWebhook(ctx, aWebhook(fmt.Sprint("w-", n))))
		}
		ok(t, db.AddWebhook(ctx, aWebhook("w-0"))) // again
		other := aWebhook("w-0")
		other.URL = "https://example.com/other"
		wants(t, db.AddWebhook(ctx, other), ledger.ErrConflict)
		wants(t, db.AddWebhook(ctx, aWebhook("more")), ledger.ErrInvalid)
		ok(t, db.RemoveWebhook(ctx, "w-1"))
		wants(t, db.RemoveWebhook(ctx, "w-1"), ledger.ErrNotFound)
		ok(t, db.AddWebhook(ctx, aWebhook("more")))
		for _, bad := range []func(*store.NewWebhook){
			func(n *store.NewWebhook) { n.Name = "" }, func(n *store.NewWebhook) { n.Name = "A" },
			func(n *store.NewWebhook) { n.Name = strings.Repeat("a", 41) }, func(n *store.NewWebhook) { n.Kinds = "test" },
			func(n *store.NewWebhook) { n.URL = "http://example.com" }, func(n *store.NewWebhook) { n.Secret = nil },
			func(n *store.NewWebhook) { n.PayoutsAfter = -1 },
		} {
			n := aWebhook("bad")
			bad(&n)
			wants(t, db.AddWebhook(ctx, n), ledger.ErrInvalid)
		}

		keys := make([]webhook.Key, store.MaxWebhookMessages)
		for i := range keys {
			keys[i] = webhook.Key{Stream: webhook.PayoutStream, Number: int64(i + 1)}
		}
		ok(t, db.SendWebhookAgain(ctx, "w-0", keys[1:]))
		_, err := db.TestWebhook(ctx, "w-0")
		ok(t, err)
		wants(t, db.SendWebhookAgain(ctx, "w-0", keys[:1]), ledger.ErrInvalid)
		wants(t, db.SendWebhookAgain(ctx, "w-2", nil), ledger.ErrInvalid)
		now := clock.Now()
		for _, bad := range []time.Duration{-1, store.MaxSecretOverlap + 1} {
			wants(t, db.RotateWebhook(ctx, store.WebhookSecret{Name: "w-0", Secret: []byte{2}, Overlap: bad}),
				ledger.ErrInvalid)
		}
		ok(t, db.RotateWebhook(ctx, store.WebhookSecret{Name: "w-0", Secret: []byte{2}, Overlap: time.Hour}))
		w := testkit.Must(reports.New(db.Reader()).Webhook(ctx, "w-0"))(t)
		if s := w.Signing(now); len(s) != 2 || s[0][0] != 2 || s[1][0] != 1 {
			t.Errorf("%v sign", s)
		}
		if s := w.Signing(now.Add(time.Hour)); len(s) != 1 || s[0][0] != 2 {
			t.Errorf("%v sign after the overlap", s)
		}
	})
}

// TestSecretsOfWebhooksAreSealedAgain: each, also the former one, and no other changes.
func TestSecretsOfWebhooksAreSealedAgain(t *testing.T) {
	each(t, func(t *testing.T, books *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		ok(t, books.AddWebhook(ctx, aWebhook("a")))
		ok(t, books.AddWebhook(ctx, aWebhook("b")))
		ok(t, books.RotateWebhook(ctx, store.WebhookSecret{Name: "a", Secret: []byte{2}, Overlap: time.Hour}))
		reseal := func(sealed []byte, name string) ([]byte, bool, error) {
			if len(sealed) == 1 && name == webhook.Sealed("a") {
				return append(sealed, 9), true, nil
			}
			return sealed, false, nil
		}
		for _, want := range []int{2, 0} {
			if n := testkit.Must(books.ResealWebhooks(ctx, reseal))(t); n != want {
				t.Errorf("%d are sealed; want %d", n, want)
			}
		}
		for name, want := range map[string]string{"a": "[[2 9] [1 9]]", "b": "[[1]]"} {
			w := testkit.Must(reports.New(books.Reader()).Webhook(ctx, name))(t)
			if got := fmt.Sprint(w.Signing(clock.Now())); got != want || w.Forged {
				t.Errorf("%s: %s; want %s", name, got, want)
			}
		}
	})
}

// TestAttemptsArePruned: the newest of an endpoint are kept, and those of one moment together.
func TestAttemptsArePruned(t *testing.T) {
	each(t, func(t *testing.T, books *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		ok(t, books.AddWebhook(ctx, aWebhook("a")))
		_, found, err := books.ClaimWebhook(ctx, "a", "me")
		ok(t, err)
		if !found {
			t.Fatal("nobody gets it")
		}
		for n := range 4 {
			p := store.WebhookProgress{Name: "a", Holder: "me", At: clock.Now()}
			for i := range 400 {
				p.Failed = append(p.Failed, store.SentMessage{At: clock.Now(), WebhookMessage: store.WebhookMessage{
					Key: webhook.Key{Number: int64(i)}, Attempts: n + 1, Next: clock.Now(), Added: clock.Now()}})
			}
			ok(t, books.RecordWebhook(ctx, p))
			clock.Advance(time.Second)
		}
		kept := testkit.Must(books.Count(ctx, "SELECT count(*) FROM webhook_attempts"))(t)
		waiting := testkit.Must(books.Count(ctx, "SELECT count(*) FROM webhook_messages"))(t)
		if kept != 1200 || waiting != 400 {
			t.Errorf("%d attempts and %d messages are kept", kept, waiting)
		}
		wants(t, books.RecordWebhook(ctx, store.WebhookProgress{Name: "a", Holder: "other"}), ledger.ErrConflict)
	})
}

// TestARestoreSendsNothing: the endpoints of books that are restored are disabled, for they may be a copy.
func TestARestoreSendsNothing(t *testing.T) {
	each(t, func(t *testing.T, books *store.DB, clock *testkit.Clock) {
		ok(t, books.AddWebhook(t.Context(), aWebhook("a")))
		snapshot := t.TempDir() + "/snapshot.db"
		ok(t, books.Engine().Backup(t.Context(), snapshot, nil))
		copied := "sqlite:" + t.TempDir() + "/books.db"
		testkit.Must(store.Restore(t.Context(), snapshot, copied, options(clock), restoring(2, nil)))(t)
		restored := testkit.Must(store.Open(t.Context(), copied, options(clock)))(t)
		closeAfter(t, restored)
		w := testkit.Must(reports.New(restored.Reader()).Webhook(t.Context(), "a"))(t)
		if w.Disabled.IsZero() || w.Reason != "the books are restored" || w.Forged {
			t.Errorf("%+v", w.WebhookState)
		}
		logged := 0
		for _, l := range testkit.Must(reports.New(restored.Reader()).Log(t.Context(), time.Time{}, 1000))(t) {
			if l.Action == "webhook disable" && l.Subject == "a" && l.Detail == "the books are restored" {
				logged++
			}
		}
		if logged != 1 {
			t.Errorf("%d lines of the log say so", logged)
		}
	})
}

// TestWhoeverSendsStopsWhenAnEndpointChanges: what it has claimed is not its own any more, and it writes nothing.
func TestWhoeverSendsStopsWhenAnEndpointChanges(t *testing.T) {
	each(t, func(t *testing.T, books *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		ok(t, books.AddWebhook(ctx, aWebhook("a")))
		for name, change := range map[string]func() error{
			"change": func() error {
				return books.ChangeWebhook(ctx, store.WebhookChange{Name: "a", URL: "https://example.com/b", Kinds: "balance"})
			},
			"rotate": func() error {
				return books.RotateWebhook(ctx, store.WebhookSecret{Name: "a", Secret: []byte{2}})
			},
			"skip": func() error {
				return books.SkipWebhook(ctx, store.WebhookSkip{Name: "a", Message: "payouts_7", Reason: "poison"})
			},
			"disable and enable": func() error {
				ok(t, books.DisableWebhook(ctx, "a", "holidays"))
				return books.EnableWebhook(ctx, "a")
			},
		} {
			seven := webhook.Key{Stream: webhook.PayoutStream, Number: 7}
			ok(t, books.SendWebhookAgain(ctx, "a", []webhook.Key{seven}))
			work, found, err := books.ClaimWebhook(ctx, "a", "me")
			ok(t, err)
			if !found {
				t.Fatalf("%s: nobody gets it", name)
			}
			ok(t, books.CheckWebhook(ctx, "a", "me"))
			ok(t, change())
			wantsReason(t, books.CheckWebhook(ctx, "a", "me"), ledger.ErrConflict, store.ReasonLease)
			wantsReason(t, books.RecordWebhook(ctx, store.WebhookProgress{Name: "a", Holder: "me", Payout: seven,
				Ended: []store.SentMessage{{WebhookMessage: work.Messages[0]}}}), ledger.ErrConflict, store.ReasonLease)
			w := testkit.Must(reports.New(books.Reader()).Webhook(ctx, "a"))(t)
			if w.Payout.Number != 2*store.MaxWebhookMessages {
				t.Errorf("%s: it is at %d", name, w.Payout.Number)
			}
		}
	})
}

// TestFromWhichPayout: an endpoint that begins to want payouts gets them from the first on, or after the number that is
// named, and the log says so; what it had waits no more.
func TestFromWhichPayout(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		n := aWebhook("shop")
		n.PayoutsAfter = 0
		ok(t, db.AddWebhook(ctx, n))
		change := store.WebhookChange{Name: "shop", URL: n.URL, Kinds: "balance,payouts"}
		at := func(want int64, says string) {
			t.Helper()
			w := testkit.Must(reports.New(db.Reader()).Webhook(ctx, "shop"))(t)
			lines := logged(t, db, "webhook change")
			if w.Payout.Number != want || !strings.Contains(fmt.Sprint(lines), says) {
				t.Errorf("after payout %d, not %d: %v", w.Payout.Number, want, lines)
			}
		}
		ok(t, db.ChangeWebhook(ctx, change))
		at(0, "payouts from number 1 on")
		change.PayoutsAfter = new(int64(7))
		for range 2 {
			ok(t, db.ChangeWebhook(ctx, change))
			at(7, "payouts from number 8 on")
		}
		same(t, "lines", len(logged(t, db, "webhook change")), 2)
		ok(t, db.SendWebhookAgain(ctx, "shop", []webhook.Key{{Stream: webhook.PayoutStream, Number: 7}}))
		change.PayoutsAfter = new(int64(3))
		ok(t, db.ChangeWebhook(ctx, change))
		same(t, "waiting", len(testkit.Must(reports.New(db.Reader()).WebhookMessages(ctx, "shop", 9))(t)), 0)
		change.PayoutsAfter = new(int64(-1))
		wants(t, db.ChangeWebhook(ctx, change), ledger.ErrInvalid)
		change.Kinds, change.PayoutsAfter = "balance", new(int64(9))
		wants(t, db.ChangeWebhook(ctx, change), ledger.ErrInvalid)
		change.PayoutsAfter = nil
		ok(t, db.ChangeWebhook(ctx, change))
		change.Kinds = "balance,payouts"
		ok(t, db.ChangeWebhook(ctx, change))
		at(3, "payouts from number 4 on")
	})
}

// TestTheKeyChangesWhileAProposalWaits: a secret that is approved while the key is being changed is sealed with the new
// one; when the old one is gone it is refused, so that no endpoint and no key is left that nobody can read.
func TestTheKeyChangesWhileAProposalWaits(t *testing.T) {
	eachToPropose(t, func(t *testing.T, url string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		const fresh = "YW5vdGhlciBrZXkgb2YgdGhlIHNjZW5hcmlvcyAzMmI="
		open := func(keys string) *store.DB {
			o := options(clock)
			o.Sealer = func() (*access.Sealer, error) { return access.NewSealer(keys) }
			books := testkit.Must(store.Open(ctx, url, o))(t)
			closeAfter(t, books)
			return books
		}
		approve := func(db *store.DB, p control.Proposal) error {
			_, err := db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest())
			return err
		}
		waiting := map[control.Operation]control.Proposal{}
		for _, op := range []control.Operation{control.AddWebhook, control.RotateWebhook, control.CreateKey} {
			waiting[op] = propose(t, db, proposer, op)
		}
		during := open(fresh + " " + scenario.Key)
		testkit.Must(during.RenewMACs(ctx, func(int64) {}))(t)
		ok(t, approve(during, waiting[control.AddWebhook]))
		after := open(fresh)
		newest := testkit.Must(access.NewSealer(fresh))(t)
		w := testkit.Must(reports.New(after.Reader()).Webhook(ctx, "new"))(t)
		if text, err := newest.Open(w.Secret, webhook.Sealed("new")); err != nil || string(text) != "secret" {
			t.Errorf("the secret of the endpoint is %q: %v", text, err)
		}
		for _, op := range []control.Operation{control.RotateWebhook, control.CreateKey} {
			wantsReason(t, approve(after, waiting[op]), ledger.ErrInvalid, store.ReasonSealedBefore)
			p := testkit.Must(reports.New(after.Reader()).Proposal(ctx, waiting[op].ID))(t)
			same(t, string(op), p.Decision.State, control.State(""))
		}
		ok(t, approve(during, waiting[control.RotateWebhook])) // by who still has both
	})
}
