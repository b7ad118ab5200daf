package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPagesHideNothingOfTheView: what a page's data has of its own is called other
// than what the layout asks of every page. Else the layout would take the one for the other, and
// nothing would say so.
func TestPagesHideNothingOfTheView(t *testing.T) {
	embeds, own := map[string][]string{}, map[string]map[string]token.Position{}
	set := token.NewFileSet()
	keep := func(of, name string, at token.Pos) {
		if own[of] == nil {
			own[of] = map[string]token.Position{}
		}
		if ast.IsExported(name) {
			own[of][name] = set.Position(at)
		}
	}
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv != nil {
				keep(typeName(n.Recv.List[0].Type), n.Name.Name, n.Pos())
			}
		case *ast.TypeSpec:
			if s, is := n.Type.(*ast.StructType); is {
				for _, f := range s.Fields.List {
					for _, name := range f.Names {
						keep(n.Name.Name, name.Name, name.Pos())
					}
					if len(f.Names) == 0 {
						embeds[n.Name.Name] = append(embeds[n.Name.Name], typeName(f.Type))
					}
				}
			}
		}
		return true
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	asked := askedOfAll(t)
	for page, names := range own {
		if page == "view" || !reaches(embeds, page, "view") {
			continue
		}
		for name, at := range names {
			for _, of := range []string{"view", "locale"} {
				if _, there := own[of][name]; there && asked[name] {
					t.Errorf("%s: %s of %s hides that of %s", at, name, page, of)
				}
			}
		}
	}
}

// askedOfAll are the names that the layout and the settings ask of every page.
func askedOfAll(t *testing.T) map[string]bool {
	t.Helper()
	asked := map[string]bool{}
	for _, name := range []string{"../ui/templates/layout.html", "../ui/templates/settings.html",
		"templates/shared/layout.html"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\$\.([A-Z]\w*)`).FindAllStringSubmatch(string(text), -1) {
			asked[m[1]] = true
		}
	}
	return asked
}

// typeName is a type's name, also of a pointer to it.
func typeName(e ast.Expr) string {
	if star, is := e.(*ast.StarExpr); is {
		e = star.X
	}
	if id, is := e.(*ast.Ident); is {
		return id.Name
	}
	return ""
}

// reaches reports whether a type embeds another, or one that does.
func reaches(embeds map[string][]string, from, to string) bool {
	for _, e := range embeds[from] {
		if e == to || reaches(embeds, e, to) {
			return true
		}
	}
	return false
}
