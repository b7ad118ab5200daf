package access_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

func TestRolesAndParts(t *testing.T) {
	for text, want := range map[string]struct {
		role  access.Role
		parts access.Parts
		kept  string
	}{
		"exchange":                               {access.Exchange, access.AllParts, "exchange"},
		"Trades, deposits":                       {access.Exchange, access.Deposits | access.Trades, "deposits,trades"},
		"enrollment":                             {access.Exchange, access.Enrollment, "enrollment"},
		"viewer":                                 {access.Viewer, 0, "viewer"},
		"withdrawals,trades":                     {access.Exchange, access.Withdrawals | access.Trades, "trades,withdrawals"},
		"deposits,trades,withdrawals,enrollment": {access.Exchange, access.AllParts, "exchange"},
	} {
		role, parts, err := access.ParseRoleAndParts(text)
		if err != nil || role != want.role || parts != want.parts || access.FormatRole(role, parts) != want.kept {
			t.Errorf("%q is %s %s, %v, and written as %q", text, role, parts, err, access.FormatRole(role, parts))
		}
		var back access.Parts
		if err := json.Unmarshal(testkit.Must(json.Marshal(parts))(t), &back); err != nil || back != parts {
			t.Errorf("%s is read back as %s: %v", parts, back, err)
		}
	}
	for _, text := range []string{"", ",", "deposits,", "deposits,viewer", "root", "exchange,trades"} {
		if _, _, err := access.ParseRoleAndParts(text); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for role, parts := range map[access.Role]access.Parts{access.Exchange: 0, access.Viewer: access.Deposits} {
		token := access.Token{ID: "aaaaaaaaaaaa", Hash: [32]byte{1}, Role: role, Parts: parts}
		if err := token.Valid(); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("a token of the role %s with the parts %q: %v", role, parts, err)
		}
	}
}
