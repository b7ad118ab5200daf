package binance

import (
	"net/url"
	"strings"
	"time"

	"softstake/ledger"
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
	payload    string // the raw query and the raw body without their signature, with nothing between
	signature  string
}

// parse reads the raw query and the raw body of a form. What is signed is the bytes
// as they came, never parameters written anew: one client signs a leading "&", and
// each has its own order and its own way to escape. Where both have a parameter,
// the query's counts.
func parse(query, body string) (sent, error) {
	var s sent
	s.parameters = parameters{}
	unsignedBody, signature, err := s.parameters.parse(body)
	if err != nil {
		return s, err
	}
	inQuery := parameters{}
	unsignedQuery, fromQuery, err := inQuery.parse(query)
	if err != nil {
		return s, err
	}
	for name, value := range inQuery {
		s.parameters[name] = value
	}
	if s.signature = fromQuery; s.signature == "" {
		s.signature = signature
	}
	s.payload = unsignedQuery + unsignedBody
	return s, nil
}

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
	if err != nil || !legal(name) {
		return "", "", illegal("")
	}
	// A signature in base64 comes unescaped from some: its "+" is no space.
	read := url.QueryUnescape
	if name == "signature" {
		read = url.PathUnescape
	}
	value, err = read(value)
	if err != nil || !legal(value) {
		return "", "", illegal("")
	}
	return name, value, nil
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
	text := p.text("recvWindow")
	if text == "" {
		return at, usualWindow, nil
	}
	micros, err := ledger.ParseDecimal(text, 3)
	switch {
	case !numeric(text):
		return at, 0, illegal("recvWindow")
	case err != nil || micros < 0 || micros > maxWindow.Microseconds():
		return at, 0, invalid("recvWindow")
	}
	return at, time.Duration(micros) * time.Microsecond, nil
}
