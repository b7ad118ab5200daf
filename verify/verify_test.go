package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/verify"
)

const origin, day = "books.example.com", "2026-11-22"

// operator signs with a key that is made of its number.
type operator struct{ private ed25519.PrivateKey }

func newOperator(number byte) operator {
	return operator{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{number}, ed25519.SeedSize))}
}

func (o operator) public() []byte {
	return append([]byte{1}, o.private.Public().(ed25519.PublicKey)...)
}

// key is what holders have of the operator.
func (o operator) key() string {
	return fmt.Sprintf("%s+%08x+%s", origin, o.id(), base64.StdEncoding.EncodeToString(o.public()))
}

func (o operator) id() []byte {
	sum := sha256.Sum256(append([]byte(origin+"\n"), o.public()...))
	return sum[:4]
}

// sign makes the checkpoint of some records, and the proof that one of them is among them.
func (o operator) sign(records []string, index int) (checkpoint string, others []verify.Hash) {
	leaves := make([]verify.Hash, len(records))
	for i, r := range records {
		leaves[i] = sha256.Sum256(append([]byte{0}, r...))
	}
	root, others := treeOf(leaves, index)
	text := fmt.Sprintf("%s\n%d\n%v\nday %s\n", origin, len(records), root, day)
	signature := append(o.id(), ed25519.Sign(o.private, []byte(text))...)
	return text + "\n— " + origin + " " + base64.StdEncoding.EncodeToString(signature) + "\n", others
}

// treeOf is the root of a tree as RFC 9162, 2.1, defines it, and the way from a leaf to it; -1: none.
func treeOf(leaves []verify.Hash, index int) (root verify.Hash, others []verify.Hash) {
	if len(leaves) == 1 {
		return leaves[0], nil
	}
	first := 1
	for 2*first < len(leaves) {
		first *= 2
	}
	way := func(at, of int) int {
		if at < 0 || at >= of {
			return -1
		}
		return at
	}
	left, inLeft := treeOf(leaves[:first], way(index, first))
	right, inRight := treeOf(leaves[first:], way(index-first, len(leaves)-first))
	root = sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
	switch {
	case index < 0:
		return root, nil
	case index < first:
		return root, append(inLeft, right)
	}
	return root, append(inRight, left)
}

// record is the record of a day that has a root.
func record(root verify.Node) string {
	return fmt.Sprintf("softstake record\nday %s\nlayout 1\n%s", day, verify.Line("BNB", root))
}

func join(t testing.TB, left, right verify.Node) verify.Node {
	t.Helper()
	n, err := verify.Join(left, right)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func leafOf(account string, amount uint64) verify.Node {
	return verify.Leaf(account, "BNB", day, nonceOf(account), amount)
}

func nonceOf(account string) verify.Hash { return sha256.Sum256([]byte("nonce of " + account)) }

// proofOf is a proof of alice's 5 beside bob's 3, in the record of the day, which is one of several.
func proofOf(t testing.TB, o operator, records, index int) verify.Proof {
	t.Helper()
	bob := leafOf("bob", 3)
	p := verify.Proof{Account: "alice", Asset: "BNB", Day: day, Amount: 5, Nonce: nonceOf("alice"),
		Path: []verify.Node{bob}, Index: int64(index), Size: int64(records)}
	all := make([]string, records)
	for i := range all {
		all[i] = fmt.Sprintf("softstake record\nday of number %d\n", i)
	}
	all[index] = record(join(t, leafOf("alice", 5), bob))
	p.Record = all[index]
	p.Checkpoint, p.Inclusion = o.sign(all, index)
	return p
}

// TestRecordsOfEachTree: each record of trees of each size up to 20 is proved, and as no other one.
func TestRecordsOfEachTree(t *testing.T) {
	o := newOperator(1)
	for size := 1; size <= 20; size++ {
		for index := range size {
			p := proofOf(t, o, size, index)
			if r, err := p.Check(o.key()); err != nil || r.Total != 8 || r.Origin != origin || r.Size != int64(size) {
				t.Fatalf("the record %d of %d: %+v, %v", index, size, r, err)
			}
			for other := -1; other <= size; other++ {
				q := p
				if q.Index = int64(other); other == index {
					continue
				}
				if _, err := q.Check(o.key()); err == nil {
					t.Errorf("the record %d of %d is proved as the record %d", index, size, other)
				}
			}
			q := p
			q.Inclusion = append(slices.Clone(p.Inclusion), verify.Hash{})
			if _, err := q.Check(o.key()); err == nil {
				t.Errorf("the record %d of %d is proved by a hash too many", index, size)
			}
		}
	}
}

// TestKeys: a proof holds with the operator's key, among other signatures too, and with no other.
func TestKeys(t *testing.T) {
	o := newOperator(1)
	p := proofOf(t, o, 3, 1)
	text, signature, _ := strings.Cut(p.Checkpoint, "\n\n")
	p.Checkpoint = text + "\n\n— witness.example.com AAAAAAA=\n" + signature
	if _, err := p.Check(o.key()); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"", origin, origin + "+1", newOperator(2).key(), "other" + o.key(), o.key() + "AAAA",
		strings.Replace(o.key(), "+A", "+B", 1)} {
		if _, err := p.Check(key); err == nil {
			t.Errorf("the proof holds with the key %q", key)
		}
	}
}

// TestFilesAreStrict: a file is a proof in one form only.
func TestFilesAreStrict(t *testing.T) {
	o := newOperator(1)
	p := proofOf(t, o, 3, 1)
	p.Account = "a<&>é"
	text := file(t, p)
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	for _, same := range []string{string(text), spaced.String(), strings.TrimSpace(string(text))} {
		q, err := verify.Parse([]byte(same))
		if err != nil || string(file(t, q)) != string(text) {
			t.Errorf("%s: %v", same, err)
		}
	}
	hash := p.Inclusion[0].String()
	for what, change := range map[string][2]string{
		"an unknown field":          {`"path"`, `"more":1,"path"`},
		"an unknown field of nodes": {`"left"`, `"more":1,"left"`},
		"a field twice":             {`"amount"`, `"amount":"5","amount"`},
		"a field in capitals":       {`"amount"`, `"Amount"`},
		"another order":             {`"account":"a<&>é","asset":"BNB"`, `"asset":"BNB","account":"a<&>é"`},
		"a field that is missing":   {`"index":1,`, ``},
		"a negative amount":         {`"amount":"5"`, `"amount":"-5"`},
		"an amount above 64 bits":   {`"amount":"5"`, `"amount":"18446744073709551621"`},
		"an amount with a zero":     {`"amount":"5"`, `"amount":"05"`},
		"an amount as a number":     {`"amount":"5"`, `"amount":5`},
		"an amount with a point":    {`"amount":"5"`, `"amount":"5.0"`},
		"a negative sum":            {`"sum":"3"`, `"sum":"-3"`},
		"a shorter hash":            {hash, hash[:40]},
		"a longer hash":             {hash, "AAAA" + hash},
		"a hash of other letters":   {hash, strings.Repeat("*", len(hash))},
		"a shorter nonce":           {p.Nonce.String(), p.Nonce.String()[:40]},
		"an index with a point":     {`"index":1`, `"index":1.0`},
		"an index as a text":        {`"index":1`, `"index":"1"`},
		"an escape for a letter":    {`"BNB"`, `"\u0042NB"`},
		"nothing for a list":        {`"path":[`, `"path":null,"path2":[`},
	} {
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if changed == string(text) {
			t.Fatalf("%s: nothing is changed", what)
		}
		if _, err := verify.Parse([]byte(changed)); err == nil {
			t.Errorf("%s is not refused", what)
		}
	}
	for _, other := range []string{"", "null", "{}", "[]", "7", string(text) + "{}", string(text) + "x",
		"\ufeff" + string(text), strings.Replace(string(text), "BNB", "\xff", 1)} {
		if _, err := verify.Parse([]byte(other)); err == nil {
			t.Errorf("%q is a proof", other)
		}
	}
}

// file is a proof as it is given out.
func file(t testing.TB, p verify.Proof) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzCheck: no file stops the verifier, what it reads it would write again, and what it accepts shows what the
// operator has signed: nobody can sign anything else.
func FuzzCheck(f *testing.F) {
	o := newOperator(1)
	signed := proofOf(f, o, 5, 3)
	want, err := signed.Check(o.key())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file(f, signed))
	short := signed
	short.Path, short.Inclusion = nil, []verify.Hash{}
	f.Add(file(f, short))
	large := signed
	large.Amount, large.Size, large.Index = 1<<63-1, 1<<63-1, 1<<62
	f.Add(file(f, large))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := verify.Parse(text)
		if err != nil {
			return
		}
		again, err := verify.Parse(file(t, p))
		if err != nil || !bytes.Equal(file(t, again), file(t, p)) {
			t.Fatalf("%s is read as %s: %v", text, file(t, p), err)
		}
		r, err := p.Check(o.key())
		if err == nil && (r != want || p.Account != "alice" || p.Amount != 5) {
			t.Errorf("%s shows %+v", text, r)
		}
	})
}

// TestTheVerifierStaysSmall: it needs the standard library alone, and checks in a hundred lines of code, so that it can
// be written again by hand. Empty lines and comments do not count.
func TestTheVerifierStaysSmall(t *testing.T) {
	for _, name := range []string{"verify.go", "proof.go", "result.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			if strings.Contains(i.Path.Value, ".") {
				t.Errorf("%s needs %s", name, i.Path.Value)
			}
		}
		lines := 0
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				lines++
			}
		}
		if lines > 100 {
			t.Errorf("%s has %d lines of code", name, lines)
		}
	}
}
