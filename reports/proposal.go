package reports

import (
	"context"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/store"
)

// FourEyes reports whether the operations that may need approval do.
func (rs *Reports) FourEyes(ctx context.Context) (bool, error) {
	return read(ctx, rs, "read whether operations need approval", store.FourEyes)
}

// NeedsFactor reports whether holders withdraw with a second factor only.
func (rs *Reports) NeedsFactor(ctx context.Context) (bool, error) {
	return read(ctx, rs, "read whether withdrawals need a factor", store.NeedsFactor)
}

// Proposal is the proposal of an ID; ledger.ErrNotFound if there is none.
func (rs *Reports) Proposal(ctx context.Context, id string) (control.Proposal, error) {
	return read(ctx, rs, "look a proposal up", func(t db.View) (control.Proposal, error) {
		return store.FindProposal(t, id)
	})
}

// Proposals are at most limit proposals, the newest first, after one, or from the start for the zero one. Their states
// are those of now.
func (rs *Reports) Proposals(ctx context.Context, after control.Proposal, asked store.ProposalsAsked, limit int) (
	[]control.Proposal, error) {
	return read(ctx, rs, "read the proposals", func(t db.View) ([]control.Proposal, error) {
		return store.ProposalsAfter(t, after, asked, rs.Now().UnixMilli(), limit)
	})
}
