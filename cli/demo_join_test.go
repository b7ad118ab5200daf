package cli

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/pgserver"
	"github.com/softstake/softstake/scenario"
)

// TestDemoBesideAnExchange: the exchange's changes come in, its holders are paid, it credits each payout once, both
// sides agree, and a posting that is changed by hand is found. Nothing is left behind.
func TestDemoBesideAnExchange(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "softstake-test-*") // within reach of the user that PostgreSQL runs as
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			if err := os.Chmod(dir, 0o711); err != nil {
				t.Fatal(err)
			}
			t.Setenv("TMPDIR", dir)
			var stdout, stderr scenario.Buffer
			env := &Env{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: time.Now, Random: rand.Reader,
				Getenv: func(string) string { return "" }, Context: t.Context()}
			status := run(env, []string{"demo", "--join", "--ledger", kind})
			out, said := stdout.String(), stderr.String()
			if strings.Contains(said, pgserver.ErrMissing.Error()) && os.Getenv("SOFTSTAKE_REQUIRE_POSTGRES") != "1" {
				t.Skip(said)
			}
			if status != 0 {
				t.Fatalf("status %d: %s\n%s", status, said, out)
			}
			want := []string{`(BNB|SOL) +200 +0\.\d+`,
				`The exchange has read 400 payouts`, `(?m)^Every payout is credited\.$`,
				`(?m)^BNB +200 +200 +(\S+) +(\S+) +(\S+) +(\S+) +0$`, `(?m)^BNB +200 .* 1$`,
				`(?m)^u-1001 +\S+ BNB +\S+ BNB +-0\.5 BNB`}
			if kind == "postgres" {
				want = append(want, `(?m)^exchange/softstake +stopped`)
			}
			for _, pattern := range want {
				if !regexp.MustCompile(pattern).MatchString(out) {
					t.Errorf("%s is not in\n%s", pattern, out)
				}
			}
			if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v", errors.Join(err, errors.New(strings.Join(left, " "))))
			}
		})
	}
}
