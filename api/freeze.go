package api

import (
	"context"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

type freezeOut struct {
	Since   string `json:"since" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was frozen."`
	Earning bool   `json:"earning" doc:"Whether it goes on earning."`
	Reason  string `json:"reason,omitempty" example:"court order 7" doc:"Why. Absent for the holder."`
}

// showFreeze is nil for an account that is not frozen. The reason may be a secret
// before the holder: an investigation.
func showFreeze(f store.Freeze, role access.Role) *freezeOut {
	if f.Since.IsZero() {
		return nil
	}
	out := &freezeOut{Since: instant(f.Since), Earning: f.Earns, Reason: f.Reason}
	if role == access.Holder {
		out.Reason = ""
	}
	return out
}

// freezeRoutes are those that freeze an account and end it.
func (s *server) freezeRoutes() {
	change(s, "POST /v1/accounts/{account}/freeze", operators, writer.freeze,
		about("freeze-account", "Accounts", "Freeze an account",
			"Lets nothing leave the account until it is unfrozen: transfers, withdrawals, "+
				"holds and trades that take from it are refused, whoever posts them; "+
				"so is the completion of a pending withdrawal. What stays in the account is allowed: a release, "+
				"and the cancelling of a withdrawal. Deposits and rewards come in, "+
				"and an operator's adjustment is posted. With `earning` false it earns nothing from today on; "+
				"its end switches Soft Staking on again if it was on. Repeating has no further effect; "+
				"with another `earning` it is refused."))
	change(s, "POST /v1/accounts/{account}/unfreeze", operators, writer.unfreeze,
		about("unfreeze-account", "Accounts", "Unfreeze an account",
			"Ends the freeze. Where the freeze switched Soft Staking off, "+
				"it is switched on again and earns from tomorrow on, unless its holder switched it off or it is not "+
				"offered to the residence any more. Repeating has no further effect."))
}

type freezeIn struct {
	AccountIn
	Body struct {
		Reason  string `json:"reason" minLength:"1" maxLength:"200" example:"court order 7" doc:"Why; it is kept in the log."`
		Earning bool   `json:"earning" doc:"Whether the account goes on earning."`
	}
}

func (wr writer) freeze(ctx context.Context, in *freezeIn) (*answer[accountOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	if _, err := wr.books.Freeze(ctx, in.id(), in.Body.Reason, in.Body.Earning); err != nil {
		return nil, err
	}
	return say(wr.account(ctx, in.id()))
}

type unfreezeIn struct {
	AccountIn
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" example:"order lifted" doc:"Why; it is kept in the log."`
	}
}

func (wr writer) unfreeze(ctx context.Context, in *unfreezeIn) (*answer[accountOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	if _, _, err := wr.books.Unfreeze(ctx, in.id(), in.Body.Reason); err != nil {
		return nil, err
	}
	return say(wr.account(ctx, in.id()))
}
