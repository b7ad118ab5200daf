package mail_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	outbox "github.com/softstake/softstake/mail"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// mailServer is a mail server on loopback, with TLS, that wants a log-in, and keeps what it accepts.
type mailServer struct {
	*testing.T
	port   int
	roots  *x509.CertPool
	server *smtp.Server

	mu       sync.Mutex
	accepted []received
	rcpt     func(to string) error // what it says to a recipient; nil: it accepts
	data     func() error          // what it says to a mail that it has read; nil: it accepts
	hangUp   bool                  // it ends the connection after each mail that it has accepted
}

type received struct {
	to, text string
	secure   bool
}

// newMailServer starts a server. Without a certificate it has no STARTTLS.
func newMailServer(t *testing.T, withTLS bool) *mailServer {
	t.Helper()
	s := &mailServer{T: t, roots: x509.NewCertPool()}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, secure := c.TLSConnectionState()
		return &session{server: s, secure: secure, connection: c}, nil
	}))
	s.server.Domain, s.server.AllowInsecureAuth = "mail.example.com", !withTLS
	s.server.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelInfo)
	if withTLS {
		s.server.TLSConfig = s.certificate()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(listener) }()
	t.Cleanup(func() {
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

// certificate makes one of its own, for 127.0.0.1.
func (s *mailServer) certificate() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true,
		BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.Fatal(err)
	}
	own, err := x509.ParseCertificate(raw)
	if err != nil {
		s.Fatal(err)
	}
	s.roots.AddCert(own)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

// answer sets what the server says from now on.
func (s *mailServer) answer(rcpt func(string) error, data func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcpt, s.data = rcpt, data
}

// got are the mails that were accepted so far.
func (s *mailServer) got() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.accepted...)
}

// session is a connection to the server.
type session struct {
	server *mailServer
	secure bool
	known  bool
	to     string

	connection *smtp.Conn
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "softstake" || password != "opensesame" {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

// Reset is asked for after each mail.
func (s *session) Reset() {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.hangUp && len(s.server.accepted) > 0 {
		if err := s.connection.Conn().Close(); err != nil {
			s.server.Error(err)
		}
	}
}

func (s *session) Logout() error { return nil }

func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.rcpt != nil {
		return s.server.rcpt(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	answer := s.server.data
	s.server.mu.Unlock()
	if answer != nil {
		if err := answer(); err != nil {
			return err
		}
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.accepted = append(s.server.accepted, received{s.to, string(text), s.secure})
	return nil
}

// sender is books with an account that two persons log in to, alice and bob, and what sends their mail.
type sender struct {
	*testing.T
	books  *store.DB
	clock  *testkit.Clock
	server *mailServer
	config outbox.Options
	log    scenario.Buffer
}

func newSender(t *testing.T, server *mailServer) *sender {
	t.Helper()
	s := &sender{T: t, clock: testkit.NewClock(noon), server: server}
	options := store.Options{Clock: s.clock.Now, Actor: access.Process("test"), Volatile: true}
	var err error
	s.books, err = store.Create(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "books.db"), options, store.Setup{
		From: staking.DayOf(noon), Documents: staking.ShippedDocuments(),
		Limits: staking.NoLimit})
	s.ok(err)
	t.Cleanup(func() { s.ok(s.books.Close()) })
	hash, err := access.HashPassword(rand.Reader, "correct horse battery")
	s.ok(err)
	_, err = s.books.OpenAccount(t.Context(), "alice", "DE")
	s.ok(err)
	for _, email := range []string{"alice@example.com", "bob@example.com"} {
		s.ok(s.books.People().AddLogin(t.Context(), people.Login{Email: email, Account: "alice", Password: hash}))
	}
	s.config = outbox.Options{
		Queue: s.books.People(), Now: s.clock.Now, Log: slog.New(slog.NewTextHandler(&s.log, nil)), Poll: time.Millisecond,
		From: "Example <no-reply@example.com>", Site: "https://www.example.com/",
		Unsubscribe: access.NewUnsubscriber(bytes.Repeat([]byte{1}, 32)),
		Server: outbox.Server{Host: "127.0.0.1", Port: server.port, Security: outbox.StartTLS, User: "softstake",
			Password: access.Hidden("opensesame"), TLS: &tls.Config{RootCAs: server.roots, ServerName: "127.0.0.1"},
			Timeout: 10 * time.Second},
	}
	return s
}

func (s *sender) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *sender) notify(kind people.NoticeKind, facts ...string) {
	s.Helper()
	s.ok(s.books.Engine().Write(s.Context(), func(t db.Tx) error {
		return s.books.People().Notify(t, access.LoginSubject("alice@example.com"), kind, facts...)
	}))
}

// run sends mail until done, and stops.
func (s *sender) run(done func() bool, change ...func(*outbox.Options)) {
	s.Helper()
	config := s.config
	for _, f := range change {
		f(&config)
	}
	o, err := outbox.New(config)
	s.ok(err)
	ctx, stop := context.WithCancel(s.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); o.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); !done(); {
		if time.Now().After(deadline) {
			s.Errorf("it was waited for in vain; the log:\n%s", s.log.String())
			break
		}
		time.Sleep(5 * time.Millisecond) // until it is looked at again
	}
	stop()
	<-ended
}

// ended reports whether nothing is left to do for n mails to an address.
func (s *sender) ended(email string, n int) func() bool {
	return func() bool {
		ended := 0
		for _, m := range s.mails(email) {
			if m.Ended {
				ended++
			}
		}
		return ended == n
	}
}

// mails are the mails to an address, and what became of them.
func (s *sender) mails(email string) []people.Mail {
	s.Helper()
	mails, err := s.books.People().Mails(s.Context(), email, 100)
	s.ok(err)
	return mails
}

// read parses a mail, and returns its header and its text.
func (s *sender) read(m received) (mail.Header, string) {
	s.Helper()
	parsed, err := mail.ReadMessage(strings.NewReader(m.text))
	s.ok(err)
	body, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	s.ok(err)
	return parsed.Header, strings.ReplaceAll(string(body), "\r\n", "\n")
}

// temporary and permanent are answers of a server.
var (
	temporary = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "come back later"}
	permanent = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
)

// A notice is mailed to each login of the account, in the person's language, over TLS: plain text with a link, and
// nothing that answers it. Only of what is not about security a mail says how to unsubscribe.
func TestNoticesAreMailed(t *testing.T) {
	s := newSender(t, newMailServer(t, true))
	s.ok(s.books.People().ChangeMailSettings(t.Context(), "alice@example.com",
		func(m *people.MailSettings) { m.Language = "de" }))
	s.notify(people.NoticeDevice, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "192.0.2.7 DE")
	s.run(func() bool { return s.ended("alice@example.com", 1)() && s.ended("bob@example.com", 1)() })
	texts := map[string]string{}
	for _, m := range s.server.got() {
		header, text := s.read(m)
		texts[m.to] = text
		if !m.secure {
			t.Errorf("the mail to %s went over a connection that others can read", m.to)
		}
		if header.Get("From") != `"Example" <no-reply@example.com>` || header.Get("To") != "<"+m.to+">" ||
			header.Get("Auto-Submitted") != "auto-generated" || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") ||
			!strings.HasSuffix(header.Get("Message-ID"), "@example.com>") || header.Get("List-Unsubscribe") != "" {
			t.Errorf("the header is %v", header)
		}
	}
	for email, parts := range map[string][]string{
		"alice@example.com": {"Firefox unter Linux, 192.0.2.7 DE", "2026-11-22 12:00:00 UTC",
			"https://www.example.com/activity?show=notices"},
		"bob@example.com": {"Firefox on Linux, 192.0.2.7 DE", "security of your account"},
	} {
		for _, part := range parts {
			if !strings.Contains(texts[email], part) {
				t.Errorf("the mail to %s has no %q:\n%s", email, part, texts[email])
			}
		}
	}
	if len(texts) != 2 || len(s.server.got()) != 2 {
		t.Errorf("sent were %v", s.server.got())
	}
}

// A person unsubscribes from what is not about security, with one click of a mail program, and from nothing else.
func TestOptionalMailNamesHowToUnsubscribe(t *testing.T) {
	s := newSender(t, newMailServer(t, true))
	s.ok(s.books.People().ChangeMailSettings(t.Context(), "bob@example.com",
		func(m *people.MailSettings) { m.Optional = false }))
	s.notify(people.NoticePaused, "frozen")
	s.clock.Advance(time.Second)
	s.notify(people.NoticePassword, "bob@example.com")
	s.run(func() bool { return s.ended("alice@example.com", 2)() && s.ended("bob@example.com", 2)() })
	link := "https://www.example.com/unsubscribe/" + s.config.Unsubscribe.Text("alice@example.com")
	var to []string
	for _, m := range s.server.got() {
		header, text := s.read(m)
		to = append(to, m.to)
		optional := strings.Contains(header.Get("Subject"), "paused")
		if optional != (header.Get("List-Unsubscribe") == "<"+link+">") || optional != strings.Contains(text, link) ||
			optional != (header.Get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click") {
			t.Errorf("the mail is\n%s", m.text)
		}
	}
	slices.Sort(to)
	if !slices.Equal(to, []string{"alice@example.com", "alice@example.com", "bob@example.com"}) {
		t.Errorf("sent was mail to %v", to)
	}
	if m := s.mails("bob@example.com"); m[1].Problem != "unsubscribed" || m[0].Problem != "" {
		t.Errorf("bob's mail is %+v", m)
	}
}

// What the server refuses for good is given up; what it refuses for now is retried with backoff, under the same
// Message-ID, and for three days.
func TestRefusedMail(t *testing.T) {
	s := newSender(t, newMailServer(t, true))
	s.server.answer(func(to string) error {
		if strings.HasPrefix(to, "bob") {
			return permanent
		}
		return temporary
	}, nil)
	s.notify(people.NoticeKey, "abc", "READ")
	tried := func(n int) func() bool {
		return func() bool {
			m := s.mails("alice@example.com")[0]
			return m.Tries == n && m.Problem != ""
		}
	}
	s.run(func() bool { return tried(1)() && s.ended("bob@example.com", 1)() })
	if m := s.mails("bob@example.com")[0]; !m.Sent.IsZero() || !strings.Contains(m.Problem, "no such user") {
		t.Errorf("bob's mail is %+v", m)
	}
	s.clock.Advance(time.Minute)
	s.server.answer(nil, func() error { return temporary })
	s.run(tried(2))
	s.clock.Advance(2*time.Minute - time.Millisecond)
	s.server.answer(nil, nil)
	s.notify(people.NoticePassword, "alice@example.com") // it does not wait for the other
	s.run(s.ended("alice@example.com", 1))
	s.clock.Advance(time.Millisecond)
	s.run(s.ended("alice@example.com", 2))
	if m := s.mails("alice@example.com")[1]; m.Tries != 3 || m.Sent.IsZero() || m.Problem != "" {
		t.Errorf("alice's mail is %+v", m)
	}

	s.server.answer(func(string) error { return temporary }, nil)
	s.notify(people.NoticeKey, "def", "READ")
	for range 20 {
		s.clock.Advance(6 * time.Hour)
		before := s.mails("alice@example.com")[0]
		s.run(func() bool {
			m := s.mails("alice@example.com")[0]
			return m.Ended || m.Tries > before.Tries && m.Problem != ""
		})
	}
	if m := s.mails("alice@example.com")[0]; !m.Ended || !m.Sent.IsZero() || m.Problem != "it is too old" {
		t.Errorf("after five days alice's mail is %+v", m)
	}
}

// A server that is not reached, has no TLS, refuses the log-in or does not answer gets no mail, and nothing is lost;
// the password is in no log.
func TestAServerThatDoesNotWork(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it accepts, and never says a word
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := silent.Close(); err != nil {
			t.Error(err)
		}
	})
	plain := newMailServer(t, false)
	s := newSender(t, newMailServer(t, true))
	s.ok(s.books.People().RemoveLogin(t.Context(), "bob@example.com"))
	s.notify(people.NoticeKey, "abc", "READ")
	for what, change := range map[string]func(*outbox.Options){
		"wrong password":      func(o *outbox.Options) { o.Server.Password = access.Hidden("guess-me-not") },
		"no STARTTLS":         func(o *outbox.Options) { o.Server.Port = plain.port },
		"another certificate": func(o *outbox.Options) { o.Server.TLS = &tls.Config{ServerName: "127.0.0.1"} },
		"silent": func(o *outbox.Options) {
			o.Server.Port, o.Server.Timeout = silent.Addr().(*net.TCPAddr).Port, 50*time.Millisecond
		},
		"not there": func(o *outbox.Options) { o.Server.Port = 1 },
	} {
		before := s.mails("alice@example.com")[0]
		s.run(func() bool {
			m := s.mails("alice@example.com")[0]
			return m.Tries > before.Tries && m.Problem != before.Problem
		}, change)
		if got := append(s.server.got(), plain.got()...); len(got) > 0 {
			t.Errorf("%s: sent were %v", what, got)
		}
		s.clock.Advance(5 * time.Minute) // the longest wait for a server
	}
	s.run(s.ended("alice@example.com", 1))
	if len(s.server.got()) != 1 {
		t.Errorf("sent were %v", s.server.got())
	}
	if log := s.log.String(); strings.Contains(log, "guess-me-not") || strings.Contains(log, "opensesame") ||
		!strings.Contains(log, "the mail server does not work") {
		t.Errorf("the log is\n%s", log)
	}
}

// Two processes send each mail once, also where the server ends the connection after it has accepted one.
func TestEachMailIsSentOnce(t *testing.T) {
	s := newSender(t, newMailServer(t, true))
	s.server.hangUp = true
	const notices = 10
	for range notices {
		s.notify(people.NoticeKey, "abc", "READ")
		s.clock.Advance(time.Millisecond)
	}
	s.run(func() bool {
		s.run(func() bool { return s.ended("alice@example.com", notices)() && s.ended("bob@example.com", notices)() })
		return true
	})
	ids := map[string]bool{}
	for _, m := range s.server.got() {
		header, _ := s.read(m)
		ids[header.Get("Message-ID")] = true
	}
	if len(ids) != 2*notices || len(s.server.got()) != 2*notices {
		t.Errorf("%d mails were sent, %d different", len(s.server.got()), len(ids))
	}
	for _, m := range append(s.mails("alice@example.com"), s.mails("bob@example.com")...) {
		if m.Sent.IsZero() || m.Tries != 1 {
			t.Errorf("a mail is %+v", m)
		}
	}
}

// Each kind is mailed with its facts; what is not about security can be unsubscribed, and nothing else.
func TestEachKindIsMailed(t *testing.T) {
	s := newSender(t, newMailServer(t, true))
	s.ok(s.books.People().RemoveLogin(t.Context(), "bob@example.com"))
	facts := map[people.NoticeKind][]string{
		people.NoticeDevice: {"Mozilla/5.0 Firefox/140.0", "192.0.2.7 DE"}, people.NoticeKey: {"abcdefgh", "read,withdraw"},
		people.NoticePassword: {"alice@example.com"}, people.NoticeFactor: {"+ passkey Laptop"},
		people.NoticeAddress: {"BNB", "BSC", "6789"}, people.NoticeWithdrawal: {"BNB", "6789"},
		people.NoticePaused: {people.PausedExcluded}, people.NoticeOffer: {"BNB", "2026-12-01"}, people.NoticeLimit: {"BNB"},
		people.NoticeInvitation: {"alice@example.com"}, people.NoticeSetLimit: {"BNB"},
		people.NoticeLowered: {"BNB"}, people.NoticeAnyAddress: {}, people.NoticeSavedOnly: {},
		people.NoticeBreakGlass: {"4fQx81LmZp0a"},
	}
	for _, kind := range people.NoticeKinds {
		if facts[kind] == nil {
			t.Fatalf("no facts of a %s notice are known here", kind)
		}
		s.notify(kind, facts[kind]...)
		s.clock.Advance(time.Millisecond)
	}
	s.run(s.ended("alice@example.com", len(people.NoticeKinds)))
	subjects := map[string]bool{}
	for _, m := range s.server.got() {
		header, text := s.read(m)
		subject := header.Get("Subject")
		subjects[subject] = true
		if optional := strings.Contains(subject, "rewards"); strings.ContainsAny(text, "{}") ||
			optional != (header.Get("List-Unsubscribe") != "") {
			t.Errorf("the mail is\n%s", m.text)
		}
	}
	if len(subjects) != len(people.NoticeKinds) {
		t.Errorf("sent were %v", subjects)
	}
}

// Every kind has texts in each language, and each has the same.
func TestEachKindHasTexts(t *testing.T) {
	all := map[string]map[string]string{}
	for _, language := range []string{"en", "de"} {
		content, err := os.ReadFile("texts/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := json.Unmarshal(content, &texts); err != nil {
			t.Fatal(err)
		}
		all[language] = texts
		for _, kind := range people.NoticeKinds {
			for _, part := range []string{"subject", "text", "what"} {
				if texts[string(kind)+"."+part] == "" {
					t.Errorf("%s has no %s.%s", language, kind, part)
				}
			}
		}
	}
	facts := regexp.MustCompile(`\{\d\}`)
	for key, text := range all["en"] {
		other := all["de"][key]
		if other == "" || !slices.Equal(facts.FindAllString(text, -1), facts.FindAllString(other, -1)) {
			t.Errorf("%s is %q and %q", key, text, other)
		}
	}
	if len(all["en"]) != len(all["de"]) {
		t.Errorf("%d and %d texts", len(all["en"]), len(all["de"]))
	}
}
