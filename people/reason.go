package people

// The reasons of a ledger.Error for which an API has a hint.
const (
	ReasonUnknownKey   = "unknown-key"   // ledger.ErrNotFound
	ReasonUnknownLogin = "unknown-login" // ledger.ErrNotFound
	ReasonUnknownToken = "unknown-token" // ledger.ErrNotFound: a bearer token
	ReasonTooManyKeys  = "too-many-keys" // ledger.ErrInvalid
	ReasonDeadKey      = "dead-key"      // ledger.ErrInvalid: revoked or expired
)
