package binance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// The table of endpoints is the documented one.
func TestEndpoints(t *testing.T) {
	documented := []string{
		"GET /api/v3/account read 20",
		"GET /api/v3/exchangeInfo  20",
		"GET /api/v3/myTrades read 20",
		"GET /api/v3/openOrders read 80",
		"GET /api/v3/ping  1",
		"GET /api/v3/ticker/24hr  80",
		"GET /api/v3/ticker/price  4",
		"GET /api/v3/time  1",
		"GET /dapi/v1/exchangeInfo  1",
		"GET /fapi/v1/exchangeInfo  1",
		"GET /sapi/v1/account/apiRestrictions read 1",
		"GET /sapi/v1/account/info read 1",
		"GET /sapi/v1/account/status read 1",
		"GET /sapi/v1/accountSnapshot read 2400",
		"GET /sapi/v1/asset/assetDetail read 1",
		"GET /sapi/v1/asset/assetDividend read 10",
		"GET /sapi/v1/asset/tradeFee read 1",
		"GET /sapi/v1/asset/wallet/balance read 60",
		"GET /sapi/v1/capital/config/getall read 10",
		"GET /sapi/v1/capital/deposit/address read 10",
		"GET /sapi/v1/capital/deposit/hisrec read 1",
		"GET /sapi/v1/capital/withdraw/address/list read 10",
		"GET /sapi/v1/capital/withdraw/history read 20",
		"GET /sapi/v1/margin/allPairs market data 1",
		"GET /sapi/v1/margin/isolated/allPairs market data 10",
		"GET /sapi/v1/soft-staking/history/rewardsRecord read 50",
		"GET /sapi/v1/soft-staking/list read 50",
		"GET /sapi/v1/soft-staking/set trade 50",
		"GET /sapi/v1/system/status  1",
		"POST /sapi/v1/asset/get-funding-asset read 1",
		"POST /sapi/v1/capital/withdraw/apply withdraw 60",
		"POST /sapi/v3/asset/getUserAsset read 5",
	}
	var table []string
	for _, e := range endpoints() {
		table = append(table, e.String())
		changes := e.permission == access.Trade || e.permission == access.Withdraw
		if changes != (e.change != nil) || changes == (e.read != nil) {
			t.Errorf("%s: it has the books without a permission to change them, or the other way round", e)
		}
	}
	slices.Sort(table)
	if !slices.Equal(table, documented) {
		t.Errorf("the table is\n%s\nnot\n%s", strings.Join(table, "\n"), strings.Join(documented, "\n"))
	}
}

// Who asks for one pair weighs less than who asks for all [api].
func TestWeightsByParameters(t *testing.T) {
	list := func(n int) string { return `symbols=["A"` + strings.Repeat(`,"A"`, n-1) + `]` }
	for path, weights := range map[string]map[string]int{
		"/api/v3/ticker/price": {"": 4, "symbol=BNBUSDT": 2, list(1): 4, "symbol=": 4, "symbol=%zz": 4},
		"/api/v3/ticker/24hr": {"": 80, "symbol=BNBUSDT": 2, list(1): 2, list(20): 2, list(21): 40, list(100): 40,
			list(101): 80, "type=MINI": 80},
		"/api/v3/openOrders": {"": 80, "symbol=BNBUSDT&timestamp=1": 6, "timestamp=1": 80},
		"/api/v3/myTrades":   {"symbol=BNBUSDT": 20, "symbol=BNBUSDT&orderId=1": 5},
		"/api/v3/account":    {"": 20, "symbol=BNBUSDT": 20},
	} {
		for query, want := range weights {
			i := slices.IndexFunc(endpoints(), func(e endpoint) bool { return e.path == path })
			if got := endpoints()[i].weightOf(query); got != want {
				t.Errorf("%s?%s weighs %d, not %d", path, query, got, want)
			}
		}
	}
}

// Memory for weights is bounded: who comes when there is no room is not weighed.
func TestWeighingIsBounded(t *testing.T) {
	var w weights
	address := netip.MustParseAddr("10.0.0.0")
	for range maxAddresses + 10 {
		address = address.Next()
		if used := w.count(weighed{network: netip.PrefixFrom(address, 32)}, 7, 1); used != 7 {
			t.Fatalf("%s has used %d", address, used)
		}
	}
	if used := w.count(weighed{network: netip.PrefixFrom(address, 32)}, 7, 1); used != 7 ||
		len(w.used) != maxAddresses {
		t.Errorf("the last one has used %d, and %d are counted", used, len(w.used))
	}
	if w.count(weighed{network: netip.PrefixFrom(address, 32)}, 7, 2); len(w.used) != 1 {
		t.Errorf("in the next minute %d are counted", len(w.used))
	}
}

// Whatever is sent, what is signed is the bytes without the signature's pair, and
// what is read is what net/url reads of them.
func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{
		{"timestamp=1&signature=ff", ""}, {"&timestamp=1&signature=ff", ""}, {"signature=a+b%2B&x=1", "y=2"},
		{"", "signature=ff&x=%41"},
		{"a=1&&b", "b=1"}, {"a=%zz", ""}, {"%73ignature=x", ""}, {"a=1&a=2", ""}, {"=&=", ""}, {"a;b=1", "\xff=%00"},
		{"signature&x=1", "signature="},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		s, err := parse(query, body)
		var no refusal
		if err != nil {
			if !errors.As(err, &no) || no.Code != -1100 && no.Code != -1101 || no.status != 400 ||
				!utf8.ValidString(no.Message) || len(no.Message) > 200 {
				t.Fatalf("%q, %q: %v", query, body, err)
			}
			return
		}
		if len(s.payload()) > len(query)+len(body) || !strings.Contains(query+body, "ignature") &&
			s.payload() != query+body {
			t.Errorf("%q, %q: signed is %q", query, body, s.payload())
		}
		for _, raw := range []string{query, body} {
			for _, pair := range strings.Split(raw, "&") {
				if name, _, _ := strings.Cut(pair, "="); !strings.Contains(name, "%") && name != "signature" &&
					!strings.Contains(s.payload(), pair) {
					t.Errorf("%q, %q: %q is not signed", query, body, pair)
				}
			}
		}
		// A signature put at any end leaves what is signed as it was.
		if s.signature == "" && !strings.Contains(query+body, "ignature") && query != "" {
			for _, q := range []string{query + "&signature=AA", "signature=AA&" + query} {
				if again, err := parse(q, body); err != nil || again.payload() != s.payload() ||
					again.signature != "AA" {
					t.Errorf("%q, %q: signed is %q with %q, %v", q, body, again.payload(), again.signature, err)
				}
			}
		}
		compareWithURL(t, query, body, s)
	})
}

// compareWithURL compares what was read with what net/url reads, which refuses ";" and knows no signature.
func compareWithURL(t *testing.T, query, body string, s sent) {
	t.Helper()
	if strings.Contains(query+body, ";") {
		return
	}
	inQuery, err := url.ParseQuery(query)
	inBody, err2 := url.ParseQuery(body)
	if err = errors.Join(err, err2); err != nil {
		t.Fatalf("%q, %q is read, and should not be: %v", query, body, err)
	}
	for name, values := range inBody {
		if !inQuery.Has(name) {
			inQuery[name] = values
		}
	}
	inQuery.Del("signature")
	if len(inQuery) != len(s.parameters) {
		t.Errorf("%q, %q: read are %v, not %v", query, body, s.parameters, inQuery)
	}
	for name, value := range s.parameters {
		if inQuery.Get(name) != value || !utf8.ValidString(value) || strings.Contains(value, "\x00") {
			t.Errorf("%q, %q: %q is %q, not %q", query, body, name, value, inQuery.Get(name))
		}
	}
}

// Each reader of a parameter reads what it should, or refuses with a documented error.
func FuzzParameters(f *testing.F) {
	for _, seed := range []string{
		"", "1", "-1", "0", "100", "101", "1.5", "0.00000001", "0.000000001", "1e3", "+1", ".5", "5.", "undefined",
		"TRUE", "1754007978000", "1754007978000123", "99999999999999999999", "٣",
	} {
		f.Add(seed)
	}
	asset := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 1 << 60}
	f.Fuzz(func(t *testing.T, text string) {
		p := parameters{"x": text}
		codes := func(reader string, err error, allowed ...int) bool {
			var no refusal
			if err != nil && (!errors.As(err, &no) || !slices.Contains(allowed, no.Code) || no.status != 400) {
				t.Errorf("%s of %q: %v", reader, text, err)
			}
			return err == nil
		}
		if n, err := p.int("x", 10, 1, 100); codes("int", err, -1100, -1130) &&
			(n < 1 || n > 100 || text == "" && n != 10) {
			t.Errorf("int of %q is %d", text, n)
		}
		if at, err := p.time("x"); codes("time", err, -1100, -1130) && !at.IsZero() &&
			(at.Year() < 1970 || at.Year() > 9999) {
			t.Errorf("time of %q is %s", text, at)
		}
		if on, err := p.flag("x", true); codes("flag", err, -1102) &&
			on != (text == "" || strings.EqualFold(text, "true")) {
			t.Errorf("flag of %q is %t", text, on)
		}
		if a, err := p.asset("x"); codes("asset", err, -1100) && a != text {
			t.Errorf("asset of %q is %q", text, a)
		}
		if n, err := p.amount("x", asset); codes("amount", err, -1100, -1102, -1111, -1130) {
			want, _ := new(big.Rat).SetString(text)
			if want == nil || want.Cmp(big.NewRat(int64(n), 100_000_000)) != 0 || n <= 0 || n > asset.MaxSupply {
				t.Errorf("amount of %q is %d", text, n)
			}
		}
		p = parameters{"timestamp": "1", "recvWindow": text}
		if _, window, err := validity(p); codes("recvWindow", err, -1100, -1130, -1131) &&
			(window < 0 || window > time.Minute) {
			t.Errorf("recvWindow %q is %s", text, window)
		}
	})
}

// testSecret is the secret of the exchange's own example.
const testSecret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

// signatureOf signs with it.
func signatureOf(payload string) string {
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte(payload))
	return hex.EncodeToString(mac.Sum(nil))
}

// Whatever is sent as a signed request, only the right signature is let in.
func FuzzSignature(f *testing.F) {
	sealer := sealedBy(f)
	key := access.Key{
		Key: strings.Repeat("k", 64), Account: "alice", Type: access.HMAC,
		Permissions: []access.Permission{access.Read},
	}
	if err := key.Seal(sealer, testSecret); err != nil {
		f.Fatal(err)
	}
	const (
		payload = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000" +
			"&timestamp=1499827319559"
		signature = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
	)
	vector, err := parse(payload+"&signature="+signature, "")
	if signed, no := vector.verify(key, sealer); err != nil || signed != payload || no != nil {
		f.Fatalf("the exchange's own example is refused: %+v, %v", vector, err)
	}
	f.Add(payload+"&signature="+signature, "")
	f.Add(payload, "signature="+signature)
	f.Add(strings.ToUpper(payload)+"&signature="+signature, "x")
	f.Fuzz(func(t *testing.T, query, body string) {
		s, err := parse(query, body)
		if err != nil {
			return
		}
		if signed, err := s.verify(key, sealer); err == nil &&
			(signed != payload || !strings.EqualFold(s.signature, signature)) {
			t.Errorf("%q, %q is let in", query, body)
		} else if err != nil && !errors.Is(err, access.ErrSignature) {
			t.Errorf("%q, %q: %v", query, body, err)
		}
	})
}

func sealedBy(f *testing.F) *access.Sealer {
	f.Helper()
	sum := sha256.Sum256([]byte("any"))
	text, err := access.NewSealKey(strings.NewReader(string(sum[:])))
	if err != nil {
		f.Fatal(err)
	}
	s, err := access.NewSealer(text)
	if err != nil {
		f.Fatal(err)
	}
	return s
}
