package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/verify"
)

type proofCmd struct {
	Account ledger.Account `arg:""`
	Day     staking.Day    `arg:"" help:"The balance is that of the end of this UTC day, which is recorded and signed."`
	Asset   string         `arg:"" help:"Token."`
}

func (c *proofCmd) Help() string {
	return `The file shows that what the account has of the token, free and held, is counted in what is owed to all holders at the end of the day. It has no balance of another account but the one beside it, without a name. "verify" checks it on any machine; a day is proved from the moment on at which its record is signed ("anchor make").

Example:

  softstake proof alice 2026-11-22 BNB > proof.json`
}

func (c *proofCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		if _, err := db.Asset(ctx, c.Asset); err != nil {
			return err
		}
		p, err := db.Reader().Evidence().Proof(ctx, c.Account, c.Day, c.Asset)
		if err != nil {
			return err
		}
		return writeJSON(env.Stdout, p)
	})
}

type verifyCmd struct {
	Files    []string `arg:"" name:"file" help:"Proofs, as \"proof\" or the operator gave them; several are compared with each other."`
	Verifier string   `required:"" placeholder:"KEY" help:"The operator's public key, NAME+HASH+KEY, or a file that has it: not from where the proof is."`
}

func (c *verifyCmd) Help() string {
	return `It needs no books and no network. The exit status is 1 where a proof does not hold, or where two contradict each other: the operator then gives different answers to different people. Amounts are in the token's smallest unit.

Example:

  softstake verify proof.json --verifier anchor.pub`
}

func (c *verifyCmd) Run(env *Env) error {
	key, err := readVerifierText(c.Verifier)
	if err != nil {
		return err
	}
	var results []verify.Result
	for _, name := range c.Files {
		p, err := readProof(name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		r, err := p.Check(key)
		if err != nil {
			return fmt.Errorf("%s does not hold: %w", name, err)
		}
		for i, other := range results {
			if r.Contradicts(other) {
				return fmt.Errorf("%s and %s contradict each other; keep both, and show them to others", c.Files[i], name)
			}
		}
		results = append(results, r)
		if err := env.printf("%s had %d smallest units of %s at the end of %s, of %d owed to all holders, "+
			"as %s has signed.\n", p.Account, p.Amount, p.Asset, p.Day, r.Total, r.Origin); err != nil {
			return err
		}
	}
	return nil
}

// maxProof is how many bytes a proof has at most.
const maxProof = 1 << 20

func readProof(name string) (p verify.Proof, err error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxProof {
		err = usage("it has more than %d bytes, and is no proof", maxProof)
	}
	if err != nil {
		return p, err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return p, err
	}
	return verify.Parse(text)
}

// readVerifierText is a public key, or what the file has that is named.
func readVerifierText(given string) (string, error) {
	if strings.Contains(given, "+") {
		return given, nil
	}
	text, err := os.ReadFile(given)
	if err != nil {
		return "", fmt.Errorf("read the public key of checkpoints: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
