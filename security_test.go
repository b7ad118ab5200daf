package main

import (
	"go/ast"
	"os"
	"regexp"
	"testing"
)

var namedTest = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")

// TestSecurityNamesTestsThatThereAre: a test that docs/security.md names and that was renamed or removed shows nothing.
func TestSecurityNamesTestsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, is := d.(*ast.FuncDecl); is && s.test {
				there[f.Name.Name] = true
			}
		}
	}
	named := namedTest.FindAllStringSubmatch(string(text), -1)
	for _, name := range named {
		if !there[name[1]] {
			t.Errorf("docs/security.md: there is no %s", name[1])
		}
	}
	if len(named) == 0 {
		t.Error("docs/security.md names no test")
	}
}
