package serve

import (
	"bufio"
	"crypto/rand"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/mail"
	"github.com/softstake/softstake/people"
)

// TestNoticesAreSent: the server sends what waits in the outbox, beside all else that it does.
func TestNoticesAreSent(t *testing.T) {
	w := newSite(t)
	hash, err := access.HashPassword(rand.Reader, "correct horse battery")
	w.ok(err)
	login := people.Login{Email: "alice@example.com", Account: "alice", Password: hash}
	w.ok(w.books.People().AddLogin(t.Context(), login))
	_, err = w.books.People().SetPassword(t.Context(), login.Email, people.PasswordChange{Hash: hash})
	w.ok(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.ok(err)
	received := make(chan string, 1)
	go receive(listener, received)
	s := w.serve(func(c *Config) {
		c.Random = rand.Reader
		c.Mail = &mail.Options{From: "no-reply@example.com", Site: "https://www.example.com", Poll: time.Millisecond,
			Server: mail.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Security: mail.Plaintext,
				Timeout: 10 * time.Second}}
	})
	select {
	case text := <-received:
		if !strings.Contains(text, "Your password was changed") {
			t.Errorf("the mail is\n%s", text)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("no mail came; the log:\n%s", s.log.String())
	}
	s.end()
	w.ok(listener.Close())
}

// receive is a mail server that takes one mail.
func receive(listener net.Listener, received chan<- string) {
	connection, err := listener.Accept()
	if err != nil {
		return
	}
	defer connection.Close()
	say := func(line string) bool { _, err := connection.Write([]byte(line + "\r\n")); return err == nil }
	say("220 mail.example.com")
	var text strings.Builder
	data := false
	for lines := bufio.NewScanner(connection); lines.Scan(); {
		line := lines.Text()
		switch {
		case data && line == ".":
			data = false
			say("250 accepted")
			received <- text.String()
		case data:
			text.WriteString(line + "\n")
		case line == "DATA":
			data = say("354 go on")
		case line == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
