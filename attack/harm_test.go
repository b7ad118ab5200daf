package attack

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

// harm is what a thief has done to the books.
type harm struct {
	moved   map[string]ledger.Amount // of what: "deposits BNB"
	opened  int64                    // accounts
	changed []string                 // the tables that protect others, with rows that were changed
}

// measures are what of the kinds of entries a day's ceiling counts, by kind; what no kind names is not to be posted by
// anybody but those whom the table of bounds lists.
var measures = map[string]string{"deposit": "minted", "trade": "moved", "transfer": "moved",
	"withdrawal": "withdrawn", "withdrawal-request": "withdrawn", "withdrawal-completed": "paid out"}

// protected are the tables of what a single credential of staff or of a back end must not change: who may do what, what
// is earned, and what limits either. The columns are those that say it.
var protected = map[string]string{
	"tokens": "id, role, account, person, addresses, subject, ceilings, revoked, expires", "keys": "*", "logins": "*",
	"passkeys": "subject, id", "totps": "subject", "recovery_codes": "*", "staff": "*", "limits": "*", "terms": "*",
	"assets": "*", "approvals": "*", "prices": "*", "rates": "*", "documents": "*", "disclosures": "*", "listings": "*",
	"close_after": "*", "meta": "*", "withdrawal_addresses": "*", "withdrawal_settings": "*", "deposit_addresses": "*",
	"accounts": "account, region, closed, frozen", "owners": "*", "labels": "*", "exclusions": "*", "campaigns": "*",
	"campaign_ends": "*", "webhooks": "name, url, kinds, ordered, secret", "enrollments": "*", "acceptances": "*",
	"reconciliations": "*", "sweeps": "*",
	"comparison_limits": "*", "comparison_resolutions": "*", "comparison_sources": "*",
	"comparison_releases": "*",
}

// states are the protected tables as they are, each as a digest.
func (x *thief) states(url string) map[string][32]byte {
	x.Helper()
	states := map[string][32]byte{}
	for table, columns := range protected {
		where := ""
		if table == "meta" {
			where = " WHERE name = 'four_eyes'"
		}
		lines := testkit.Must(scenario.Rows(x.Context(), url, "SELECT "+columns+" FROM "+table+where))(x.T)
		states[table] = sha256.Sum256([]byte(strings.Join(lines, "\n")))
	}
	return states
}

// harm measures what was done since a moment, against the states before it.
func (x *thief) harm(url string, since time.Time, before map[string][32]byte) harm {
	x.Helper()
	h := harm{moved: map[string]ledger.Amount{}}
	for _, line := range testkit.Must(scenario.Rows(x.Context(), url, fmt.Sprintf(
		`SELECT p.kind, p.asset, sum(p.amount) FROM postings p JOIN entries e ON e.entry = p.entry
		 WHERE p.amount > 0 AND e.posted_at >= %d GROUP BY p.kind, p.asset`, since.UnixMilli())))(x.T) {
		words := strings.Split(line, "\t")
		n, err := strconv.ParseInt(words[2], 10, 64)
		ok(x.T, err)
		measure, counted := measures[words[0]]
		if !counted {
			measure = words[0]
		}
		h.moved[measure+" "+words[1]] += ledger.Amount(n)
	}
	for _, line := range testkit.Must(scenario.Rows(x.Context(), url, fmt.Sprintf(
		`SELECT p.asset, sum(abs(p.amount)) FROM postings p JOIN entries e ON e.entry = p.entry
		 WHERE p.account = '@desk' AND p.kind = 'trade' AND e.posted_at >= %d GROUP BY p.asset`, since.UnixMilli())))(x.T) {
		asset, sum, _ := strings.Cut(line, "\t")
		h.moved[againstDesk+" "+asset] = ledger.Amount(testkit.Must(strconv.ParseInt(sum, 10, 64))(x.T))
	}
	opened := testkit.Must(scenario.Rows(x.Context(), url, fmt.Sprintf(
		"SELECT count(*) FROM accounts WHERE opened >= %d", since.UnixMilli())))(x.T)
	h.opened = testkit.Must(strconv.ParseInt(opened[0], 10, 64))(x.T)
	for table, state := range x.states(url) {
		if state != before[table] {
			h.changed = append(h.changed, table)
		}
	}
	slices.Sort(h.changed)
	return h
}

// againstDesk is of what trades move from or to @desk, which is a part of what is moved.
const againstDesk = "against @desk"

// anything is the bound of what stays within one account, or is the house's own.
const anything = ledger.MaxSupply

// bounds are how much each credential that has no ceiling may do in a day, in whole tokens: nothing where it says
// nothing. What a back end's token may do its ceilings say.
var bounds = map[string]map[string]ledger.Amount{
	// The end of a withdrawal that its holder has requested, to where the holder said, below the limit of four eyes.
	"operator": {"paid out BNB": 5 * unit},
	// What somebody else has proposed, and what is theirs as an operator.
	"approver":         {"paid out BNB": 5000 * unit},
	"break-glass":      {"paid out BNB": 5005 * unit},
	"console-operator": {"paid out BNB": 5 * unit, "withdrawal-cancelled BNB": anything},
	// Without a factor a session is as strong as the password.
	"session-bob": {"moved BNB": 50_000 * unit, "withdrawn BNB": 50_000 * unit},
	// The house's own tokens, into the books.
	"console-treasurer": {"fee-transfer BNB": anything},
	"treasurer":         {"fund BNB": anything, "fee-transfer BNB": anything, "income ADA": anything},
	// A holder's token moves what is in the account, and no more.
	"token-alice": {"moved BNB": 100_000 * unit, "withdrawn BNB": 100_000 * unit},
	"token-bob":   {"moved BNB": 50_000 * unit, "withdrawn BNB": 50_000 * unit},
	// A key withdraws to where the holder does.
	"key-withdraw": {"withdrawn BNB": 100_000 * unit},
}

// mayChange are the protected tables that a credential may change alone: by what the package control has as free.
var mayChange = map[string]string{
	"operator": byOperator, "break-glass": byOperator + " terms", "approver": "terms", "treasurer": "campaign_ends",
	"deposits": "accounts owners", "enrollment": byEnrollment, "exchange": byEnrollment, "authoritative": byEnrollment,
	"token-alice": byHolder, "token-bob": byHolder, "key-trade": "enrollments", "key-withdraw": "enrollments",
	// A key that is revoked is the holder's to make again; an address that is added waits for 48 hours.
	"session-alice": byHolder + " keys", "session-bob": byHolder + " keys withdrawal_settings",
	"console-operator": "campaign_ends prices", "console-treasurer": "campaign_ends",
	// An admin alone disables staff and revokes tokens, so that a theft is ended at once: it lets nobody in.
	"console-admin": "staff tokens webhooks",
}

const (
	byOperator = "accounts campaign_ends disclosures enrollments exclusions labels owners prices rates reconciliations " +
		"withdrawal_addresses"
	byEnrollment = "accounts acceptances enrollments owners"
	byHolder     = "acceptances enrollments withdrawal_addresses"
)

// mostOpened is how many accounts the credential may open on a day.
func (x *thief) mostOpened() int64 {
	if x.role != access.Exchange {
		return 0
	}
	return x.credential.token.Ceilings.Count(access.OfAccounts) // 0 where it has no line
}

// most is how much of a measure the credential may do on a day.
func (x *thief) most(measure, asset string) ledger.Amount {
	x.Helper()
	if x.role != access.Exchange {
		return bounds[x.name][measure+" "+asset]
	}
	of, counted := map[string]access.Measure{"minted": access.OfDeposits, "moved": access.OfTrades,
		againstDesk: access.OfDesk, "withdrawn": access.OfWithdrawals, "paid out": access.OfWithdrawals}[measure]
	switch within := measure == "hold" || measure == "release"; {
	case within && x.credential.token.Parts&access.Trades != 0:
		return anything
	case !counted:
		return 0
	}
	shipped := testkit.Must(staking.ShippedTokens(0))(x.T)
	i := slices.IndexFunc(shipped, func(t staking.Token) bool { return t.Asset.Symbol == asset })
	return testkit.Must(x.credential.token.Ceilings.Of(of, shipped[i].Asset))(x.T)
}
