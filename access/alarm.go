package access

import "context"

// SecurityEvent is what operators are alerted to: that a credential was used as it may not be, or that one was used
// which is never used.
type SecurityEvent string

// The events. Their names are labels of a metric, and never change.
const (
	WrongAddress     SecurityEvent = "wrong-address"     // a valid credential from where it is not allowed
	BreakGlass       SecurityEvent = "break-glass"       // the break-glass credential is used for the first time
	OverCeiling      SecurityEvent = "over-ceiling"      // what a token's ceiling of the day refuses
	ForgedRow        SecurityEvent = "forged-row"        // a row in the database that was not written by this program
	WrongCertificate SecurityEvent = "wrong-certificate" // a valid token without its client certificate
)

// SecurityEvents are all of them: a metric counts each from zero, since the first increase of one that was not there
// is none.
var SecurityEvents = []SecurityEvent{WrongAddress, BreakGlass, OverCeiling, ForgedRow, WrongCertificate}

// Alarm reports a security event of a credential, as Actor has it. It is safe for concurrent use, and does not block.
type Alarm func(ctx context.Context, event SecurityEvent, credential string)

// Raise reports an event; a nil Alarm reports nothing.
func (a Alarm) Raise(ctx context.Context, event SecurityEvent, credential string) {
	if a != nil {
		a(ctx, event, credential)
	}
}
