package binance

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// What the exchange answers is chosen by an error's kind, reason and field: other words
// choose no other code.
func TestAnErrorsWordsChooseNoCode(t *testing.T) {
	for _, c := range []struct {
		err          error
		status, code int
		message      string
	}{
		{ledger.ErrInvalid.In("moves[0].amount", "not found"), 400, -1130,
			"Data sent for parameter 'amount' is not valid."},
		{ledger.ErrInvalid.In("tag", "the tag is too long"), 400, -1130,
			"Data sent for parameter 'addressTag' is not valid."},
		{ledger.ErrInvalid.In("reason", "the address is not valid"), 400, -1130,
			"Data sent for a parameter is not valid."},
		{ledger.ErrInvalid.In("", "insufficient balance").Because(store.ReasonClosed), 401, -2015,
			"Invalid API-key, IP, or permissions for action, request ip: 192.0.2.7"},
		{ledger.ErrInvalid, 400, -1130, "Data sent for a parameter is not valid."},
		{ledger.ErrInsufficient.In("moves[0].amount", "the account is frozen"), 400, -4026,
			"You have insufficient balance."},
		{ledger.ErrFrozen.In("", "insufficient balance"), 400, -3022, "You account's trading is banned."},
		{access.ErrForbidden, 401, -2015, "Invalid API-key, IP, or permissions for action, request ip: 192.0.2.7"},
		{staking.ErrDocuments, 400, -6019, "Need confirm: accept the current Terms of Use, " +
			"Soft Staking Terms and Risk Warning first, at https://example.com/earn/start"},
		{ledger.ErrNotFound.In("account", "insufficient balance"), 500, -1000, errUnknown.Message},
		{errors.New("insufficient balance"), 500, -1000, errUnknown.Message},
	} {
		for _, err := range []error{
			c.err, fmt.Errorf("post: %w", c.err), errors.Join(errors.New("the account is frozen"), c.err),
		} {
			no := refusalOf(err, netip.MustParseAddr("192.0.2.7"), "https://example.com/earn/start")
			if no.status != c.status || no.Code != c.code || no.Message != c.message {
				t.Errorf("%v: %d %+v", err, no.status, no)
			}
		}
	}
}
