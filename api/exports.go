package api

import (
	"context"
	"strconv"

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
	get(s, "/v1/accounts/{account}/exports/rewards", everyone, reader.exportAccountRewards,
		export("export-account-rewards", "Export an account's rewards",
			"Those of some days, by day and token: ", rewardTable.columns))
	get(s, "/v1/accounts/{account}/exports/statement", everyone, reader.exportStatement,
		export("export-statement", "Export an account's statement",
			"Every change of the free and held balances, in order of time, with the balance after it. "+
				"A reward counts from the 00:00 after its day. ", statementTable.columns))
	get(s, "/v1/exports/rewards", staff, reader.exportRewards, export("export-rewards", "Export all rewards",
		"Those of all accounts for some days, day after day. ", rewardTable.columns))
	get(s, "/v1/exports/journal", staff, reader.exportJournal, export("export-journal", "Export the journal",
		"Both sides of every move, day after day; those of a day sum to zero for each token. "+
			"Of a day the declared totals come first, then the rewards of the day before, which count from its first "+
			"moment, then what was posted. ", journalTable.columns))
	get(s, "/v1/exports/balances", staff, reader.exportBalances, export("export-balances", "Export all balances",
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
