package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Account is a holder's account.
type Account struct {
	ID     ledger.Account
	Region staking.Region // the verified residence; "": none
	Opened time.Time
	Closed time.Time // zero: it is open
	Freeze Freeze
}

// check says what is wrong with the account, or nil, and writes its region in capitals.
func (a *Account) check() error {
	err := ledger.At("id", a.ID.CheckHolder())
	if err == nil && a.Region != "" {
		a.Region, err = staking.ParseRegion(string(a.Region))
		err = ledger.At("region", err)
	}
	return err
}

// checkNew says what is wrong with an account that is to be opened, as check does.
func (a *Account) checkNew() error {
	if err := a.ID.CheckNew(); err != nil {
		return ledger.At("id", err)
	}
	return a.check()
}

// OpenAccount opens an account for a resident of a region; "" is a residence not
// yet verified. The same again is once and answers repeated; with another region
// it is ErrConflict. One that is closed is ErrEnded: it is not opened again.
func (db *DB) OpenAccount(ctx context.Context, id ledger.Account, region staking.Region) (repeated bool, err error) {
	a := Account{ID: id, Region: region}
	if err := a.checkNew(); err != nil {
		return false, err
	}
	err = db.engine.Write(ctx, func(t tx) error {
		n, err := t.Exec("INSERT INTO accounts (bucket, account, region, opened) VALUES ($1, $2, $3, $4) ON "+
			"CONFLICT DO NOTHING",
			int64(id.Bucket()), string(id), string(a.Region), db.now())
		if err != nil {
			return err
		}
		repeated = n == 0
		if !repeated {
			return db.logLine(t, "account open", string(id), residence(a.Region))
		}
		there, err := FindAccount(t, id)
		if err == nil && !there.Closed.IsZero() {
			err = ledger.ErrEnded.In("", "it is closed since %s; a closed account is not opened again, so open one of another ID",
				stamp(there.Closed.UnixMilli()))
		}
		if err == nil && there.Region != a.Region {
			err = ledger.ErrConflict.In("", "its residence is %q, not %q", there.Region, a.Region).Because(ReasonOtherResidence)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("open account %s: %w", id, err)
	}
	return repeated, nil
}

// residence is what the log says of a verified residence.
func residence(r staking.Region) string {
	if r == "" {
		return "without a verified residence"
	}
	return "residence " + string(r)
}

// AccountColumns are what ReadAccount reads, of accounts a.
const AccountColumns = "a.account, a.region, a.opened, a.closed, a.frozen, a.frozen_mode, a.frozen_reason"

func ReadAccount(r row) (Account, error) {
	return Account{
		ID: ledger.Account(r.Text(0)), Region: staking.Region(r.Text(1)), Opened: timeOf(r.Int(2)),
		Closed: timeOrNever(r.Int(3)),
		Freeze: readFreeze(r.Int(4), r.Int(5), r.Text(6)),
	}, nil
}

// FindAccount reads an account; ErrNotFound if it was never opened.
func FindAccount(t view, id ledger.Account) (Account, error) {
	a, found, err := db.First(t, ReadAccount, "SELECT "+AccountColumns+
		" FROM accounts a WHERE a.bucket = $1 AND a.account = $2", int64(id.Bucket()), string(id))
	if err == nil && !found {
		err = noAccount(id)
	}
	return a, err
}

func noAccount(id ledger.Account) error {
	return ledger.ErrNotFound.In("", "account %q", ledger.Clip(string(id))).Because(ReasonUnknownAccount)
}

// Account is the account of an ID; ErrNotFound if it was never opened.
func (db *DB) Account(ctx context.Context, id ledger.Account) (a Account, err error) {
	if err := id.CheckHolder(); err != nil {
		return Account{}, err
	}
	err = db.engine.Read(ctx, func(t view) (err error) {
		a, err = FindAccount(t, id)
		return err
	})
	return a, err
}

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
func (db *DB) SetDepositAddress(ctx context.Context, a DepositAddress) (changed bool, err error) {
	if err := a.check(); err != nil {
		return false, err
	}
	if _, err := db.Asset(ctx, a.Asset); err != nil {
		return false, err
	}
	err = db.engine.Write(ctx, func(t tx) error {
		changed = false
		holder, err := lockAccount(t, a.Account)
		if err != nil {
			return err
		}
		if !holder.Closed.IsZero() {
			return isClosed(a.Account, holder.Closed.UnixMilli())
		}
		former, found, err := depositAddress(t, a)
		if err != nil || found && former == a {
			return err
		}
		changed = true
		_, err = t.Exec(`INSERT INTO deposit_addresses (bucket, account, asset, network, address, tag) VALUES ($1, $2, $3, $4, $5, $6)
		                 ON CONFLICT (bucket, account, asset, network) DO UPDATE SET address = excluded.address, tag = excluded.tag`,
			int64(a.Account.Bucket()), string(a.Account), a.Asset, a.Network, a.Address, a.Tag)
		if err != nil {
			return err
		}
		detail := a.String()
		if found {
			detail += "; before " + former.String()
		}
		return db.logLine(t, "address set", string(a.Account), detail)
	})
	if err != nil {
		return false, fmt.Errorf("set an address of %s: %w", a.Account, err)
	}
	return changed, nil
}

// RemoveDepositAddress removes an account's address of a token and a network. What is
// sent there all the same is the operator's to post. ErrNotFound if none is set.
func (db *DB) RemoveDepositAddress(ctx context.Context, id ledger.Account, asset, network string) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	network, err := parseNetwork(network)
	if err != nil {
		return err
	}
	err = db.engine.Write(ctx, func(t tx) error {
		if _, err := lockAccount(t, id); err != nil {
			return err
		}
		former, found, err := depositAddress(t, DepositAddress{Account: id, Asset: asset, Network: network})
		if err == nil && !found {
			err = ledger.ErrNotFound.In("", "no such address is set")
		}
		if err != nil {
			return err
		}
		if _, err := t.Exec("DELETE FROM deposit_addresses WHERE bucket = $1 AND account = $2 AND asset = $3 AND network = $4",
			int64(id.Bucket()), string(id), asset, network); err != nil {
			return err
		}
		return db.logLine(t, "address remove", string(id), former.String())
	})
	if err != nil {
		return fmt.Errorf("remove an address of %s: %w", id, err)
	}
	return nil
}

// depositAddress reads what is set for the account, token and network of a.
func depositAddress(t tx, a DepositAddress) (there DepositAddress, found bool, err error) {
	there = DepositAddress{Account: a.Account, Asset: a.Asset, Network: a.Network}
	err = t.Query(func(r row) error {
		there.Address, there.Tag, found = r.Text(0), r.Text(1), true
		return nil
	}, "SELECT address, tag FROM deposit_addresses WHERE bucket = $1 AND account = $2 AND asset = $3 AND network = $4",
		int64(a.Account.Bucket()), string(a.Account), a.Asset, a.Network)
	return there, found, err
}
