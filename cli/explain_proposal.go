package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// proposedEntries is how many entries "explain --with" takes at most.
const proposedEntries = 1000

// readProposed reads the entries of --with: each is an entry as a line of JSON, or a file of such lines.
func (env *Env) readProposed(ctx context.Context, db *store.DB, with []string) (entries []ledger.Entry, err error) {
	parse := entryParser{asset: db.Asset, authoritative: true}
	for _, text := range with {
		var in io.ReadCloser = io.NopCloser(strings.NewReader(text))
		where := "--with"
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			where = text
			if in, _, err = env.file(text); err != nil {
				return nil, err
			}
		}
		read, err := readEntries(ctx, in, &parse, where, proposedEntries-len(entries))
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
		entries = append(entries, read...)
	}
	return entries, nil
}

// readEntries reads entries from lines of JSON, most of them at most.
func readEntries(ctx context.Context, in io.Reader, parse *entryParser, where string, most int) (entries []ledger.Entry,
	err error) {
	for lines := newLines(in); ; {
		line, err := lines.next()
		if err == io.EOF {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		e, err := parse.line(ctx, line)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", where, line.n, err)
		}
		if len(entries) == most {
			return nil, fmt.Errorf("%s: more than %d entries; ask for fewer at once", where, proposedEntries)
		}
		entries = append(entries, e)
	}
}

// proposalJSON is what a day would have earned with entries that came late.
type proposalJSON struct {
	Reward      string `json:"reward"`
	With        string `json:"rewardWith"`
	Average     string `json:"averageWith"`
	Difference  string `json:"difference"`
	Compensated string `json:"compensated"`
	Missing     string `json:"missing"`
}

func formatProposal(p reports.Proposal) proposalJSON {
	a := p.Was.Asset
	was, with := rewardsOf(p)
	return proposalJSON{a.Format(was), a.Format(with), a.Format(p.With.Average), a.Format(p.Difference),
		a.Format(p.Compensated), a.Format(p.Missing())}
}

// rewardsOf are the day's reward as it is, and with the entries.
func rewardsOf(p reports.Proposal) (was, with ledger.Amount) {
	if p.Was.Earned {
		was = p.Was.Measured.Reward
	}
	if p.Earned {
		with = p.With.Reward
	}
	return was, with
}

// writeProposal writes the difference, and the command that makes it good.
func writeProposal(env *Env, p reports.Proposal) error {
	a, m := p.Was.Asset, p.Was.Measured
	was, with := rewardsOf(p)
	if err := env.printf("%s, %s, %s from 00:00 to 24:00 UTC\n\n", m.Account, m.Asset, m.Day); err != nil {
		return err
	}
	if err := facts(env.Stdout,
		[2]string{"average", withUnit(a, m.Average) + "; with the entries " + withUnit(a, p.With.Average)},
		[2]string{"reward", withUnit(a, was)},
		[2]string{"with the entries", withUnit(a, with)},
		[2]string{"difference", withUnit(a, p.Difference)},
		[2]string{"compensated", withUnit(a, p.Compensated)},
		[2]string{"missing", withUnit(a, p.Missing())}); err != nil {
		return err
	}
	if p.Missing() == 0 || !p.Was.Paid && p.Was.Earned {
		return nil
	}
	return env.printf("\nsoftstake compensate %s %s %s %s --name NAME --reason TEXT\n", m.Account, m.Day, m.Asset,
		a.Format(p.Missing()))
}
