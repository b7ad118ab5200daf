package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/softstake/softstake/mail"
)

// The flags of mail are refused where they cannot mean anything, or would let others read it.
func TestMailFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "smtp.txt")
	if err := os.WriteFile(file, []byte("opensesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := mailFlags{SMTP: "mail.example.com:587", SMTPSecurity: "starttls", SMTPUser: "softstake",
		SMTPPasswordFile: file, SMTPFrom: "Example <no-reply@example.com>", SiteURL: "https://www.example.com"}
	env := &Env{Getenv: func(string) string { return "" }}
	o, err := good.options(env, time.Minute)
	if err != nil || o.Server.Host != "mail.example.com" || o.Server.Port != 587 || o.Server.Security != mail.StartTLS ||
		string(o.Server.Password) != "opensesame" {
		t.Fatalf("%+v, %v", o, err)
	}
	for what, change := range map[string]func(*mailFlags){
		"no port":              func(c *mailFlags) { c.SMTP = "mail.example.com" },
		"a port that is none":  func(c *mailFlags) { c.SMTP = "mail.example.com:smtp" },
		"port 0":               func(c *mailFlags) { c.SMTP = "mail.example.com:0" },
		"no sender":            func(c *mailFlags) { c.SMTPFrom = "" },
		"no site":              func(c *mailFlags) { c.SiteURL = "" },
		"a site without https": func(c *mailFlags) { c.SiteURL = "www.example.com" },
		"no password":          func(c *mailFlags) { c.SMTPPasswordFile = "" },
		"no user":              func(c *mailFlags) { c.SMTPUser = "" },
		"in the clear":         func(c *mailFlags) { c.SMTPSecurity = "none" },
	} {
		c := good
		change(&c)
		if _, err := c.options(env, time.Minute); !isUsage(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	here := good
	here.SMTP, here.SMTPSecurity = "127.0.0.1:25", "none"
	if _, err := here.options(env, time.Minute); err != nil {
		t.Errorf("a server on this machine: %v", err)
	}
	if given, err := (&mailFlags{SMTPUser: "softstake"}).given(); given || !isUsage(err) {
		t.Errorf("a user without a server: %t, %v", given, err)
	}
	if given, err := (&mailFlags{}).given(); given || err != nil {
		t.Errorf("no mail: %t, %v", given, err)
	}
}

func isUsage(err error) bool {
	_, is := errors.AsType[*usageError](err)
	return is
}
