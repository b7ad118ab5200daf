package people

// Why something is refused, where a front end can say what to do about it: the reasons of a
// ledger.Error.
const (
	ReasonUnknownKey   = "unknown-key"   // ledger.ErrNotFound
	ReasonUnknownLogin = "unknown-login" // ledger.ErrNotFound
	ReasonUnknownToken = "unknown-token" // ledger.ErrNotFound: a bearer token
	ReasonTooManyKeys  = "too-many-keys" // ledger.ErrInvalid
	ReasonDeadKey      = "dead-key"      // ledger.ErrInvalid: revoked or expired
)
