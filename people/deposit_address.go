package people

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// DepositAddress is where a holder sends a token from outside. The operator sets it,
// and posts the deposit when the token has arrived: nothing here watches a chain.
type DepositAddress struct {
	Account ledger.Account
	Asset   string
	Network string // of the token's chain, such as BSC, in capitals; "": the token has no other
	Address string
	Tag     string // that the deposit needs beside the address (memo), or ""
}

// maxNetwork is the length in characters of the longest name of a network.
const maxNetwork = 32

// check refuses what cannot be an address, and writes its network in capitals. Its
// errors are ErrInvalid.
func (a *DepositAddress) check() error {
	if err := a.Account.CheckHolder(); err != nil {
		return ledger.At("account", err)
	}
	network, err := parseNetwork(a.Network)
	if err != nil {
		return ledger.At("network", err)
	}
	a.Network = network
	for _, text := range [][2]string{{"address", a.Address}, {"tag", a.Tag}} {
		if err := ledger.CheckText("the "+text[0], text[1]); err != nil {
			return ledger.At(text[0], err)
		}
		if strings.ContainsRune(text[1], ' ') {
			return ledger.ErrInvalid.In(text[0], "the %s %q has a space", text[0], ledger.Clip(text[1]))
		}
	}
	if a.Address == "" {
		return ledger.ErrInvalid.In("address", "the address is empty")
	}
	return nil
}

// parseNetwork reads the name of a network, "" too, in capitals or not.
func parseNetwork(s string) (string, error) {
	upper := strings.ToUpper(s)
	ascii := len(upper) == len(s) // "ı" is no I, though I is its capital
	if !ascii || len(s) > maxNetwork || strings.Trim(upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return "", ledger.ErrInvalid.In("", "%q is not a network such as BSC: at most %d of A-Z 0-9 _ -", ledger.Clip(s),
			maxNetwork)
	}
	return upper, nil
}

// String is the address as the log has it: "BNB on BSC: 0x1, tag 7".
func (a DepositAddress) String() string {
	text := a.Asset
	if a.Network != "" {
		text += " on " + a.Network
	}
	text += ": " + a.Address
	if a.Tag != "" {
		text += ", tag " + a.Tag
	}
	return text
}

// SetDepositAddress sets where an account's holder sends a token on a network, in the
// place of what was set before, and reports whether that was another. Repeating it has no
// further effect. ErrNotFound if the account or the token is not in the books;
// ErrInvalid for what is not an address, and for a closed account.
func (p *People) SetDepositAddress(ctx context.Context, a DepositAddress) (changed bool, err error) {
	if err := a.check(); err != nil {
		return false, err
	}
	if _, err := p.books.Asset(ctx, a.Asset); err != nil {
		return false, err
	}
	err = p.db.Write(ctx, func(t db.Tx) error {
		changed = false
		if err := p.books.LockOpenAccount(t, a.Account); err != nil {
			return err
		}
		former, found, err := p.findDepositAddress(t, a)
		forged := errors.Is(err, integrity.ErrForged)
		if err != nil && !forged || found && former == a {
			return err
		}
		changed = true
		_, err = t.Exec(`INSERT INTO deposit_addresses (bucket, account, asset, network, address, tag) VALUES ($1, $2, $3, $4, $5, $6)
		                 ON CONFLICT (bucket, account, asset, network) DO UPDATE SET address = excluded.address, tag = excluded.tag`,
			int64(a.Account.Bucket()), string(a.Account), a.Asset, a.Network, a.Address, a.Tag)
		if err == nil {
			err = p.guard.Sign(t, integrity.DepositAddresses, ofDepositAddress, a.key()...)
		}
		if err != nil {
			return err
		}
		detail := a.String()
		if forged {
			detail += "; before one that softstake had not written"
		}
		if found {
			detail += "; before " + former.String()
		}
		return p.books.Log(t, "address set", string(a.Account), detail)
	})
	if err != nil {
		return false, fmt.Errorf("set an address of %s: %w", a.Account, err)
	}
	return changed, nil
}

// RemoveDepositAddress removes an account's address of a token and a network. What is
// sent there all the same is the operator's to post. ErrNotFound if none is set.
func (p *People) RemoveDepositAddress(ctx context.Context, id ledger.Account, asset, network string) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	network, err := parseNetwork(network)
	if err != nil {
		return err
	}
	err = p.db.Write(ctx, func(t db.Tx) error {
		if _, err := p.books.LockAccount(t, id); err != nil {
			return err
		}
		a := DepositAddress{Account: id, Asset: asset, Network: network}
		former, found, err := p.findDepositAddress(t, a)
		detail := former.String()
		if errors.Is(err, integrity.ErrForged) {
			err, found, detail = nil, true, asset+": one that softstake had not written"
		}
		if err == nil && !found {
			err = ledger.ErrNotFound.In("", "no such address is set")
		}
		if err != nil {
			return err
		}
		if _, err := t.Exec("DELETE FROM deposit_addresses WHERE "+ofDepositAddress, a.key()...); err != nil {
			return err
		}
		return p.books.Log(t, "address remove", string(id), detail)
	})
	if err != nil {
		return fmt.Errorf("remove an address of %s: %w", id, err)
	}
	return nil
}

// ofDepositAddress is the condition of a row: $1 its bucket, $2 account, $3 token, $4 network.
const ofDepositAddress = "bucket = $1 AND account = $2 AND asset = $3 AND network = $4"

// key are the parameters of ofDepositAddress.
func (a DepositAddress) key() []any {
	return []any{int64(a.Account.Bucket()), string(a.Account), a.Asset, a.Network}
}

// findDepositAddress reads what is set for the account, token and network of a. integrity.ErrForged for a row that is
// not as it was written.
func (p *People) findDepositAddress(t db.View, a DepositAddress) (former DepositAddress, found bool, err error) {
	return db.First(t, checked(p.guard, integrity.DepositAddresses, scanDepositAddress),
		integrity.DepositAddresses.Select()+"WHERE "+ofDepositAddress, a.key()...)
}

// scanDepositAddress reads a row of the columns of integrity.DepositAddresses.
func scanDepositAddress(r db.Row) (DepositAddress, error) {
	return DepositAddress{ledger.Account(r.Text(0)), r.Text(1), r.Text(2), r.Text(3), r.Text(4)}, nil
}

// DepositAddressesIn are an account's deposit addresses in a snapshot, by token and network. One that somebody has
// changed by SQL is not among them: nobody is to send anything there.
func DepositAddressesIn(t db.View, g *integrity.Guard, id ledger.Account) ([]DepositAddress, error) {
	all := []DepositAddress{}
	err := t.Query(func(r db.Row) error {
		a, err := checked(g, integrity.DepositAddresses, scanDepositAddress)(r)
		if errors.Is(err, integrity.ErrForged) {
			return nil
		}
		all = append(all, a)
		return err
	}, integrity.DepositAddresses.Select()+"WHERE bucket = $1 AND account = $2 ORDER BY asset, network",
		int64(id.Bucket()), string(id))
	return all, err
}
