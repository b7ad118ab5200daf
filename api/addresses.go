package api

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

type addressOut struct {
	ID      string `json:"id" example:"6f1e0b7c2a44" doc:"The address, as these paths name it."`
	Asset   string `json:"asset" example:"BNB" doc:"Symbol."`
	Network string `json:"network,omitempty" example:"BSC" doc:"On which network, in capitals."`
	Address string `json:"address" doc:"The destination."`
	Tag     string `json:"tag,omitempty" doc:"A memo or tag that the address needs."`
	Label   string `json:"label,omitempty" example:"my wallet" doc:"What its holder calls it."`
	Added   string `json:"added" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was saved."`
	Usable  string `json:"usable" format:"date-time" example:"2026-11-24T10:00:00.000Z" doc:"From when on it can be used."`
}

type addressesOut struct {
	SavedOnly bool         `json:"savedOnly" doc:"The holder withdraws to these addresses only."`
	AnyFrom   string       `json:"anyFrom,omitempty" format:"date-time" example:"2026-11-24T10:00:00.000Z" doc:"From when on the holder withdraws to any address. Absent: never."`
	Waits     string       `json:"waits,omitempty" format:"date-time" example:"2026-11-25T10:00:00.000Z" doc:"Nothing is withdrawn until then, after a password or a second factor was set. Absent: it does not wait."`
	Addresses []addressOut `json:"addresses" doc:"The saved addresses, the oldest first."`
}

func (s *server) addressRoutes() {
	get(s, "/v1/accounts/{account}/withdrawal-addresses", oneHolder, reader.listAddresses,
		about("list-withdrawal-addresses", "Entries", "List where an account withdraws to",
			"The saved withdrawal addresses, and whether withdrawals go to these only. What a holder requests, with a "+
				"session, a token or a key, goes to a saved address whose waiting time is over. A token of the role "+
				"`exchange` requests for its own holders, and is not bound to them."))
	change(s, "POST /v1/accounts/{account}/withdrawal-addresses", does("withdrawal-address add"), writer.addAddress,
		about("add-withdrawal-address", "Entries", "Save a withdrawal address",
			"It can be used after 48 hours, and the holder is notified. An address that is saved already stays as it is."))
	change(s, "DELETE /v1/accounts/{account}/withdrawal-addresses/{id}", does("withdrawal-address remove"),
		writer.removeAddress, about("remove-withdrawal-address", "Entries", "Remove a withdrawal address",
			"At once: saved again, it waits again. Repeating has no further effect."))
	change(s, "PUT /v1/accounts/{account}/withdrawal-addresses/saved-only", does("withdrawal-address saved-only"),
		writer.setSavedOnly, about("set-saved-only", "Entries", "Withdraw to saved addresses only",
			"At once. That withdrawals may go to any address is set by the holder on the pages, and takes 48 hours."))
}

func showAddress(a people.WithdrawalAddress) addressOut {
	return addressOut{a.ID, a.Asset, a.Network, a.Address, a.Tag, a.Label, instant(a.Added), instant(a.Usable)}
}

func (rd reader) listAddresses(ctx context.Context, in *AccountIn) (*answer[addressesOut], error) {
	return reply(rd.addresses(ctx, in.id()))
}

// addresses are the saved addresses of an account, and how it withdraws.
func (rd reader) addresses(ctx context.Context, id ledger.Account) (out addressesOut, err error) {
	settings, err := rd.source.People().WithdrawalSettings(ctx, id)
	if err != nil {
		return out, ledger.At("account", err)
	}
	all, err := rd.source.People().WithdrawalAddresses(ctx, id)
	out = addressesOut{SavedOnly: settings.SavedOnly(rd.now()), AnyFrom: instantIf(settings.AnyFrom),
		Addresses: []addressOut{}}
	if settings.Waits.After(rd.now()) {
		out.Waits = instant(settings.Waits)
	}
	for _, a := range all {
		out.Addresses = append(out.Addresses, showAddress(a))
	}
	return out, err
}

type addressIn struct {
	AccountIn
	Body struct {
		Asset   string `json:"asset" maxLength:"20" example:"BNB" doc:"Symbol."`
		Network string `json:"network,omitempty" maxLength:"32" example:"BSC" doc:"On which network."`
		Address string `json:"address" minLength:"1" maxLength:"200" doc:"The destination."`
		Tag     string `json:"tag,omitempty" maxLength:"200" doc:"A memo or tag that the address needs."`
		Label   string `json:"label,omitempty" maxLength:"200" example:"my wallet" doc:"What its holder calls it."`
	}
}

func (wr writer) addAddress(ctx context.Context, in *addressIn) (*answer[addressOut], error) {
	b := in.Body
	a, err := wr.books.People().AddWithdrawalAddress(ctx, people.WithdrawalAddress{Account: in.id(), Asset: b.Asset,
		Network: b.Network, Address: b.Address, Tag: b.Tag, Label: b.Label})
	return reply(showAddress(a), err)
}

type addressIDIn struct {
	AccountIn
	ID string `path:"id" maxLength:"40" example:"6f1e0b7c2a44" doc:"The address's ID."`
}

func (wr writer) removeAddress(ctx context.Context, in *addressIDIn) (*answer[addressesOut], error) {
	if err := wr.books.People().RemoveWithdrawalAddress(ctx, in.id(), in.ID); err != nil {
		return nil, err
	}
	return reply(wr.addresses(ctx, in.id()))
}

func (wr writer) setSavedOnly(ctx context.Context, in *AccountIn) (*answer[addressesOut], error) {
	if err := wr.books.People().SetSavedOnly(ctx, in.id(), true); err != nil {
		return nil, err
	}
	return reply(wr.addresses(ctx, in.id()))
}
