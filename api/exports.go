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
	"os"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type ExportIn struct {
	Format string `query:"format" enum:"csv,jsonl,ndjson" default:"csv" doc:"csv: a header, then a line each; jsonl: a JSON object on each line; ndjson: another name of jsonl."`
}

type accountExportIn struct {
	AccountIn
	DaysIn
	ExportIn
}

type booksExportIn struct {
	From string `query:"from" format:"date" example:"2026-11-01" doc:"The first day. Without it: the first of the books."`
	To   string `query:"to" format:"date" example:"2026-11-30" doc:"The last day. Without it: the last of which nothing can be added any more, so that the same days always give the same lines. Later days are given as they are when they are read."`
	ExportIn
}

type rewardLine struct {
	Account ledger.Account `json:"account"`
	RewardOut
}

type statementLine struct {
	At      string         `json:"at"`
	Entry   string         `json:"entry"`
	Kind    ledger.Kind    `json:"kind"`
	Part    string         `json:"part"` // "free" or "held"
	Asset   string         `json:"asset"`
	Change  string         `json:"change"`
	Balance string         `json:"balance"`
	Other   ledger.Account `json:"counterparty"`
}

type journalLine struct {
	At      string         `json:"at"`
	Entry   string         `json:"entry"`
	Move    int            `json:"move"`
	Side    string         `json:"side"` // "from" or "to"
	Kind    ledger.Kind    `json:"kind"`
	Account ledger.Account `json:"account"`
	Asset   string         `json:"asset"`
	Change  string         `json:"change"`
	Other   ledger.Account `json:"counterparty"`
}

var (
	rewardTable = table[rewardLine]{
		columns: []string{
			"day", "account", "asset", "opening", "average", "eligible", "apr", "reward", "priceUsdt", "valueUsdt",
			"creditedAt",
		},
		cells: func(r rewardLine) []string {
			return []string{
				r.Day, string(r.Account), r.Asset, r.Opening, r.Average, r.Eligible, r.APR, r.Reward,
				known(r.PriceUSDT), known(r.ValueUSDT), r.Credited,
			}
		},
	}
	statementTable = table[statementLine]{
		columns: []string{"at", "entry", "kind", "part", "asset", "change", "balance", "counterparty"},
		cells: func(l statementLine) []string {
			return []string{l.At, l.Entry, string(l.Kind), l.Part, l.Asset, l.Change, l.Balance, string(l.Other)}
		},
	}
	journalTable = table[journalLine]{
		columns: []string{"at", "entry", "move", "side", "kind", "account", "asset", "change", "counterparty"},
		cells: func(l journalLine) []string {
			return []string{
				l.At, l.Entry, strconv.Itoa(l.Move), l.Side, string(l.Kind), string(l.Account), l.Asset, l.Change,
				string(l.Other),
			}
		},
	}
)

// known is a figure, or an empty cell where there is none.
func known(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (s *server) exportRoutes() {
	get(s, "/v1/accounts/{account}/exports/rewards", oneHolder, reader.exportAccountRewards,
		export("export-account-rewards", "Export an account's rewards",
			"Those of some days, by day and token: ", rewardTable.columns))
	get(s, "/v1/accounts/{account}/exports/statement", oneHolder, reader.exportStatement,
		export("export-statement", "Export an account's statement",
			"Every change of the free and held balances, in order of time, with the balance after it. "+
				"A reward counts from the 00:00 after its day. ", statementTable.columns))
	get(s, "/v1/exports/rewards", allHolders, reader.exportRewards, export("export-rewards", "Export all rewards",
		"Those of all accounts for some days, day after day. ", rewardTable.columns))
	get(s, "/v1/exports/journal", allHolders, reader.exportJournal, export("export-journal", "Export the journal",
		"Both sides of every move, day after day; those of a day sum to zero for each token. "+
			"Of a day the declared totals come first, then the rewards of the day before, which count from its first "+
			"moment, then what was posted. ", journalTable.columns))
	get(s, "/v1/exports/balances", allHolders, reader.exportBalances, export("export-balances", "Export all balances",
		"What every account has of every token at one moment, by account and token; house accounts are among them, "+
			"so that each token sums to zero. What is zero is left out. All lines come from one state of the books. "+
			"The file is made before it is sent, and the header Content-Length says how long it is. ",
		balanceTable.columns), slow)
}

func (rd reader) exportAccountRewards(ctx context.Context, in *accountExportIn) (*stream, error) {
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	if _, err := rd.Account(ctx, in.id()); err != nil {
		return nil, err
	}
	return rewardTable.export(rd, "rewards-"+in.Account+"_"+daysOf(from, to), in.Format,
		func(ctx context.Context, write func(rewardLine) error) error {
			return rd.Rewards(ctx, in.id(), from, to, rd.rewardWriter(ctx, write))
		}), nil
}

func (rd reader) exportRewards(ctx context.Context, in *booksExportIn) (*stream, error) {
	_, final, err := rd.Final(ctx)
	if err != nil {
		return nil, err
	}
	from, to, err := DaysIn{in.From, in.To}.period(rd.FirstDay(), final)
	if err != nil {
		return nil, err
	}
	return rewardTable.export(rd, "rewards_"+daysOf(from, to), in.Format,
		func(ctx context.Context, write func(rewardLine) error) error {
			return rd.ExportRewards(ctx, from, to, rd.rewardWriter(ctx, write))
		}), nil
}

func (rd reader) rewardWriter(ctx context.Context, write func(rewardLine) error) func(reports.Reward) error {
	return func(r reports.Reward) error {
		shown, err := rd.showReward(ctx, r)
		if err != nil {
			return err
		}
		return write(rewardLine{r.Account, shown})
	}
}

func (rd reader) exportStatement(ctx context.Context, in *accountExportIn) (*stream, error) {
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	if _, err := rd.Account(ctx, in.id()); err != nil {
		return nil, err
	}
	return statementTable.export(rd, "statement-"+in.Account+"_"+daysOf(from, to), in.Format,
		func(ctx context.Context, write func(statementLine) error) error {
			return rd.Statement(ctx, in.id(), from, to, func(l reports.Line) error {
				a, err := rd.Asset(ctx, l.Asset)
				if err != nil {
					return err
				}
				part := "free"
				if l.Account.IsHeld() {
					part = "held"
				}
				return write(statementLine{
					instant(l.At), l.Entry, l.Kind, part, l.Asset, a.Format(l.Amount), a.Format(l.Balance), l.Other,
				})
			})
		}), nil
}

func (rd reader) exportJournal(ctx context.Context, in *booksExportIn) (*stream, error) {
	final, _, err := rd.Final(ctx)
	if err != nil {
		return nil, err
	}
	from, to, err := DaysIn{in.From, in.To}.period(rd.FirstDay(), final)
	if err != nil {
		return nil, err
	}
	return journalTable.export(rd, "journal_"+daysOf(from, to), in.Format,
		func(ctx context.Context, write func(journalLine) error) error {
			return rd.ExportJournal(ctx, from, to, func(p ledger.Posting) error {
				a, err := rd.Asset(ctx, p.Asset)
				if err != nil {
					return err
				}
				side := "from"
				if p.Side == 1 {
					side = "to"
				}
				return write(journalLine{
					instant(p.At), p.Entry, p.Move, side, p.Kind, p.Account, p.Asset, a.Format(p.Amount), p.Other,
				})
			})
		}), nil
}

// daysOf names the days of an export's file.
func daysOf(from, to staking.Day) string {
	if from == to {
		return from.String()
	}
	return from.String() + "_" + to.String()
}

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
	out, err := balanceTable.spooled(rd, "balances_"+strings.ReplaceAll(instant(at), ":", ""), in.Format,
		func(begin func() error, write func(balanceLine) error) error {
			return rd.ExportBalances(ctx, at, begin, func(h reports.Held) error {
				a, err := rd.Asset(ctx, h.Asset)
				if err != nil {
					return err
				}
				return write(balanceLine{h.Account, h.Asset, a.Format(h.Free), a.Format(h.Held)})
			})
		})
	if errors.Is(err, ledger.ErrInvalid) {
		err = ledger.At("at", err)
	}
	return out, err
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

// spooled answers with what read reads into a file first: the books are read as fast as they can be, and not as fast as
// a client takes what it asked for, since a snapshot that lasts keeps the database from cleaning up. read calls begin
// before the first line, and again where it begins again.
func (t table[T]) spooled(rd reader, name, format string,
	read func(begin func() error, write func(T) error) error) (*stream, error) {
	f, err := newSpool()
	if err != nil {
		return nil, err
	}
	size, err := t.fill(f, format, read)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &stream{func(w http.ResponseWriter, r *http.Request) {
		headed(w, name, format)
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		_, err := io.CopyBuffer(download.Paced(w), f, make([]byte, chunk))
		rd.sent(r, errors.Join(err, f.Close()))
	}}, nil
}

// fill writes what read reads into a file, sets it to its beginning, and says how long it is in bytes.
func (t table[T]) fill(f spool, format string,
	read func(begin func() error, write func(T) error) error) (size int64, err error) {
	out := bufio.NewWriterSize(f, chunk)
	var write func(T) error
	var end func() error
	err = read(func() error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		out.Reset(f)
		write, end = t.lines(out, format)
		return f.Truncate(0)
	}, func(line T) error { return write(line) })
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
