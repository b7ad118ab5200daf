package access_test

import (
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

const horse = "correct horse"

func TestPasswords(t *testing.T) {
	hash := testkit.Must(access.HashPassword(rand.Reader, horse))(t)
	if again := testkit.Must(access.HashPassword(rand.Reader, horse))(t); again == hash {
		t.Error("two people with the same password have the same hash")
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, horse) ||
		!access.IsPasswordHash(hash) {
		t.Errorf("the hash is %q", hash)
	}
	if err := access.CheckPassword(hash, horse); err != nil {
		t.Errorf("the password itself: %v", err)
	}
	for _, wrong := range []string{
		"", "correct hors", "correct horse ", "Correct horse", "correct horse\x00", hash, strings.Repeat("x", 5000),
	} {
		if err := access.CheckPassword(hash, wrong); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("%.20q: %v", wrong, err)
		}
		if err := access.CheckPassword("", wrong); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("%.20q of nobody: %v", wrong, err)
		}
	}
	broken := errors.New("no more")
	if _, err := access.HashPassword(iotest.ErrReader(broken), horse); !errors.Is(err, broken) {
		t.Errorf("without random bytes: %v", err)
	}
}

// Characters are counted as people do, and are the same however the keyboard composes them.
func TestPasswordsAreOfSoManyCharacters(t *testing.T) {
	for what, c := range map[string]struct {
		password string
		want     error
	}{
		"nine":             {"correct h", ledger.ErrInvalid},
		"ten":              {"correct ho", nil},
		"nine of two":      {strings.Repeat("é", 9), ledger.ErrInvalid},
		"ten of two":       {strings.Repeat("é", 10), nil},
		"nine of two each": {strings.Repeat("e\u0301", 9), ledger.ErrInvalid},
		"two hundred":      {strings.Repeat("🐎", 200), nil},
		"one more":         {strings.Repeat("x", 201), ledger.ErrInvalid},
		"not text":         {"correct \xff horse", ledger.ErrInvalid},
	} {
		if _, err := access.HashPassword(rand.Reader, c.password); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	hash := testkit.Must(access.HashPassword(rand.Reader, "pässwörter"))(t)
	if err := access.CheckPassword(hash, "pa\u0308sswo\u0308rter"); err != nil {
		t.Errorf("typed on another keyboard: %v", err)
	}
}

// The vectors are those of the reference implementation, github.com/P-H-C/phc-winner-argon2.
func TestHashesOfOthers(t *testing.T) {
	for _, c := range []struct{ hash, password string }{
		{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},
		{"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
		{"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
		{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94", "differentpassword"},
		{"$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw", "password"},
	} {
		if err := access.CheckPassword(c.hash, c.password); err != nil {
			t.Errorf("%s: %v", c.hash, err)
		}
		if err := access.CheckPassword(c.hash, c.password+"x"); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("%s, and another password: %v", c.hash, err)
		}
	}
}

// A damaged hash opens nothing, asks for no memory that is not there, and is not shown.
func TestDamagedHashes(t *testing.T) {
	const salt, sum = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for what, hash := range map[string]string{
		"no hash":            horse,
		"only dollars":       "$$$$$",
		"another algorithm":  "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + sum,
		"an old version":     "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + sum,
		"without a version":  "$argon2id$m=256,t=2,p=1$" + salt + "$" + sum,
		"much memory":        "$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + sum,
		"more than a number": "$argon2id$v=19$m=99999999999,t=2,p=1$" + salt + "$" + sum,
		"no memory":          "$argon2id$v=19$m=7,t=2,p=1$" + salt + "$" + sum,
		"many passes":        "$argon2id$v=19$m=256,t=4000000,p=1$" + salt + "$" + sum,
		"no pass":            "$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + sum,
		"no lane":            "$argon2id$v=19$m=256,t=2,p=0$" + salt + "$" + sum,
		"many lanes":         "$argon2id$v=19$m=65536,t=2,p=255$" + salt + "$" + sum,
		"a number below 0":   "$argon2id$v=19$m=-256,t=2,p=1$" + salt + "$" + sum,
		"a number with 0":    "$argon2id$v=19$m=0256,t=2,p=1$" + salt + "$" + sum,
		"spaces":             "$argon2id$v=19$m=256, t=2,p=1$" + salt + "$" + sum,
		"something behind":   "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + sum + "$",
		"no salt":            "$argon2id$v=19$m=256,t=2,p=1$$" + sum,
		"no sum":             "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$",
		"a short sum":        "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$AAAA",
		"a long sum":         "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("AAAA", 30),
		"no base64":          "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("!", 43),
		"cut":                "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + sum[:41],
	} {
		if access.IsPasswordHash(hash) {
			t.Errorf("%s is a hash", what)
		}
		err := access.CheckPassword(hash, "password")
		if !errors.Is(err, ledger.ErrInvalid) || strings.Contains(err.Error(), sum) ||
			strings.Contains(err.Error(), horse) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if access.IsPasswordHash("") {
		t.Error("nothing is a hash")
	}
}

// Who does not exist is refused with as much work as who does, so that the time
// shows nobody who is known here. Work is measured by memory, which is the same every time.
func TestNobodyTakesAsLong(t *testing.T) {
	hash := testkit.Must(access.HashPassword(rand.Reader, horse))(t)
	known, unknown := memoryOf(t, hash), memoryOf(t, "")
	if known < 19<<20 || unknown*100 < known*99 || unknown*99 > known*100 {
		t.Errorf("a known person takes %d bytes, an unknown %d", known, unknown)
	}
}

func memoryOf(t *testing.T, hash string) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := access.CheckPassword(hash, "a wrong password"); !errors.Is(err, access.ErrUnknown) {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestMadePasswords(t *testing.T) {
	one, other := testkit.Must(access.NewPassword(rand.Reader))(t), testkit.Must(access.NewPassword(rand.Reader))(t)
	if len(one) != 20 || one == other {
		t.Errorf("made are %q and %q", one, other)
	}
	if err := access.CheckPassword(testkit.Must(access.HashPassword(rand.Reader, one))(t), one); err != nil {
		t.Error(err)
	}
}

func FuzzIsPasswordHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$AA$AA")
	f.Fuzz(func(t *testing.T, text string) {
		if access.IsPasswordHash(text) && (len(text) > 250 || strings.ContainsAny(text, " \n\x00")) {
			t.Errorf("%q is a hash", text)
		}
	})
}
