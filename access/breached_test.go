package access_test

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// breachedFile is a list of passwords, in lines that end as said.
func breachedFile(t *testing.T, end string, passwords ...string) string {
	t.Helper()
	lines := make([]string, len(passwords))
	for i, p := range passwords {
		lines[i] = fmt.Sprintf("%X:%d", sha1.Sum([]byte(p)), i*i*i*i+1)
	}
	slices.Sort(lines)
	return textFile(t, strings.Join(lines, end))
}

func textFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "breached.txt")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A password is found by binary search in a sorted file, whatever its lines end with, and however many there are.
func TestBreachedPasswords(t *testing.T) {
	for _, end := range []string{"\n", "\r\n"} {
		for _, n := range []int{1, 2, 3, 257} {
			var in []string
			for i := range n {
				in = append(in, fmt.Sprintf("correct horse %d", i))
			}
			list, err := access.OpenBreached(breachedFile(t, end, in...))
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range in {
				if err := list.Check(p); !errors.Is(err, access.ErrPasswordBreached) || !errors.Is(err, ledger.ErrInvalid) {
					t.Errorf("%d of %d: %v", i, n, err)
				}
				if err := list.Check(p + "x"); err != nil {
					t.Errorf("%d of %d and a letter: %v", i, n, err)
				}
			}
			if err := list.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	list, err := access.OpenBreached(textFile(t, fmt.Sprintf("%x\n", sha1.Sum([]byte("é horse battery")))))
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Check("e\u0301 horse battery"); !errors.Is(err, access.ErrPasswordBreached) {
		t.Errorf("in small letters, without a number, composed otherwise: %v", err)
	}
	var none *access.Breached
	if err := errors.Join(list.Close(), none.Check("password"), none.Close()); err != nil {
		t.Errorf("without a list: %v", err)
	}
}

// What is no such list is refused when it is opened or, in its middle, when it is read.
func TestWhatIsNoListOfBreachedPasswords(t *testing.T) {
	first, last := strings.Repeat("0", 40)+":1\n", strings.Repeat("F", 40)+":1\n"
	for _, text := range []string{"", "\n", "password\n", last + first, strings.Repeat("0", 41) + ":1\n",
		strings.Repeat("0", 39) + ":1\n", first + strings.Repeat("x", 300)} {
		if _, err := access.OpenBreached(textFile(t, text)); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	list, err := access.OpenBreached(textFile(t, first+"password\n"+last))
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Check("correct horse"); err == nil || errors.Is(err, access.ErrPasswordBreached) ||
		strings.Contains(err.Error(), "correct") {
		t.Errorf("a damaged list: %v", err)
	}
	if err := list.Close(); err != nil {
		t.Error(err)
	}
	if _, err := access.OpenBreached(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
