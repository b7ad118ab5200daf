package access

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/unicode/norm"

	"github.com/softstake/softstake/ledger"
)

// ErrPasswordBreached is why CheckNewPassword refuses a password that others have lost to thieves.
var ErrPasswordBreached = ledger.ErrInvalid.In("",
	"this password has become public in a breach; choose one that is used nowhere else")

// Breached are the passwords that have become public, in the form in which such a list is shipped: a file with a line
// for each, the SHA-1 of the password in hex and, behind a colon, how often it was seen, sorted by SHA-1. A password is
// looked up by some forty short reads of the file. A nil list has no password. It is safe for concurrent use.
type Breached struct {
	file *os.File
	size int64
}

// longestBreached is how long a line of the file is at most, with its end.
const longestBreached = 128

// OpenBreached opens a list, until Close. ledger.ErrInvalid where its first and last lines are none of a sorted list;
// lines between them are looked at when they are read.
func OpenBreached(name string) (*Breached, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	b := &Breached{file: file}
	info, err := file.Stat()
	if err == nil {
		b.size = info.Size()
		err = b.check()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return b, nil
}

// check looks at the ends of the list.
func (b *Breached) check() error {
	if b.size == 0 {
		return errNotBreached
	}
	first, err := b.at(0)
	if err != nil {
		return err
	}
	last, err := b.at(b.size - 1)
	if err == nil && bytes.Compare(first.hash, last.hash) > 0 {
		err = errNotBreached
	}
	return err
}

// Close closes the file; a nil one has none.
func (b *Breached) Close() error {
	if b == nil {
		return nil
	}
	return b.file.Close()
}

// errNotBreached says that the file is no such list.
var errNotBreached = ledger.ErrInvalid.In("",
	"it is not a list of passwords that have become public: lines of a SHA-1 in hex and, behind a colon, a number, sorted")

// Check is ErrPasswordBreached for a password of the list, as it is typed or in the form NFC. Other errors are those of
// reading the file.
func (b *Breached) Check(password string) error {
	if b == nil {
		return nil
	}
	for _, text := range []string{password, norm.NFC.String(password)} {
		if has, err := b.has(sha1.Sum([]byte(text))); err != nil {
			return fmt.Errorf("look a password up in %s: %w", b.file.Name(), err)
		} else if has {
			return ErrPasswordBreached
		}
	}
	return nil
}

// has finds a hash by binary search among the bytes of the file: each step reads the line that has the byte in the
// middle.
func (b *Breached) has(hash [sha1.Size]byte) (bool, error) {
	from, end := int64(0), b.size
	for from < end {
		line, err := b.at(from + (end-from)/2)
		if err != nil {
			return false, err
		}
		switch order := bytes.Compare(hash[:], line.hash); {
		case order == 0:
			return true, nil
		case order < 0:
			end = line.from
		default:
			from = line.end
		}
	}
	return false, nil
}

// breachedLine is a line of the file, and where it lies.
type breachedLine struct {
	hash      []byte
	from, end int64
}

// at is the line that has a byte of the file.
func (b *Breached) at(offset int64) (line breachedLine, err error) {
	begin := max(offset-longestBreached, 0)
	text := make([]byte, min(offset+longestBreached, b.size)-begin)
	if _, err := b.file.ReadAt(text, begin); err != nil && !errors.Is(err, io.EOF) {
		return line, err
	}
	at := int(offset - begin)
	from := bytes.LastIndexByte(text[:at], '\n') + 1
	length := bytes.IndexByte(text[from:], '\n') + 1
	if length == 0 {
		length = len(text) - from
	}
	digits, _, _ := bytes.Cut(bytes.TrimRight(text[from:from+length], "\r\n"), []byte(":"))
	line = breachedLine{make([]byte, sha1.Size), begin + int64(from), begin + int64(from+length)}
	if n, err := hex.Decode(line.hash, digits[:min(len(digits), 2*sha1.Size)]); err != nil || n != sha1.Size ||
		len(digits) != 2*sha1.Size {
		return line, errNotBreached
	}
	return line, nil
}
