// Package main is a small exchange that keeps its own ledger in PostgreSQL, with an outbox that softstake follows, and
// that credits the rewards which softstake pays:
//
//	ledger init                               makes the tables of schema.sql
//	ledger open u-1001 DE                     opens an account
//	ledger post u-1001 BNB free 2.5           changes the free (or held) part of a balance
//	ledger credit https://stake.example.com   credits the payouts of softstake, each once
//	ledger balances                           prints what accounts have
//
// DATABASE_URL says where the ledger is, SOFTSTAKE_TOKEN is the token for "credit". "An afternoon" in docs/join.md has
// the commands by which softstake follows it.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/client"
)

//go:embed schema.sql
var schema string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	db, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	switch command := append(args, ""); {
	case command[0] == "init":
		_, err = db.Exec(ctx, schema)
	case command[0] == "open" && len(args) == 3:
		err = pgx.BeginFunc(ctx, db, func(t pgx.Tx) error {
			_, err := write(ctx, t, event{Type: "open", Account: args[1], Region: args[2]})
			return err
		})
	case command[0] == "post" && len(args) == 5:
		err = pgx.BeginFunc(ctx, db, func(t pgx.Tx) error {
			_, err := post(ctx, t, event{Type: "change", Account: args[1], Token: args[2], Part: args[3], Change: args[4]})
			return err
		})
	case command[0] == "credit" && len(args) == 2:
		err = credit(ctx, db, args[1], os.Getenv("SOFTSTAKE_TOKEN"))
	case command[0] == "balances":
		err = balances(ctx, db)
	default:
		err = errors.New("the commands are init, open ACCOUNT REGION, post ACCOUNT TOKEN PART AMOUNT, credit URL, balances")
	}
	return err
}

// event is a row of the outbox. Amounts are texts: decimal numbers of whole tokens.
type event struct {
	Type    string `json:"type"`
	Account string `json:"account"`
	Region  string `json:"region,omitempty"`
	Token   string `json:"token,omitempty"`
	Part    string `json:"part,omitempty"`
	Change  string `json:"change,omitempty"`
	Balance string `json:"balance,omitempty"`
	Reward  string `json:"reward,omitempty"`
}

// post changes a balance and writes the event, in the caller's transaction. It returns the event's ID.
func post(ctx context.Context, t pgx.Tx, e event) (id int64, err error) {
	if _, err := t.Exec(ctx, "INSERT INTO balances VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING",
		e.Account, e.Token, e.Part); err != nil {
		return 0, err
	}
	err = t.QueryRow(ctx, `UPDATE balances SET amount = amount + $4::numeric WHERE account = $1 AND token = $2 AND part = $3
		RETURNING trim_scale(amount)::text`, e.Account, e.Token, e.Part, e.Change).Scan(&e.Balance)
	if err != nil {
		return 0, err
	}
	return write(ctx, t, e)
}

// write writes an event. What it has changed is locked until the transaction ends: so the events of a balance are in
// the order in which they have changed it.
func write(ctx context.Context, t pgx.Tx, e event) (id int64, err error) {
	err = t.QueryRow(ctx, "INSERT INTO outbox (payload) VALUES ($1) RETURNING id", e).Scan(&id)
	return id, err
}

// credit reads the payouts that are not read yet, and credits each once: what it credits and how far it has read are
// one transaction. The event with the payout's ID, which softstake reads, is the acknowledgement.
func credit(ctx context.Context, db *pgx.Conn, address, token string) error {
	c, err := client.New(address, token, client.Config{})
	if err != nil {
		return err
	}
	var after int64
	if err := db.QueryRow(ctx, "SELECT next FROM payouts_read").Scan(&after); err != nil {
		return err
	}
	for more := true; more; {
		page, err := c.ListPayouts(ctx, client.ListPayoutsQuery{After: after})
		if err != nil {
			return err
		}
		if err := pgx.BeginFunc(ctx, db, func(t pgx.Tx) error { return creditPage(ctx, t, page) }); err != nil {
			return err
		}
		fmt.Printf("credited %d payouts, up to number %d\n", len(page.Payouts), page.Next)
		after, more = page.Next, page.More
	}
	return nil // run it from a timer; a service would use c.Payouts, which waits for more
}

func creditPage(ctx context.Context, t pgx.Tx, page client.Payouts) error {
	for _, p := range page.Payouts {
		known := false
		err := t.QueryRow(ctx, "SELECT EXISTS (SELECT FROM credits WHERE payout = $1)", p.ID).Scan(&known)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		id, err := post(ctx, t, event{Type: "reward", Account: p.Account, Token: p.Asset, Part: "free", Change: p.Amount,
			Reward: p.ID})
		if err != nil {
			return err
		}
		if _, err := t.Exec(ctx, "INSERT INTO credits VALUES ($1, $2)", p.ID, id); err != nil {
			return err
		}
	}
	_, err := t.Exec(ctx, "UPDATE payouts_read SET next = $1", page.Next)
	return err
}

// balances prints what accounts have, free and held together, as "softstake reconcile" reads it.
func balances(ctx context.Context, db *pgx.Conn) error {
	rows, err := db.Query(ctx, `SELECT account, token, trim_scale(sum(amount))::text FROM balances
		GROUP BY account, token ORDER BY account, token`)
	if err != nil {
		return err
	}
	fmt.Println("account,asset,balance")
	var account, token, amount string
	_, err = pgx.ForEachRow(rows, []any{&account, &token, &amount}, func() error {
		_, err := fmt.Printf("%s,%s,%s\n", account, token, amount)
		return err
	})
	return err
}
