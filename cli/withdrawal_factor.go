package cli

import (
	"context"

	"github.com/softstake/softstake/store"
)

type withdrawalFactorCmd struct {
	On  withdrawalFactorOnCmd  `cmd:"" help:"From now on a holder withdraws with a second factor only."`
	Off withdrawalFactorOffCmd `cmd:"" help:"Let holders withdraw without a second factor: with four eyes this needs approval."`
}

type withdrawalFactorOnCmd struct{}

func (c *withdrawalFactorOnCmd) Help() string {
	return `A holder who has neither a passkey nor an authenticator app then requests no withdrawal, saves no withdrawal address and makes no API key that withdraws: on the pages, with a token or with a key. A token and a key stand for those who log in to the account. Back ends (the role exchange) ask their holders themselves.

New books have it on, and books of a version before this rule off.

Example:

  softstake withdrawal-factor on`
}

func (c *withdrawalFactorOnCmd) Run(env *Env) error { return setWithdrawalFactor(env, true) }

type withdrawalFactorOffCmd struct{}

func (c *withdrawalFactorOffCmd) Help() string {
	return `For installations where no holder logs in here, and the exchange's own site asks for a second factor.

Example:

  softstake withdrawal-factor off`
}

func (c *withdrawalFactorOffCmd) Run(env *Env) error { return setWithdrawalFactor(env, false) }

func setWithdrawalFactor(env *Env, on bool) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.SetWithdrawalFactor(ctx, on), "Factors: %s.\n", withdrawalFactorSentence(on))
	})
}

// withdrawalFactorSentence is what holders need to withdraw.
func withdrawalFactorSentence(on bool) string {
	if on {
		return "holders need a second factor to withdraw"
	}
	return `holders need no second factor to withdraw; "softstake withdrawal-factor on" changes that`
}
