package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/download"
)

// An export is written as it is read, without a limit on its length, and holds no
// more than a page of it in memory. What cannot be finished ends with the connection
// broken off, so that nobody takes a part for the whole.

// chunk is how many bytes of an export are sent at a time.
const chunk = 64 << 10

// export begins the description of an export.
func export(id, summary, text string, columns []string) huma.Operation {
	op := about(id, "Exports", summary, text+"Columns: "+strings.Join(columns, ", ")+". "+
		"The answer is complete when it ends as HTTP defines; if the connection breaks instead, request it again, "+
		"from the last complete day on. "+
		"Accounts and IDs are not escaped in CSV, `@custody` is `@custody`: the file is for programs, "+
		"and none of these characters makes a formula.")
	lines := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	streamed(&op, "The export.", map[string]*huma.MediaType{"text/csv": lines, "application/x-ndjson": lines})
	return op
}

// table is what an export is written as.
type table[T any] struct {
	columns []string
	cells   func(T) []string // of a line in CSV
}

// export answers with what read reads.
func (t table[T]) export(rd reader, name, format string, read func(context.Context, func(T) error) error) *stream {
	return &stream{func(w http.ResponseWriter, r *http.Request) {
		headed(w, name, format)
		w.WriteHeader(http.StatusOK)
		out := bufio.NewWriterSize(download.Paced(w), chunk)
		write, end := t.lines(out, format)
		err := read(r.Context(), write)
		if err == nil {
			err = errors.Join(end(), out.Flush())
		}
		rd.sent(r, err)
	}}
}

// sent ends an export, with what sending it failed with.
func (rd reader) sent(r *http.Request, err error) {
	if err == nil {
		return
	}
	if r.Context().Err() == nil {
		rd.log.Error("an export broke off", "request", access.CallerOf(r.Context()).Request, "export",
			r.Pattern, "error", err)
	}
	panic(http.ErrAbortHandler) // the one way to break a connection off from inside a handler
}

// csvFormat is the format of exports that is no JSON.
const csvFormat = "csv"

// headed is what the file is that is sent.
func headed(w http.ResponseWriter, name, format string) {
	kind, extension := "text/csv; charset=utf-8; header=present", "csv"
	if format != csvFormat {
		kind, extension = "application/x-ndjson", "jsonl"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, download.Name(name), extension))
}

// lines writes lines in a format, and what comes after them.
func (t table[T]) lines(out io.Writer, format string) (write func(T) error, end func() error) {
	if format != csvFormat {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		return func(line T) error { return e.Encode(line) }, func() error { return nil }
	}
	w := csv.NewWriter(out)
	head := w.Write(t.columns)
	return func(line T) error { return errors.Join(head, w.Write(t.cells(line))) }, func() error {
		w.Flush()
		return errors.Join(head, w.Error())
	}
}
