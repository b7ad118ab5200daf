package access_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

func TestCeilingsAreRead(t *testing.T) {
	for _, c := range []struct {
		parts access.Parts
		lines string
		want  access.Ceilings
	}{
		{access.AllParts, "", "accounts=10000/day,deposits:*=1%/day,desk:*=0.1%/day,enrollment=10000/day,trades:*=1%/day," +
			"withdrawals:*=1%/day"},
		{access.Deposits, "", "accounts=10000/day,deposits:*=1%/day"},
		{access.Withdrawals, "", "withdrawals:*=1%/day"},
		{access.Enrollment, "enrollment=0/day", "accounts=10000/day,enrollment=0/day"},
		{access.Trades | access.Withdrawals, "desk:BNB=0.5/day desk:*=0%/day",
			"desk:*=0%/day,desk:BNB=0.5/day,trades:*=1%/day,withdrawals:*=1%/day"},
		{access.Deposits | access.Trades, "accounts=7/day trades:*=0.05%/day deposits:SOL=3/day deposits:BNB=10000/day",
			"accounts=7/day,deposits:*=1%/day,deposits:BNB=10000/day,deposits:SOL=3/day,desk:*=0.1%/day,trades:*=0.05%/day"},
		{access.Deposits, "deposits:BNB=2%/day", "accounts=10000/day,deposits:*=1%/day,deposits:BNB=2%/day"},
	} {
		got, err := access.ParseCeilings(c.parts, strings.Fields(c.lines)...)
		if err != nil || got != c.want {
			t.Errorf("%q: %q, %v", c.lines, got, err)
		}
		if err := got.Check(c.parts); err != nil {
			t.Errorf("%q: %v", got, err)
		}
	}
}

func TestWhatIsNoCeiling(t *testing.T) {
	for _, lines := range []string{
		"x", "deposits:BNB=1", "deposits=1/day", "deposits:=1/day", "deposits:BNB=x%/day", "deposits:BNB=101%/day",
		"deposits:BNB=-1%/day", "deposits:BNB=0.001%/day", "deposits:*=5/day", "deposits:bnb=1/day", "mint:BNB=1/day",
		"deposits,trades:BNB=1/day", "enrollment:BNB=1/day", "enrollment=1%/day", "enrollment=-1/day", "enrollment=01/day",
		"enrollment=9999999999/day", "accounts:BNB=1/day", "accounts=1%/day", "desk=1/day", "desk:BNB=1/day",
		"Deposits:BNB=1/day", "deposits:BNB=1/day deposits:BNB=2/day", "trades:BNB=1/day",
	} {
		parts := access.Deposits | access.Enrollment
		if got, err := access.ParseCeilings(parts, strings.Fields(lines)...); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q is read as %q: %v", lines, got, err)
		}
	}
	for _, text := range []access.Ceilings{"deposits:BNB=1/day", "deposits:*=1%/day,", "deposits:*=1%/day,trades:*=1%/day",
		"deposits:BNB=1/day,deposits:*=1%/day", "deposits:*=1%/day,accounts=1/day",
		"desk:*=1%/day,deposits:*=1%/day"} {
		if err := text.Check(access.Deposits); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q may be stored: %v", text, err)
		}
	}
}

// TestCeilingsOfAssets: the line of the asset, else that of each other, rounded down; and nothing for another part.
func TestCeilingsOfAssets(t *testing.T) {
	c := testkit.Must(access.ParseCeilings(access.Deposits|access.Trades, "deposits:BNB=2.5/day", "trades:*=0.01%/day"))(t)
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 20_000_000_000_000_000}
	odd, most := ledger.Asset{Symbol: "ODD", MaxSupply: 29_999}, ledger.Asset{Symbol: "MOST", MaxSupply: ledger.MaxSupply}
	for _, want := range []struct {
		of     access.Measure
		asset  ledger.Asset
		amount ledger.Amount
	}{
		{access.OfDeposits, bnb, 250_000_000}, {access.OfDeposits, odd, 299}, {access.OfTrades, bnb, 2_000_000_000_000},
		{access.OfTrades, odd, 2}, {access.OfTrades, most, ledger.MaxSupply / 10_000}, {access.OfWithdrawals, bnb, 0},
		{access.OfDesk, odd, 29},
	} {
		if got, err := c.Of(want.of, want.asset); err != nil || got != want.amount {
			t.Errorf("%s of %s: %d, %v; want %d", want.of, want.asset.Symbol, got, err, want.amount)
		}
	}
	if got, err := access.Ceilings("").Of(access.OfDeposits, bnb); err != nil || got != ledger.MaxSupply {
		t.Errorf("without a ceiling: %d, %v", got, err)
	}
	if c.Count(access.OfSwitches) != 0 || access.Ceilings("").Count(access.OfSwitches) >= 0 ||
		access.Ceilings("enrollment=7/day").Count(access.OfSwitches) != 7 || c.Count(access.OfAccounts) != 10000 {
		t.Error("switches and accounts are not counted")
	}
}

// TestCeilingsOfOldTokens: what a token was stored without has what is usual, and one without a ceiling stays so.
func TestCeilingsOfOldTokens(t *testing.T) {
	for _, c := range []struct {
		parts     access.Parts
		old, want access.Ceilings
	}{
		{access.AllParts, "", ""},
		{access.Deposits, "deposits:*=0%/day", "accounts=10000/day,deposits:*=0%/day"},
		{access.Trades, "trades:*=1%/day,trades:BNB=5/day", "desk:*=0.1%/day,trades:*=1%/day,trades:BNB=5/day"},
		{access.AllParts, "deposits:*=1%/day,enrollment=10000/day,trades:*=1%/day,withdrawals:*=1%/day",
			testkit.Must(access.ParseCeilings(access.AllParts))(t)},
	} {
		if err := c.old.Check(c.parts); err != nil {
			t.Errorf("%q, which was proposed before, cannot be approved any more: %v", c.old, err)
		}
		got := c.old.Complete(c.parts)
		if got != c.want || got.Complete(c.parts) != got {
			t.Errorf("%q: %q", c.old, got)
		}
	}
	old := access.Ceilings("deposits:*=1%/day,enrollment=10000/day,trades:*=1%/day,withdrawals:*=1%/day")
	if !old.AreUsual(access.AllParts) {
		t.Errorf("%q are not the usual ones", old)
	}
}

func FuzzParseCeilings(f *testing.F) {
	for _, seed := range []string{"deposits:BNB=10000/day", "trades:*=0.5%/day", "enrollment=500/day", "accounts=1/day",
		"desk:*=0.5%/day", "trades:S=1,/day"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := access.ParseCeilings(access.AllParts, line)
		if err != nil {
			if !errors.Is(err, ledger.ErrInvalid) || c != "" || len(err.Error()) > 400 {
				t.Errorf("%q: %q, %v", line, c, err)
			}
			return
		}
		if err := c.Check(access.AllParts); err != nil && !strings.Contains(line, ",") {
			t.Errorf("%q is %q: %v", line, c, err)
		}
	})
}
