package ceremony

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

const hash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// desk is where alice, who can log in, meets the books.
type desk struct {
	*testing.T
	books   *store.DB
	clock   *testkit.Clock
	sealer  *access.Sealer
	subject string
	site    factor.Site
	session string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	day1 := testkit.Must(staking.ParseDay("2026-03-02"))(t)
	d := &desk{T: t, clock: testkit.NewClock(day1.Start().Add(12 * time.Hour)),
		subject: access.LoginSubject("alice@example.com"), session: "session",
		site: factor.Site{Origin: "https://pay.example.com", Name: "Soft Staking"}}
	o := store.Options{Clock: d.clock.Now, Actor: access.Process("test"), Volatile: true}
	setup := store.Setup{From: day1, Documents: staking.ShippedDocuments(),
		Limits: staking.NoLimit}
	d.books = testkit.Must(store.Open(t.Context(), scenario.Books(t, "sqlite", o, setup), o))(t)
	t.Cleanup(func() { d.ok(d.books.Close()) })
	d.sealer = testkit.Must(access.NewSealer(testkit.Must(access.NewSealKey(rand.Reader))(t)))(t)
	_, err := d.books.OpenAccount(t.Context(), "alice", "DE")
	d.ok(err)
	d.ok(d.books.People().AddLogin(t.Context(),
		people.Login{Email: "alice@example.com", Account: "alice", Password: hash}))
	return d
}

func (d *desk) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// ceremony is one of alice's requests, which carries a step-up.
func (d *desk) ceremony(proof string) Ceremony {
	by := access.Actor{Role: access.Holder, Account: "alice", Credential: d.subject}.With(proof)
	return Ceremony{People: d.books.As(by).People(), Sealer: d.sealer, Random: rand.Reader, Site: d.site,
		Now: d.clock.Now(), Subject: d.subject, Session: d.session}
}

// unknown fails unless the error is access.ErrUnknown because of a reason, or "".
func (d *desk) unknown(what string, err error, reason string) {
	d.Helper()
	if !errors.Is(err, access.ErrUnknown) || ledger.ReasonOf(err) != reason {
		d.Errorf("%s: %v because of %q", what, err, ledger.ReasonOf(err))
	}
}

// handleOf is the handle in the options of a new passkey.
func handleOf(t *testing.T, options []byte) string {
	t.Helper()
	var o struct{ User struct{ ID string } }
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	return o.User.ID
}

// register adds a first passkey of alice's, confirmed with the password, and returns her recovery codes.
func (d *desk) register(a *testkit.Authenticator, label string) []string {
	d.Helper()
	ctx := d.Context()
	proof := testkit.Must(d.books.People().ConfirmPassword(ctx, d.subject, access.AddFactorStepUp("passkey", label)))(d.T)
	c := d.ceremony(proof)
	options := testkit.Must(c.AskPasskey(ctx, "alice@example.com"))(d.T)
	return testkit.Must(c.AddPasskey(ctx, label, handleOf(d.T, options), a.Create(d.T, options), people.Visitor{}))(d.T)
}

// TestPasskey registers one, which then confirms for its owner alone what it was asked.
func TestPasskey(t *testing.T) {
	d := newDesk(t)
	ctx, digest := t.Context(), access.StepUp("withdraw", "1 BNB")
	if _, err := d.ceremony("").Ask(ctx, digest); ledger.ReasonOf(err) != access.ReasonFactor {
		t.Errorf("without a passkey: %v", err)
	}
	a := testkit.NewAuthenticator("pay.example.com")
	if codes := d.register(a, "Laptop"); len(codes) != factor.RecoveryCodes {
		t.Errorf("the codes are %q", codes)
	}
	options := testkit.Must(d.ceremony("").Ask(ctx, digest))(t)
	if text := string(options); !strings.Contains(text, `"userVerification":"required"`) ||
		!strings.Contains(text, `"rpId":"pay.example.com"`) || strings.Contains(text, "alice") {
		t.Errorf("a browser is asked %s", text)
	}
	proof, owner, err := d.ceremony("").Confirm(ctx, digest, a.Get(t, options))
	if err != nil || owner != d.subject {
		t.Fatalf("%s, %v", owner, err)
	}
	if !access.IsTokenID(proof) {
		t.Errorf("the step-up is %q", proof)
	}
	alone := d.ceremony("")
	alone.Subject = ""
	options = testkit.Must(alone.Ask(ctx, access.LogIn))(t)
	if strings.Contains(string(options), "allowCredentials") {
		t.Errorf("before anybody is known, passkeys are named: %s", options)
	}
	if _, owner, err = alone.Confirm(ctx, access.LogIn, a.Get(t, options)); err != nil || owner != d.subject {
		t.Errorf("alone it logs %q in: %v", owner, err)
	}
}

// TestWhatAPasskeyDoesNotConfirm: a wrong origin, a replayed challenge, a copy of the authenticator, and answers to
// something else.
func TestWhatAPasskeyDoesNotConfirm(t *testing.T) {
	d := newDesk(t)
	ctx, digest := t.Context(), access.StepUp("withdraw", "1 BNB")
	a := testkit.NewAuthenticator("pay.example.com")
	d.register(a, "Laptop")
	ask := func() []byte { return testkit.Must(d.ceremony("").Ask(ctx, digest))(t) }
	confirm := func(answer string) error {
		_, _, err := d.ceremony("").Confirm(ctx, digest, answer)
		return err
	}
	d.unknown("nothing", confirm(""), "")
	d.unknown("no JSON", confirm("{"), "")

	a.Origin = "https://pay.example.com.evil.example"
	d.unknown("a page of another origin", confirm(a.Get(t, ask())), "")
	a.Origin = "http://pay.example.com"
	d.unknown("a page without TLS", confirm(a.Get(t, ask())), "")
	a.Origin, a.Site = "https://pay.example.com", "example.com"
	d.unknown("a passkey of another site", confirm(a.Get(t, ask())), "")
	a.Site = "pay.example.com"
	a.Unverified = true
	d.unknown("an authenticator that verifies nobody", confirm(a.Get(t, ask())), "")
	a.Unverified = false
	other := testkit.NewAuthenticator("pay.example.com")
	d.unknown("another authenticator", confirm(other.Get(t, ask())), "")

	options := testkit.Must(d.ceremony("").Ask(ctx, access.StepUp("withdraw", "2 BNB")))(t)
	d.unknown("a challenge of another content", confirm(a.Get(t, options)), "")
	d.session = "another"
	options = ask()
	d.session = "session"
	d.unknown("a challenge of another session", confirm(a.Get(t, options)), "")
	answer := a.Get(t, ask())
	d.clock.Advance(factor.ChallengeLife)
	d.unknown("a challenge that is over", confirm(answer), "")

	answer = a.Get(t, ask())
	d.ok(confirm(answer))
	d.unknown("an answer that was given before", confirm(answer), factor.ReasonCloned)
	options = ask()
	answer = a.Get(t, options)
	d.ok(confirm(answer))
	d.unknown("a challenge that was answered before", confirm(a.Get(t, options)), factor.ReasonUsed)
	a.Count = 0
	d.unknown("a copy, whose counter is behind", confirm(a.Get(t, ask())), factor.ReasonCloned)
}

// TestRegistrationsThatAreRefused: of another page, or that the person has not confirmed.
func TestRegistrationsThatAreRefused(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	a := testkit.NewAuthenticator("pay.example.com")
	proof := testkit.Must(d.books.People().ConfirmPassword(ctx, d.subject, access.AddFactorStepUp("passkey", "A")))(t)
	c := d.ceremony(proof)
	add := func(label, handle, answer string) error {
		_, err := c.AddPasskey(ctx, label, handle, answer, people.Visitor{})
		return err
	}
	options := testkit.Must(c.AskPasskey(ctx, "alice@example.com"))(t)
	handle := handleOf(t, options)
	a.Origin = "https://evil.example"
	d.unknown("another origin", add("A", handle, a.Create(t, options)), "")
	a.Origin, a.Unverified = "https://pay.example.com", true
	d.unknown("nobody verified", add("A", handle, a.Create(t, options)), "")
	a.Unverified = false
	mine := base64.RawURLEncoding.EncodeToString(make([]byte, factor.HandleLength))
	d.unknown("a handle of the person's choice", add("A", mine, a.Create(t, options)), "")
	d.unknown("an assertion", add("A", handle, a.Get(t, options)), "")
	err := add("B", handle, a.Create(t, options))
	if !errors.Is(err, access.ErrForbidden) || ledger.ReasonOf(err) != access.ReasonStepUp {
		t.Errorf("another label than was confirmed: %v", err)
	}
	d.ok(add("A", handle, a.Create(t, options)))
}

// TestAuthenticatorApp sets one up, whose codes then confirm, each once.
func TestAuthenticatorApp(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	proof := testkit.Must(d.books.People().ConfirmPassword(ctx, d.subject, access.AddFactorStepUp("totp", "")))(t)
	c := d.ceremony(proof)
	made := testkit.Must(c.NewApp("alice@example.com"))(t)
	app := testkit.Must(c.ReadApp(made.Sealed))(t)
	if app != made || !strings.Contains(app.URI, "issuer=Soft%20Staking") {
		t.Errorf("sealed is %+v, read is %+v", made, app)
	}
	if strings.Contains(made.Sealed, app.Secret) {
		t.Error("the form has the secret in clear")
	}
	d.session = "another"
	_, err := d.ceremony("").ReadApp(made.Sealed)
	d.unknown("in another session", err, "")
	d.session = "session"
	code := func() string { return testkit.Must(totp.GenerateCode(app.Secret, d.clock.Now()))(t) }
	_, err = c.AddApp(ctx, app, "000000", people.Visitor{})
	d.unknown("another code", err, "")
	codes := testkit.Must(c.AddApp(ctx, app, code(), people.Visitor{}))(t)
	sealed := testkit.Must(d.books.People().Factors(ctx, d.subject))(t).TOTP.Sealed
	if len(codes) != factor.RecoveryCodes || strings.Contains(string(sealed), app.Secret) {
		t.Errorf("%d codes; kept is %q", len(codes), sealed)
	}

	confirm := func(text string) error {
		_, err := d.ceremony("").ConfirmCode(ctx, access.LogIn, text)
		return err
	}
	d.unknown("the code that it was set up with", confirm(code()), factor.ReasonUsed)
	d.clock.Advance(30 * time.Second)
	now := code()
	d.ok(confirm(now[:3] + " " + now[3:]))
	d.unknown("a code that was used", confirm(now), factor.ReasonUsed)
	d.clock.Advance(2 * time.Minute)
	d.unknown("a code that is over", confirm(now), "")

	d.ok(confirm(strings.ToUpper(strings.ReplaceAll(codes[0], "-", " "))))
	d.unknown("a recovery code that was used", confirm(codes[0]), factor.ReasonUsed)
	d.ok(confirm(codes[1]))
	d.unknown("nothing", confirm(""), factor.ReasonUsed)
	proof = testkit.Must(d.ceremony("").ConfirmCode(ctx, access.CodesStepUp, codes[2]))(t)
	again := testkit.Must(d.ceremony(proof).ReplaceCodes(ctx, people.Visitor{}))(t)
	d.unknown("a code that was replaced", confirm(codes[3]), factor.ReasonUsed)
	d.ok(confirm(again[0]))
}
