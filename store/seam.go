package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// People are those who may use the books. What is changed there, as in the other tables
// beside the books, is in the log as the actor's of these books.
func (b *DB) People() *people.People {
	return people.New(b.engine, seam{b}, b.clock, &b.shared.Stamps, b.guard)
}

// Documents are the texts that holders accept.
func (b *DB) Documents() *consent.Documents { return consent.New(b.engine, seam{b}, b.clock) }

// Imports are the rows that were read of exports of other exchanges.
func (b *DB) Imports() *imports.Imports { return &imports.Imports{DB: b.engine, Log: seam{b}.Log} }

// Prices are what tokens were worth.
func (b *DB) Prices() *pricing.Prices { return pricing.New(b.engine, seam{b}, b.clock) }

// CurrencyRates are what USDT was worth in currencies.
func (b *DB) CurrencyRates() *pricing.Rates { return pricing.NewRates(b.engine, seam{b}, b.clock) }

// Requests are the requests with an idempotency key.
func (b *DB) Requests() *idempotency.Requests { return idempotency.New(b.engine, b.clock) }

// Outbox is what the transactions of these books did, for those who publish it.
func (b *books) Outbox() *outbox.Outbox { return outbox.New(b.engine, b.clock, &b.shared) }

// Prune removes what is kept for a time only, and is over: responses, outbox events,
// sessions, drafts, attempt counters, and what is personal after its retention. It works in small transactions.
// Repeating it has no further effect, and several processes may call it at the same time.
func (b *DB) Prune(ctx context.Context, r people.Retention) error {
	return errors.Join(b.Requests().Prune(ctx), b.People().Prune(ctx), b.Outbox().Prune(ctx),
		b.People().PrunePersonal(ctx, r), b.pruneUsage(ctx))
}

// seam is what the packages beside the books need of them.
type seam struct{ *DB }

func (s seam) CheckAccount(t db.View, id ledger.Account) error {
	if err := s.actor.CheckOwns(id); err != nil {
		return err
	}
	_, err := FindAccount(t, id)
	return err
}

func (s seam) LockAccount(t db.Tx, id ledger.Account) (closed time.Time, err error) {
	if err := s.actor.CheckOwns(id); err != nil {
		return closed, err
	}
	there, err := lockAccount(t, id)
	return there.Closed, err
}

func (s seam) LockOpenAccount(t db.Tx, id ledger.Account) error {
	closed, err := s.LockAccount(t, id)
	if err == nil && !closed.IsZero() {
		err = isClosed(id, closed)
	}
	return err
}

func (s seam) LockDeclarations(t db.Tx, asset string) (last staking.Day, err error) {
	if err := lockToken(t, asset); err != nil {
		return 0, err
	}
	day, err := db.Count(t, "SELECT coalesce(max(day), -1) FROM declarations WHERE asset = $1", asset)
	return staking.Day(day), err
}

func (s seam) LockAllDeclarations(t db.Tx) (last staking.Day, err error) {
	assets, err := db.All(t, db.TextOf,
		"SELECT asset FROM progress WHERE bucket = 0 ORDER BY asset")
	last = -1
	for _, asset := range assets {
		declared, err := s.LockDeclarations(t, asset)
		if err != nil {
			return 0, err
		}
		last = max(last, declared)
	}
	return last, err
}

func (s seam) Actor() access.Actor { return s.actor }

func (s seam) Log(t db.Tx, action, subject, detail string) error {
	return s.logLine(t, action, subject, detail)
}

func (s seam) LogPrices(t db.Tx, set []pricing.Price) error {
	lines := make([]LogLine, len(set))
	for i, p := range set {
		detail := fmt.Sprintf("%s: %s", p.Day, ledger.FormatDecimal(p.Price, conversion.PriceScale))
		lines[i] = LogLine{Actor: s.actor, Action: "price set", Subject: p.Asset, Detail: detail}
	}
	return s.logLines(t, lines)
}

func (s seam) LogRates(t db.Tx, set []pricing.Rate) error {
	lines := make([]LogLine, len(set))
	for i, r := range set {
		detail := fmt.Sprintf("%s: %s", r.Day, ledger.FormatDecimal(r.Rate, conversion.PriceScale))
		lines[i] = LogLine{Actor: s.actor, Action: "currency set", Subject: r.Currency, Detail: detail}
	}
	return s.logLines(t, lines)
}

// Permit is DB.permit for an operation of a package beside the books. Where it needs no approval as it is called,
// needed is false; what is approved is used all the same.
func (s seam) Permit(t db.Tx, needed bool, op control.Operation, content any, subject, effect string) error {
	if !needed && s.approval == nil {
		return nil
	}
	return s.permit(t, op, content, subject, effect)
}

// Evidence is the records of the days of these books.
func (b *DB) Evidence() *evidence.Records { return evidence.New(b.engine, seam{b}, b.clock) }

// wrote keeps the versions of rows that a transaction has replaced; see integrity.Wrote.
func (b *books) wrote(t db.Tx, k integrity.Kind, names ...string) error {
	return integrity.Wrote(t, b.clock(), k, names...)
}
