package cli

import (
	"cmp"
	"net"
	"net/mail"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/loopback"
	outbox "github.com/softstake/softstake/mail"
)

// smtpTimeout is how long a mail server may take for one mail: less than the server has to stop.
const smtpTimeout = 15 * time.Second

// smtpPasswordName is that of the variable which holds the password for the mail server.
const smtpPasswordName = "SOFTSTAKE_SMTP_PASSWORD"

// mailFlags are how notices are sent as mail.
type mailFlags struct {
	SMTP             string `name:"smtp" placeholder:"HOST:PORT" help:"The mail server that sends notices to holders. Without it: they are on the pages alone."`
	SMTPSecurity     string `name:"smtp-security" enum:"starttls,tls,none" default:"starttls" help:"How the connection to it is encrypted: starttls, tls (from the start), or none, on this machine only. Without it: ${default}."`
	SMTPUser         string `name:"smtp-user" placeholder:"NAME" help:"Who logs in there. Without it: nobody."`
	SMTPPasswordFile string `name:"smtp-password-file" placeholder:"FILE" help:"A file with the password, which only you may read. Without it: SOFTSTAKE_SMTP_PASSWORD."`
	SMTPFrom         string `name:"smtp-from" placeholder:"ADDRESS" help:"Who mail is from, such as \"Example <no-reply@example.com>\"."`
	SiteURL          string `name:"site-url" placeholder:"URL" help:"Where holders find the pages, for the links in mail: https://www.example.com."`
}

// given reports whether mail is sent.
func (c *mailFlags) given() (bool, error) {
	if c.SMTP == "" && c.SMTPUser+c.SMTPPasswordFile+c.SMTPFrom != "" {
		return false, usage("--smtp-user, --smtp-password-file and --smtp-from need the server: --smtp HOST:PORT")
	}
	return c.SMTP != "", nil
}

// options are those of the outbox.
func (c *mailFlags) options(env *Env, poll time.Duration) (*outbox.Options, error) {
	host, number, err := net.SplitHostPort(c.SMTP)
	port, portErr := strconv.ParseUint(number, 10, 16)
	if err := cmp.Or(err, portErr); err != nil || host == "" || port == 0 {
		return nil, usage("--smtp %q is not a mail server such as mail.example.com:587", c.SMTP)
	}
	if c.SMTPSecurity == string(outbox.Plaintext) && !loopback.Host(host) && !env.Insecure {
		return nil, usage("--smtp-security none lets others on the way to %s read mail; use starttls or tls, or allow it "+
			"with --insecure", host)
	}
	if _, err := mail.ParseAddress(c.SMTPFrom); err != nil {
		return nil, usage("--smtp-from %q is not a sender such as \"Example <no-reply@example.com>\"", c.SMTPFrom)
	}
	if u, err := url.Parse(c.SiteURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, usage("--site-url %q is not the URL of the pages, such as https://www.example.com; mail has links to it",
			c.SiteURL)
	}
	password, err := c.password(env)
	if err != nil {
		return nil, err
	}
	return &outbox.Options{
		Server: outbox.Server{Host: host, Port: int(port), Security: outbox.Security(c.SMTPSecurity), User: c.SMTPUser,
			Password: password, Timeout: smtpTimeout},
		From: c.SMTPFrom, Site: c.SiteURL, Poll: min(poll, mailPoll),
	}, nil
}

// mailPoll is how often the outbox is read.
const mailPoll = 5 * time.Second

// password reads the password for the mail server.
func (c *mailFlags) password(env *Env) (access.Hidden, error) {
	text := env.Getenv(smtpPasswordName)
	if c.SMTPPasswordFile != "" {
		content, err := os.ReadFile(c.SMTPPasswordFile)
		if err != nil {
			return nil, err
		}
		text = strings.TrimRight(string(content), "\r\n")
	}
	if (text == "") != (c.SMTPUser == "") {
		return nil, usage("--smtp-user and the password are given together: in --smtp-password-file, or in %s",
			smtpPasswordName)
	}
	return access.Hidden(text), nil
}
