package access

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

// KeyType is how an API key's requests are signed.
type KeyType string

// The types of key.
const (
	HMAC    KeyType = "hmac"    // a shared secret
	Ed25519 KeyType = "ed25519" // the holder keeps the private key
	RSA     KeyType = "rsa"     // the holder keeps the private key
)

// Permission is one thing that an API key may do.
type Permission string

// The permissions of a key.
const (
	Read     Permission = "read"     // see the account
	Trade    Permission = "trade"    // switch Soft Staking on and off
	Withdraw Permission = "withdraw" // move tokens out of the account; the key must be limited to addresses
)

// permissions are all of them, in the order in which a key has them.
var permissions = []Permission{Read, Trade, Withdraw}

// UnlimitedTrade is how long a key with Trade can be used while it is not limited to
// addresses. The exchange has the same rule [api].
const UnlimitedTrade = 90 * 24 * time.Hour

// The widest ranges that limit a key. The largest assignments to one network are an IPv4
// /8 and an IPv6 /32: a wider range is not one holder's network. Ours.
const (
	widestIPv4 = 8
	widestIPv6 = 32
)

// Key is a holder's API key. A zero time means never.
type Key struct {
	Key         string // what a client sends, 64 characters of A-Z a-z 0-9
	Account     ledger.Account
	Type        KeyType
	Permissions []Permission   // in the order read, trade, withdraw
	Addresses   []netip.Prefix // from where it may be used; none: from anywhere
	Label       string         // the holder's own name of it
	Secret      Hidden         // HMAC: the sealed secret; else the public key, PKIX DER
	Created     time.Time
	Expires     time.Time // as its holder wants it; see Ends
	TradeUntil  time.Time // of a key with Trade that is not limited to addresses; see LimitTrade
	Revoked     time.Time
}

// String names the key in logs and messages, which never show the whole key.
func (k Key) String() string { return fmt.Sprintf("key %s of %s", k.Short(), k.Account) }

// LogValue is the key in a log.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Short is the part of the key that may be shown anywhere.
func (k Key) Short() string { return fmt.Sprintf("%.8s…", k.Key) }

// longestNamed is how many characters Named has at most.
const longestNamed = 100

// Named is the part of the key that may be shown anywhere, and its label: at most 100
// characters.
func (k Key) Named() string {
	named := []rune(strings.TrimSpace(k.Short() + " " + k.Label))
	return string(named[:min(len(named), longestNamed)])
}

// keyLength is the length of an API key and of its secret, as the exchange's.
const keyLength = 64

// IsKey reports whether text has the form of an API key. The key need not exist.
func IsKey(text string) bool { return len(text) == keyLength && strings.Trim(text, keyAlphabet) == "" }

const keyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// MaxKeyAddresses is the largest number of address ranges of a key, or of a token.
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
			// 248 is the largest multiple of 62 in a byte: higher bytes would make some characters likelier.
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
		return "", ledger.ErrInvalid.In("", "%q is not a type of key; it is hmac, ed25519 or rsa", ledger.Clip(s))
	}
	return t, nil
}

// ParsePermissions reads permissions separated by commas, in any order and case:
// "read,trade". Its error is ledger.ErrInvalid.
func ParsePermissions(s string) ([]Permission, error) {
	var parsed []Permission
	for _, word := range strings.Split(s, ",") {
		p := Permission(strings.ToLower(strings.TrimSpace(word)))
		if !slices.Contains(permissions, p) {
			return nil, ledger.ErrInvalid.In("",
				"%q is not a permission; a key has read, and may have trade and withdraw: read,trade,withdraw",
				ledger.Clip(word))
		}
		parsed = append(parsed, p)
	}
	slices.Sort(parsed)
	parsed = slices.Compact(parsed)
	if !slices.Contains(parsed, Read) {
		return nil, ledger.ErrInvalid.In("", "every key has the permission to read: read,%s", FormatPermissions(parsed))
	}
	return parsed, nil
}

// FormatPermissions is the inverse of ParsePermissions.
func FormatPermissions(permissions []Permission) string { return join(permissions) }

// ParseAddresses reads addresses and ranges, such as 192.0.2.7 and 2001:db8::/32,
// separated by commas; "" is none, and duplicates are removed. Its error is ledger.ErrInvalid.
func ParseAddresses(s string) ([]netip.Prefix, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	words := strings.Split(s, ",")
	if len(words) > MaxKeyAddresses {
		return nil, ledger.ErrInvalid.In("", "%d addresses; a credential is limited to at most %d",
			len(words), MaxKeyAddresses)
	}
	var addresses []netip.Prefix
	for _, word := range words {
		prefix := parseRange(strings.TrimSpace(word))
		if !prefix.IsValid() {
			return nil, ledger.ErrInvalid.In("", "%q is not an address or a range such as 192.0.2.0/24",
				ledger.Clip(word))
		}
		if !slices.Contains(addresses, prefix) {
			addresses = append(addresses, prefix)
		}
	}
	return addresses, nil
}

// parseRange reads an address or a range; the zero Prefix is an error. An IPv4 address
// mapped into IPv6 is the IPv4 address: ::ffff:192.0.2.7 is 192.0.2.7.
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

// FormatAddresses is the inverse of ParseAddresses.
func FormatAddresses(addresses []netip.Prefix) string { return join(addresses) }

func join[T any](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ",")
}

// Valid returns ledger.ErrInvalid unless the key may be stored.
func (k Key) Valid() error {
	if !IsKey(k.Key) {
		return ledger.ErrInvalid.In("key", "an API key has %d characters of A-Z a-z 0-9", keyLength)
	}
	if err := k.Account.CheckHolder(); err != nil {
		return ledger.At("account", err)
	}
	if parsed, err := ParsePermissions(FormatPermissions(k.Permissions)); err != nil ||
		!slices.Equal(parsed, k.Permissions) {
		return ledger.ErrInvalid.In("permissions", "the permissions %q are not as ParsePermissions reads them",
			ledger.Clip(FormatPermissions(k.Permissions)))
	}
	if err := k.validAddresses(); err != nil {
		return err
	}
	switch {
	case k.Type == HMAC && len(k.Secret) == 0:
		return ledger.ErrInvalid.In("secret", "an HMAC key has a sealed secret")
	case k.Type == HMAC:
		return nil
	}
	_, err := publicKey(k.Type, k.Secret)
	return ledger.At("secret", err)
}

// validAddresses checks the addresses that the key is limited to.
func (k Key) validAddresses() error {
	if !areParsed(k.Addresses) {
		return ledger.ErrInvalid.In("addresses", "the addresses %q are not as ParseAddresses reads them",
			ledger.Clip(FormatAddresses(k.Addresses)))
	}
	if slices.Contains(k.Permissions, Withdraw) && !k.Limited() {
		return ledger.ErrInvalid.In("addresses",
			"a key may withdraw only from addresses that it is limited to; give it addresses, "+
				"or ranges of at least /%d (IPv4) or /%d (IPv6)",
			widestIPv4, widestIPv6)
	}
	return nil
}

// May reports whether the key permits p from some address. A key that is not limited never
// permits Withdraw, whatever is stored: what moves tokens out is checked again at use.
func (k Key) May(p Permission) bool {
	return slices.Contains(k.Permissions, p) && (p != Withdraw || k.Limited())
}

// Limited reports whether the key is limited to addresses: to ranges none of which is wider
// than a /8 of IPv4 or a /32 of IPv6. MaxKeyAddresses of these are far from all addresses.
func (k Key) Limited() bool {
	return len(k.Addresses) > 0 && !slices.ContainsFunc(k.Addresses, func(r netip.Prefix) bool {
		if r.Addr().Is4() {
			return r.Bits() < widestIPv4
		}
		return r.Bits() < widestIPv6
	})
}

// LimitTrade sets TradeUntil of a key whose addresses are set now: after UnlimitedTrade, if
// the key has Trade and is not limited to addresses. A time that is set already stays.
func (k *Key) LimitTrade(now time.Time) {
	switch {
	case !k.May(Trade) || k.Limited():
		k.TradeUntil = time.Time{}
	case k.TradeUntil.IsZero():
		k.TradeUntil = now.Add(UnlimitedTrade)
	}
}

// Ends is when the key expires: the earlier of Expires and TradeUntil; zero: never.
func (k Key) Ends() time.Time {
	if k.Expires.IsZero() || !k.TradeUntil.IsZero() && k.TradeUntil.Before(k.Expires) {
		return k.TradeUntil
	}
	return k.Expires
}

// Live returns ErrUnknown if the key is revoked or expired at now.
func (k Key) Live(now time.Time) error {
	if !live(k.Ends(), k.Revoked, now) {
		return ErrUnknown
	}
	return nil
}

// live reports whether a credential is neither revoked nor expired at now.
func live(expires, revoked, now time.Time) bool {
	return revoked.IsZero() && (expires.IsZero() || now.Before(expires))
}

// isWithin reports whether an address is in one of some ranges, or there are none.
func isWithin(ranges []netip.Prefix, from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	return len(ranges) == 0 || slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return r.Contains(from) })
}

// areParsed reports whether addresses are as ParseAddresses reads them.
func areParsed(addresses []netip.Prefix) bool {
	parsed, err := ParseAddresses(FormatAddresses(addresses))
	return err == nil && slices.Equal(parsed, addresses)
}

// Allows returns ErrAddress or ErrForbidden unless the key permits p from an address.
func (k Key) Allows(p Permission, from netip.Addr) error {
	if !isWithin(k.Addresses, from) {
		return ErrAddress
	}
	if !k.May(p) {
		return ErrForbidden.In("", "the key has no permission to %s", p)
	}
	return nil
}
