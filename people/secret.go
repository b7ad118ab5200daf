package people

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
)

// secretLength is the length in bytes of a secret of the books.
const secretLength = 32

// Secret is a stored secret for a purpose: 32 random bytes, made by the first call and the
// same in every process. A copy of the books contains it: use it only if there is no key
// outside of the books. random is crypto/rand.Reader outside of tests.
func (p *People) Secret(ctx context.Context, purpose string, random io.Reader) (access.Hidden, error) {
	name := "secret: " + purpose
	text, err := p.meta(ctx, name)
	if err == nil && text == "" {
		text, err = p.makeSecret(ctx, name, random)
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret for %s: %w", purpose, err)
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(secret) != secretLength {
		return nil, fmt.Errorf("the books' secret for %s is damaged", purpose)
	}
	return secret, nil
}

// UnsubscribeSecret is the purpose of the secret that signs the links by which a reader of a mail unsubscribes.
const UnsubscribeSecret = "unsubscribe"

// DerivedSecret is the secret for a purpose: derived from the key outside of the books or, where there is none, the
// Secret that the books keep.
func (p *People) DerivedSecret(ctx context.Context, sealer *access.Sealer, purpose string,
	random io.Reader) (access.Hidden, error) {
	if sealer != nil {
		return sealer.Derive(purpose)
	}
	return p.Secret(ctx, purpose, random)
}

// makeSecret stores a new secret under a name, or returns the one that another process has
// stored at the same time.
func (p *People) makeSecret(ctx context.Context, name string, random io.Reader) (string, error) {
	secret := make([]byte, secretLength)
	if _, err := io.ReadFull(random, secret); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	err := p.db.Write(ctx, func(t db.Tx) error {
		_, err := t.Exec("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
			name, base64.StdEncoding.EncodeToString(secret))
		return err
	})
	if err != nil {
		return "", err
	}
	return p.meta(ctx, name)
}

// meta is the value of a name in the table meta, or "".
func (p *People) meta(ctx context.Context, name string) (value string, err error) {
	err = p.db.Look(ctx, func(t db.View) error {
		value, _, err = db.First(t, db.TextOf, "SELECT value FROM meta WHERE name = $1", name)
		return err
	})
	return value, err
}
