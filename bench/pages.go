package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	random "math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Handle makes what answers for books, as they are served, without a socket.
type Handle func(books *store.DB, now func() time.Time) (http.Handler, error)

// PagesOptions are how many pages to ask for, of what.
type PagesOptions struct {
	Positions int // of holders with two tokens each
	Days      int // of rewards
	Changes   int // of each position, on the last of the days
	Visitors  int // holders who have logged in
	Reads     int // of each page, each time another visitor's
}

// Page is what was measured of one page.
type Page struct {
	Path     string // of the one that was asked for last
	P50, P99 time.Duration
	// Within which the processors made half of them, and 99 of 100: without what they waited for a processor. The whole
	// process counts, with what it does beside the page; 0 where the system does not say it.
	Processor50, Processor99 time.Duration
	Page                     int // bytes of the page itself, compressed
	Load                     int // bytes of all that a first visit loads, compressed
}

// Looked is what was measured of the pages.
type Looked struct {
	PagesOptions
	Engine  string
	Pages   []Page
	PeakRSS int64 // of this process, bytes
}

// Pages fills books with holders, some days of rewards and a day of changes, logs
// some of them in, and measures how long the server takes to make each page.
func Pages(ctx context.Context, o Options, p PagesOptions, handle Handle) (r Looked, err error) {
	first := o.Day - staking.Day(p.Days)
	err = on(ctx, o, p.Positions/len(tokens), first, func(b *books) error {
		if err := b.live(ctx, first, p); err != nil {
			return err
		}
		if err := b.sign(ctx); err != nil {
			return err
		}
		about, err := b.Engine().Compact(ctx)
		if err != nil {
			return err
		}
		r = Looked{PagesOptions: p, Engine: about.Engine}
		handler, err := handle(b.DB, b.now)
		if err != nil {
			return err
		}
		l := &looking{books: b, handler: handler}
		if err := l.logIn(ctx, p.Visitors); err != nil {
			return fmt.Errorf("log in: %w", err)
		}
		work, err := b.work(ctx)
		if err != nil {
			return fmt.Errorf("make work for the office: %w", err)
		}
		if err := l.logInStaff(ctx); err != nil {
			return fmt.Errorf("log in to the console: %w", err)
		}
		for _, path := range work.paths(o.Day-1, l.first) {
			page, err := l.measure(ctx, path, p.Reads)
			if err != nil {
				return err
			}
			r.Pages = append(r.Pages, page)
		}
		r.PeakRSS, err = peakRSS()
		return err
	})
	return r, err
}

// live settles the days of the books. At noon of the day after them there are prices.
func (b *books) live(ctx context.Context, first staking.Day, p PagesOptions) error {
	for d := first; d < b.Day; d++ {
		if d == b.Day-1 {
			if err := b.change(ctx, d, p.Changes); err != nil {
				return fmt.Errorf("change the balances: %w", err)
			}
		}
		prices := make([]pricing.Price, len(tokens))
		for i, token := range tokens {
			prices[i] = pricing.Price{Asset: token, Day: d, Price: 100_00000000}
		}
		b.set((d + 1).Start())
		if _, err := b.Prices().Set(ctx, prices); err != nil {
			return err
		}
		if err := b.settleDay(ctx, d); err != nil {
			return err
		}
		b.progress("history", int(d-first)+1, p.Days)
	}
	b.set(b.Day.Start().Add(12 * time.Hour))
	return nil
}

// looking is some holders who have logged in.
type looking struct {
	*books
	handler http.Handler
	cookies [][]*http.Cookie // of each holder, as an operator of the console too
	access  []*http.Cookie   // of the admin of the console
	first   ledger.Account   // the first holder's
}

// logIn lets some holders log in, each from an address of its own.
func (l *looking) logIn(ctx context.Context, visitors int) error {
	const password = "bench bench"
	hash, err := access.HashPassword(rand.Reader, password)
	if err != nil {
		return err
	}
	visitors = min(visitors, l.holders)
	for i, holder := range random.New(random.NewPCG(l.Seed, 0)).Perm(l.holders)[:visitors] {
		email := emailOf(id(holder))
		if i == 0 {
			l.first = id(holder)
		}
		if err := l.People().AddLogin(ctx, people.Login{Email: email, Account: id(holder), Password: hash}); err != nil {
			return err
		}
		form := url.Values{"email": {email}, "password": {password}}
		w, err := l.ask(ctx, http.MethodPost, "/login", form.Encode(), i)
		if err == nil && w.status != http.StatusSeeOther {
			err = fmt.Errorf("%s was answered %d", email, w.status)
		}
		if err != nil {
			return err
		}
		l.cookies = append(l.cookies, (&http.Response{Header: w.header}).Cookies())
		l.progress("log in", i+1, visitors)
	}
	return nil
}

// emailOf is the address that a holder logs in with.
func emailOf(holder ledger.Account) string { return string(holder) + "@example.com" }

// answer is what was answered.
type answer struct {
	header http.Header
	status int // 0: not begun
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// ask asks for something, from an address of the visitor's own.
func (l *looking) ask(ctx context.Context, method, path, form string, visitor int) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(visitor >> 8), byte(visitor)}), 1).String()
	r.Header.Set("Accept-Encoding", "gzip")
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if path != "/login" { // those who have logged in are sent on
		cookies := l.cookies[visitor]
		if ofAdmin(path) {
			cookies = l.access
		}
		for _, c := range cookies {
			r.AddCookie(c)
		}
	}
	w := &answer{header: http.Header{}}
	l.handler.ServeHTTP(w, r)
	return w, nil
}

// get asks for a page, which there is. A search is sent on to what it has found.
func (l *looking) get(ctx context.Context, path string, visitor int) (*answer, error) {
	w, err := l.ask(ctx, http.MethodGet, path, "", visitor%len(l.cookies))
	if err == nil && w.status != http.StatusOK && !(w.status == http.StatusSeeOther && isSearch(path)) {
		err = fmt.Errorf("%s of visitor %d was answered %d", path, visitor, w.status)
	}
	return w, err
}

// measure asks for a page again and again, one after another.
func (l *looking) measure(ctx context.Context, path string, reads int) (Page, error) {
	for i := range l.cookies {
		if _, err := l.get(ctx, path, i); err != nil {
			return Page{}, err
		}
	}
	used := make([]time.Duration, 0, reads)
	d, err := l.drive(ctx, 1, reads, 1, path, func(ctx context.Context, i, _ int) error {
		before := processorTime()
		_, err := l.get(ctx, path, i)
		used = append(used, processorTime()-before)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	p := Page{Path: path, P50: d.p50, P99: d.p99}
	p.Processor50, p.Processor99 = percentiles(used)
	p.Page, p.Load, err = l.weigh(ctx, path)
	return p, err
}

// linked are the files that a page loads from where it comes from.
var linked = regexp.MustCompile(`(?:src|href)="(/(?:static/[^"#]+|manifest\.webmanifest))"`)

// weigh counts the bytes of a page, and of it with all that it loads at a first visit.
func (l *looking) weigh(ctx context.Context, path string) (page, load int, err error) {
	w, err := l.get(ctx, path, 0)
	if err != nil {
		return 0, 0, err
	}
	page = w.body.Len()
	text, err := plain(w)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", path, err)
	}
	load = page
	seen := map[string]bool{}
	for _, link := range linked.FindAllSubmatch(text, -1) {
		file := string(bytes.ReplaceAll(link[1], []byte("&amp;"), []byte("&")))
		if seen[file] {
			continue
		}
		seen[file] = true
		w, err := l.get(ctx, file, 0)
		if err != nil {
			return 0, 0, err
		}
		load += w.body.Len()
	}
	return page, load, nil
}

// plain is what a page says, also where it came compressed.
func plain(w *answer) ([]byte, error) {
	if w.header.Get("Content-Encoding") != "gzip" {
		return w.body.Bytes(), nil
	}
	z, err := gzip.NewReader(&w.body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
