package reports

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// The names of the rules that are more than a query.
const (
	ruleRole     = "role that there is not"
	ruleDecision = "decision of a proposal"
	rulePrice    = "price without its line of the log"
)

// Contradictions visits what contradicts the rules, each in a snapshot of its own.
func (b audited) Contradictions(ctx context.Context, visit func(audit.Finding)) error {
	checks := []func(db.View, func(audit.Finding)) error{checkRoles, checkDecisions, checkPrices, checkOutflows,
		checkLimits, checkTerms, checkSupply, checkCompareSettings, checkBreaks, checkUncompared, checkMoments(b.Now)}
	for _, r := range rules {
		checks = append(checks, r.check)
	}
	for _, check := range checks {
		var found []audit.Finding
		err := b.Read(ctx, func(t db.View) error {
			found = nil
			return check(t, func(f audit.Finding) { found = append(found, f) })
		})
		if err != nil {
			return err
		}
		for _, f := range found {
			visit(f)
		}
	}
	return nil
}

// findingAt is a finding of the day of a moment in milliseconds, or of no day for 0.
func findingAt(at int64, rule, what string) audit.Finding {
	f := audit.Finding{Rule: rule, What: what}
	if at > 0 {
		f.Day, f.HasDay = staking.DayOf(time.UnixMilli(at)), true
	}
	return f
}

// checkRoles finds tokens and staff with roles that there are not.
func checkRoles(t db.View, visit func(audit.Finding)) error {
	tokens := t.Query(func(r db.Row) error {
		if _, _, err := access.ParseRoleAndParts(r.Text(1)); err != nil {
			visit(findingAt(r.Int(2), ruleRole, fmt.Sprintf("of the token %s: %v", r.Text(0), err)))
		}
		return nil
	}, "SELECT id, role, created FROM tokens ORDER BY id")
	staff := t.Query(func(r db.Row) error {
		s := access.Staff{Email: r.Text(0), Role: access.Role(r.Text(1)), Source: access.Source(r.Text(2)),
			Subject: r.Text(3)}
		if err := s.Valid(); err != nil {
			visit(findingAt(r.Int(4), ruleRole, fmt.Sprintf("of the member of staff %s: %v", s.Email, err)))
		}
		return nil
	}, "SELECT email, role, source, subject, made FROM staff ORDER BY email")
	if err := errors.Join(tokens, staff); err != nil {
		return fmt.Errorf("look for a %s: %w", ruleRole, err)
	}
	return nil
}

// checkDecisions finds proposals that were decided by whoever may not, such as the person who made them, or when they
// were not open.
func checkDecisions(t db.View, visit func(audit.Finding)) error {
	proposals, err := store.ProposalsAfter(t, control.Proposal{}, store.ProposalsAsked{}, 0, 1<<31-1)
	if err != nil {
		return err
	}
	for _, p := range proposals {
		d := p.Decision
		if d.State == "" {
			continue
		}
		p.Decision = control.Decision{}
		err := p.CheckDecidable(d.By, d.At)
		if err == nil && d.At.Before(p.Made.Add(-time.Minute)) {
			err = errors.New("it was made later")
		}
		if err != nil {
			visit(findingAt(d.At.UnixMilli(), ruleDecision, fmt.Sprintf("the proposal %s was %s: %v", p.ID, d.State, err)))
		}
	}
	return nil
}

// checkPrices finds prices and rates that no line of the log has set. Lines are kept as hashes of 64 bits: with
// a million lines, a changed price passes for one of them once in 10^13.
func checkPrices(t db.View, visit func(audit.Finding)) error {
	lines, seed := map[uint64]struct{}{}, maphash.MakeSeed()
	of := func(action, name, figure string) uint64 {
		return maphash.Comparable(seed, [3]string{action, name, figure})
	}
	err := t.Query(func(r db.Row) error {
		lines[of(r.Text(0), r.Text(1), r.Text(2))] = struct{}{}
		return nil
	}, "SELECT action, subject, detail FROM log WHERE action IN ('price set', 'currency set')")
	for _, s := range []struct{ figure, action, sql string }{
		{"price", "price set", "SELECT asset, day, price, set_at FROM prices ORDER BY asset, day"},
		{"rate", "currency set", "SELECT currency, day, rate, set_at FROM rates ORDER BY currency, day"},
	} {
		if err != nil {
			break
		}
		err = t.Query(func(r db.Row) error {
			day, figure := staking.Day(r.Int(1)), ledger.FormatDecimal(r.Int(2), conversion.PriceScale)
			if _, there := lines[of(s.action, r.Text(0), fmt.Sprintf("%s: %s", day, figure))]; !there {
				f := findingAt(r.Int(3), rulePrice, fmt.Sprintf("its %s of %s is %s, and no line of the log sets it so",
					s.figure, day, figure))
				f.Asset = r.Text(0)
				visit(f)
			}
			return nil
		}, s.sql)
	}
	if err != nil {
		return fmt.Errorf("look for a %s: %w", rulePrice, err)
	}
	return nil
}
