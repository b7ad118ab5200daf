package main

// The tests of this file keep the field's words, by which a reader finds what he knows,
// and the form of lines and names.

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const longestLine = 120

// avoided are expressions for which the field has other words. They are looked for, in
// any case unless they say otherwise, in comments, strings, names and Markdown; of a
// name each word stands by itself.
var avoided = []struct {
	pattern string
	use     string
}{
	{`(?:is|are|stays?) once\b`, "idempotent; repeating has no further effect"},
	{`\bnews\b`, "outbox; outbox event"},
	{`\b(?:tells?|tellf|told|telling)\b`, "publish; show; report"},
	{`\bmismatch(?:es)?\b|\bother content\b`, "conflict; different content"},
	{`\bat work\b`, "in flight; working"},
	{`\bfaces?\b|\bfronts\b`, "API; gateway; front end"},
	{`\btaken whole\b|\bshares? the row\b`, "exclusive lock; shared lock"},
	{`\bpieces?\b`, "batch of buckets; shard; part"},
	{`\bpatiently\b|\btried again\b`, "retry with backoff"},
	{`\bwent on from\b`, "cursor; page"},
	{`\bacts\b`, "security events"},
	{`\bpresses\b|\b(?:a|each|every|last|the) press\b|(?-i:\bPress\b)`, "switch event"},
	{`\bforg(?:ive|iven|ave)\b`, "reset"},
	{`\bsee session\b`, "TouchSession; last used"},
	{`\b(?:what|which|this|that) sort\b|\bsorts? of\b`, "kind; problem type"},
	{`\b(?:standing|situation|owing)\b`, "eligibility; account state; pending rewards"},
	{`(?-i:\bBeginning\b)`, "setup; initial state"},
	{`(?-i:\bWorld\b)`, "environment: Env"},
	{`\bfor a person to look\b|\bwaits? for a person\b`, "needs approval; waiting for funds"},
	{`\bgathers\b`, "group commit"},
	{`\bpaths that there are not\b`, "unmatched paths"},
	{`\b[Ss]ay how\b|help:"say\b`, "show; set"},
	{`\b(?:says?|said) whether\b`, "reports whether"},
	{`\bfor ever\b`, "forever"},
	{`\banew\b`, "again"},
	{`\bmeanwhile\b`, "at the same time"},
	{`\bmend(?:s|ed|ing)?\b`, "correct"},
}

func TestTheFieldsWords(t *testing.T) {
	texts := passages(t)
	for _, a := range avoided {
		pattern := regexp.MustCompile(`(?i)` + a.pattern)
		for _, p := range texts {
			if word := pattern.FindString(p.text); word != "" {
				t.Errorf("%s: %q; the field says: %s", p.at, word, a.use)
			}
		}
	}
}

// passage is a text in which words are looked for.
type passage struct{ at, text string }

// nameWords are the words of a Go name: SetRegion is "Set Region".
var nameWords = regexp.MustCompile(`[A-Z]+[a-z0-9]*|[a-z0-9]+`)

// quoted is a name in Markdown, such as that of an older form of a field.
var quoted = regexp.MustCompile("`[^`]*`")

// passages are the comments, strings and names of the Go files, and the paragraphs of the
// Markdown files.
func passages(t *testing.T) (all []passage) {
	t.Helper()
	for name, text := range files(t) {
		if path.Ext(name) == ".md" {
			for i, line := range strings.Split(string(text), "\n") {
				all = append(all, passage{name + ":" + strconv.Itoa(i+1), quoted.ReplaceAllString(line, "")})
			}
		}
	}
	for _, s := range sources(t) {
		if s.name == "words_test.go" {
			continue
		}
		add := func(p token.Pos, text string) { all = append(all, passage{s.at(p), text}) }
		for _, group := range s.file.Comments {
			add(group.Pos(), strings.ReplaceAll(group.Text(), "\n", " "))
		}
		names := make(map[string]bool)
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					add(n.Pos(), n.Value)
				}
			case *ast.Ident:
				if !names[n.Name] {
					names[n.Name] = true
					add(n.Pos(), strings.Join(nameWords.FindAllString(n.Name, -1), " "))
				}
			}
			return true
		})
	}
	return all
}

// TestLinesFitAScreen lets the texts between back quotes be longer: SQL and the help of a
// command are read as they are written.
func TestLinesFitAScreen(t *testing.T) {
	texts := files(t)
	for _, s := range sources(t) {
		exempt := make(map[int]bool)
		ast.Inspect(s.file, func(n ast.Node) bool {
			if l, is := n.(*ast.BasicLit); is && l.Value[0] == '`' {
				for line := s.set.Position(l.Pos()).Line; line <= s.set.Position(l.End()).Line; line++ {
					exempt[line] = true
				}
			}
			return true
		})
		for i, line := range strings.Split(string(texts[s.name]), "\n") {
			if utf8.RuneCountInString(line) > longestLine && !exempt[i+1] {
				t.Errorf("%s:%d has more than %d columns", s.name, i+1, longestLine)
			}
		}
	}
}

// participle is the end of a file's name such as posting.go.
var participle = regexp.MustCompile(`^store/\w+(?:ing|ed)(?:_test)?\.go$`)

func TestFilesOfTheStoreHaveNouns(t *testing.T) {
	for name := range files(t) {
		if participle.MatchString(name) {
			t.Errorf("%s is named by what it does; a noun says what is in it", name)
		}
	}
}
