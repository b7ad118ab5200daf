package web

import (
	"bufio"
	"encoding/csv"
	"errors"
	"net/http"
	"time"

	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
)

// instant is a time for programs: UTC, to the millisecond.
func instant(t time.Time) string { return ledger.FormatTime(t) }

// file answers with a CSV file, which is written while it is read. What cannot be
// finished ends with the connection broken off, so that nobody takes a part for the whole.
// The columns' names are words for programs, in every language the same.
func (v *visit) file(name string, columns []string, read func(line func(cells ...string) error) error) error {
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+download.Name(name)+`.csv"`)
	out := bufio.NewWriterSize(download.Paced(v.w), 32<<10)
	w := csv.NewWriter(out)
	err := w.Write(columns)
	if err == nil {
		err = read(func(cells ...string) error { return w.Write(cells) })
	}
	w.Flush()
	if err = errors.Join(err, w.Error(), out.Flush()); err == nil {
		return nil
	}
	if v.context().Err() == nil {
		v.Log.Error("an export broke off", "request", v.caller.Request, "error", err)
	}
	panic(http.ErrAbortHandler) // the one way to break a connection off from inside a handler
}
