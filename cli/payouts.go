package cli

import (
	"cmp"
	"context"
	"strconv"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

type payoutsCmd struct {
	List        payoutsListCmd        `cmd:"" help:"List the payouts that the other ledger has not credited."`
	Answer      payoutsAnswerCmd      `cmd:"" help:"Record for the other ledger that it has credited a payout, or refuses it."`
	Deliver     payoutsDeliverCmd     `cmd:"" help:"Deliver payouts to the other ledger, as they are paid."`
	Status      payoutsStatusCmd      `cmd:"" help:"Show where payouts are delivered to, and how far."`
	EndDelivery payoutsEndDeliveryCmd `cmd:"" help:"Forget a target that payouts were delivered to."`
	On          payoutsOnCmd          `cmd:"" help:"From now on what is paid is to be credited in another ledger."`
	Off         payoutsOffCmd         `cmd:"" help:"What is paid from now on is in these books alone: with four eyes this needs approval."`
}

type payoutsListCmd struct {
	Refused bool `help:"Only those that the other ledger refuses."`
	Limit   int  `default:"100" help:"How many at most; 0: all."`
	JSON    bool `help:"Print a JSON array."`
}

func (c *payoutsListCmd) Help() string {
	return `The other ledger reads payouts with GET /v1/payouts, and says what it has credited with POST /v1/payouts/acknowledgements, or by an event of "softstake join". Those that it refuses need a person: they are credited later, or "softstake payouts answer" says how it was resolved.

Example:

  softstake payouts list --refused`
}

type payoutJSON struct {
	Number   int64          `json:"number"`
	ID       string         `json:"id"`
	Day      string         `json:"day"`
	Asset    string         `json:"asset"`
	Account  ledger.Account `json:"account"`
	Amount   string         `json:"amount"`
	Paid     instant        `json:"paidAt"`
	Refused  string         `json:"refused,omitempty"`
	Answered *instant       `json:"answeredAt,omitempty"`
}

func (c *payoutsListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit is 0 or more")
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, known assets) error {
		_, _, err := list[reports.Payout]{
			json: c.JSON,
			columns: []col{figure("number"), text("paid (UTC)"), text("account"), figure("amount"), text("refused"),
				text("ID")},
			item: func(p reports.Payout) (any, []string) {
				j := payoutJSON{p.Number, p.ID, p.Due.Day.String(), p.Due.Asset, p.Account,
					known.plain(p.Due.Asset, p.Amount), instant(p.Paid), p.Refused, nil}
				if p.Refused != "" {
					j.Answered = new(instant(p.Answered))
				}
				return j, []string{strconv.FormatInt(p.Number, 10), clockTime(p.Paid), string(p.Account),
					known.with(p.Due.Asset, p.Amount), cmp.Or(p.Refused, none), p.ID}
			},
			none: "Every payout is credited.\n",
		}.printPages(env, c.Limit, func(after reports.Payout, most int) ([]reports.Payout, error) {
			return reports.New(db.Reader()).OpenPayouts(ctx, after.Number, most, c.Refused)
		})
		return err
	})
}

type payoutsAnswerCmd struct {
	ID          string `arg:"" help:"The payout, as \"payouts list\" names it."`
	Transaction string `xor:"answer" required:"" placeholder:"ID" help:"The other ledger's transaction that credited it."`
	Refused     string `xor:"answer" required:"" placeholder:"REASON" help:"Why it is not credited."`
}

func (c *payoutsAnswerCmd) Help() string {
	return `For payouts that a person has resolved. A payout is credited once: another transaction for it is refused. Repeating has no further effect.

Example:

  softstake payouts answer reward/2026-11-22/BNB/alice --transaction tx-88123`
}

func (c *payoutsAnswerCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		if _, err := db.NumberPayouts(ctx); err != nil { // as the run does
			return err
		}
		outcomes, err := db.AnswerPayouts(ctx, []store.PayoutAnswer{{Payout: c.ID, Transaction: c.Transaction,
			Refused: c.Refused}})
		if err != nil {
			return err
		}
		said := "credited by " + c.Transaction
		if c.Refused != "" {
			said = "refused: " + c.Refused
		}
		return env.done(outcomes[0].Err, "%s is %s.\n", c.ID, said)
	})
}

type payoutsOnCmd struct{}

func (c *payoutsOnCmd) Help() string {
	return `For books beside another ledger, in which holders have their balances: rewards and compensations that are paid from then on are payouts, which that ledger reads, credits and acknowledges. docs/join.md has the whole way.

Example:

  softstake payouts on`
}

func (c *payoutsOnCmd) Run(env *Env) error { return setPayouts(env, true) }

type payoutsOffCmd struct{}

func (c *payoutsOffCmd) Help() string {
	return `Payouts from before stay as they are.

Example:

  softstake payouts off`
}

func (c *payoutsOffCmd) Run(env *Env) error { return setPayouts(env, false) }

func setPayouts(env *Env, on bool) error {
	said := "another ledger is to credit what is paid from now on"
	if !on {
		said = "what is paid from now on is in these books alone"
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.SetPayouts(ctx, on), "Payouts: %s.\n", said)
	})
}
