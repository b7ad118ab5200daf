package binance_test

import (
	"bufio"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/testkit"
)

// wire is a server that is sent bytes, as a client's socket sends them.
type wire struct {
	*fixture
	address string
}

func newWire(t *testing.T) *wire {
	f := newFixture(t, "sqlite", unchanged)
	f.deposit("d1", "alice", 3, "BNB")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.handler.ServeHTTP(w, r.WithContext(access.WithCaller(r.Context(), f.caller)))
	}))
	t.Cleanup(server.Close)
	return &wire{f, server.Listener.Addr().String()}
}

// say sends a request to the byte, and returns its answer. Lines end as they are written.
func (w *wire) say(request string) string {
	w.t.Helper()
	conn := testkit.Must(net.Dial("tcp", w.address))(w.t)
	defer func() { ok(w.t, conn.Close()) }()
	ok(w.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	testkit.Must(io.WriteString(conn, request))(w.t)
	in := bufio.NewReader(conn)
	for {
		response := testkit.Must(http.ReadResponse(in, nil))(w.t)
		body := testkit.Must(io.ReadAll(response.Body))(w.t)
		ok(w.t, response.Body.Close())
		if response.StatusCode != http.StatusContinue {
			return fmt.Sprintf("%d %s", response.StatusCode, body)
		}
	}
}

// millis is the timestamp that clients send, in milliseconds.
func (w *wire) millis() string { return fmt.Sprint(w.fixture.now().UnixMilli()) }

// message writes a request: its headers are lines "Name: value".
func message(method, target, body string, headers ...string) string {
	text := method + " " + target + " HTTP/1.1\r\nHost: api.example.com\r\n"
	for _, h := range headers {
		text += h + "\r\n"
	}
	if body != "" || method == http.MethodPost {
		text += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return text + "\r\n" + body
}

const (
	bnbAssets   = `200 [{"asset":"BNB","free":"3","locked":"0","freeze":"0","withdrawing":"0","ipoable":"0","btcValuation":"0"}]`
	formType    = "Content-Type: application/x-www-form-urlencoded"
	jsonType    = "Content-Type: application/json"
	badSigned   = `400 {"code":-1022,"msg":"Signature for this request is not valid."}`
	twiceSent   = `400 {"code":-1101,"msg":"Duplicate values for parameter 'asset' detected."}`
	neededTime  = `400 {"code":-1102,"msg":"Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."}`
	illegalTime = `400 {"code":-1100,"msg":"Illegal characters found in parameter 'timestamp'."}`
)

// TestSpotWirePosts are the ways in which clients send a signed POST.
func TestSpotWirePosts(t *testing.T) {
	w := newWire(t)
	now, key := w.millis(), "X-MBX-APIKEY: "+w.key.Key
	all := "asset=BNB&recvWindow=5000&timestamp=" + now
	signed := all + "&signature=" + w.sign(all)
	half := "asset=BNB&timestamp=" + now + "recvWindow=5000" // the query, then the body, with nothing between
	for who, c := range map[string]struct{ request, want string }{
		"everything in the query, no body": {message("POST", assetsPath+"?"+signed, "", key),
			bnbAssets},
		"and a Content-Type of JSON (connectors)": {message("POST", assetsPath+"?"+signed, "", key,
			jsonType+";charset=utf-8"), bnbAssets},
		"and an empty object of JSON": {message("POST", assetsPath+"?"+signed, "{}", key,
			jsonType), bnbAssets},
		"everything in the body (python, ccxt)": {message("POST", assetsPath, signed, key, formType),
			bnbAssets},
		"with a charset (axios)": {message("POST", assetsPath, signed, key,
			formType+"; charset=UTF-8"), bnbAssets},
		"without a Content-Type (reqwest)": {message("POST", assetsPath, signed, key), bnbAssets},
		"header names in small letters (HTTP/2 libraries)": {message("POST", assetsPath, signed,
			strings.ToLower(key[:12])+key[12:], "content-type: application/x-www-form-urlencoded"), bnbAssets},
		"parameters in the body, signature in the query": {message("POST", assetsPath+"?signature="+w.sign(all), all,
			key, formType), bnbAssets},
		"some here, some there (the exchange's example)": {message("POST", assetsPath+"?asset=BNB&timestamp="+now,
			"recvWindow=5000&signature="+w.sign(half), key, formType), bnbAssets},
		"the same, signature in the query (go)": {message("POST", assetsPath+"?asset=BNB&timestamp="+now+
			"&signature="+w.sign(half), "recvWindow=5000", key, formType), bnbAssets},
		"in parts, of unknown length (okhttp)": {chunked(assetsPath, signed, key, formType), bnbAssets},
		"asking before the body is sent (curl, .NET)": {message("POST", assetsPath, signed, key, formType,
			"Expect: 100-continue"), bnbAssets},
		"over HTTP/1.0": {strings.Replace(message("POST", assetsPath, signed, key, formType), "HTTP/1.1", "HTTP/1.0",
			1), bnbAssets},
		"with the whole URL as its target (proxies)": {message("POST", "http://api.example.com"+assetsPath+"?"+signed,
			"", key), bnbAssets},
		"with a fragment of a query": {message("POST", assetsPath+"?", signed, key, formType), bnbAssets},
		"signed over the body alone": {message("POST", assetsPath+"?asset=BNB",
			"timestamp="+now+"&signature="+w.sign("timestamp="+now), key, formType), badSigned},
		"signed with an & between query and body": {message("POST", assetsPath+"?asset=BNB",
			"timestamp="+now+"&signature="+w.sign("asset=BNB&timestamp="+now), key, formType), badSigned},
		"twice in the body": {message("POST", assetsPath, "asset=SOL&"+signed, key, formType), twiceSent},
		"without a time": {message("POST", assetsPath, "asset=BNB&signature="+w.sign("asset=BNB"), key,
			formType), neededTime},
		"the query's value counts": {message("POST", assetsPath+"?asset=BNB&timestamp="+now,
			"asset=SOL&signature="+w.sign("asset=BNB&timestamp="+now+"asset=SOL"), key, formType), bnbAssets},
		"without a key": {message("POST", assetsPath, signed, formType),
			`401 {"code":-2014,"msg":"API-key format invalid."}`},
	} {
		if got := w.say(c.request); got != c.want {
			t.Errorf("%s: answered\n%s\nand not\n%s", who, got, c.want)
		}
	}
}

// chunked is a POST whose body comes in two parts.
func chunked(target, body string, headers ...string) string {
	half := len(body) / 2
	return "POST " + target + " HTTP/1.1\r\nHost: api.example.com\r\n" +
		"Transfer-Encoding: chunked\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n" +
		fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:])
}

// TestSpotWireQueries are the ways in which clients write a query. What they sign is
// what they write, each in its own way.
func TestSpotWireQueries(t *testing.T) {
	w := newWire(t)
	now := w.millis()
	const account, rows = accountPath, `"balances":[{"asset":"BNB","free":"3","locked":"0"}]`
	for who, c := range map[string]struct{ path, query, want string }{
		"nothing but the time":     {depositedPath, "timestamp=" + now, `"coin":"BNB"`},
		"a leading &":              {depositedPath, "&timestamp=" + now, `"coin":"BNB"`},
		"two & in a row":           {depositedPath, "coin=BNB&&timestamp=" + now, `"coin":"BNB"`},
		"recvWindow with decimals": {depositedPath, "recvWindow=5000.0&timestamp=" + now, `"coin":"BNB"`},
		"recvWindow before an empty value": {depositedPath, "coin=&txId=&recvWindow=60000&timestamp=" + now,
			`"coin":"BNB"`},
		"a name without a value": {depositedPath, "coin&timestamp=" + now, `"coin":"BNB"`},
		"microseconds":           {depositedPath, "timestamp=" + now + "000", `"coin":"BNB"`},
		"a word of python":       {account, "omitZeroBalances=True&timestamp=" + now, rows},
		"a word in capitals":     {account, "omitZeroBalances=TRUE&timestamp=" + now, rows},
		"an unknown parameter":   {account, "omitZeroBalances=true&type=SPOT&_=1&timestamp=" + now, rows},
		"undefined":              {depositedPath, "coin=undefined&timestamp=" + now, `200 []`},
		"null":                   {depositedPath, "coin=null&timestamp=" + now, `200 []`},
		"a comma as it is":       {withdrawnPath, "idList=a,b&timestamp=" + now, `200 []`},
		"an escaped comma":       {withdrawnPath, "idList=a%2Cb&timestamp=" + now, `200 []`},
		"small hex in an escape": {withdrawnPath, "idList=a%2cb&timestamp=" + now, `200 []`},
		"a time with decimals":   {depositedPath, "timestamp=" + now + ".0", illegalTime},
		"a time like 1.7e12":     {depositedPath, "timestamp=1.772452800e%2B12", illegalTime},
		"an empty time":          {depositedPath, "coin=BNB&timestamp=", neededTime},
		"seconds": {depositedPath, "timestamp=" + now[:10],
			`400 {"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`},
		"nanoseconds": {depositedPath, "timestamp=" + now + "000000",
			`400 {"code":-1130,"msg":"Data sent for parameter 'timestamp' is not valid."}`},
		"a broken escape": {depositedPath, "coin=%zz&timestamp=" + now,
			`400 {"code":-1100,"msg":"Illegal characters found in a parameter."}`},
		"no UTF-8": {depositedPath, "coin=%ff&timestamp=" + now,
			`400 {"code":-1100,"msg":"Illegal characters found in a parameter."}`},
	} {
		got := w.say(message("GET", c.path+"?"+c.query+"&signature="+w.sign(c.query), "", "X-MBX-APIKEY: "+w.key.Key))
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: answered %s, without %s", who, got, c.want)
		}
	}
	for who, query := range map[string]string{
		"an array":             "symbols=%5B%22BNBUSDT%22%2C%22ADAUSDT%22%5D",
		"an array as it is":    `symbols=["BNBUSDT","ADAUSDT"]`,
		"an array of python's": "symbols=%5B%22BNBUSDT%22%2C+%22ADAUSDT%22%5D",
	} {
		if got := w.say(message("GET", infoPath+"?"+query, "")); !strings.HasPrefix(got, "200 ") ||
			strings.Count(got, `"symbol":`) != 2 {
			t.Errorf("%s: answered %s", who, got)
		}
	}
}

// TestSpotWireSignatures are the ways in which clients write a signature, and where.
func TestSpotWireSignatures(t *testing.T) {
	w := newWire(t)
	query := "omitZeroBalances=true&timestamp=" + w.millis()
	const found, head = `200 {"makerCommission"`, "GET " + accountPath + "?"
	get := func(key, query string) string {
		t.Helper()
		return w.say(head + query + " HTTP/1.1\r\nHost: api.example.com\r\n" +
			"X-MBX-APIKEY: " + key + "\r\nConnection: close\r\n\r\n")
	}
	hexed := w.sign(query)
	for who, query := range map[string]string{
		"in capitals (.NET, Java)": query + "&signature=" + strings.ToUpper(hexed),
		"first":                    "signature=" + hexed + "&" + query,
		"in the middle":            strings.Replace(query, "&", "&signature="+hexed+"&", 1),
	} {
		if got := get(w.key.Key, query); !strings.HasPrefix(got, found) {
			t.Errorf("a signature %s: %s", who, got)
		}
	}
	for _, wrong := range []string{hexed[:63], hexed + "0", strings.Repeat("0", 64), "x", hexed[:60] + "%00", "%2B"} {
		if got := get(w.key.Key, query+"&signature="+wrong); strings.HasPrefix(got, "200") ||
			!strings.HasPrefix(got, "400 {") {
			t.Errorf("the signature %q: %s", wrong, got)
		}
	}
	for kind, sign := range privateKeys(t, w) {
		key := kind.Key
		for n := range 40 { // until some of them have a "+", a "/" and a "="
			query := fmt.Sprintf("omitZeroBalances=true&recvWindow=%d&timestamp=%s", 5000+n, w.millis())
			signature := sign(query)
			escaped := url.QueryEscape(signature)
			for who, query := range map[string]string{
				"as it is": query + "&signature=" + signature,
				"escaped":  query + "&signature=" + escaped,
				"escaped in small letters": query + "&signature=" + strings.NewReplacer("%2B", "%2b", "%2F", "%2f",
					"%3D", "%3d").Replace(escaped),
				"first, as it is": "signature=" + signature + "&" + query,
			} {
				if got := get(key, query); !strings.HasPrefix(got, found) {
					t.Fatalf("%s, %s: %s", kind.Type, who, got)
				}
			}
			if got := get(key, query+"&signature="+url.QueryEscape(sign(query+"&"))); got != badSigned {
				t.Fatalf("%s over another payload: %s", kind.Type, got)
			}
			if strings.Contains(signature, "+") && strings.Contains(signature, "/") {
				break
			}
		}
	}
}

// privateKeys are an Ed25519 and an RSA key of alice, and how each signs, in base64.
func privateKeys(t *testing.T, w *wire) map[*access.Key]func(string) string {
	t.Helper()
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	rsaPrivate := testkit.Must(rsa.GenerateKey(rand.Reader, 2048))(t)
	add := func(kind access.KeyType, public any) *access.Key {
		name, _, err := access.NewKey(rand.Reader)
		ok(t, err)
		k := access.Key{Key: name, Account: "alice", Type: kind, Permissions: []access.Permission{access.Read}}
		k.Secret = testkit.Must(x509.MarshalPKIXPublicKey(public))(t)
		ok(t, w.db.People().AddKey(t.Context(), k))
		return &k
	}
	return map[*access.Key]func(string) string{
		add(access.Ed25519, edPublic): func(payload string) string {
			return base64.StdEncoding.EncodeToString(ed25519.Sign(edPrivate, []byte(payload)))
		},
		add(access.RSA, &rsaPrivate.PublicKey): func(payload string) string {
			sum := sha256.Sum256([]byte(payload))
			return base64.StdEncoding.EncodeToString(testkit.Must(rsa.SignPKCS1v15(rand.Reader, rsaPrivate,
				crypto.SHA256, sum[:]))(t))
		},
	}
}

// A connection that is kept answers request after request, also after a refusal.
func TestSpotWireKeepsConnections(t *testing.T) {
	w := newWire(t)
	conn := testkit.Must(net.Dial("tcp", w.address))(t)
	defer func() { ok(t, conn.Close()) }()
	ok(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	in := bufio.NewReader(conn)
	for n, c := range []struct{ request, want string }{
		{message("GET", "/api/v3/ping", ""), "200 {}"},
		{message("GET", "/api/v3/pong", ""),
			`404 {"code":-1020,"msg":"This operation is not supported: there is no such path."}`},
		{message("POST", assetsPath, "asset=BNB", formType), `401 {"code":-2014,"msg":"API-key format invalid."}`},
		{message("GET", "/api/v3/ping", ""), "200 {}"},
	} {
		testkit.Must(io.WriteString(conn, c.request))(t)
		response := testkit.Must(http.ReadResponse(in, nil))(t)
		body := testkit.Must(io.ReadAll(response.Body))(t)
		ok(t, response.Body.Close())
		if got := fmt.Sprintf("%d %s", response.StatusCode, body); got != c.want || response.Close {
			t.Errorf("request %d: answered %s (the connection closes: %t), and not %s", n, got, response.Close, c.want)
		}
	}
}
