package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Grant is what an application role may do with the rows of a table, beside reading them.
type Grant struct {
	Insert, Delete bool
	// Update are the columns that it may change, separated by commas; "": none. A row of a table without any cannot
	// be locked by the role either, since PostgreSQL asks for the right to change a row that is locked.
	Update string
}

// ErrRole says why a role cannot be the application role.
var ErrRole = errors.New("no application role")

// ErrRights says that the role which is connected to PostgreSQL has no right to what it was asked to do.
var ErrRights = errors.New("the role of the database may not do this")

// CheckRole is ErrRole unless the database is PostgreSQL, and has a role of the name that neither owns the tables or
// their schema, by itself or as a member of the role that does, nor may give itself the rights of others.
func (d *DB) CheckRole(ctx context.Context, role string) error {
	return d.Read(ctx, func(t View) error { return d.checkRole(t, role) })
}

func (d *DB) checkRole(t View, role string) error {
	if !d.Postgres() {
		return fmt.Errorf("%w: roles are of PostgreSQL; the owner of an SQLite file may do everything with it", ErrRole)
	}
	var owns int64
	found, err := One(t, []*int64{&owns}, `SELECT CASE WHEN r.rolcreaterole OR pg_has_role(r.oid, current_user, 'MEMBER')
	      OR pg_has_role(r.oid, s.nspowner, 'MEMBER') THEN 1 ELSE 0 END
	     FROM pg_roles r, pg_namespace s WHERE r.rolname = $1 AND s.nspname = current_schema()`, role)
	switch {
	case err != nil:
		return fmt.Errorf("look for the role %s: %w", role, err)
	case !found:
		return fmt.Errorf("%w: there is no role %q; make it with CREATE ROLE … LOGIN", ErrRole, role)
	case owns > 0:
		return fmt.Errorf("%w: %q is a superuser, owns the tables or their schema, or may create roles; it may do "+
			"everything with the tables", ErrRole, role)
	}
	return nil
}

// Grant gives a role of PostgreSQL what the grants say, table by table, and takes away what else it may do with these
// tables and the table of the migrations. Repeating it has no further effect. It is ErrRole as CheckRole, and where the
// role has further rights by way of another role. Only the owner of the tables may call it.
func (d *DB) Grant(t Tx, role string, grants map[string]Grant) error {
	if err := d.checkRole(t, role); err != nil {
		return err
	}
	to := pgx.Identifier{role}.Sanitize()
	if err := grantSchema(t, role, to); err != nil {
		return err
	}
	tables, err := grantedTables(t, grants)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := t.Exec("REVOKE ALL ON " + table + " FROM " + to); err != nil {
			return fmt.Errorf("revoke the rights in %s: %w", table, err)
		}
		if _, err := t.Exec("GRANT " + grants[table].rights() + " ON " + table + " TO " + to); err != nil {
			return fmt.Errorf("grant the rights in %s: %w", table, err)
		}
	}
	return checkGranted(t, role, tables, grants)
}

// grantSchema lets the role find the tables, unless everybody may.
func grantSchema(t Tx, role, to string) error {
	schema, _, err := First(t, TextOf, "SELECT current_schema()::text WHERE NOT "+
		"has_schema_privilege($1, current_schema(), 'USAGE')", role)
	if err == nil && schema != "" {
		_, err = t.Exec("GRANT USAGE ON SCHEMA " + pgx.Identifier{schema}.Sanitize() + " TO " + to)
	}
	return err
}

// grantedTables are the tables of the grants, and what is only read: the table of the migrations, and the views that
// they make. What is written into a view is written with the rights of its owner.
func grantedTables(t View, grants map[string]Grant) ([]string, error) {
	views, err := All(t, TextOf, `SELECT v.relname::text FROM pg_class v, pg_class m WHERE m.oid = to_regclass('migrations')
	    AND v.relkind = 'v' AND v.relnamespace = m.relnamespace AND v.relowner = m.relowner ORDER BY v.relname`)
	if err != nil {
		return nil, fmt.Errorf("look for the views: %w", err)
	}
	return slices.Concat(slices.Sorted(maps.Keys(grants)), []string{"migrations"}, views), nil
}

// rights are the words of GRANT.
func (g Grant) rights() string {
	rights := []string{"SELECT"}
	if g.Insert {
		rights = append(rights, "INSERT")
	}
	if g.Update != "" {
		rights = append(rights, "UPDATE ("+g.Update+")")
	}
	if g.Delete {
		rights = append(rights, "DELETE")
	}
	return strings.Join(rights, ", ")
}

// right is one right in a table, or in a column of it.
type right struct{ table, column, word string }

// each are the rights that a grant gives in a table.
func (g Grant) each(table string) []right {
	all := []right{{table, "", "SELECT"}}
	if g.Insert {
		all = append(all, right{table, "", "INSERT"})
	}
	if g.Delete {
		all = append(all, right{table, "", "DELETE"})
	}
	for column := range strings.SplitSeq(g.Update, ", ") {
		if column != "" {
			all = append(all, right{table, column, "UPDATE"})
		}
	}
	return all
}

// MissingRights are the tables in which the role that is connected may not do all that the grants say, and the views
// that it may not read, in order of their names. None on SQLite. The tables must be there.
func (d *DB) MissingRights(ctx context.Context, grants map[string]Grant) (missing []string, err error) {
	if !d.Postgres() {
		return nil, nil
	}
	err = d.Read(ctx, func(t View) error {
		tables, err := grantedTables(t, grants)
		if err != nil {
			return err
		}
		var all []right
		for _, table := range tables {
			all = append(all, grants[table].each(table)...)
		}
		missing = nil
		return t.QuerySet(func(r Row) error { missing = append(missing, r.Text(0)); return nil },
			`SELECT DISTINCT r.name FROM {rows}
			  WHERE NOT CASE r.column_name WHEN '' THEN has_table_privilege(r.name, r.word)
			                               ELSE has_column_privilege(r.name, r.column_name, r.word) END
			  ORDER BY r.name`,
			SetOf(all,
				Text("name", func(r right) string { return r.table }),
				Text("column_name", func(r right) string { return r.column }),
				Text("word", func(r right) string { return r.word })))
	})
	if err != nil {
		return nil, fmt.Errorf("look for the rights of the role: %w", err)
	}
	return missing, nil
}

// checkGranted finds rights that a role has by way of another, of which it is a member, or that everybody has. It may
// take the place of a role whose rights it does not inherit, too.
func checkGranted(t View, role string, tables []string, grants map[string]Grant) error {
	create, err := Count(t,
		"SELECT CASE WHEN has_schema_privilege($1, current_schema(), 'CREATE') THEN 1 ELSE 0 END", role)
	if err == nil && create > 0 {
		err = fmt.Errorf("%w: %q may create what the owner would use in the place of tables and functions; take it away "+
			"with REVOKE CREATE ON SCHEMA", ErrRole, role)
	}
	if err != nil {
		return err
	}
	may := func(of func(Grant) bool) func(string) int64 {
		return func(table string) int64 { return Flag(of(grants[table])) }
	}
	var more []string
	err = t.QuerySet(func(r Row) error { more = append(more, r.Text(0)); return nil },
		`SELECT DISTINCT r.name FROM {rows} JOIN pg_roles m ON pg_has_role($5, m.oid, 'MEMBER')
		  WHERE has_table_privilege(m.oid, r.name, 'INSERT') AND r.inserts = 0
		     OR has_table_privilege(m.oid, r.name, 'DELETE') AND r.deletes = 0
		     OR has_table_privilege(m.oid, r.name, 'TRUNCATE') OR has_table_privilege(m.oid, r.name, 'TRIGGER')
		     OR EXISTS (SELECT 1 FROM pg_attribute c WHERE c.attrelid = to_regclass(r.name) AND c.attnum > 0
		          AND NOT c.attisdropped AND has_column_privilege(m.oid, c.attrelid, c.attnum, 'UPDATE')
		          AND position(', ' || c.attname || ', ' IN ', ' || r.updates || ', ') = 0)
		  ORDER BY r.name`,
		SetOf(tables,
			Text("name", itself),
			Int("inserts", may(func(g Grant) bool { return g.Insert })),
			Text("updates", func(table string) string { return grants[table].Update }),
			Int("deletes", may(func(g Grant) bool { return g.Delete }))), role)
	if err == nil && len(more) > 0 {
		err = fmt.Errorf("%w: %q may do more than it needs with %s, by way of another role or of PUBLIC", ErrRole, role,
			strings.Join(more, " "))
	}
	return err
}

func itself(name string) string { return name }

// Inserters are the roles of PostgreSQL, but the owner and those that have it by way of another role, that may add rows
// to a table. None on SQLite.
func (d *DB) Inserters(ctx context.Context, table string) (roles []string, err error) {
	if !d.Postgres() {
		return nil, nil
	}
	err = d.Read(ctx, func(t View) (err error) {
		roles, err = All(t, TextOf, `SELECT r.rolname::text FROM pg_class c, aclexplode(c.relacl) a, pg_roles r
			  WHERE c.oid = to_regclass($1::text) AND a.grantee = r.oid AND a.privilege_type = 'INSERT' AND r.oid <> c.relowner
			  ORDER BY r.rolname`, table)
		return err
	})
	return roles, err
}
