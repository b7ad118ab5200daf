package api_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// table is an export in CSV, its header first.
func (r reply) table() [][]string {
	r.t.Helper()
	r.is(http.StatusOK)
	if kind := r.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/csv") {
		r.t.Errorf("%s: the content is %q", r.what, kind)
	}
	rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	if err != nil {
		r.t.Fatalf("%s: %v", r.what, err)
	}
	return rows
}

func TestExports(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		earning(w)
		rewards := w.get("alice", "/v1/accounts/alice/exports/rewards").table()
		first := w.day(2) + " alice BNB 2 2.5 2.5 0.0015 0.00001027 600 0.006162 " + w.day(3) + "T00:10:00.000Z"
		if len(rewards) != 5 || strings.Join(rewards[1], " ") != first || rewards[2][8] != "" {
			t.Errorf("alice's rewards are %q", rewards)
		}
		all := w.get("auditor", "/v1/exports/rewards")
		if all.body != w.get("alice", "/v1/accounts/alice/exports/rewards").body {
			t.Errorf("all rewards, which are alice's, are %s", all.body)
		}
		statement := w.get("alice", "/v1/accounts/alice/exports/statement?from="+w.day(2)).table()
		last := statement[len(statement)-1]
		if len(statement) != 6 || statement[1][1] != "a-3" || statement[1][7] != "@custody" || last[5] != rewards[4][7] ||
			last[2] != "reward" {
			t.Errorf("alice's statement is %q", statement)
		}
		if all := w.get("alice", "/v1/accounts/alice/exports/statement").table(); len(all) != 8 ||
			!slices.EqualFunc(all[3:], statement[1:], slices.Equal[[]string]) {
			t.Errorf("the whole statement is %q", all)
		}

		journal := w.get("exchange", "/v1/exports/journal").table()
		sums := map[string]ledger.Amount{}
		for _, row := range journal[1:] {
			n, err := ledger.ParseDecimal(row[7], 8)
			w.ok(err)
			sums[row[0][:10]+row[6]] += ledger.Amount(n)
			if strings.HasPrefix(row[5], "'") || strings.HasPrefix(row[8], "'") || strings.HasPrefix(row[1], "'") {
				t.Errorf("an account or an ID is not what it is: %q", row)
			}
		}
		for day, sum := range sums {
			if sum != 0 {
				t.Errorf("the lines of %s sum to %d", day, sum)
			}
		}
		// Two deposits and two fundings on Day 1, one deposit on Day 2, on Day 3 the rewards of Day 2.
		if n := len(journal) - 1; n != 2*4+2+2*4 || journal[n][0][:10] != w.day(3) {
			t.Errorf("the journal through the last final day has %d lines, the last of %s", n, journal[n][0])
		}
		open := w.get("exchange", "/v1/exports/journal?to="+w.day(4)).table()
		if len(open) != len(journal)+2*4 || !slices.EqualFunc(open[:len(journal)], journal, slices.Equal[[]string]) {
			t.Errorf("with today there are %d lines; %d are wanted", len(open), len(journal)+2*4)
		}
		day2 := w.get("auditor", "/v1/exports/journal?format=jsonl&from="+w.day(2)+"&to="+w.day(2)).is(200).body
		lines := strings.Split(strings.TrimSpace(day2), "\n")
		var line map[string]any
		if len(lines) != 2 || json.Unmarshal([]byte(lines[1]), &line) != nil || line["account"] != "alice" ||
			line["change"] != "1" || line["side"] != "to" {
			t.Errorf("Day 2 as JSON lines is %q", lines)
		}
		r := w.get("auditor", "/v1/exports/journal?format=jsonl&from="+w.day(2)+"&to="+w.day(3)).is(200)
		if kind, name := r.header.Get("Content-Type"), r.header.Get("Content-Disposition"); kind != "application/x-ndjson" || name != `attachment; filename="journal_`+w.day(2)+"_"+w.day(3)+`.jsonl"` {
			t.Errorf("the content is %q, the file %q", kind, name)
		}
		if empty := w.get("auditor", "/v1/exports/rewards?from=2020-01-01&to=2020-01-02").table(); len(empty) != 1 {
			t.Errorf("before the books: %q", empty)
		}
		for _, export := range []string{"rewards", "statement"} {
			w.get("bob", "/v1/accounts/alice/exports/"+export).refused(404, "not-found", "")
			w.get("auditor", "/v1/accounts/nobody/exports/"+export).refused(404, "not-found", "")
		}
		w.get("alice", "/v1/exports/journal").refused(403, "forbidden", "")
		w.get("alice", "/v1/exports/rewards").refused(403, "forbidden", "")
		w.get("auditor", "/v1/exports/journal?format=xml").refused(400, "invalid", "format")
		w.get("auditor", "/v1/exports/journal?from="+w.day(3)+"&to="+w.day(2)).refused(400, "invalid", "to")
	})
}

// TestEveryNameInTheJournalIsAnEntry: what an export and an account's journal name can be looked at.
func TestEveryNameInTheJournalIsAnEntry(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		earning(w)
		long := ledger.Account(strings.Repeat("l", ledger.MaxID))
		w.holder(long, "DE")
		_, err := w.db.PostOpenings(t.Context(), []imports.Opening{{Account: long, Asset: "BNB", Amount: 1}})
		w.ok(err)
		moves := map[string]int{}
		for _, row := range w.get("auditor", "/v1/exports/journal?to="+w.day(4)).table()[1:] {
			if row[3] == "from" {
				moves[row[1]]++
			}
		}
		for _, id := range w.walked("alice", "/v1/accounts/alice/journal", 100, "entry") {
			if moves[id] == 0 {
				t.Errorf("%s is in alice's journal alone", id)
			}
		}
		kinds := map[string]bool{}
		for id, n := range moves {
			kind, _, _ := strings.Cut(id, "/")
			kinds[kind] = true
			w.get("auditor", "/v1/entries/"+url.PathEscape(id)).is(200).says("id", id, "moves.#", strconv.Itoa(n))
		}
		for _, kind := range []string{"reward", "declare", "fund", "opening"} {
			if !kinds[kind] {
				t.Errorf("no %s is in the journal", kind)
			}
		}
		w.get("exchange", "/v1/entries/"+url.PathEscape("reward/"+w.day(2)+"/BNB/alice")).is(200).
			says("kind", "reward", "at", w.day(3)+"T00:00:00.000Z", "postedAt", w.day(3)+"T00:10:00.000Z", "moves.#", "1",
				"moves.0.from", "@payable", "moves.0.to", "alice", "moves.0.asset", "BNB", "moves.0.amount", "0.00001027")
		w.get("exchange", "/v1/entries/"+url.PathEscape("declare/"+w.day(2)+"/BNB")).is(200).says("kind", "declare",
			"moves.0.from", "@rewards", "moves.0.to", "@payable", "moves.0.amount", "0.00001027")
		w.get("exchange", "/v1/entries/"+url.PathEscape("reward/"+w.day(2)+"/BNB/bob")).refused(404, "not-found", "")
		w.get("alice", "/v1/entries/"+url.PathEscape("reward/"+w.day(2)+"/BNB/alice")).refused(403, "forbidden", "")
	})
}

// busy posts a number of deposits of one unit to alice, whose IDs have a number of digits.
func (w *town) busy(deposits, digits int) {
	w.t.Helper()
	entries := make([]ledger.Entry, 0, deposits)
	for n := range deposits {
		entries = append(entries, ledger.Entry{ID: fmt.Sprintf("busy-%0*d", digits, n), Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}})
	}
	for part := range slices.Chunk(entries, 10_000) {
		_, err := w.db.PostAll(w.t.Context(), part)
		w.ok(err)
	}
}

// TestExportsOfManyLines: tens of thousands of lines come whole and in order; and a
// client that goes away in the middle leaves nothing behind that others would wait for.
func TestExportsOfManyLines(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.busy(25_000, 5)
		journal := w.get("auditor", "/v1/exports/journal?to="+w.day(1)).table()
		seen := map[string]int{}
		for _, row := range journal[1:] {
			seen[row[1]+row[3]]++
		}
		if len(journal) != 1+50_000 || len(seen) != 50_000 {
			t.Errorf("%d lines are exported, %d different ones", len(journal)-1, len(seen))
		}
		statement := w.get("alice", "/v1/accounts/alice/exports/statement?format=jsonl").is(200).body
		if n := strings.Count(statement, "\n"); n != 25_000 || !strings.Contains(statement[strings.LastIndex(statement[:len(statement)-1], "\n"):], `"balance":"0.00025"`) {
			t.Errorf("the statement has %d lines, the last of them %s", n, statement[len(statement)-200:])
		}
		for range 20 { // more than there are connections that read
			ctx, leave := context.WithCancel(t.Context())
			r, err := http.NewRequestWithContext(ctx, get, w.server.URL+"/v1/exports/journal?to="+w.day(1), nil)
			w.ok(err)
			r.Header.Set("Authorization", "Bearer "+w.tokens["auditor"])
			answer, err := w.server.Client().Do(r)
			w.ok(err)
			_, err = bufio.NewReader(answer.Body).ReadString('\n')
			w.ok(err)
			leave()
			if err := answer.Body.Close(); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
		w.get("alice", "/v1/accounts/alice/exports/rewards").is(200)
		w.server.Close() // it waits until every handler has ended
	})
}

// TestSlowExport: a client that takes its time keeps nobody from reading or writing.
func TestSlowExport(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.busy(10_000, ledger.MaxID-len("busy-")) // as much text as 25,000 short lines have
		var answers []*http.Response
		for range 20 {
			r, err := http.NewRequestWithContext(t.Context(), get, w.server.URL+"/v1/exports/journal?to="+w.day(1), nil)
			w.ok(err)
			r.Header.Set("Authorization", "Bearer "+w.tokens["auditor"])
			answer, err := w.server.Client().Do(r)
			w.ok(err)
			answers = append(answers, answer)
		}
		ctx, enough := context.WithTimeout(t.Context(), 20*time.Second)
		defer enough()
		if _, err := reports.New(w.db.Reader()).Balances(ctx, "alice"); err != nil {
			t.Errorf("while exports are on their way: %v", err)
		}
		w.deposit("late", "alice", "1", "BNB")
		for _, answer := range answers {
			w.ok(answer.Body.Close())
		}
	})
}

// Balances at a moment are one file of one state of the books, with its length.
func TestExportOfBalances(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		earning(w)
		now := w.get("auditor", "/v1/exports/balances")
		rows := now.table()
		if now.header.Get("Content-Length") != strconv.Itoa(len(now.body)) ||
			!strings.Contains(now.header.Get("Content-Disposition"), "balances_") {
			t.Errorf("the headers are %v", now.header)
		}
		if strings.Join(rows[0], " ") != "account asset free held" || rows[1][0] != "@custody" {
			t.Errorf("the balances are %q", rows)
		}
		sums := map[string]ledger.Amount{}
		for _, row := range rows[1:] {
			for _, cell := range row[2:] {
				n, err := ledger.ParseDecimal(cell, 8)
				w.ok(err)
				sums[row[1]] += ledger.Amount(n)
			}
		}
		for asset, sum := range sums {
			if sum != 0 {
				t.Errorf("%s sums to %d", asset, sum)
			}
		}
		first := w.get("operator", "/v1/exports/balances?format=jsonl&at="+w.day(1)+"T00:00:00Z").is(http.StatusOK)
		if first.body != "" {
			t.Errorf("in the beginning there is %s", first.body)
		}
		zoned := w.get("exchange", "/v1/exports/balances?at="+url.QueryEscape(w.day(2)+"T02:00:00+02:00")).is(http.StatusOK)
		if utc := w.get("exchange", "/v1/exports/balances?at="+w.day(2)+"T00:00:00Z"); utc.body != zoned.body ||
			len(utc.table()) < 2 {
			t.Errorf("at the start of Day 2 there is %s and %s", utc.body, zoned.body)
		}
		for _, at := range []string{"2099-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "yesterday", "2026-11-22"} {
			w.get("auditor", "/v1/exports/balances?at="+at).refused(http.StatusBadRequest, "invalid", "at")
		}
	})
}
