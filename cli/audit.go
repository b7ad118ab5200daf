package cli

import (
	"cmp"
	"context"
	"fmt"
	"runtime"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// auditCmd re-derives every figure.
type auditCmd struct {
	Day  *staking.Day `placeholder:"DAY" help:"Only this day's rewards. Without it: everything."`
	JSON bool         `help:"Print a JSON object."`

	Anchors        string   `placeholder:"FILE" help:"Compute the records of all closed days again too, and compare them with the checkpoints of this file or, as s3+https://HOST/BUCKET/KEY, of a store: \"anchor make\" wrote them."`
	AnchorVerifier []string `sep:"none" placeholder:"KEY" help:"With --anchors, the public key that the checkpoints are signed with, NAME+HASH+KEY, or a file that has it; may be repeated."`
	s3Flags        `embed:""`
}

func (c *auditCmd) Help() string {
	return `Every average and every reward is derived again from the journal, with another algorithm; balances, totals, carries and digests are compared. Rows that contradict each other are found too, such as a pending withdrawal that nobody requested or a price that no line of the log sets; docs/security.md lists the rules. It reads only, may run while the books are in use, and runs on backups too. The exit status is 1 when it finds anything.

With --anchors it also finds what agrees with itself: rows of closed days that were changed together with all that is derived from them, and records that were made again. It says of which day and kind they are, and in which bucket.

Examples:

  softstake audit
  softstake audit --anchors /mnt/worm/anchors.txt --anchor-verifier anchor.pub
  softstake audit --db sqlite:backup.db`
}

type (
	auditJSON struct {
		Through   staking.Day    `json:"through"`
		Accounts  int64          `json:"accounts"`
		Positions int64          `json:"positions"`
		Postings  int64          `json:"postings"`
		Rewards   int64          `json:"rewards"`
		Tokens    []tokenSumJSON `json:"tokens"`
		Total     int64          `json:"findingsTotal"`
		Findings  []findingJSON  `json:"findings"`
		Anchors   *anchorsJSON   `json:"anchors,omitempty"`
		// key-missing: what gives a right was not checked for changes by SQL.
		Credentials credentialState `json:"credentials"`
	}
	tokenSumJSON struct {
		Asset   string `json:"asset"`
		Holders string `json:"holders"`
		House   string `json:"house"`
	}
	findingJSON struct {
		Day     *staking.Day   `json:"day,omitempty"`
		Account ledger.Account `json:"account,omitempty"`
		Asset   string         `json:"asset,omitempty"`
		Rule    string         `json:"rule,omitempty"`
		What    string         `json:"what"`
	}
)

func (c *auditCmd) Run(env *Env) error {
	if (c.Anchors == "") != (len(c.AnchorVerifier) == 0) {
		return usage("--anchors and --anchor-verifier are given together")
	}
	o := env.options()
	o.Unfinished = true
	return env.booksWith(o, func(ctx context.Context, db *store.DB) error {
		const parts = 1000
		bar := newMeter(env, "auditing", parts)
		report, err := audit.Run(ctx, reports.AuditOf(db.Reader()), audit.Options{
			Day: c.Day, Workers: runtime.GOMAXPROCS(0),
			Progress: func(done, of int) { bar.to(int64(done)*parts/int64(of), bar.what) },
		})
		if err = cmp.Or(err, bar.end()); err != nil {
			return err
		}
		var checked *evidence.Checked
		if c.Anchors != "" {
			if checked, err = c.checkAnchors(ctx, env, db); err != nil {
				return err
			}
		}
		credentials, err := protection(ctx, db)
		switch {
		case err != nil:
		case c.JSON:
			err = c.writeJSON(env, report, checked, credentials)
		default:
			err = cmp.Or(c.write(env, report), writeUnchecked(env, credentials), writeAnchors(env, checked))
		}
		return cmp.Or(err, findingsError(report, checked))
	})
}

// findingsError says that something was found, or is nil.
func findingsError(r audit.Report, checked *evidence.Checked) error {
	switch {
	case r.Total > 0:
		return fmt.Errorf("the books differ from their journal, or contradict themselves, in %s; keep them as they are, "+
			"and compare with a backup",
			count(r.Total, "place", "places"))
	case checked != nil && len(checked.Findings) > 0:
		return fmt.Errorf("the books differ from their records in %s; keep them as they are, and compare with a backup",
			count(len(checked.Findings), "place", "places"))
	}
	return nil
}

func (c *auditCmd) write(env *Env, r audit.Report) error {
	for _, f := range r.Findings {
		if err := env.printf("%s\n", oneLine(f.String())); err != nil {
			return err
		}
	}
	if more := r.Total - int64(len(r.Findings)); more > 0 {
		return env.printf("and %d more\n", more)
	}
	if r.Total > 0 {
		return nil
	}
	what := "through " + r.Through.String()
	if c.Day != nil {
		what = "on " + c.Day.String()
	}
	return env.printf("All is right %s: %s, %s, %s, %s.\n", what, count(r.Accounts, "account", "accounts"),
		count(r.Positions, "position", "positions"), count(r.Postings, "posting", "postings"),
		count(r.Accruals, "reward", "rewards"))
}

// writeUnchecked says where the audit could not check the MACs of credentials.
func writeUnchecked(env *Env, credentials credentialState) error {
	if credentials != keyMissing {
		return nil
	}
	return env.printf("Credentials carry MACs, and the key is not here: they were not checked.\n")
}

func (c *auditCmd) writeJSON(env *Env, r audit.Report, checked *evidence.Checked, credentials credentialState) error {
	j := auditJSON{Credentials: credentials,
		Through: r.Through, Accounts: r.Accounts, Positions: r.Positions, Postings: r.Postings, Rewards: r.Accruals,
		Total: r.Total, Findings: []findingJSON{}, Tokens: []tokenSumJSON{}, Anchors: anchorsOf(checked),
	}
	for _, t := range r.Tokens {
		a := assets{t.Asset.Symbol: t.Asset}
		j.Tokens = append(j.Tokens, tokenSumJSON{t.Asset.Symbol, a.sum(t.Asset.Symbol, t.Holders),
			a.sum(t.Asset.Symbol, t.House)})
	}
	for _, f := range r.Findings {
		finding := findingJSON{Account: f.Account, Asset: f.Asset, Rule: f.Rule, What: f.What}
		if f.HasDay {
			finding.Day = &f.Day
		}
		j.Findings = append(j.Findings, finding)
	}
	return writeJSON(env.Stdout, j)
}
