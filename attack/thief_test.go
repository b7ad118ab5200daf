package attack

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// kind is how a credential is shown to the server.
type kind int

const (
	bearer       kind = iota // a token, in the header Authorization
	signed                   // an API key, whose requests are signed
	webSession               // a holder's cookie
	staffSession             // a cookie of the console
)

// credential is one that was stolen.
type credential struct {
	name    string // in the table of what it could do
	kind    kind
	text    string
	private ed25519.PrivateKey // of a signed key
	role    access.Role
	own     ledger.Account // of a holder's
	token   access.Token   // of a bearer
	logged  string         // what the books' log calls it
	shown   string         // what the log of requests calls it
}

// outcome is what became of an attempt, a letter of the table.
type outcome byte

const (
	done     outcome = 'A' // accepted: it took effect
	proposed outcome = 'P' // it became a proposal
	ceiling  outcome = 'C' // refused: the ceiling of the day
	denied   outcome = '.' // refused: the credential may not
	refused  outcome = '-' // refused by the rules of the books, whoever asks
	asked    outcome = '?' // a page asks for more: to confirm it, or for a factor
	read     outcome = 'r' // it was read
)

// thief has one stolen credential, and attacks one server with it.
type thief struct {
	*testing.T
	*houses
	credential
	site string
	n    int                // of attempts, which names what they post
	own  string             // of a proposal of its own: "ID DIGEST"
	sent map[string]outcome // by the ID of the request
	rows []made
}

// made is an attempt that was made, with the numbers of its requests.
type made struct {
	what        string
	first, next int
}

// answer is what the server said.
type answer struct {
	status   int
	body     string
	location string
}

// client follows no redirection.
var client = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send makes a request with the credential, under an ID that is found in the logs.
func (x *thief) send(method, path, kind, body string, headers ...string) answer {
	x.Helper()
	ctx, cancel := context.WithCancel(x.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, x.site+path, strings.NewReader(body))
	ok(x.T, err)
	switch x.kind {
	case bearer:
		r.Header.Set("Authorization", "Bearer "+x.text)
	case signed:
		r.Header.Set("X-MBX-APIKEY", x.text)
	case webSession:
		r.AddCookie(&http.Cookie{Name: "session", Value: x.text})
	case staffSession:
		r.AddCookie(&http.Cookie{Name: "staff", Value: x.text})
	}
	r.Header.Set("User-Agent", browser)
	r.Header.Set("X-Client-Platform", "web")
	r.Header.Set("X-Request-Id", x.request())
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply, err := client.Do(r)
	ok(x.T, err)
	a := answer{status: reply.StatusCode, location: reply.Header.Get("Location")}
	if reply.Header.Get("Content-Type") != "text/event-stream" { // which has no end
		text, err := io.ReadAll(reply.Body)
		ok(x.T, err)
		a.body = string(text)
	}
	cancel()
	ok(x.T, reply.Body.Close())
	if a.status >= 500 {
		x.Errorf("%s: %s %s %s: %d %s", x.name, method, path, body, a.status, a.body)
	}
	return a
}

// request is the ID of the attempt's request.
func (x *thief) request() string { return x.requestOf(x.n) }

func (x *thief) requestOf(n int) string { return fmt.Sprintf("%s-%d", x.name, n) }

// keep keeps what became of the attempt, and counts on to the next.
func (x *thief) keep(o outcome) outcome {
	x.sent[x.request()] = o
	x.n++
	return o
}

// fill puts days and names into an attempt's path or body. A holder's IDs begin with its account.
func (x *thief) fill(text string) string {
	id := fmt.Sprintf("x-%d", x.n)
	if x.credential.own != "" {
		id = string(x.credential.own) + "/" + id
	}
	ours, digest, _ := strings.Cut(x.own, " ")
	if x.own == "" {
		ours, digest = "000000000000", strings.Repeat("0", 32)
	}
	return strings.NewReplacer("{today}", x.today.String(), "{tomorrow}", (x.today + 1).String(),
		"{yesterday}", (x.today - 1).String(), "{waiting}", (x.today - 2).String(),
		"{later}", (x.today + 4).String(), "{last}", (x.today + 9).String(),
		"{id}", id, "{n}", fmt.Sprint(x.n), "{own}", ours, "{own digest}", digest,
		"{terms}", x.proposals[0].ID, "{terms digest}", x.proposals[0].EffectDigest(),
		"{rejected}", x.proposals[2].ID, "{saved}", x.saved,
		"{payout}", x.proposals[1].ID, "{payout digest}", x.proposals[1].EffectDigest(),
	).Replace(text)
}

// call makes a request of /v1.
func (x *thief) call(method, path, body string) outcome {
	x.Helper()
	kind := ""
	if body != "" {
		kind = "application/json"
	}
	a := x.send(method, x.fill(path), kind, x.fill(body), "X-Reason", "urgent")
	return x.keep(x.outcomeOf(method, a))
}

// problem finds the type of a problem, and status the result of an entry of a batch.
var (
	problem = regexp.MustCompile(`/v1/docs#([a-z-]+)"`)
	status  = regexp.MustCompile(`"status":"(posted|enrolled|set|recorded)"`)
)

// outcomeOf is what became of a request of /v1.
func (x *thief) outcomeOf(method string, a answer) outcome {
	x.Helper()
	kind := ""
	if m := problem.FindStringSubmatch(a.body); m != nil {
		kind = m[1]
	}
	switch {
	case a.status == http.StatusAccepted:
		var p struct{ ID, EffectDigest string }
		ok(x.T, json.Unmarshal([]byte(a.body), &p))
		x.own = p.ID + " " + p.EffectDigest
		return proposed
	case a.status == http.StatusOK && strings.Contains(a.body, `":[{"index":0,`) && method == http.MethodPost:
		return batchOutcome(a.body)
	case a.status < 300 && method == http.MethodGet:
		return read
	case a.status < 300:
		return done
	case kind == "ceiling":
		return ceiling
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden,
		a.status == http.StatusNotFound && x.credential.own != "":
		return denied
	}
	return refused
}

// batchOutcome is what became of a batch: something was accepted, or why nothing was.
func batchOutcome(body string) outcome {
	switch {
	case status.MatchString(body):
		return done
	case strings.Contains(body, "#ceiling"):
		return ceiling
	case strings.Contains(body, "#forbidden"):
		return denied
	}
	return refused
}

// sign makes a request of the exchange's API, signed with the stolen key.
func (x *thief) sign(method, path string, fields ...string) outcome {
	x.Helper()
	form := url.Values{"timestamp": {fmt.Sprint(time.Now().UnixMilli())}, "recvWindow": {"60000"}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], x.fill(fields[i+1]))
	}
	payload := form.Encode()
	signature, err := x.private.Sign(rand.Reader, []byte(payload), &ed25519.Options{})
	ok(x.T, err)
	payload += "&signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
	a := x.send(method, path+"?"+payload, "", "")
	code := struct{ Code int }{}
	if err := json.Unmarshal([]byte(a.body), &code); err != nil && !bytes.HasPrefix([]byte(a.body), []byte("[")) {
		x.Error(errors.Join(err, errors.New(a.body)))
	}
	switch {
	case a.status < 300 && changes[path]:
		return x.keep(done)
	case a.status < 300:
		return x.keep(read)
	case code.Code == notPermitted || code.Code == notSaved:
		return x.keep(denied)
	}
	return x.keep(refused)
}
