package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

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
	add(s, huma.Operation{
		OperationID: "freeze-account", Method: http.MethodPost, Path: "/v1/accounts/{account}/freeze",
		Tags: []string{"Accounts"}, Summary: "Freeze an account",
		Description: "Lets nothing leave the account until it is unfrozen: transfers, withdrawals, " +
			"holds and trades that take from it are refused, whoever posts them; " +
			"so is the completion of a pending withdrawal. What stays in the account is allowed: a release, " +
			"and the cancelling of a withdrawal. Deposits and rewards come in, " +
			"and an operator's adjustment is posted. With `earning` false it earns nothing from today on; " +
			"its end switches Soft Staking on again if it was on. Repeating has no further effect; " +
			"with another `earning` it is refused.",
	}, operators, s.freeze)
	add(s, huma.Operation{
		OperationID: "unfreeze-account", Method: http.MethodPost, Path: "/v1/accounts/{account}/unfreeze",
		Tags: []string{"Accounts"}, Summary: "Unfreeze an account",
		Description: "Ends the freeze. Where the freeze switched Soft Staking off, " +
			"it is switched on again and earns from tomorrow on, unless its holder switched it off or it is not " +
			"offered to the residence any more. Repeating has no further effect.",
	}, operators, s.unfreeze)
}

type freezeIn struct {
	AccountIn
	Body struct {
		Reason  string `json:"reason" minLength:"1" maxLength:"200" example:"court order 7" doc:"Why; it is kept in the log."`
		Earning bool   `json:"earning" doc:"Whether the account goes on earning."`
	}
}

func (s *server) freeze(ctx context.Context, in *freezeIn) (*answer[accountOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	if _, err := s.books(ctx).Freeze(ctx, in.id(), in.Body.Reason, in.Body.Earning); err != nil {
		return nil, err
	}
	a, err := s.Books.Account(ctx, in.id())
	return say(showAccount(ctx, a), err)
}

type unfreezeIn struct {
	AccountIn
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" example:"order lifted" doc:"Why; it is kept in the log."`
	}
}

func (s *server) unfreeze(ctx context.Context, in *unfreezeIn) (*answer[accountOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	if _, _, err := s.books(ctx).Unfreeze(ctx, in.id(), in.Body.Reason); err != nil {
		return nil, err
	}
	a, err := s.Books.Account(ctx, in.id())
	return say(showAccount(ctx, a), err)
}
