package cli

import (
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

func TestConversionRules(t *testing.T) {
	address := books(t)
	db, err := store.Open(t.Context(), address, store.Options{Clock: func() time.Time { return noon },
		Actor: access.Process("test"), Sealer: sealerOf(address), Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range []struct {
		age, limit, floor string
		spread            int64
		want              *conversion.Rules // nil: wrong usage
	}{
		{"10", "10000", "", 0, &conversion.Rules{PriceMaxAge: 10 * time.Minute, DailyLimit: 10_000_00000000}},
		{"90s", "0.5", "0", 25, &conversion.Rules{PriceMaxAge: 90 * time.Second, DailyLimit: 50000000, Spread: 25,
			Stocked: true}},
		{"2h", "0", "0, BNB=1.5,SOL=-2", 0, &conversion.Rules{PriceMaxAge: 2 * time.Hour, Stocked: true,
			Floors: map[string]ledger.Amount{"BNB": 1_50000000, "SOL": -2_00000000}}},
		{"0", "0", "", 0, nil},
		{"-5", "0", "", 0, nil},
		{"20000", "0", "", 0, nil},
		{"10", "-1", "", 0, nil},
		{"10", "many", "", 0, nil},
		{"10", "0", "", -1, nil},
		{"10", "0", "", 5001, nil},
		{"10", "0", "5", 0, nil},
		{"10", "0", "BNB", 0, nil},
		{"10", "0", "BNB=x", 0, nil},
		{"10", "0", "NONE=1", 0, nil},
	} {
		command := serveCmd{ConvertSpread: c.spread, ConvertLimit: c.limit, ConvertFloor: c.floor}
		if err := command.PriceMaxAge.UnmarshalText([]byte(c.age)); err != nil {
			t.Fatal(err)
		}
		rules, err := command.conversionRules(t.Context(), db, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if c.want == nil {
			if statusOf(err) != 2 {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if err != nil || rules.PriceMaxAge != c.want.PriceMaxAge || rules.DailyLimit != c.want.DailyLimit ||
			rules.Spread != c.want.Spread ||
			rules.Stocked != c.want.Stocked || !maps.Equal(rules.Floors, c.want.Floors) {
			t.Errorf("%+v: %+v, %v", c, rules, err)
		}
	}
	if err := new(minutes).UnmarshalText([]byte("soon")); err == nil {
		t.Error("\"soon\" is read as minutes")
	}
}

// TestServeConverts converts as a browser does: at a price that is new enough, and not at
// one that is not.
func TestServeConverts(t *testing.T) {
	address := books(t)
	must(t, `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}`, "post", "-", "--db", address)
	must(t, "", "price", "set", "BNB", noon.Format(time.DateOnly), "600", "--db", address)
	must(t, "", "price", "set", "SOL", noon.Format(time.DateOnly), "150", "--db", address)
	code := regexp.MustCompile(`ssi_\S+`).FindString(must(t, "", "login", "add", "alice@example.org", "--account", "alice",
		"--db", address))

	s := startServe(t, address, noon, "--convert", "--price-max-age", "5", "--convert-spread", "100",
		"--convert-daily-limit", "900")
	s.waitFor("conversions may overdraw @desk")
	site := "http://" + s.waitFor(`msg=serving address=(\S+)`)[1]
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}
	post := func(path string, want int, says string, pairs ...string) string {
		t.Helper()
		form := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		answer, err := client.PostForm(site+path, form)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != want || !strings.Contains(string(body), says) {
			t.Fatalf("%s: %d is wanted, and %q, not %d %s", path, want, says, answer.StatusCode, body)
		}
		return answer.Header.Get("Location")
	}
	post("/invitation", http.StatusSeeOther, "", "email", "alice@example.org", "code", code,
		"new", "correct horse battery", "again", "correct horse battery")
	post("/login", http.StatusSeeOther, "", "email", "alice@example.org", "password", "correct horse battery")
	at := post("/convert", http.StatusSeeOther, "", "asset", "BNB", "amount", "1", "into", "SOL")
	post(at, http.StatusSeeOther, "")
	if out := must(t, "", "account", "show", "alice", "--db", address); !strings.Contains(out, "3.96") { // 4 SOL less 1 %
		t.Errorf("alice has\n%s", out)
	}
	post("/convert", http.StatusUnprocessableEntity, "You can convert 300 USDT more today.", "asset", "BNB", "amount",
		"0.6", "into", "SOL")
	s.turn(noon.Add(5*time.Minute + time.Second))
	post("/convert", http.StatusUnprocessableEntity, "BNB has no price of the last 5 minutes", "asset", "BNB", "amount",
		"0.1", "into", "SOL")
	s.end()
}
