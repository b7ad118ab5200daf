package main

// The tests of this file read the tree, and keep what ARCHITECTURE.md and
// CONTRIBUTING.md promise.

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// module is the path that the paths of our own packages begin with. go.mod states it, once.
var module = modulePath()

const (
	longestFunction = 70
	longestFile     = 600
)

// arrows are the packages of ours that each may import. Tests may import
// beside them what is in forTests. Whoever adds a package says here where it stands.
var arrows = map[string][]string{
	"ledger":      {},
	"strictjson":  {},
	"download":    {},
	"sse":         {"download"},
	"s3":          {},
	"staking":     {"ledger"},
	"history":     {"staking", "ledger"},
	"audit":       {"staking", "ledger"},
	"access":      {"ledger"},
	"openid":      {"loopback", "access", "ledger"},
	"control":     {"access", "ledger"},
	"loopback":    {},
	"db":          {"loopback"},
	"factor":      {"access"},
	"ceremony":    {"people", "factor", "access", "ledger"},
	"integrity":   {"ledger", "db"},
	"origin":      {"ledger", "db"},
	"people":      {"integrity", "origin", "control", "factor", "access", "ledger", "db"},
	"idempotency": {"ledger", "db"},
	"webhook":     {"loopback", "access", "ledger"},
	"conversion":  {"ledger"},
	"imports":     {"ledger", "db"},
	"consent":     {"origin", "control", "staking", "ledger", "db"},
	"pricing":     {"control", "conversion", "staking", "ledger", "db"},
	"verify":      {},
	"merkle":      {},
	"evidence":    {"merkle", "verify", "integrity", "staking", "ledger", "db"},
	"reconcile":   {"loopback", "merkle", "strictjson", "ledger", "db"},
	"comparison": {"reports", "store", "reconcile", "reconcile/topic", "join/kafka", "join/nats", "staking",
		"ledger"},
	"reconcile/topic": {"join", "reconcile", "strictjson", "ledger"},
	"backoff":         {},
	"outbox":          {"backoff", "staking", "ledger", "db"},
	"join":            {"strictjson", "ledger"},
	"join/address":    {"loopback", "ledger"},
	"join/kafka":      {"join", "join/address", "ledger"},
	"join/nats":       {"join", "join/address", "ledger"},
	"holding":         {"staking", "ledger", "db"},
	"store": {"store/schema", "store/restore", "people", "origin", "idempotency", "outbox", "holding", "imports",
		"consent", "control", "pricing", "evidence", "integrity", "conversion", "staking", "access", "audit", "ledger",
		"join", "reconcile", "webhook", "db"},
	"webhook/delivery": {"webhook", "payout", "events", "outbox", "reports", "store", "access", "ledger"},
	"ingest":           {"backoff", "reports", "store", "join", "reconcile", "staking", "ledger"},
	"join/postgres":    {"join", "ledger", "db"},
	"topic":            {},
	"topic/kafka":      {"topic", "join/kafka"},
	"topic/nats":       {"topic", "join/address", "join/nats", "ledger"},
	"payout":           {"topic", "ledger"},
	"payout/postgres":  {"payout", "ledger", "db"},
	"deliver": {"backoff", "events", "outbox", "reports", "store", "payout", "topic", "webhook",
		"ledger"},
	"simulation": {"store", "holding", "staking", "ledger", "db"},
	"reports": {"integrity", "store", "control", "people", "origin", "outbox", "holding", "imports", "pricing", "evidence",
		"conversion", "staking", "audit", "access", "ledger", "reconcile", "webhook", "db"},
	"events": {"reports", "store", "outbox", "staking", "access", "ledger"},
	"binance": {"reports", "control", "people", "idempotency", "store", "pricing", "conversion", "staking", "access",
		"ledger"},
	"api": {"comparison", "webhook/delivery", "reconcile", "reports", "control", "events", "people", "idempotency",
		"store", "pricing", "evidence", "conversion", "staking", "access", "ledger", "verify", "strictjson", "download",
		"sse"},
	"ui": {"reports", "staking", "access", "ledger"},
	"web": {"reports", "control", "events", "people", "ceremony", "factor", "idempotency", "store", "pricing",
		"evidence", "conversion", "staking", "access", "ledger", "verify", "download", "sse", "ui"},
	"mail": {"people", "access"},
	"console": {"ceremony", "webhook", "webhook/delivery", "reconcile", "join", "factor", "openid", "reports", "control",
		"people", "simulation", "pricing", "store", "staking", "access", "ledger", "sse", "ui"},
	"serve": {"tracing", "comparison", "reports", "outbox", "api", "web", "console", "ui", "mail", "people", "binance",
		"events", "db", "store",
		"webhook", "webhook/delivery", "staking", "access", "ledger"},
	"demo": {"reports", "control", "people", "store", "pricing", "conversion", "staking", "access", "audit", "ledger"},
	"bench": {"deliver", "payout", "ingest", "join", "join/address", "join/kafka", "join/nats", "join/postgres",
		"reports", "control", "people", "store", "imports", "pricing", "evidence", "staking",
		"access", "ledger", "db"},
	"cli": {"loopback", "ingest", "join", "join/address", "join/kafka", "join/nats", "join/postgres", "deliver", "payout",
		"payout/postgres", "topic", "topic/kafka", "topic/nats", "openid",
		"reports", "control", "simulation", "idempotency", "people", "serve",
		"web", "console", "mail",
		"bench", "demo", "demo/exchange", "client", "pgserver", "tracing",
		"history", "store", "outbox", "imports", "consent", "pricing", "evidence", "conversion",
		"webhook", "webhook/delivery",
		"staking", "access", "audit", "ledger", "strictjson", "verify", "s3", "integrity", "comparison", "reconcile",
		"db"},
	"pgtest":              {"pgserver"},
	"testkit":             {},
	"faultproxy":          {},
	"join/jointest":       {"join"},
	"openid/providertest": {},
	"s3/s3test":           {},
	"scenario": {"reports", "control", "people", "idempotency", "store", "outbox", "imports", "store/schema", "db",
		"staking", "access", "audit", "ledger", "integrity", "pgtest", "testkit"},
	"clients":  {"access", "pgtest", "scenario", "testkit"},
	"browser":  {"scenario"},
	"contract": {"client", "scenario"},
	"attack": {"scenario", "reconcile", "reports", "store", "people", "pricing", "control", "staking", "factor", "access",
		"ledger"},
	"release": {},
	"main":    {"cli"},

	"client":           {},
	"client/generate":  {"api"},
	"demo/exchange":    {"db"},
	"examples":         {"scenario", "pgtest"},
	"examples/ledger":  {"client"},
	"examples/kafka":   {"client"},
	"examples/webhook": {},
	"tracing":          {"db"},
	"pgserver":         {},

	"store/schema":  {"staking", "access", "ledger", "db"},
	"store/restore": {"db"},
}

// forTests are packages that only tests import, and each other.
var forTests = []string{"scenario", "pgtest", "testkit", "faultproxy", "join/jointest",
	"openid/providertest", "s3/s3test"}

// testArrows are what the tests of a package may import beside that: the tests of the
// books look at them through the reports, those of api post openings, those of cli
// compare its JSON with that of /v1, those of web change rows as somebody with SQL would,
// those of simulation make books, those of console post events of other ledgers.
var testArrows = map[string][]string{"store": {"reports", "factor", "comparison"},
	"comparison": {"access"}, "api": {"imports"}, "web": {"db"},
	"ingest": {"join/postgres", "join/kafka", "join/nats", "staking", "access", "db"}, "serve": {"join"},
	"deliver": {"payout/postgres", "topic/kafka", "topic/nats", "join/kafka", "join/nats", "staking", "access",
		"people"},
	"cli": {"api"}, "simulation": {"access"}, "ceremony": {"store", "staking"}, "mail": {"store", "db", "staking"},
	"console":          {"evidence", "join"},
	"evidence":         {"store", "control", "people", "pricing", "access", "reports", "audit", "join", "reconcile"},
	"webhook/delivery": {"people", "staking"},
	"outbox":           {"store/schema", "access"}}

// drivers are the libraries that know SQL, and whoDrives the packages that may import them.
var (
	drivers   = []string{"database/sql", "github.com/jackc/", "zombiezen.com/go/sqlite", "modernc.org/sqlite"}
	whoDrives = []string{"db", "join/postgres", "payout/postgres", "reconcile", "scenario", "pgserver", "pgtest",
		"examples/ledger", "examples/kafka"}
)

// exact are the packages that count money, in which no number may be a float.
var exact = []string{"join", "join/address", "join/kafka", "join/nats", "join/postgres", "payout",
	"payout/postgres", "topic", "topic/kafka", "topic/nats", "webhook", "webhook/delivery",
	"deliver", "reconcile", "reconcile/topic", "comparison", "ingest", "ledger", "factor",
	"ceremony", "people", "idempotency", "outbox",
	"holding", "store/schema",
	"store/restore", "db", "reports", "simulation", "conversion", "imports", "consent", "pricing", "evidence",
	"integrity", "origin", "staking", "history", "audit", "store", "access", "control", "events", "binance", "api", "web",
	"console", "ui", "sse", "serve", "demo", "cli"}

// mayFloat are the files of those packages that have floats all the same, and why.
var mayFloat = map[string]string{
	"serve/metrics.go": "Prometheus takes nothing else; they are for graphs, and never come back",
}

// modulePath is the path of the module that go.mod names.
func modulePath() string {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		panic(err)
	}
	return modfile.ModulePath(text)
}

// source is one Go file of the tree.
type source struct {
	name string // slash-separated, from the root of the tree
	pkg  string // the directory's name from the root, "main" for the root
	test bool   // is a _test.go file
	file *ast.File
	set  *token.FileSet
}

// at is a place in the file, for a message.
func (s source) at(p token.Pos) string {
	return fmt.Sprintf("%s:%d", s.name, s.set.Position(p).Line)
}

// imports are the file's, by path.
func (s source) imports(t *testing.T) map[string]token.Pos {
	t.Helper()
	paths := make(map[string]token.Pos)
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", s.at(spec.Pos()), err)
		}
		paths[p] = spec.Pos()
	}
	return paths
}

// files are the names of the tree's files, without what git keeps for itself and
// what is no text (a built binary holds the paths it was built from).
func files(t *testing.T) map[string][]byte {
	t.Helper()
	texts := make(map[string][]byte)
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // a temporary file of somebody's, gone again
			return nil
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if !bytes.ContainsRune(text, 0) {
			texts[filepath.ToSlash(name)] = text
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// sources are the tree's Go files, by name, without those a program wrote.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for name, text := range files(t) {
		if path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if ast.IsGenerated(file) {
			continue
		}
		pkg := path.Dir(name)
		if pkg == "." {
			pkg = "main"
		}
		all = append(all, source{name, pkg, strings.HasSuffix(name, "_test.go"), file, set})
	}
	slices.SortFunc(all, func(a, b source) int { return strings.Compare(a.name, b.name) })
	return all
}

func TestArrows(t *testing.T) {
	for _, s := range sources(t) {
		allowed, known := arrows[s.pkg]
		if !known {
			t.Errorf("%s: say in tidy_test.go what the package %s may import", s.name, s.pkg)
			continue
		}
		for imported, pos := range s.imports(t) {
			if problem := wrongImport(s, imported, allowed); problem != "" {
				t.Errorf("%s: %s", s.at(pos), problem)
			}
		}
	}
}

// wrongImport says what is wrong with an import, or "".
func wrongImport(s source, imported string, allowed []string) string {
	ours, is := strings.CutPrefix(imported, module+"/")
	if !is {
		return wrongLibrary(s, imported)
	}
	self := ours == s.pkg && s.test // a test from outside its package
	if self || slices.Contains(allowed, ours) || s.test &&
		(slices.Contains(forTests, ours) || slices.Contains(testArrows[s.pkg], ours)) {
		return ""
	}
	if slices.Contains(forTests, ours) {
		return fmt.Sprintf("%s imports %s, which is for tests", s.pkg, ours)
	}
	return fmt.Sprintf("%s must not know %s", s.pkg, ours)
}

// wrongLibrary says what is wrong with importing another's package, or "". Tests
// are free in it.
func wrongLibrary(s source, imported string) string {
	if s.test {
		return ""
	}
	host, _, _ := strings.Cut(imported, "/")
	if s.pkg == "ledger" && strings.Contains(host, ".") {
		return "ledger imports only the standard library"
	}
	for _, driver := range drivers {
		if strings.HasPrefix(imported, driver) && !slices.Contains(whoDrives, s.pkg) {
			return fmt.Sprintf("%s must not know SQL: it imports %s", s.pkg, imported)
		}
	}
	return ""
}

// TestArrowsArePointed shows that the table itself is one line: nobody is
// reached from what it imports.
func TestArrowsArePointed(t *testing.T) {
	var visit func(pkg string, above []string)
	visit = func(pkg string, above []string) {
		if slices.Contains(above, pkg) {
			t.Fatalf("the arrows go round: %v, %s", above, pkg)
		}
		allowed, known := arrows[pkg]
		if !known {
			t.Fatalf("%v may import %s, which has no line of its own", above, pkg)
		}
		for _, next := range allowed {
			visit(next, append(slices.Clone(above), pkg))
		}
	}
	for pkg := range arrows {
		visit(pkg, nil)
	}
}

func TestFunctionsFitAScreenAndFilesASitting(t *testing.T) {
	for _, s := range sources(t) {
		if n := s.set.File(s.file.FileStart).LineCount(); n > longestFile {
			t.Errorf("%s has %d lines, more than %d", s.name, n, longestFile)
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
				first, last := s.set.Position(n.Pos()).Line, s.set.Position(n.End()).Line
				if lines := last - first + 1; lines > longestFunction {
					t.Errorf("%s: a function of %d lines, more than %d", s.at(n.Pos()), lines, longestFunction)
				}
			}
			return true
		})
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	comments := make(map[string]int)
	for _, s := range sources(t) {
		if !s.test {
			comments[s.pkg] += 0 // now it is known to be a package
		}
		if s.file.Doc == nil {
			continue
		}
		comments[s.pkg]++
		if text := s.file.Doc.Text(); s.pkg != "main" && !strings.HasPrefix(text, "Package "+s.file.Name.Name+" ") {
			t.Errorf("%s: the comment does not begin with \"Package %s\"", s.name, s.file.Name.Name)
		}
	}
	for pkg, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments; it has one, in one file", pkg, n)
		}
	}
}

func TestMoneyHasNoFloats(t *testing.T) {
	excused := make(map[string]bool)
	for _, s := range sources(t) {
		if !slices.Contains(exact, s.pkg) {
			continue
		}
		for _, found := range floats(s) {
			if mayFloat[s.name] != "" {
				excused[s.name] = true
				continue
			}
			t.Errorf("%s; money is whole units", found)
		}
	}
	for name := range mayFloat {
		if !excused[name] {
			t.Errorf("%s has no floats: take it off the list of those that may", name)
		}
	}
}

// floating are the words by which floats come in unseen: they are results or
// arguments of functions with these names.
var floating = []string{
	"float32", "float64", "complex64", "complex128",
	"ParseFloat", "FormatFloat", "AppendFloat", "NewFloat", "Float", "Float32", "Float64", "SetFloat64",
	"Hours", "Minutes", "Seconds",
}

// floats are the places where a file has floats, each with what stands there.
func floats(s source) []string {
	var found []string
	add := func(p token.Pos, what string) { found = append(found, fmt.Sprintf("%s: %s", s.at(p), what)) }
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if n.Kind == token.FLOAT || n.Kind == token.IMAG {
				add(n.Pos(), n.Value)
			}
		case *ast.SelectorExpr:
			if x, is := n.X.(*ast.Ident); is && x.Name == "math" && !wholeNumber(n.Sel.Name) {
				add(n.Pos(), "math."+n.Sel.Name)
			}
		case *ast.Ident:
			if slices.Contains(floating, n.Name) {
				add(n.Pos(), n.Name)
			}
		}
		return true
	})
	return found
}

// wholeNumber reports whether a name of the package math is one of its integers.
func wholeNumber(name string) bool {
	return strings.HasPrefix(name, "MaxInt") || strings.HasPrefix(name, "MinInt") || strings.HasPrefix(name, "MaxUint")
}

// TestNothingOfOneMachine keeps out what holds only where it was written: the
// folders of one machine, and the hosts it fetches packages from. The needles
// are in parts, or this file would find itself.
func TestNothingOfOneMachine(t *testing.T) {
	needles := []string{
		"/work" + "/main", "/work" + "/shared", "/root" + "/",
		"proxy." + "golang.org", "sum." + "golang.org", "registry." + "npmjs.org", "deb." + "debian.org",
	}
	for name, text := range files(t) {
		for _, needle := range needles {
			if before, _, found := bytes.Cut(text, []byte(needle)); found {
				t.Errorf("%s:%d: %s", name, 1+bytes.Count(before, []byte("\n")), needle)
			}
		}
	}
}

// belowFrontEnds are the packages that know no front end: their messages name no command and
// no flag. What to do at the command line is a hint, by the error's reason, in cli.
var belowFrontEnds = []string{"ledger", "staking", "history", "audit", "access", "control", "db", "people",
	"idempotency", "outbox", "holding", "imports", "consent", "pricing", "evidence", "integrity", "simulation", "origin",
	"store/schema", "store/restore", "store"}

// notCommands are the literals that look like a command, and what they are.
var notCommands = map[string]string{"softstake entry 2": "begins a digest, and never changes",
	"softstake income 1":   "begins a digest, and never changes",
	"softstake campaign 1": "begins a digest, and never changes"}

func TestMessagesNameNoCommands(t *testing.T) {
	all := sources(t)
	words := strings.Join(commands(t, all), "|")
	// A command after the program's name, a command in quotes, a flag.
	named := regexp.MustCompile(`softstake (?:` + words + `)\b|"(?:` + words + `)(?: [a-z-]+)*"|(?:^|[ "])--[a-z]`)
	for _, s := range all {
		if s.test || !slices.Contains(belowFrontEnds, s.pkg) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			literal, is := n.(*ast.BasicLit)
			if !is || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			if found := named.FindString(text); found != "" && notCommands[text] == "" {
				t.Errorf("%s: a message names %q; a front end has the hint", s.at(literal.Pos()), found)
			}
			return true
		})
	}
}

// commands are the names of the program's commands, as the fields of cli's structs with
// the tag "cmd" make them.
func commands(t *testing.T, all []source) (names []string) {
	for _, s := range all {
		if s.pkg != "cli" || s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			field, is := n.(*ast.Field)
			if !is || field.Tag == nil || len(field.Names) != 1 {
				return true
			}
			tag, err := strconv.Unquote(field.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			if _, is := reflect.StructTag(tag).Lookup("cmd"); is {
				kebab := strings.ToLower(capital.ReplaceAllString(field.Names[0].Name, "$1-$2"))
				names = append(names, cmp.Or(reflect.StructTag(tag).Get("name"), kebab))
			}
			return true
		})
	}
	if len(names) < 50 {
		t.Fatalf("cli has only the commands %v", names)
	}
	return names
}

// capital is where a word of a Go name begins: SetRegion is the command set-region.
var capital = regexp.MustCompile(`([a-z0-9])([A-Z])`)
