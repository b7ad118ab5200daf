package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

type balancesExportIn struct {
	At string `query:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"The moment: from the first day of the books until now. What happens at it counts; a reward counts from the 00:00 after its day, once it is paid. Without it: now."`
	ExportIn
}

type balanceLine struct {
	Account ledger.Account `json:"account"`
	Asset   string         `json:"asset"`
	Free    string         `json:"free"`
	Held    string         `json:"held"`
}

var balanceTable = table[balanceLine]{
	columns: []string{"account", "asset", "free", "held"},
	cells:   func(l balanceLine) []string { return []string{string(l.Account), l.Asset, l.Free, l.Held} },
}

func (rd reader) exportBalances(ctx context.Context, in *balancesExportIn) (*stream, error) {
	at := rd.now()
	if in.At != "" {
		var err error
		if at, err = parseTime(in.At); err != nil {
			return nil, ledger.At("at", err)
		}
	}
	// The books are read as fast as they can be, and not as fast as a client takes what it
	// asked for: a snapshot that lasts keeps the database from cleaning up.
	f, err := newSpool()
	if err != nil {
		return nil, err
	}
	size, err := rd.writeBalances(ctx, f, at, in.Format)
	if err != nil {
		if errors.Is(err, ledger.ErrInvalid) {
			err = ledger.At("at", err)
		}
		return nil, errors.Join(err, f.Close())
	}
	name := "balances_" + strings.ReplaceAll(instant(at), ":", "")
	return &stream{func(w http.ResponseWriter, r *http.Request) {
		headed(w, name, in.Format)
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		_, err := io.CopyBuffer(download.Paced(w), f, make([]byte, chunk))
		rd.sent(r, errors.Join(err, f.Close()))
	}}, nil
}

// spool is a temporary file that only this user can read, and that is removed when it is closed.
type spool struct{ *os.File }

func newSpool() (spool, error) {
	f, err := os.CreateTemp("", "softstake-export-")
	if err != nil {
		return spool{}, fmt.Errorf("make a file for the export: %w", err)
	}
	return spool{f}, nil
}

func (f spool) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }

// writeBalances writes the balances at a moment into a file, sets it to its beginning, and
// says how long it is in bytes.
func (rd reader) writeBalances(ctx context.Context, f spool, at time.Time, format string) (size int64, err error) {
	out := bufio.NewWriterSize(f, chunk)
	var write func(balanceLine) error
	var end func() error
	err = rd.ExportBalances(ctx, at, func() error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		out.Reset(f)
		write, end = balanceTable.lines(out, format)
		return f.Truncate(0)
	}, func(h reports.Held) error {
		a, err := rd.Asset(ctx, h.Asset)
		if err != nil {
			return err
		}
		return write(balanceLine{h.Account, h.Asset, a.Format(h.Free), a.Format(h.Held)})
	})
	if err == nil {
		err = errors.Join(end(), out.Flush())
	}
	if err == nil {
		size, err = f.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	return size, err
}
