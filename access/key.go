package access

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"softstake/ledger"
)

// KeyType says how an API key's requests are signed.
type KeyType string

// The types of key.
const (
	HMAC    KeyType = "hmac"    // a secret that both sides know
	Ed25519 KeyType = "ed25519" // the holder keeps the private key
	RSA     KeyType = "rsa"     // the holder keeps the private key
)

// Permission is one thing that an API key may do.
type Permission string

// The permissions of a key.
const (
	Read  Permission = "read"  // see the account
	Trade Permission = "trade" // press the switch, and withdraw
)

// Key is a holder's API key. Its zero times are: never.
type Key struct {
	Key         string // what a client sends, 64 characters of A-Z a-z 0-9
	Account     ledger.Account
	Type        KeyType
	Permissions []Permission   // in the order read, trade
	Addresses   []netip.Prefix // from where it may be used; none: from anywhere
	Label       string         // what its holder calls it
	Secret      Hidden         // HMAC: the sealed secret; else the public key, PKIX DER
	Created     time.Time
	Expires     time.Time
	Revoked     time.Time
}

// String names the key in logs and messages, where it is never shown whole.
func (k Key) String() string { return fmt.Sprintf("key %s of %s", k.Short(), k.Account) }

// LogValue is the key in a log.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Short is the part of the key that may be shown anywhere.
func (k Key) Short() string { return fmt.Sprintf("%.8s…", k.Key) }

// longestNamed is how many characters Named has at most.
const longestNamed = 100

// Named is the part of the key that may be shown anywhere, and what its holder
// calls it: at most 100 characters.
func (k Key) Named() string {
	named := []rune(strings.TrimSpace(k.Short() + " " + k.Label))
	return string(named[:min(len(named), longestNamed)])
}

// keyLength is the length of an API key and of its secret, as the exchange's.
const keyLength = 64

// IsKey says whether text has the form of an API key. It says nothing of whether there is one.
func IsKey(text string) bool { return len(text) == keyLength && strings.Trim(text, keyAlphabet) == "" }

const keyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// MaxKeyAddresses is the largest number of address ranges that a key is limited to.
const MaxKeyAddresses = 30

// NewKey makes an HMAC key's name and secret, which is shown once. random is
// crypto/rand.Reader outside of tests.
func NewKey(random io.Reader) (key, secret string, err error) {
	if key, err = randomText(random, keyLength); err == nil {
		secret, err = randomText(random, keyLength)
	}
	return key, secret, err
}

// randomText is text of n characters, all equally likely.
func randomText(random io.Reader, n int) (string, error) {
	text, b := make([]byte, 0, n), make([]byte, n)
	for len(text) < n {
		if _, err := io.ReadFull(random, b); err != nil {
			return "", fmt.Errorf("read random bytes: %w", err)
		}
		for _, c := range b {
			// 248 is the largest multiple of 62 in a byte: what lies above would make some characters likelier.
			if c < 248 && len(text) < n {
				text = append(text, keyAlphabet[c%62])
			}
		}
	}
	return string(text), nil
}

// ParseKeyType reads a type of key. Its error is ledger.ErrInvalid.
func ParseKeyType(s string) (KeyType, error) {
	t := KeyType(strings.ToLower(s))
	if t != HMAC && t != Ed25519 && t != RSA {
		return "", fmt.Errorf("%w: %q is not a type of key; it is hmac, ed25519 or rsa", ledger.ErrInvalid, ledger.Clip(s))
	}
	return t, nil
}

// ParsePermissions reads permissions separated by commas: "read,trade". Its error is ledger.ErrInvalid.
func ParsePermissions(s string) ([]Permission, error) {
	var permissions []Permission
	for _, word := range strings.Split(s, ",") {
		p := Permission(strings.ToLower(strings.TrimSpace(word)))
		if p != Read && p != Trade {
			return nil, fmt.Errorf("%w: %q is not a permission; a key has read, or read,trade", ledger.ErrInvalid, ledger.Clip(word))
		}
		permissions = append(permissions, p)
	}
	slices.Sort(permissions)
	permissions = slices.Compact(permissions)
	if !slices.Contains(permissions, Read) {
		return nil, fmt.Errorf("%w: a key that may trade may read as well: read,trade", ledger.ErrInvalid)
	}
	return permissions, nil
}

// FormatPermissions is what ParsePermissions reads.
func FormatPermissions(permissions []Permission) string { return join(permissions) }

// ParseAddresses reads addresses and ranges, such as 192.0.2.7 and 2001:db8::/32,
// separated by commas; "" is none, and the same twice is once. Its error is ledger.ErrInvalid.
func ParseAddresses(s string) ([]netip.Prefix, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	words := strings.Split(s, ",")
	if len(words) > MaxKeyAddresses {
		return nil, fmt.Errorf("%w: %d addresses; a key is limited to at most %d", ledger.ErrInvalid, len(words), MaxKeyAddresses)
	}
	var addresses []netip.Prefix
	for _, word := range words {
		prefix := parseRange(strings.TrimSpace(word))
		if !prefix.IsValid() {
			return nil, fmt.Errorf("%w: %q is not an address or a range such as 192.0.2.0/24", ledger.ErrInvalid, ledger.Clip(word))
		}
		if !slices.Contains(addresses, prefix) {
			addresses = append(addresses, prefix)
		}
	}
	return addresses, nil
}

// parseRange reads an address or a range; what is none is not valid. An IPv4 address
// is the same however it is written: ::ffff:192.0.2.7 too is 192.0.2.7.
func parseRange(word string) netip.Prefix {
	prefix, err := netip.ParsePrefix(word)
	if err != nil {
		one, err := netip.ParseAddr(word)
		if err != nil || one.Zone() != "" { // a zone means something on one machine only
			return netip.Prefix{}
		}
		prefix = netip.PrefixFrom(one, one.BitLen())
	}
	if prefix.Addr().Is4In6() {
		// A range of these with less than 96 bits is no range of IPv4: -1 bits and fewer are not valid.
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked()
}

// FormatAddresses is what ParseAddresses reads.
func FormatAddresses(addresses []netip.Prefix) string { return join(addresses) }

func join[T any](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ",")
}

// Valid says what is wrong with a key that is to be kept, or nil. Its errors are ledger.ErrInvalid.
func (k Key) Valid() error {
	if !IsKey(k.Key) {
		return fmt.Errorf("%w: an API key has %d characters of A-Z a-z 0-9", ledger.ErrInvalid, keyLength)
	}
	if err := k.Account.CheckHolder(); err != nil {
		return err
	}
	if permissions, err := ParsePermissions(FormatPermissions(k.Permissions)); err != nil || !slices.Equal(permissions, k.Permissions) {
		return fmt.Errorf("%w: the permissions %q are not read, or read,trade", ledger.ErrInvalid, ledger.Clip(FormatPermissions(k.Permissions)))
	}
	if addresses, err := ParseAddresses(FormatAddresses(k.Addresses)); err != nil || !slices.Equal(addresses, k.Addresses) {
		return fmt.Errorf("%w: the addresses %q are not as ParseAddresses reads them", ledger.ErrInvalid, ledger.Clip(FormatAddresses(k.Addresses)))
	}
	switch {
	case k.Type == HMAC && len(k.Secret) == 0:
		return fmt.Errorf("%w: an HMAC key has a sealed secret", ledger.ErrInvalid)
	case k.Type == HMAC:
		return nil
	}
	_, err := publicKey(k.Type, k.Secret)
	return err
}

// Live says whether the key can be used at a moment, by its revocation and
// expiry: ErrUnknown if not.
func (k Key) Live(now time.Time) error {
	if !live(k.Expires, k.Revoked, now) {
		return ErrUnknown
	}
	return nil
}

// live says whether what has not been revoked, and has not expired, is so now.
func live(expires, revoked, now time.Time) bool {
	return revoked.IsZero() && (expires.IsZero() || now.Before(expires))
}

// Allows says whether the key permits p from an address: ErrAddress, ErrForbidden.
func (k Key) Allows(p Permission, from netip.Addr) error {
	from = from.Unmap().WithZone("")
	if len(k.Addresses) > 0 && !slices.ContainsFunc(k.Addresses, func(r netip.Prefix) bool { return r.Contains(from) }) {
		return ErrAddress
	}
	if !slices.Contains(k.Permissions, p) {
		return fmt.Errorf("%w: the key has no permission to %s", ErrForbidden, p)
	}
	return nil
}
