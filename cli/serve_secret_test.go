package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/softstake/softstake/pgtest"
)

// asked is a request that a test makes.
type asked struct {
	method, url, body string
	headers           map[string]string
}

// ask makes a request, and returns its status and body.
func ask(t *testing.T, a asked) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), a.method, a.url, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range a.headers {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err == nil {
		err = response.Body.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
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
	db := []string{"--db", pgtest.Database(t), "--key-file", filepath.Join(t.TempDir(), "seal.key")}
	must(t, "", append([]string{"init"}, db...)...)
	token := made(t, append([]string{"token", "create", "--role", "auditor", "--json"}, db...)...)["token"]
	servers := []*server{serve(t, db[1], noon, db[2:]...), serve(t, db[1], noon, db[2:]...)}
	expect := func(want int) {
		t.Helper()
		for _, s := range servers {
			if status, body := ask(t, asked{"GET", s.at("/v1/tokens"), "", map[string]string{"Authorization": "Bearer " + token}}); status != want {
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

// TestTheLogTellsNoSecret makes requests of every sort, good and bad, and looks
// for what was secret in them, and in how the server was started.
func TestTheLogTellsNoSecret(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		keyFile, books := filepath.Join(t.TempDir(), "seal.key"), pgtest.Database(t)
		db := []string{"--db", books, "--key-file", keyFile}
		must(t, "", append([]string{"init"}, db...)...)
		must(t, "", append([]string{"account", "open", "alice", "--region", "DE"}, db...)...)
		key := made(t, append([]string{"key", "create", "--account", "alice", "--type", "hmac", "--permissions", "read,trade", "--json"}, db...)...)
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
		s := serve(t, books, noon, "--key-file", keyFile, "--log", format)
		base := "http://" + s.waitFor(`serving"?,?.*address"?[=:]"?([0-9.:]+)`)[1]
		secrets := map[string]string{"the API key": key["apiKey"], "its secret": key["secretKey"], "the token": token, "the sealing key": strings.TrimSpace(string(seal)), "the password": password}
		for i, c := range requests(base, key["apiKey"], key["secretKey"], token) {
			status, body := ask(t, c.asked)
			if status != c.status {
				t.Errorf("request %d, %s: status %d, want %d: %s", i, c.url, status, c.status, body)
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
		for _, want := range []string{"token " + token[4:16], "key " + key["apiKey"][:credentialShown], "/sapi/v1/soft-staking/set", "/v1/entries"} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q is not in the log:\n%s", format, want, log)
			}
		}
	}
}

// told is a request, what comes of it, and its signature where it has one.
type told struct {
	asked
	status    int
	signature string
}

// requests are some of every sort.
func requests(base, key, secret, token string) []told {
	signed := func(method, path, parameters, secret string, status int) told {
		payload := parameters + "&timestamp=" + strconv.FormatInt(noon.UnixMilli(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(payload))
		signature := hex.EncodeToString(mac.Sum(nil))
		payload += "&signature=" + signature
		a := asked{method, base + path, "", map[string]string{"X-MBX-APIKEY": key, "X-Request-ID": "x"}}
		if method == http.MethodPost {
			a.body, a.headers["Content-Type"] = payload, "application/x-www-form-urlencoded"
		} else {
			a.url += "?" + payload
		}
		return told{a, status, signature}
	}
	bearer := func(method, path, body, token string, status int) told {
		return told{asked{method, base + path, body, map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json", "Idempotency-Key": "once-" + strconv.Itoa(status)}}, status, ""}
	}
	deposit := `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}`
	return []told{
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
		{asked{"GET", base + "/v1/tokens?token=" + token, "", nil}, 401, ""},
	}
}
