package binance

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

const (
	// ahead is how far a request's timestamp may lie ahead of our clock, and a little less.
	ahead = time.Second

	usualWindow = 5 * time.Second
	maxWindow   = time.Minute
)

// sent is what a client sent: its parameters, and what it signed.
type sent struct {
	parameters parameters
	query      string // raw, without its signature
	body       string // the same of the body
	signature  string
}

// payload is what is signed: the raw query and the raw body, with nothing between.
func (s sent) payload() string { return s.query + s.body }

// parse reads the raw query and the raw body of a form. What is signed is the bytes
// as they came, never parameters in an order of ours: one client signs a leading
// "&", and each has its own order and its own way to escape. Where both have a
// parameter, the query's counts.
func parse(query, body string) (sent, error) {
	var s sent
	s.parameters = parameters{}
	var signature, fromQuery string
	var err error
	if s.body, signature, err = s.parameters.parse(body); err != nil {
		return s, err
	}
	inQuery := parameters{}
	s.query, fromQuery, err = inQuery.parse(query)
	if err != nil {
		return s, err
	}
	if s.query != "" && s.body != "" && (!isPair(lastPair(s.query)) || !isPair(firstPair(s.body))) {
		return s, illegal("")
	}
	for name, value := range inQuery {
		s.parameters[name] = value
	}
	if s.signature = fromQuery; s.signature == "" {
		s.signature = signature
	}
	return s, nil
}

// Nothing stands between query and body in what is signed. So whoever has a signed
// request could cut it elsewhere, inside of a name or a value, and it would still verify:
// "amount=12" as "amount=1" and "2". Where the parts meet, both must therefore be whole.

func lastPair(query string) string { return query[strings.LastIndexByte(query, '&')+1:] }

func firstPair(body string) string {
	first, _, _ := strings.Cut(body, "&")
	return first
}

// isPair reports whether a text is a name and a value, or nothing at all.
func isPair(text string) bool { return text == "" || strings.IndexByte(text, '=') > 0 }

// parse adds the parameters of a raw query, and gives what of it is signed, and the
// signature: all pairs but the signature's, joined as they were.
func (p parameters) parse(raw string) (unsigned, signature string, err error) {
	if raw == "" {
		return "", "", nil
	}
	pairs := strings.Split(raw, "&")
	kept, signed := pairs[:0], false
	for _, pair := range pairs {
		name, value, err := unescape(pair)
		switch {
		case err != nil:
			return "", "", err
		case name == "signature" && signed:
			return "", "", duplicate(name)
		case name == "signature":
			signature, signed = value, true
			continue
		}
		kept = append(kept, pair)
		if pair == "" {
			continue
		}
		if _, twice := p[name]; twice {
			return "", "", duplicate(name)
		}
		p[name] = value
	}
	return strings.Join(kept, "&"), signature, nil
}

// unescape reads a name and its value.
func unescape(pair string) (name, value string, err error) {
	name, value, _ = strings.Cut(pair, "=")
	name, err = url.QueryUnescape(name)
	if err != nil || !ledger.IsLine(name) {
		return "", "", illegal("")
	}
	// A signature in base64 comes unescaped from some: its "+" is no space.
	read := url.QueryUnescape
	if name == "signature" {
		read = url.PathUnescape
	}
	// An unescaped "=" in a value may be where a body was joined to a query: see lastPair.
	joined := name != "signature" && strings.Contains(value, "=")
	value, err = read(value)
	if err != nil || !ledger.IsLine(value) || joined {
		return "", "", illegal("")
	}
	return name, value, nil
}

// verify finds the bytes that a signature is over, or refuses it with
// access.ErrSignature: the payload as it came or, where that fails and a form's
// encoding may have changed its spelling, the canonical form of the query and of the
// body. Accepting it is safe: the raw bytes decode to the same pairs.
func (s sent) verify(key access.Key, sealer *access.Sealer) (signed string, err error) {
	signed = s.payload()
	err = key.Verify(sealer, []byte(signed), s.signature)
	if !errors.Is(err, access.ErrSignature) || !formSpelling.MatchString(signed) {
		return signed, err
	}
	signed = canonical(s.query) + canonical(s.body)
	return signed, key.Verify(sealer, []byte(signed), s.signature)
}

// validity is a signed request's time, and how long it is good for. The exchange
// counts in microseconds: a timestamp of 16 digits is in them, and recvWindow, in
// milliseconds, may have three decimals.
func validity(p parameters) (at time.Time, window time.Duration, err error) {
	if at, err = p.time("timestamp"); err != nil {
		return at, 0, err
	}
	if at.IsZero() {
		return at, 0, mandatory("timestamp")
	}
	window, err = p.window("recvWindow")
	return at, window, err
}

// window is how long a request is good for, in milliseconds with at most three
// decimals, or the usual time where it was not sent. -1100: no decimal number;
// -1131: above 60000; -1130: below zero, or more decimals.
func (p parameters) window(name string) (time.Duration, error) {
	text := p[name]
	if text == "" {
		return usualWindow, nil
	}
	if !numeric(text) {
		return 0, illegal(name)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	millis, err := ledger.ParseDecimal(whole, 0)
	most := maxWindow.Milliseconds()
	switch above := err != nil || millis > most || millis == most && strings.Trim(fraction, "0") != ""; {
	case strings.HasPrefix(text, "-"):
		return 0, invalid(name)
	case above:
		return 0, errWindow
	}
	micros, err := ledger.ParseDecimal(text, 3)
	if err != nil {
		return 0, invalid(name)
	}
	return time.Duration(micros) * time.Microsecond, nil
}

// formSpelling finds what a form's encoding and encodeURIComponent may write
// differently: a space, and the characters !'()*~, escaped or not. A client that
// builds its URL with URLSearchParams signs the one spelling and sends the other.
var formSpelling = regexp.MustCompile(`[+!'()*~]|%(2[1789Aa]|7[Ee])`)

// canonical is a raw query or form with the same pairs in the same order, each name
// and value written as encodeURIComponent does. All spellings of the same pairs have
// the same canonical form, which is its own. A text that cannot be unescaped, which
// parse refuses, stays as it is.
func canonical(raw string) string {
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, value, valued := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if nameErr != nil || valueErr != nil {
			return raw
		}
		pairs[i] = encodeURIComponent(name)
		if valued {
			pairs[i] += "=" + encodeURIComponent(value)
		}
	}
	return strings.Join(pairs, "&")
}

// encodeURIComponent escapes every byte of a text but letters, digits and -_.!~*'(),
// as the function of that name in ECMAScript does.
func encodeURIComponent(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("-_.!~*'()", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}
