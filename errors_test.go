package main

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"slices"
	"testing"
)

// errorTables are the tables of the front ends, by file: each says what an error of
// each kind is to those whom the front end serves.
var errorTables = map[string]string{
	"api/problem.go":    "problemTypes",
	"binance/errors.go": "refusals",
	"cli/message.go":    "kinds",
	"web/route.go":      "failures",
}

// TestErrorTablesAreTotal: whoever adds a kind of error decides what each front end makes of it.
func TestErrorTablesAreTotal(t *testing.T) {
	all := sources(t)
	kinds := errorKinds(all)
	if len(kinds) < 6 {
		t.Fatalf("only the kinds %v are found", kinds)
	}
	for file, table := range errorTables {
		i := slices.IndexFunc(all, func(s source) bool { return s.name == file })
		if i < 0 {
			t.Errorf("there is no file %s", file)
			continue
		}
		rows := namesIn(all[i], table)
		if len(rows) == 0 {
			t.Errorf("%s has no table %s", file, table)
		}
		for _, kind := range kinds {
			if !rows[kind] {
				t.Errorf("%s: the table %s has no row for %s", file, table, kind)
			}
		}
	}
}

// errorKinds are the constants of the type ledger.ErrorKind, sorted: "idempotency.ErrInFlight".
func errorKinds(all []source) []string {
	kinds := map[string]bool{}
	for _, s := range all {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if spec, is := n.(*ast.ValueSpec); is && !s.test && spec.Type != nil && typeOf(s, spec.Type) == "ledger.ErrorKind" {
				for _, name := range spec.Names {
					if name.IsExported() {
						kinds[path.Base(s.pkg)+"."+name.Name] = true
					}
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(kinds))
}

// typeOf is a type's name with its package's: "ledger.ErrorKind".
func typeOf(s source, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return path.Base(s.pkg) + "." + e.Name
	case *ast.SelectorExpr:
		return fmt.Sprintf("%s.%s", e.X, e.Sel.Name)
	}
	return ""
}

// namesIn are the names of other packages in the value of a variable: "ledger.ErrFrozen".
func namesIn(s source, variable string) map[string]bool {
	names := map[string]bool{}
	for _, d := range s.file.Decls {
		ast.Inspect(d, func(n ast.Node) bool {
			spec, is := n.(*ast.ValueSpec)
			if !is || spec.Names[0].Name != variable || len(spec.Values) != 1 {
				return true
			}
			ast.Inspect(spec.Values[0], func(n ast.Node) bool {
				if sel, is := n.(*ast.SelectorExpr); is {
					names[typeOf(s, sel)] = true
				}
				return true
			})
			return false
		})
	}
	return names
}
