package ui

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/feature/plural"
)

// sites are the packages with pages, which have texts of their own beside ours.
var sites = []string{"web", "console"}

// localesOf are the languages of a site.
func localesOf(t testing.TB, site string) Locales {
	t.Helper()
	l, err := ReadLocales(os.DirFS("../" + site))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// TestLanguagesSayTheSame: each key is in each language, with the same values put into it.
func TestLanguagesSayTheSame(t *testing.T) {
	for _, site := range sites {
		all := localesOf(t, site).All
		if len(all) < 2 || all[0].Tag != "en" {
			t.Fatalf("the languages are %d, the first %s", len(all), all[0].Tag)
		}
		for _, l := range all[1:] {
			sayTheSame(t, all[0].texts, l)
		}
	}
}

func sayTheSame(t *testing.T, english map[string]string, l *Locale) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(english)) {
		text, there := l.texts[key]
		if !there {
			t.Errorf("%s has no text for %q", l.Tag, key)
			continue
		}
		if text == "" || strings.TrimSpace(text) != text {
			t.Errorf("%s: the text for %q is %q", l.Tag, key, text)
		}
		want, got := placeholder.FindAllString(english[key], -1), placeholder.FindAllString(text, -1)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(slices.Compact(want), slices.Compact(got)) {
			t.Errorf("%s: %q has %v, and in English %v", l.Tag, key, got, want)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.texts)) {
		if _, there := english[key]; !there {
			t.Errorf("%s has a text for %q, which is not there in English", l.Tag, key)
		}
	}
}

// written is all that is written in Go and in templates here and in a site, by file, and where the
// demo names the texts of its visitors.
func written(t *testing.T, site string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, folder := range []string{".", "../" + site, "../cli/demo_serve.go"} {
		readWritten(t, folder, texts)
	}
	return texts
}

func readWritten(t *testing.T, folder string, texts map[string]string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		isCode := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") ||
			strings.HasSuffix(name, ".html")
		if err != nil || entry.IsDir() || !isCode {
			return err
		}
		content, err := os.ReadFile(name)
		texts[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var (
	// asked is a text that is asked for by its whole key, or by the beginning of one.
	asked = regexp.MustCompile(`\.(T|H|N|view)[ (]\(?(printf )?"([^"]+)"( ?\+)?`)
	// quoted is any text in quotes that could be a key, or a part of one.
	quoted = regexp.MustCompile(`"([a-z0-9.%-]+)"`)
)

// TestTextsAreThere: each key that is asked for is in the catalogue of its site, and each that
// is there is asked for, those of ours by one site at least.
func TestTextsAreThere(t *testing.T) {
	unasked := map[string]int{}
	for _, site := range sites {
		l := localesOf(t, site).All[0]
		whole, patterns := map[string]bool{}, map[string]*regexp.Regexp{}
		for name, text := range written(t, site) {
			for _, m := range asked.FindAllStringSubmatch(text, -1) {
				key, part := m[3], m[2] != "" || m[4] != ""
				for _, form := range formsOf(l, m[1]) {
					if !known(l, key, form, part) {
						t.Errorf("%s asks for %q, which the catalogue of %s does not have", name, key+form, site)
					}
				}
			}
			for _, m := range quoted.FindAllStringSubmatch(text, -1) {
				whole[m[1]] = true
				if letters := strings.ReplaceAll(m[1], "%s", ""); strings.Trim(letters, ".") != "" &&
					strings.Contains(letters, ".") {
					patterns[m[1]] = pattern(m[1])
				}
			}
		}
		for key := range l.texts {
			bare := key
			for _, form := range forms {
				bare = strings.TrimSuffix(bare, form)
			}
			byPattern := func(p *regexp.Regexp) bool { return p.MatchString(key) || p.MatchString(bare) }
			if !whole[key] && !whole[bare] && !slices.ContainsFunc(slices.Collect(maps.Values(patterns)), byPattern) {
				unasked[key]++
			}
		}
	}
	own, err := ReadLocales(embed.FS{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(unasked)) {
		if !own.All[0].Has(key) || unasked[key] == len(sites) {
			t.Errorf("nobody asks for %q", key)
		}
	}
}

// formsOf are the endings that a key has in a language: of N, one for each form.
func formsOf(l *Locale, method string) []string {
	if method != "N" {
		return []string{""}
	}
	endings := map[string]bool{}
	for n := range 201 {
		endings[forms[plural.Cardinal.MatchPlural(l.language, n, 0, 0, 0, 0)]] = true
	}
	return slices.Collect(maps.Keys(endings))
}

// known reports whether there is a text for a key or, where it is a part of one, for some key that it makes.
func known(l *Locale, key, form string, part bool) bool {
	if !part {
		return l.texts[key+form] != ""
	}
	p := pattern(key)
	for there := range l.texts {
		if strings.HasSuffix(there, form) && p.MatchString(strings.TrimSuffix(there, form)) {
			return true
		}
	}
	return false
}

// pattern matches the keys that a format makes, or a beginning, a middle or an end: "%s.title", "refused.", ".form.",
// ".title".
func pattern(part string) *regexp.Regexp {
	p := strings.ReplaceAll(regexp.QuoteMeta(part), "%s", "[a-z0-9.-]+")
	if strings.HasSuffix(part, ".") {
		p += "[a-z0-9.-]+"
	}
	if strings.HasPrefix(part, ".") {
		p = "[a-z0-9.-]+" + p
	}
	return regexp.MustCompile("^" + p + "$")
}

// sameEverywhere are words that are written in templates, since they are the same in each language.
var sameEverywhere = regexp.MustCompile(`\b(UTC|USDT|s)\b`)

// TestTemplatesHaveNoWords: what a person reads, or is read to, comes from the catalogue.
func TestTemplatesHaveNoWords(t *testing.T) {
	for _, site := range sites {
		for name, text := range written(t, site) {
			if !strings.HasSuffix(name, ".html") {
				continue
			}
			for _, said := range saidIn(text) {
				if strings.ContainsFunc(sameEverywhere.ReplaceAllString(said, ""), unicode.IsLetter) {
					t.Errorf("%s says %q by itself", name, strings.TrimSpace(said))
				}
			}
		}
	}
}

var (
	action = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	tag    = regexp.MustCompile(`(?s)<[a-zA-Z/!]("[^"]*"|'[^']*'|[^>"'])*>`)
	// What is typed at a command line is the same in each language, and what a script reads is not shown.
	unsaid = regexp.MustCompile(`<code>[^<]*</code>|\bdata-[a-z-]+="[^"]*"`)
	spoken = regexp.MustCompile(`(?s)\s(?:title|placeholder|aria-label|aria-description|alt)="([^"]*)"`)
)

// saidIn are the texts of a template outside of its actions: between the tags, and in
// the attributes that are read to people.
func saidIn(text string) (said []string) {
	text = unsaid.ReplaceAllString(action.ReplaceAllString(text, "\x00"), "")
	for _, t := range tag.FindAllString(text, -1) {
		for _, m := range spoken.FindAllStringSubmatch(t, -1) {
			said = append(said, m[1])
		}
	}
	return append(said, tag.Split(text, -1)...)
}

func TestWordsInATemplateAreFound(t *testing.T) {
	for text, want := range map[string]int{
		`<p>{{$.T "a"}} · <b title="{{.X}}">{{.Y}}</b></p>`: 0,
		`<p>Hello</p>`: 1,
		`<input placeholder="your name" value="{{if .A}}x{{end}}">`:        1,
		`<a {{if .On}}aria-current="page"{{end}} href="/x">{{.T "a"}}</a>`: 0,
		"{{/* a comment\nof two lines */}}<!doctype html>":                 0,
	} {
		n := 0
		for _, said := range saidIn(text) {
			if strings.ContainsFunc(said, unicode.IsLetter) {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d and not %d texts", text, n, want)
		}
	}
}

func TestNumbersAndDates(t *testing.T) {
	at := time.Date(2026, 3, 2, 23, 5, 0, 0, time.UTC)
	want := map[string][]string{
		"en": {"0", "−1,234,567.5", "10,000,000.12345678", "0.00000001", "999", "1,000", "2 Mar 2026",
			"2 Mar 2026, 23:05", "in 3 h 12 min", "in 1 min", "due now"},
		"de": {"0", "−1.234.567,5", "10.000.000,12345678", "0,00000001", "999", "1.000", "2. März 2026",
			"2. März 2026, 23:05", "in 3 Std. 12 Min.", "in 1 Min.", "jetzt fällig"},
	}
	for _, l := range localesOf(t, "web").All {
		var got []string
		for _, decimal := range []string{"0", "-1234567.5", "10000000.12345678", "0.00000001", "999", "1000"} {
			got = append(got, l.Number(decimal))
		}
		got = append(got, l.Date(at), l.Time(at), l.Until(3*time.Hour+11*time.Minute+time.Second),
			l.Until(time.Millisecond), l.Until(-time.Hour))
		if !slices.Equal(got, want[l.Tag]) {
			t.Errorf("%s: %q is wanted, and not %q", l.Tag, want[l.Tag], got)
		}
	}
}

func TestTexts(t *testing.T) {
	l := localesOf(t, "web").All[0]
	l.texts["test"], l.texts["test.one"], l.texts["test.other"] = "{a} < {b}", "{n} day", "{n} days"
	for got, want := range map[string]string{
		l.T("test", "a", "{b}", "b", 2): "{b} < 2",
		l.T("none"):                     "none",
		l.N("test", 1):                  "1 day",
		l.N("test", 1000):               "1,000 days",
	} {
		if got != want {
			t.Errorf("%q is wanted, and not %q", want, got)
		}
	}
}

func TestTheVisitorsLanguage(t *testing.T) {
	l := localesOf(t, "web")
	for _, c := range []struct{ accept, cookie, want string }{
		{"", "", "en"}, {"de-AT,de;q=0.9,en;q=0.5", "", "de"}, {"fr", "", "en"}, {"en;q=0.1,de;q=0.2", "", "de"},
		{"de", "en", "en"}, {"en", "de", "de"}, {"de", "\x00nonsense;;", "de"}, {strings.Repeat("x-", 2000), "", "en"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.Header.Set("Cookie", "lang="+c.cookie)
		}
		if got := l.Of(r).Tag; got != c.want {
			t.Errorf("%q %q: %s is wanted, and not %s", c.accept, c.cookie, c.want, got)
		}
	}
}

// FuzzNumber: a number that is written can be read back, and nothing else is in it.
func FuzzNumber(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 999, 1000, -1234567, 1 << 62} {
		f.Add(n, uint8(3))
	}
	all := localesOf(f, "web")
	f.Fuzz(func(t *testing.T, n int64, digits uint8) {
		decimal := fmt.Sprint(n)
		if digits%9 > 0 {
			decimal += fmt.Sprintf(".%0*d", digits%9, 1)
		}
		for _, l := range all.All {
			text := l.Number(decimal)
			back := strings.NewReplacer(l.Group, "", l.Decimal, ".", "−", "-").Replace(text)
			if back != decimal {
				t.Errorf("%s: %s is written %s", l.Tag, decimal, text)
			}
		}
	})
}
