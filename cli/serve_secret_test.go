package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/softstake/softstake/scenario"
)

// ask makes a request, and returns its status and body.
func ask(t *testing.T, q scenario.Request) (int, string) {
	t.Helper()
	response, body := q.Do(t)
	return response.StatusCode, body
}

// made is what a command printed as JSON.
func made(t *testing.T, args ...string) map[string]string {
	t.Helper()
	var v map[string]string
	if out := must(t, "", args...); json.Unmarshal([]byte(out), &v) != nil {
		t.Fatalf("%q printed %s", args, out)
	}
	return v
}

// TestATokenIsRevokedEverywhereAtOnce: two servers of one database, and a third process that revokes.
func TestATokenIsRevokedEverywhereAtOnce(t *testing.T) {
	db := []string{"--db", scenario.Migrated(t), "--key-file", filepath.Join(t.TempDir(), "seal.key")}
	must(t, "", append([]string{"init", "--four-eyes", "off"}, db...)...)
	token := made(t, append([]string{"token", "create", "--role", "auditor", "--json"}, db...)...)["token"]
	servers := []*server{startServe(t, db[1], noon, db[2:]...), startServe(t, db[1], noon, db[2:]...)}
	expect := func(want int) {
		t.Helper()
		for _, s := range servers {
			if status, body := ask(t, scenario.Request{Method: "GET", URL: s.at("/v1/tokens"),
				Headers: map[string]string{"Authorization": "Bearer " + token}}); status != want {
				t.Errorf("status %d, want %d: %s", status, want, body)
			}
		}
	}
	expect(200)
	must(t, "", append([]string{"token", "revoke", token[4:16]}, db...)...)
	expect(401)
	for _, s := range servers {
		s.end()
	}
}

// TestTheLogHasNoSecret makes requests of every kind, good and bad, and looks
// for what was secret in them, and in how the server was started.
func TestTheLogHasNoSecret(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		keyFile, books := filepath.Join(t.TempDir(), "seal.key"), scenario.Migrated(t)
		db := []string{"--db", books, "--key-file", keyFile}
		must(t, "", append([]string{"init", "--four-eyes", "off"}, db...)...)
		must(t, "", append([]string{"account", "open", "alice", "--region", "DE"}, db...)...)
		key := made(t, append([]string{"key", "create", "--account", "alice", "--type", "hmac", "--permissions", "read,trade",
			"--json"}, db...)...)
		token := made(t, append([]string{"token", "create", "--role", "exchange", "--json"}, db...)...)["token"]
		seal, err := os.ReadFile(keyFile)
		if err != nil {
			t.Fatal(err)
		}
		address, err := url.Parse(books)
		if err != nil {
			t.Fatal(err)
		}
		password, has := address.User.Password()
		if !has {
			t.Fatal("the database has no password")
		}
		s := startServe(t, books, noon, "--key-file", keyFile, "--log", format)
		base := "http://" + s.waitFor(`serving"?,?.*address"?[=:]"?([0-9.:]+)`)[1]
		secrets := map[string]string{"the API key": key["apiKey"], "its secret": key["secretKey"], "the token": token,
			"the sealing key": strings.TrimSpace(string(seal)), "the password": password}
		for i, c := range requests(base, key["apiKey"], key["secretKey"], token) {
			status, body := ask(t, c.Request)
			if status != c.status {
				t.Errorf("request %d, %s: status %d, want %d: %s", i, c.URL, status, c.status, body)
			}
			if c.signature != "" {
				secrets["the signature of "+strconv.Itoa(i)] = c.signature
			}
		}
		s.end()
		log := s.log.String()
		for what, secret := range secrets {
			if strings.Contains(log, secret) || strings.Contains(log, url.QueryEscape(secret)) {
				t.Errorf("%s: %s is in the log", format, what)
			}
		}
		for _, want := range []string{"token " + token[4:16], "key " + key["apiKey"][:8], "/sapi/v1/soft-staking/set",
			"/v1/entries"} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q is not in the log:\n%s", format, want, log)
			}
		}
	}
}

// roundTrip is a request, what comes of it, and its signature where it has one.
type roundTrip struct {
	scenario.Request
	status    int
	signature string
}

// TestTheLogHasNoPassword: an error is logged without the password that its text has.
func TestTheLogHasNoPassword(t *testing.T) {
	var stderr scenario.Buffer
	for _, format := range []string{"text", "json"} {
		log := (&serveCmd{Log: format}).logger(&Env{Stderr: &stderr})
		log.Error("it failed", "error", errors.New("connect to postgres://u:s3cr3t@host/b: refused"))
	}
	if text := stderr.String(); strings.Contains(text, "s3cr3t") ||
		strings.Count(text, "postgres://u:xxxxx@host/b: refused") != 2 {
		t.Errorf("the log says %s", text)
	}
}

// requests are some of every sort.
func requests(base, key, secret, token string) []roundTrip {
	signed := func(method, path, parameters, secret string, status int) roundTrip {
		payload := parameters + "&timestamp=" + strconv.FormatInt(noon.UnixMilli(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(payload))
		signature := hex.EncodeToString(mac.Sum(nil))
		payload += "&signature=" + signature
		a := scenario.Request{Method: method, URL: base + path,
			Headers: map[string]string{"X-MBX-APIKEY": key, "X-Request-ID": "x"}}
		if method == http.MethodPost {
			a.Body, a.Headers["Content-Type"] = payload, "application/x-www-form-urlencoded"
		} else {
			a.URL += "?" + payload
		}
		return roundTrip{a, status, signature}
	}
	bearer := func(method, path, body, token string, status int) roundTrip {
		return roundTrip{scenario.Request{Method: method, URL: base + path, Body: body,
			Headers: map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json",
				"Idempotency-Key": "once-" + strconv.Itoa(status)}}, status, ""}
	}
	deposit := `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}`
	return []roundTrip{
		signed("GET", "/sapi/v1/soft-staking/list", "size=1", secret, 200),
		signed("GET", "/sapi/v1/soft-staking/list", "size=1", "wrong", 400),
		signed("GET", "/sapi/v1/soft-staking/set", "softStaking=true", secret, 400), // the documents are not accepted
		signed("GET", "/sapi/v1/soft-staking/nowhere", "x=1", secret, 404),
		signed("POST", "/sapi/v3/asset/getUserAsset", "asset=BNB", secret, 200),
		signed("POST", "/sapi/v3/asset/getUserAsset", "asset=BNB", "wrong", 400),
		bearer("POST", "/v1/entries", deposit, token, 201),
		bearer("POST", "/v1/entries", `{"id":"`+token+`"}`, token, 400),
		bearer("GET", "/v1/nowhere/"+token, "", token, 404),
		bearer("POST", "/v1/entries", deposit, token[:len(token)-1]+"_", 401),
		bearer("POST", "/v1/entries", deposit, "nonsense "+secret, 401),
		{scenario.Request{Method: "GET", URL: base + "/v1/tokens?token=" + token}, 401, ""},
	}
}
