package browser

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"

	"github.com/softstake/softstake/scenario"
)

// serving is the server of books of the test's own, with four eyes, and the codes of invitations for its staff by
// e-mail address.
func serving(t *testing.T, roles map[string]string) (s *site, codes map[string]string) {
	t.Helper()
	program, books := scenario.Program(t), "sqlite:"+filepath.Join(t.TempDir(), "books.db")
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "SOFTSTAKE_DB="+books)
		return cmd
	}
	run := func(args ...string) []byte {
		t.Helper()
		out, err := command(args...).Output()
		if err != nil {
			exit, _ := errors.AsType[*exec.ExitError](err)
			t.Fatalf("%v: %v\n%s", args, err, exit.Stderr)
		}
		return out
	}
	run("init", "--four-eyes", "off")
	codes = map[string]string{}
	for email, role := range roles {
		var made struct{ Code string }
		if err := json.Unmarshal(run("staff", "add", email, "--role", role, "--json"), &made); err != nil {
			t.Fatal(err)
		}
		codes[email] = made.Code
	}
	run("four-eyes", "on")
	joinEvents(t, command)
	s = &site{exited: make(chan error, 1), cmd: command("serve", "--listen", "127.0.0.1:0")}
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s, codes
}

// joinEvents joins two partitions of a source, which two people agree on: one stops at an account that is not open, and
// both are hours behind.
func joinEvents(t *testing.T, command func(...string) *exec.Cmd) {
	t.Helper()
	source, at := t.TempDir(), time.Now().UTC().Add(-3*time.Hour).Format(time.RFC3339)
	for name, events := range map[string]string{"p1": `{"type":"watermark","before":"` + at + `"}
{"id":"e-1042","at":"` + at + `","account":"u-1001","token":"BNB","change":"2.5"}
`, "orders": `{"type":"watermark","before":"` + at + `"}
`} {
		if err := os.WriteFile(filepath.Join(source, name+".jsonl"), []byte(events), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	join := func(status int) string {
		t.Helper()
		out, err := command("join", "file:"+source, "--name", "exchange", "--until-end", "--actor", "omar").CombinedOutput()
		if exit, is := errors.AsType[*exec.ExitError](err); !is || exit.ExitCode() != status {
			t.Fatalf("join: %v, not exit status %d\n%s", err, status, out)
		}
		return string(out)
	}
	proposal := regexp.MustCompile(`proposal approve ([0-9a-f]{12})`).FindStringSubmatch(join(3))
	approve := command("proposal", "approve", proposal[1], "--actor", "anna")
	approve.Stdin = strings.NewReader("yes\n")
	if out, err := approve.CombinedOutput(); err != nil {
		t.Fatalf("approve the source: %v\n%s", err, out)
	}
	join(1)
}

// TestStaffWithPasskeys: two people accept their invitations, each with a device of its own, on a phone and at a desk.
// One has a second passkey, gives it another name, removes the first and logs in with what is left; the other approves
// what the one has proposed, which the device refuses to confirm for somebody whom it does not know. Both see a stream
// that has stopped.
func TestStaffWithPasskeys(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil && os.Getenv("SOFTSTAKE_REQUIRE_BROWSER") == "1" {
		t.Fatal(err)
	}
	s, codes := serving(t, map[string]string{"olga@example.com": "operator", "anton@example.com": "approver"})
	look := func(b *tab, name string) {
		t.Helper()
		b.read()
		b.whole()
		b.barriers(string(axe), everyRule)
		b.picture(fmt.Sprintf("staff-%s-%d.png", name, b.width))
	}
	olga, anton := s.open(t, looks{width: desk}), s.open(t, looks{width: phone, dark: true})
	first, device := olga.passkeys(), anton.passkeys()
	for b, email := range map[*tab]string{olga: "olga@example.com", anton: "anton@example.com"} {
		b.acceptInvitation(email, codes[email], look)
	}

	olga.addSecondPasskey(first, look)
	olga.press(`main a[aria-label*="first"]`)
	olga.until("the first passkey", `document.querySelector("h1").innerText === "first"`)
	olga.press("main button.danger")
	olga.sees("The passkey is removed.")
	look(olga, "removed")
	olga.press(`main a[aria-label*="Work laptop"]`)
	olga.sees("your only passkey")
	olga.press(`form[action="/console/logout"] button`)
	olga.at("/console/login")
	look(olga, "login")
	olga.press(`form[action="/console/login/passkey"] button`)
	olga.at("/console")

	for _, b := range []*tab{olga, anton} {
		b.visit("/console")
		b.sees("exchange/p1")
		look(b, "overview")
		b.visit("/console/streams")
		b.sees("at position 2, event e-1042")
		look(b, "streams")
	}

	olga.visit("/console/terms")
	olga.fill("#apr", "0.002")
	olga.fill("#reason", "as much as elsewhere")
	olga.press("main form button.primary")
	olga.sees("You have proposed it")
	proposal := olga.path()
	anton.visit(proposal)
	look(anton, "approve")
	user := webauthn.SetUserVerifiedParams{AuthenticatorID: device}
	call(anton, webauthn.SetUserVerified, user)
	anton.press("main form[data-passkey] button.primary")
	anton.until("what has failed", `!document.querySelector("[data-passkey-failed]").hidden`)
	look(anton, "unverified")
	user.IsUserVerified = true
	call(anton, webauthn.SetUserVerified, user)
	anton.press("main form[data-passkey] button.primary")
	anton.sees("Executed")
	look(anton, "approved")
}

// acceptInvitation registers the first passkey of somebody, who so has logged in.
func (b *tab) acceptInvitation(email, code string, look func(*tab, string)) {
	b.t.Helper()
	b.visit("/console/invitation")
	b.fill("#email", email)
	b.fill("#code", code)
	look(b, "invitation")
	b.press("main form button.primary")
	b.until("the page that makes it", `!!document.querySelector("form[data-create]")`)
	look(b, "invited")
	b.press("main form button.primary")
	b.at("/console")
}

// addSecondPasskey adds a passkey of another device, confirmed with the first, and gives it another name.
func (b *tab) addSecondPasskey(first webauthn.AuthenticatorID, look func(*tab, string)) {
	b.t.Helper()
	b.visit("/console/me")
	look(b, "me")
	b.fill("#label", "Laptop")
	b.press(`form[action="/console/me/passkeys"] button.primary`)
	b.until("the page that makes it", `!!document.querySelector("form[data-create]")`)
	look(b, "make")
	// The first device, which has a passkey already, is not touched.
	call(b, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: first})
	call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		},
	})
	b.press("main form button.primary")
	b.sees("The passkey is added.")
	look(b, "added")
	b.press(`main a[aria-label*="Laptop"]`)
	b.until("the second passkey", `document.querySelector("h1").innerText === "Laptop"`)
	look(b, "passkey")
	b.fill("#label", "Work laptop")
	b.press("main form button.primary")
	b.sees("Work laptop")
	b.at("/console/me")
}
