package binance

import (
	"net/url"
	"regexp"
	"strings"
)

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
