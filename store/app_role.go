package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/store/schema"
)

// ErrRole says why a role cannot be the application role; ErrRights, that the role which is connected lacks rights.
var (
	ErrRole   = db.ErrRole
	ErrRights = db.ErrRights
)

// CheckRole is ErrRole unless the database at "postgres://…" has a role that may be the application role: one that is
// there, and that is neither a superuser nor a member of the role that is connected. Never on SQLite.
func CheckRole(ctx context.Context, url string, o Options, role string) error {
	b, err := connect(ctx, url, o, false)
	if err != nil {
		return err
	}
	return errors.Join(b.checkRole(ctx, role), b.Close())
}

// GrantRole gives a role of PostgreSQL what the program needs once books are made, and no more: schema.Grants says
// what, table by table. The role is made before, and opens the books with a password of its own. Called by the owner
// of the tables; it is logged; repeating it takes away what else the role was granted since. ErrRole as CheckRole, and
// where the role has further rights by way of another role. ErrNoBooks and ErrSchema as Open.
func GrantRole(ctx context.Context, url string, o Options, role string) (err error) {
	b, err := Open(ctx, url, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return b.engine.Write(ctx, func(t db.Tx) error { return b.grantRole(t, role) })
}

func (b *DB) checkRole(ctx context.Context, role string) error {
	if role == "" {
		return nil
	}
	return b.engine.CheckRole(ctx, role)
}

func (b *DB) grantRole(t db.Tx, role string) error {
	if role == "" {
		return nil
	}
	err := b.engine.Grant(t, role, schema.Grants)
	if err == nil {
		err = b.logLine(t, string(control.GrantRole), role, "")
	}
	return annotate(err, "grant the role %q what the books need", role)
}

// MissingRights are the tables in which the role that opened the books in PostgreSQL may not do all that the program
// needs: whoever made or upgraded them did not call GrantRole for it. None on SQLite. It may be called at any time.
func (b *DB) MissingRights(ctx context.Context) ([]string, error) {
	return b.engine.MissingRights(ctx, schema.Grants)
}

// CheckRights is ErrRights where there are MissingRights.
func (b *DB) CheckRights(ctx context.Context) error {
	missing, err := b.MissingRights(ctx)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%w: it lacks rights in the tables %s", ErrRights, strings.Join(missing, " "))
	}
	return err
}

// grantedRoles are those that GrantRole was called for, as the log says, and that may still write here: books that are
// restored have the log of the database that they come from.
func (b *DB) grantedRoles(ctx context.Context) (roles []string, err error) {
	may, err := b.engine.Inserters(ctx, "log")
	if err != nil || len(may) == 0 {
		return nil, annotate(err, "look for application roles")
	}
	var granted []string
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		granted, err = db.All(t, db.TextOf, "SELECT DISTINCT subject FROM log WHERE action = $1", string(control.GrantRole))
		return err
	})
	for _, role := range may {
		if slices.Contains(granted, role) {
			roles = append(roles, role)
		}
	}
	return roles, annotate(err, "look for application roles")
}
