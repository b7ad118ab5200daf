package api

import (
	"bufio"
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

const (
	balancesPath = "/v1/balances" // its answer may be of any length
	ndjson       = "application/x-ndjson"
	// bulkPage is how many balances of all are read at once for lines.
	bulkPage = 4096
)

type bulkIn struct {
	Paging
	Day string `query:"day" format:"date" example:"2026-11-21" doc:"The day at whose end the balances are; nothing is added to it any more. Without it: the last one of which that is true."`
}

type BulkBalanceOut struct {
	Day     string `json:"day" format:"date" example:"2026-11-21" doc:"The day at whose end it is."`
	Account string `json:"account" example:"alice" doc:"Account."`
	Asset   string `json:"asset" example:"BNB" doc:"Symbol."`
	Free    string `json:"free" example:"2.5" doc:"What could be moved, in whole tokens."`
	Held    string `json:"held" example:"0.5" doc:"What was held."`
}

// bulkAnswer is a page, or all as lines.
type bulkAnswer struct {
	Body  list[BulkBalanceOut]
	lines *stream
}

func (a *bulkAnswer) send(rt *route, w http.ResponseWriter, r *http.Request) (final bool, err error) {
	w.Header().Set("Vary", "Accept")
	if a.lines != nil {
		return a.lines.send(rt, w, r)
	}
	return sendJSON(w, rt.DefaultStatus, a.Body)
}

// bulkRoutes are those that read something of all accounts at once.
func (s *server) bulkRoutes() {
	op := about("list-balances", "Journal", "List all balances at the end of a day",
		"What every holder has of every token at the end of a closed day, by the part of the books that the account "+
			"is in, account and token; what is zero is left out, and so are house accounts: by pages or, "+
			"with `Accept: application/x-ndjson`, all from the cursor on, a line each. A day never changes, so that pages are "+
			"of one state; a cursor is of its day. Lines that break off are not all: read them again, or by pages.")
	op.DefaultStatus = http.StatusOK
	op.Responses = map[string]*huma.Response{"200": {Description: "The balances.", Content: map[string]*huma.MediaType{
		jsonContent: {}, ndjson: {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	get(s, balancesPath, allHolders, reader.bulkBalances, op, slow)
}

func (rd reader) bulkBalances(ctx context.Context, in *bulkIn) (*bulkAnswer, error) {
	day, _, err := rd.Final(ctx)
	if err != nil {
		return nil, err
	}
	if in.Day != "" {
		if day, err = staking.ParseDay(in.Day); err != nil {
			return nil, ledger.At("day", err)
		}
	}
	keys := keyset[reports.HeldKey, reports.HeldKey]{4,
		func(k reports.HeldKey) []string {
			return []string{day.String(), strconv.Itoa(k.Bucket), string(k.Account), k.Asset}
		},
		func(parts []string) (k reports.HeldKey, err error) {
			bucket, err := within(parts[1], 0, ledger.Buckets-1)
			if err == nil && in.Day != "" && parts[0] != day.String() {
				err = badCursor()
			}
			if err == nil {
				day, err = staking.ParseDay(parts[0])
			}
			return reports.HeldKey{Bucket: int(bucket), Account: ledger.Account(parts[2]), Asset: parts[3]}, err
		}}
	after, err := keys.after(in.Paging)
	if err != nil {
		return nil, err
	}
	limit, lines := in.Limit+1, accepts(requestOf(ctx).accept, ndjson)
	if lines {
		limit = bulkPage
	}
	found, next, err := rd.BalancesOn(ctx, day, orZero(after), limit)
	if err != nil {
		return nil, err
	}
	if lines {
		return &bulkAnswer{lines: rd.bulkLines(day, found, next)}, nil
	}
	var out list[BulkBalanceOut]
	if len(found) > in.Limit {
		found = found[:in.Limit]
		last := found[in.Limit-1]
		out.Next = cursorOf(keys.of(reports.HeldKey{Bucket: last.Account.Bucket(), Account: last.Account,
			Asset: last.Asset})...)
	}
	out.Items = make([]BulkBalanceOut, len(found))
	for i, h := range found {
		if out.Items[i], err = rd.showHeld(ctx, day, h); err != nil {
			return nil, err
		}
	}
	return &bulkAnswer{Body: out}, nil
}

func (rd reader) showHeld(ctx context.Context, day staking.Day, h reports.Held) (BulkBalanceOut, error) {
	a, err := rd.Asset(ctx, h.Asset)
	return BulkBalanceOut{day.String(), string(h.Account), h.Asset, a.Format(h.Free), a.Format(h.Held)}, err
}

// bulkLines answers with balances of a day as lines: with those that were read first, and all behind them.
func (rd reader) bulkLines(day staking.Day, found []reports.Held, next *reports.HeldKey) *stream {
	return &stream{func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", ndjson)
		w.WriteHeader(http.StatusOK)
		out := bufio.NewWriterSize(download.Paced(w), chunk)
		write, end := table[BulkBalanceOut]{}.lines(out, ndjson)
		err := error(nil)
		for err == nil {
			for _, h := range found {
				line, wrong := rd.showHeld(r.Context(), day, h)
				if err = wrong; err == nil {
					err = write(line)
				}
				if err != nil {
					break
				}
			}
			if err != nil || next == nil {
				break
			}
			found, next, err = rd.BalancesOn(r.Context(), day, *next, bulkPage)
		}
		if err == nil {
			err = errors.Join(end(), out.Flush())
		}
		rd.sent(r, err)
	}}
}

// accepts reports whether a header Accept names a type itself, with any weight but 0.
func accepts(header, kind string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if named, parameters, err := mime.ParseMediaType(part); err == nil && named == kind {
			return strings.Trim(parameters["q"], "0.") != "" || parameters["q"] == ""
		}
	}
	return false
}
