package binance_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

const (
	badFormat = `401 {"code":-2014,"msg":"API-key format invalid."}`
	badKey    = `401 {"code":-2015,"msg":"Invalid API-key, IP, or permissions for action, request ip: 192.0.2.7"}`
	// from where is not known
	badKeyNoIP   = `401 {"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}`
	badSignature = `400 {"code":-1022,"msg":"Signature for this request is not valid."}`
	tooLate      = `400 {"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`
	tooEarly     = `400 {"code":-1021,"msg":"Timestamp for this request was 1000ms ahead of the server's time."}`
	longWindow   = `400 {"code":-1131,"msg":"recvWindow must be less than 60000."}`
	illegal      = `400 {"code":-1100,"msg":"Illegal characters found in a parameter."}`
	listed       = `200 {"status":false,"totalRewardsUsdt":"0","rows":[],"total":0}` // of an asset that nobody knows
)

// badKeyFrom is the refusal of a key that came from another address than home.
func badKeyFrom(address string) string { return strings.Replace(badKey, "192.0.2.7", address, 1) }

func twice(name string) string {
	return fmt.Sprintf(`400 {"code":-1101,"msg":"Duplicate values for parameter '%s' detected."}`, name)
}

// Every refusal that is not an endpoint's own, and the order in which they come.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		now := f.now().UnixMilli()
		stranger := strings.Repeat("A", 64)
		for what, c := range map[string]struct {
			query string // signed as it is, with alice's secret
			key   string // "": alice's
			sign  string // "": as it should be; "-": not at all
			want  string
		}{
			"as it should be": {fmt.Sprintf("asset=undefined&timestamp=%d", now), "", "", listed},
			"without a key":   {fmt.Sprintf("timestamp=%d", now), "-", "", badFormat},
			"a short key":     {fmt.Sprintf("timestamp=%d", now), "short", "", badFormat},
			"a key of other signs": {fmt.Sprintf("timestamp=%d", now), strings.Repeat("-", 64),
				"", badFormat},
			"a bad key before the time": {"", "short", "", badFormat},
			"the time before the key":   {"asset=BNB", stranger, "", missing("timestamp")},
			"the key before the window": {"timestamp=1", stranger, "", badKey},
			"an unknown key":            {fmt.Sprintf("timestamp=%d", now), stranger, "", badKey},
			"without a time":            {"asset=BNB", "", "", missing("timestamp")},
			"with an empty time":        {"asset=BNB&timestamp=", "", "", missing("timestamp")},
			"a time that is none":       {"timestamp=yesterday", "", "", illegalIn("timestamp")},
			"a time below zero":         {"timestamp=-1", "", "", notValid("timestamp")},
			"a time of 17 digits":       {fmt.Sprintf("timestamp=%d0000", now), "", "", notValid("timestamp")},
			"a time past every number": {"timestamp=" + strings.Repeat("9", 400), "", "",
				notValid("timestamp")},
			"without a signature": {fmt.Sprintf("timestamp=%d", now), "", "-", missing("signature")},
			"with an empty signature": {fmt.Sprintf("timestamp=%d", now), "", "&signature=",
				missing("signature")},
			"the window before the signature": {fmt.Sprintf("timestamp=%d", now-5001), "", "&signature=ff", tooLate},
			"a wrong signature": {fmt.Sprintf("timestamp=%d", now), "",
				"&signature=" + strings.Repeat("0", 64), badSignature},
			"no hex": {fmt.Sprintf("timestamp=%d", now), "", "&signature=zz", badSignature},
			"the signature before a parameter": {fmt.Sprintf("size=0&timestamp=%d", now), "",
				"&signature=ff", badSignature},
			"two signatures": {fmt.Sprintf("timestamp=%d", now), "", "&signature=ff&signature=ff",
				twice("signature")},
			"a parameter twice": {fmt.Sprintf("asset=BNB&asset=BNB&timestamp=%d", now), "", "", twice("asset")},
			"twice, and escaped": {fmt.Sprintf("asset=BNB&%%61sset=SOL&timestamp=%d", now), "", "",
				twice("asset")},
			"a bad escape":            {fmt.Sprintf("asset=%%zz&timestamp=%d", now), "", "", illegal},
			"half an escape":          {fmt.Sprintf("timestamp=%d&asset=%%4", now), "", "", illegal},
			"a NUL":                   {fmt.Sprintf("asset=%%00&timestamp=%d", now), "", "", illegal},
			"a line end":              {fmt.Sprintf("asset=B%%0ANB&timestamp=%d", now), "", "", illegal},
			"no UTF-8":                {fmt.Sprintf("asset=%%ff%%fe&timestamp=%d", now), "", "", illegal},
			"no UTF-8, raw":           {fmt.Sprintf("asset=\xff&timestamp=%d", now), "", "", illegal},
			"a name that is no UTF-8": {fmt.Sprintf("%%ff=1&timestamp=%d", now), "", "", illegal},
		} {
			a := ask{method: http.MethodGet, path: listPath, query: c.query, headers: f.keyed()}
			switch c.sign {
			case "":
				a.query += "&signature=" + f.sign(c.query)
			case "-":
			default:
				a.query += c.sign
			}
			switch c.key {
			case "":
			case "-":
				a.headers = nil
			default:
				a.headers = map[string]string{"X-MBX-APIKEY": c.key}
			}
			if got := f.send(a).String(); got != c.want {
				t.Errorf("%s: %s, not %s", what, got, c.want)
			}
		}
	})
}

// What recvWindow cannot be, before the key is looked up.
func TestBadWindows(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	nines := strings.Repeat("9", 30)
	for window, want := range map[string]string{
		"60001": longWindow, "60000.001": longWindow, "060000.0001": longWindow, "70000.12345": longWindow,
		nines: longWindow, nines + "." + nines: longWindow,
		"-1": notValid("recvWindow"), "-0.5": notValid("recvWindow"), "-" + nines: notValid("recvWindow"),
		"5000.0001": notValid("recvWindow"),
		"1e3":       illegalIn("recvWindow"), "x": illegalIn("recvWindow"), "5000.": illegalIn("recvWindow"),
		"%2B1": illegalIn("recvWindow"), "60001x": illegalIn("recvWindow"),
		"60000": listed, "60000.000": listed, "060000": listed, "": listed,
	} {
		query := fmt.Sprintf("asset=undefined&recvWindow=%s&timestamp=%d", window, f.now().UnixMilli())
		got := f.send(ask{
			method: http.MethodGet, path: listPath, query: query + "&signature=" + f.sign(query), headers: f.keyed(),
		})
		if got.String() != want {
			t.Errorf("recvWindow=%s: %s, not %s", window, got, want)
		}
		if strangers := f.send(ask{
			method: http.MethodGet, path: listPath, query: query + "&signature=ff",
			headers: map[string]string{"X-MBX-APIKEY": strings.Repeat("A", 64)},
		}); want != listed && strangers.String() != want {
			t.Errorf("recvWindow=%s of an unknown key: %s, not %s", window, strangers, want)
		}
	}
}

// The edges of the time in which a request is accepted.
func TestWindow(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		now := f.now()
		for _, c := range []struct {
			at     time.Duration // against now
			micro  bool
			window string
			want   string
		}{
			{0, false, "", listed},
			{-5000 * time.Millisecond, false, "", listed},
			{-5001 * time.Millisecond, false, "", tooLate},
			{999 * time.Millisecond, false, "", listed},
			{1000 * time.Millisecond, false, "", tooEarly},
			{time.Hour, false, "60000", tooEarly},
			{-5 * time.Second, true, "", listed},
			{-5*time.Second - time.Microsecond, true, "", tooLate},
			{time.Second - time.Microsecond, true, "", listed},
			{time.Second, true, "", tooEarly},
			{-time.Minute, false, "60000", listed},
			{-time.Minute - time.Millisecond, false, "60000", tooLate},
			{0, false, "0", listed},
			{-time.Millisecond, false, "0", tooLate},
			{-5 * time.Second, false, "5000.0", listed},
			{-5*time.Second - time.Microsecond, true, "5000.001", listed},
			{-5*time.Second - 2*time.Microsecond, true, "5000.001", tooLate},
			{-6 * time.Second, false, "6000.000000", listed},
		} {
			stamp := now.Add(c.at).UnixMilli()
			if c.micro {
				stamp = now.Add(c.at).UnixMicro()
			}
			query := fmt.Sprintf("asset=undefined&timestamp=%d", stamp)
			if c.window != "" {
				query += "&recvWindow=" + c.window
			}
			got := f.send(ask{
				method: http.MethodGet, path: listPath, query: query + "&signature=" + f.sign(query),
				headers: f.keyed(),
			})
			if got.String() != c.want {
				t.Errorf("%s from now, window %q: %s, not %s", c.at, c.window, got, c.want)
			}
		}
	})
}

// What is asked in another way than it can be.
func TestWrongPathMethodAndBody(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const (
			noPath   = `404 {"code":-1020,"msg":"This operation is not supported: there is no such path."}`
			noMethod = `405 {"code":-1020,"msg":"This operation is not supported: the path has another method."}`
		)
		for _, path := range []string{
			"/", "", "/sapi", "/sapi/v1/soft-staking", listPath + "/", "/sapi/v1/../v1/soft-staking/list",
			"/SAPI/v1/soft-staking/list",
		} {
			f.wants(f.send(ask{method: http.MethodGet, path: path}), noPath)
		}
		for _, path := range []string{
			"//sapi/v1/soft-staking/list", "/sapi//v1/soft-staking//list", "///sapi/v1/soft-staking/list",
		} {
			a := f.signed(path, "asset=undefined")
			f.wants(f.send(a), listed)
		}
		for _, method := range []string{
			http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodOptions, "BREW",
		} {
			got := f.send(ask{method: method, path: setPath, headers: f.keyed()})
			f.wants(got, noMethod)
			if got.headers.Get("Allow") != http.MethodGet {
				t.Errorf("%s: allowed is %q", method, got.headers.Get("Allow"))
			}
		}
		long := ask{
			method: http.MethodPost, path: assetsPath, body: "a=" + strings.Repeat("b", 64<<10), headers: f.keyed(),
		}
		f.wants(f.send(long), `413 {"code":-1101,"msg":"Too many parameters; at most 65536 bytes are read."}`)
		f.wants(f.send(ask{
			method: http.MethodPost, path: assetsPath, query: "timestamp=1", body: "a=1&a=2", headers: f.keyed(),
		}), twice("a"))
		f.wants(f.send(ask{method: http.MethodPost, path: assetsPath, body: "a=%00", headers: f.keyed()}), illegal)
		// A body is waited for only where the key is somebody's.
		stranger := httptest.NewRecorder()
		asked := httptest.NewRequestWithContext(t.Context(), http.MethodPost, assetsPath, readNever{t})
		asked.Header.Set("X-MBX-APIKEY", strings.Repeat("x", 64))
		f.handler.ServeHTTP(stranger, asked)
		f.wants(answered{stranger.Code, stranger.Body.String(), nil}, badKeyNoIP)
		w := httptest.NewRecorder()
		cut := httptest.NewRequestWithContext(t.Context(), http.MethodPost, assetsPath,
			iotest.ErrReader(io.ErrUnexpectedEOF))
		cut.Header.Set("X-MBX-APIKEY", f.key.Key)
		f.handler.ServeHTTP(w, cut)
		f.wants(answered{w.Code, w.Body.String(), nil},
			`408 {"code":-1000,"msg":"The body did not come whole, or not in time."}`)
	})
}

// readNever is a body that nobody is to wait for.
type readNever struct{ t *testing.T }

// Read must not be called.
func (n readNever) Read([]byte) (int, error) {
	n.t.Error("a stranger's body is waited for")
	return 0, io.EOF
}

// What a key is limited to holds at once, also when another process says so.
func TestLimitsOfAKey(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		other := testkit.Must(store.Open(t.Context(), f.url, f.options()))(t)
		defer func() { ok(t, other.Close()) }()
		all, allSecret := f.key, f.secret
		use := func(k access.Key, secret string) { f.key, f.secret = k, secret }
		ask := func(want string) {
			t.Helper()
			tick(f)
			f.wants(f.get(listPath, "asset=undefined"), want)
		}
		use(f.newKey("alice", "read", "192.0.2.0/24,2001:db8::/32"))
		for address, want := range map[string]string{
			"192.0.2.7": listed, "192.0.2.255": listed, "::ffff:192.0.2.7": listed, "2001:db8::1": listed,
			"192.0.3.7": badKeyFrom("192.0.3.7"), "::ffff:192.0.3.7": badKeyFrom("192.0.3.7"),
			"2001:db9::1": badKeyFrom("2001:db9::1"), "fe80::1%eth0": badKeyFrom("fe80::1"),
		} {
			f.caller.Address = netip.MustParseAddr(address)
			ask(want)
		}
		f.caller.Address = netip.Addr{}
		ask(badKeyNoIP)
		forged := f.signed(listPath, "")
		forged.query += "0"
		f.wants(f.send(forged), badKeyNoIP) // the address before the signature
		f.caller.Address = home
		ok(t, other.People().RevokeKey(t.Context(), f.key.Key))
		ask(badKey)
		use(all, allSecret)
		ask(listed)
		f.key.Key = strings.ToLower(all.Key)
		ask(badKey)

		name, secret, err := access.NewKey(strings.NewReader(strings.Repeat("softstake ", 100)))
		ok(t, err)
		brief := access.Key{
			Key: name, Account: "alice", Type: access.HMAC, Permissions: []access.Permission{access.Read},
			Expires: f.now().Add(time.Hour),
		}
		ok(t, brief.Seal(f.sealer, secret))
		ok(t, f.db.People().AddKey(t.Context(), brief))
		use(brief, secret)
		ask(listed)
		f.clock.Forward(brief.Expires.Add(-2 * time.Millisecond))
		ask(listed)
		ask(badKey)
	})
}
