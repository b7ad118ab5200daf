package browser

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/softstake/softstake/scenario"
)

// TestTheBrowserChecksProofs: a holder's page checks its proofs by itself, beside the Earn page once a day, and the
// file that it offers is what the program verifies. What does not hold, or is not what the page shows, is shown so.
func TestTheBrowserChecksProofs(t *testing.T) {
	honest := town(t)
	target, err := url.Parse(honest.address)
	if err != nil {
		t.Fatal(err)
	}
	var lie func(proofs)
	asked := 0
	proxy := &httputil.ReverseProxy{ErrorLog: log.New(t.Output(), "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = target.Host
		r.Out.Header.Del("Accept-Encoding")
	}, ModifyResponse: func(r *http.Response) error {
		if !strings.HasSuffix(r.Request.URL.Path, "/proofs.json") {
			return nil
		}
		asked++
		if lie == nil {
			return nil
		}
		return change(r, lie)
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close) // after the tab, whose stream stays open
	b := (&site{address: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), password: honest.password}).
		open(t, looks{width: phone})
	b.logIn("bruno@example.com")

	b.visit("/earn")
	b.until("the check", `document.querySelector("#proof").dataset.checked === "good"`)
	b.sees("Checked by your browser")
	b.visit("/earn")
	b.until("what was checked today", `document.querySelector("#proof").dataset.checked === "good"`)
	if asked != 1 {
		t.Errorf("the proofs of one day were read %d times", asked)
	}

	b.visit("/account/proofs")
	b.until("the check", `document.querySelector("[data-proofs]").dataset.checked === "good"`)
	verifies(b)

	for _, c := range lies {
		lie = c.lie
		b.visit("/account/proofs")
		b.until(c.what, `document.querySelector("[data-proofs]").dataset.checked === "`+c.state+`"`)
		b.sees("✗")
		b.seesNot("✓")
	}
}

// proofs are what a page reads of the server.
type proofs []map[string]any

// path is a node of the first proof just below the root, where both sides have something.
func (p proofs) path() map[string]any {
	all := p[0]["path"].([]any)
	return all[len(all)-1].(map[string]any)
}

// replace replaces a text in a field of the first proof.
func (p proofs) replace(field, old, by string) {
	p[0][field] = strings.Replace(p[0][field].(string), old, by, 1)
}

// lies are proofs that do not hold, and where the page says that they do not.
var lies = []struct {
	what, state string
	lie         func(p proofs)
}{
	{"another amount", "record", func(p proofs) { p[0]["amount"] = "1" }},
	{"a sum that is less", "record", func(p proofs) { p.path()["sum"] = "0" }},
	{"a sum that wraps around", "path", func(p proofs) { p.path()["sum"] = "18446744073709551615" }},
	{"a negative sum", "path", func(p proofs) { p.path()["sum"] = "-1" }},
	{"another side", "record", func(p proofs) { p.path()["left"] = !p.path()["left"].(bool) }},
	{"the leaf of another", "path", func(p proofs) { p[0]["account"] = "alice" }},
	{"a record with another total", "record", func(p proofs) {
		p.replace("record", "liabilities "+p[0]["asset"].(string)+" ", "liabilities X ")
	}},
	{"a record of no checkpoint", "checkpoint", func(p proofs) {
		p[0]["record"] = p[0]["record"].(string) + "rows more 1 x\n"
	}},
	{"another number of the record", "record", func(p proofs) { p[0]["index"] = p[0]["size"] }},
	{"a checkpoint that was changed", "checkpoint", func(p proofs) {
		p.replace("checkpoint", "day 2", "day 3")
	}},
	{"a signature of another", "checkpoint", func(p proofs) {
		note, name, _ := strings.Cut(p[0]["checkpoint"].(string), "— ")
		name, _, _ = strings.Cut(name, " ")
		p[0]["checkpoint"] = note + "— " + name + " " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
	}},
	// Each alone holds, and the page shows something else.
	{"the proof of one token twice", "shown", func(p proofs) { p[1] = p[0] }},
	{"the proofs of another day", "path", func(p proofs) { p[0]["day"] = "2020-01-01" }},
}

// change changes the proofs of an answer.
func change(r *http.Response, lie func(proofs)) error {
	var p proofs
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		return err
	}
	if err := r.Body.Close(); err != nil {
		return err
	}
	lie(p)
	text, err := json.Marshal(p)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	return err
}

// verifies checks the file that a page offers with the program, and the key that everybody sees.
func verifies(b *tab) {
	b.t.Helper()
	folder := b.t.TempDir()
	for name, at := range map[string]string{
		"proof.json": `document.querySelector('a[href$="/proof.json"]').href`, "anchor.pub": `"/proofs/anchor.pub"`,
	} {
		text := eval[string](b, `fetch(`+at+`).then((r) => r.text())`)
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	cmd := exec.Command(scenario.Program(b.t), "verify", "proof.json", "--verifier", "anchor.pub")
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "as town.example/softstake has signed") {
		b.t.Errorf("verify: %s, %v", out, err)
	}
}
