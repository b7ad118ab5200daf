package access_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/softstake/softstake/access"
)

func TestSessions(t *testing.T) {
	session, text, err := access.NewSession(rand.Reader)
	if err != nil || len(text) != 55 || !strings.HasPrefix(text, session.ID) {
		t.Fatalf("made %q with the ID %q: %v", text, session.ID, err)
	}
	if len(session.ID) != 12 || !access.IsTokenID(session.ID) {
		t.Errorf("%q is no ID of a token", session.ID)
	}
	if id, is := access.SessionID(text); !is || id != session.ID {
		t.Errorf("the ID of %q is %q, %t", text, id, is)
	}
	other, otherText, err := access.NewSession(rand.Reader)
	if err != nil || other.ID == session.ID || otherText == text {
		t.Errorf("a second session is %q: %v", otherText, err)
	}
	for _, c := range []struct {
		what    string
		text    string
		expires time.Time
		want    error
	}{
		{"before it is over", text, noon.Add(time.Millisecond), nil},
		{"when it is over", text, noon, access.ErrUnknown},
		{"another", otherText, noon.Add(time.Hour), access.ErrUnknown},
		{"the same ID with another secret", text[:12] + otherText[12:], noon.Add(time.Hour), access.ErrUnknown},
		{"cut", text[:54], noon.Add(time.Hour), access.ErrUnknown},
		{"its ID", session.ID, noon.Add(time.Hour), access.ErrUnknown},
		{"nothing", "", noon.Add(time.Hour), access.ErrUnknown},
	} {
		session.Expires = c.expires
		if err := session.Check(c.text, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	if err := (access.Session{}).Check("", noon); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("no session at all: %v", err)
	}
	broken := errors.New("no more")
	if _, _, err := access.NewSession(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("without random bytes: %v", err)
	}
}

func TestWhatIsNoSession(t *testing.T) {
	_, text, err := access.NewSession(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := access.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{
		"", text[1:], text + "x", "-" + text[1:], text[:54] + "\x00", text[:53] + "é", strings.Repeat(" ", 55), token,
	} {
		if id, is := access.SessionID(wrong); is || id != "" {
			t.Errorf("%q has the ID %q", wrong, id)
		}
	}
}
