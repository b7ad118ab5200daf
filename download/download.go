// Package download is what files have in common that people download, whatever is in them.
package download

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// Cell guards free text in a CSV file: a spreadsheet takes what begins like this for a
// formula. In a language that writes 1,5 it separates by semicolons, and a cell begins
// behind each of them too, whatever is quoted. Numbers are not free text.
func Cell(s string) string {
	var b strings.Builder
	begins := true
	for _, r := range s {
		if begins && strings.ContainsRune("=+-@\t\r", r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		begins = strings.ContainsRune(";\t\r\n", r) || begins && (r == ' ' || r == '"')
	}
	return b.String()
}

// Name is a file's name without what file systems and headers read in their own way.
func Name(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:"\/`, r) {
			return '_'
		}
		return r
	}, name)
}

// stalled is how long a client may take for a part, before it is given up.
const stalled = 30 * time.Second

// Paced gives the client some time for each part that is written, and not for the whole.
func Paced(w http.ResponseWriter) io.Writer { return paced{w} }

type paced struct{ w http.ResponseWriter }

// Write sends a part. Its deadline is one of the network, and so of the real time,
// whatever clock the books go by.
func (p paced) Write(b []byte) (int, error) {
	if err := http.NewResponseController(p.w).SetWriteDeadline(time.Now().Add(stalled)); err != nil &&
		!errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.w.Write(b)
}
