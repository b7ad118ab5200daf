package access_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

func TestNewPasswords(t *testing.T) {
	for want, passwords := range map[error][]string{
		nil: {
			"correct horse", "battery horse correct", "new horse, same cart", "tomorrow is another day",
			"pässwörter sind schwer", "8vN!qz-Lw2kT", "7391648205", "correct h0rse 2024", "monkeys like trains",
			"パスワードは長いほうがいいです", "dragonfly lantern",
		},
		access.ErrPasswordLength: {"", "short", "correct h", strings.Repeat("correct horse ", 15),
			"correct \xff horse"},
		access.ErrPasswordCommon: {
			"1234567890", "qwertyuiop", "1q2w3e4r5t", "basketball", "1qaz2wsx3edc", "QWERTYUIOP", "BasketBall",
			"ＢＡＳＫＥＴＢＡＬＬ", "basket\u200bball", "\ufb01refighter", "Password123!", "password12", "123password",
			"!!!!!dragon", "dragon....", "Monkey 2026", "2026-monkey-2026", "  letmein  ", "iloveyou!!!",
			"Passwort2026", "trustno1!!", "password password", "passwordpassword", "Dragon-dragon_DRAGON",
			"qwerty1qwerty2", "abc123abc123", "p.a.s.s.w.o.r.d", "bas-ket-ball", "pass word 123", "P@ssw0rd123",
			"Pa$$w0rd2026", "dr4g0n2026!", "!1etmein!!!", "w1nter2026!", "12345678901", "123456123456", "0123456789",
			"9876543210", "01.01.1990", "123-456-7890", "12345!@#$%", "qwertzuiop", "poiuztrewq2026", "asdfghjklöä",
			"azertyuiop!", "passwordab", "Passwordxy", "1234567890ab", "basketballer", "aaaaaaaaaa", "0000000000",
			"1212121212", "abababababab", "abcdefghijkl", "zyxwvutsrq", "1122334455", "ääääääääää", "..........",
		},
		access.ErrPasswordEmail: {
			"alice in wonderland", "Wonderful ALICE", "wonderfulalice2026", "ＡＬＩＣＥ in chains", "a-l-i-c-e rules",
			"wonder\u200dful ali\u00adce",
		},
		access.ErrPasswordProduct: {
			"softstake forever", "my SoftStake books", "soft staking rocks", "Soft-Staking rocks",
			"soft_staker, soft.stakes", "ｓｏｆｔｓｔａｋｅ rocks",
		},
	} {
		for _, p := range passwords {
			err := access.CheckNewPassword("alice@example.com", p)
			if !errors.Is(err, want) || want != nil && !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("%q: %v, want %v", p, err, want)
			}
			if err != nil && len(p) >= 10 && strings.Contains(err.Error(), p) {
				t.Errorf("the message has the password: %v", err)
			}
		}
	}
}

// Of an address, the name counts with and without what follows a plus, however its
// parts are divided; one of two letters stands in too many passwords.
func TestTheNameInTheEmailIsNoPassword(t *testing.T) {
	for _, c := range []struct {
		email, password string
		want            error
	}{
		{"jane.doe@example.com", "jane.doe loves trains", access.ErrPasswordEmail},
		{"jane.doe@example.com", "JaneDoe loves trains", access.ErrPasswordEmail},
		{"jane.doe@example.com", "jane_doe loves trains", access.ErrPasswordEmail},
		{"jane.doe@example.com", "jane loves trains", nil},
		{"janedoe@example.com", "Jane Doe loves trains", access.ErrPasswordEmail},
		{"jane+stake@example.com", "jane loves trains", access.ErrPasswordEmail},
		{"jane+stake@example.com", "jane+stake loves trains", access.ErrPasswordEmail},
		{"jane+stake@example.com", "stake on trains", nil},
		{" Jane@Example.com", "jane loves trains", access.ErrPasswordEmail},
		{"jürgen@example.com", "JU\u0308RGEN loves trains", access.ErrPasswordEmail},
		{"straße@example.com", "STRASSE and trains", access.ErrPasswordEmail},
		{"bob@example.com", "bobsleigh and trains", access.ErrPasswordEmail},
		{"al@example.com", "almost all trains", nil},
		{"a.l@example.com", "almost all trains", nil},
		{"x@example.com", "xylophone trains", nil},
		{"+tag@example.com", "price tag on trains", access.ErrPasswordEmail},
		{"example@trains.com", "some more trains", nil},
		{"", "some more trains", nil},
	} {
		if err := access.CheckNewPassword(c.email, c.password); !errors.Is(err, c.want) {
			t.Errorf("%q of %s: %v, want %v", c.password, c.email, err, c.want)
		}
	}
}

// Every password of the list is refused, as it is and made longer, and the list is one
// that the check can use.
func TestEachCommonPasswordIsRefused(t *testing.T) {
	text := string(testkit.Must(os.ReadFile("common_passwords.txt"))(t))
	words := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(words) < 10_000 || words[0] != "123456" || words[1] != "password" {
		t.Fatalf("%d passwords that begin with %q", len(words), words[:2])
	}
	for _, word := range words {
		if n := utf8.RuneCountInString(word); n < 3 || n > 20 || strings.ToLower(strings.TrimSpace(word)) != word {
			t.Errorf("%q stands in the list", word)
		}
		for _, p := range []string{
			word, strings.ToUpper(word) + "!" + strings.Repeat(word, 4),
			"(" + word + ") " + word + " " + word + " " + word,
		} {
			if len(p) < 10 {
				continue
			}
			if err := access.CheckNewPassword("x@example.com", p); !errors.Is(err, access.ErrPasswordCommon) {
				t.Errorf("%q: %v", p, err)
			}
		}
	}
	if !slices.Contains(words, "qwerty") {
		t.Error("qwerty is missing")
	}
}

// A password that a person may not choose today is checked as any other.
func TestAWeakPasswordStaysValid(t *testing.T) {
	for _, weak := range []string{"short", "Password123!"} {
		hash := testkit.Must(access.RehashPassword(strings.NewReader(strings.Repeat("x", 16)), weak))(t)
		if err := access.CheckPassword(hash, weak); err != nil || access.IsOutdated(hash) {
			t.Errorf("%q: %v", weak, err)
		}
	}
}

func TestOutdatedHashes(t *testing.T) {
	const sum = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for hash, want := range map[string]bool{
		"$argon2id$v=19$m=19456,t=2,p=1" + sum:                                                   false,
		"$argon2id$v=19$m=19457,t=2,p=1" + sum:                                                   true,
		"$argon2id$v=19$m=65536,t=2,p=1" + sum:                                                   true,
		"$argon2id$v=19$m=256,t=2,p=1" + sum:                                                     true,
		"$argon2id$v=19$m=19456,t=3,p=1" + sum:                                                   true,
		"$argon2id$v=19$m=19456,t=2,p=2" + sum:                                                   true,
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA": true,
		"$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA":           true,
		// it cannot be checked
		"$argon2id$v=19$m=4294967295,t=2,p=1" + sum: false,
		"": false,
	} {
		if got := access.IsOutdated(hash); got != want {
			t.Errorf("%s: %t", hash, got)
		}
	}
}

func FuzzCheckNewPassword(f *testing.F) {
	for _, seed := range []string{"Password123!", "correct horse", "\ufdfa\ufdfa", "\u0345\u0345", "ǅ\x00\xff"} {
		f.Add("alice@example.com", seed)
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, email, password string) {
		err := access.CheckNewPassword(email, password)
		upper := access.CheckNewPassword(email, strings.ToUpper(password))
		if errors.Is(err, access.ErrPasswordCommon) && upper == nil {
			t.Errorf("%q is common, and in capitals it is not", password)
		}
	})
}
