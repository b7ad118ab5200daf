package reconcile_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/reconcile"
)

// TestFiguresOfAnEndpoint: it is asked for a day with the token, and its answer is whole or refused.
func TestFiguresOfAnEndpoint(t *testing.T) {
	const good = "account,asset,balance,payout\nbob,BNB,1.5,\nalice,BNB,3,0.1\n"
	asked := ""
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.RawQuery + " " + r.Header.Get("Authorization")
		_, _ = w.Write([]byte(good))
	})
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/good", http.StatusFound)
	})
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/round", http.StatusFound)
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://localhost.example.com/good", http.StatusFound)
	})
	mux.HandleFunc("/failed", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, good, http.StatusInternalServerError)
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(good)+1))
		_, _ = w.Write([]byte(good))
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		c, out, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = out.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + good)
			_, _ = out.Flush(), c.Close()
		}
	})
	mux.HandleFunc("/html", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for path, want := range map[string]string{
		"/good?kind=all": "", "/here": "", "/away": "another host", "/round": "too often", "/failed": "500",
		"/broken": "unexpected EOF", "/endless": "where it ends", "/html": "no column", "/missing": "404",
	} {
		e, err := reconcile.ParseEndpoint(server.URL+path, "secret", false)
		if err != nil {
			t.Fatal(err)
		}
		f, err := e.Read(t.Context(), time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), known)
		switch {
		case want == "" && (err != nil || !slices.Equal(f.Balances, []reconcile.Balance{{"alice", "BNB", 3_00000000},
			{"bob", "BNB", 1_50000000}}) || !slices.Equal(f.Payouts, []reconcile.Balance{{"alice", "BNB", 10000000}})):
			t.Errorf("%s: %+v, %v", path, f, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")):
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if path == "/good?kind=all" {
			want := "before=2026-11-22T00%3A00%3A00Z&day=2026-11-21&kind=all&payouts=2026-11-20 Bearer secret"
			if asked != want {
				t.Errorf("it was asked %s, not %s", asked, want)
			}
		}
	}
}

func TestEndpointsThatAreRefused(t *testing.T) {
	for address, want := range map[string]string{
		"ledger.example.com":                "it is not like",
		"ftp://ledger.example.com":          "it is not like",
		"https:///balances":                 "it is not like",
		"http://ledger.example.com":         "use https://",
		"https://bob:pw@ledger.example.com": "bearer token",
	} {
		if _, err := reconcile.ParseEndpoint(address, "", false); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	for _, address := range []string{"http://127.0.0.1:8081/x", "http://[::1]/x", "http://localhost/x"} {
		if _, err := reconcile.ParseEndpoint(address, "", false); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := reconcile.ParseEndpoint("http://ledger.example.com", "", true); err != nil {
		t.Error(err)
	}
}
