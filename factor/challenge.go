package factor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/softstake/softstake/access"
)

// ChallengeLife is how long a challenge may be answered.
const ChallengeLife = 5 * time.Minute

// Challenger makes challenges that are kept nowhere: each says when it is over, and is signed with what it is about.
// Whoever takes an answer keeps the challenge until then, so that it is answered once.
type Challenger struct{ secret access.Hidden }

// NewChallenger signs with a secret of at least 32 bytes.
func NewChallenger(secret access.Hidden) Challenger { return Challenger{secret} }

// The parts of a challenge in bytes: when it is over, in seconds since 1970; random bytes; the signature.
const (
	timeBytes  = 8
	nonceBytes = 16
)

// New is a challenge of now that is about something: an answer to it confirms nothing else.
func (c Challenger) New(random io.Reader, now time.Time, about string) ([]byte, error) {
	head := make([]byte, timeBytes+nonceBytes)
	binary.BigEndian.PutUint64(head, uint64(now.Add(ChallengeLife).Unix()))
	if _, err := io.ReadFull(random, head[timeBytes:]); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return append(head, c.sign(head, about)...), nil
}

// Check returns when a challenge is over. access.ErrUnknown if it was not made by New for the same thing, or is over
// at now.
func (c Challenger) Check(challenge []byte, now time.Time, about string) (over time.Time, err error) {
	if len(challenge) != timeBytes+nonceBytes+sha256.Size ||
		!hmac.Equal(c.sign(challenge[:timeBytes+nonceBytes], about), challenge[timeBytes+nonceBytes:]) {
		return over, access.ErrUnknown.In("", "the challenge is not one of this")
	}
	over = time.Unix(int64(binary.BigEndian.Uint64(challenge)), 0).UTC()
	if !over.After(now) {
		return over, access.ErrUnknown.In("", "the challenge is too old")
	}
	return over, nil
}

func (c Challenger) sign(head []byte, about string) []byte {
	h := hmac.New(sha256.New, c.secret)
	h.Write(head)
	h.Write([]byte(about))
	return h.Sum(nil)
}
