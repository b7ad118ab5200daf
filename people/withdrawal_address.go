package people

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

const (
	// AddressWait is how long a saved address waits before a holder can withdraw to it, and how long it takes until
	// withdrawals may go to any address again.
	AddressWait = 48 * time.Hour
	// ResetWait is how long a holder withdraws nothing after a password was set, a second factor was removed or reset, or
	// a recovery code let its holder in.
	ResetWait = 72 * time.Hour
	// MaxAddresses is the largest number of saved addresses of an account.
	MaxAddresses = 200
)

// WithdrawalAddress is where a holder withdraws a token to.
type WithdrawalAddress struct {
	ID      string // made of its content, its time and what was saved before
	Account ledger.Account
	Asset   string
	Network string // of the token's chain, such as BSC, in capitals; "": the token has no other
	Address string
	Tag     string    // memo or tag that the address needs, or ""
	Label   string    // what the holder calls it
	Added   time.Time // UTC
	Usable  time.Time // from when on it can be used; later than Added, and later still after a reset
}

// ReasonTooManyAddresses is of ledger.ErrInvalid: an account has MaxAddresses.
const ReasonTooManyAddresses = "too-many-addresses"

// AddressStepUp is the digest of the step-up that confirms a new address.
func AddressStepUp(a WithdrawalAddress) string {
	return access.StepUp("withdrawal-address add", string(a.Account), a.Asset, strings.ToUpper(a.Network), a.Address,
		a.Tag)
}

// check refuses what cannot be an address, as SetDepositAddress does, and writes its network in capitals.
func (a *WithdrawalAddress) check() error {
	d := DepositAddress{Account: a.Account, Asset: a.Asset, Network: a.Network, Address: a.Address, Tag: a.Tag}
	if err := d.check(); err != nil {
		return err
	}
	a.Network = d.Network
	return ledger.At("label", ledger.CheckText("the label", a.Label))
}

// String is the address as the log has it.
func (a WithdrawalAddress) String() string {
	return DepositAddress{Asset: a.Asset, Network: a.Network, Address: a.Address, Tag: a.Tag}.String()
}

// Ending is the last characters of the address, by which its holder knows it and nobody else.
func (a WithdrawalAddress) Ending() string { return EndingOf(a.Address) }

// EndingOf is the last characters of an address.
func EndingOf(address string) string {
	const shown = 4
	if runes := []rune(address); len(runes) > 2*shown {
		return string(runes[len(runes)-shown:])
	}
	return "…"
}

// AddWithdrawalAddress saves an address, which can be used after AddressWait, and returns it. Only Account, Asset,
// Network, Address, Tag and Label of a are read. An address that is saved already stays as it is, with its label.
// ErrNotFound if the account or the token is not in the books; ErrInvalid for what is not an address, for a closed
// account, and because of ReasonTooManyAddresses; access.ErrForbidden where a step-up is needed (AddressStepUp), or
// because of access.ReasonFactor a factor.
func (p *People) AddWithdrawalAddress(ctx context.Context, a WithdrawalAddress) (WithdrawalAddress, error) {
	return p.saveAddress(ctx, a, "withdrawal-address add", AddressWait)
}

// LoadWithdrawalAddress is AddWithdrawalAddress for an address that its holder has withdrawn to elsewhere, with the
// exchange that these books take over from: it can be used at once. Only who may open the books does this, and with
// four eyes a second person approves it (control.LoadAddress).
func (p *People) LoadWithdrawalAddress(ctx context.Context, a WithdrawalAddress) (WithdrawalAddress, error) {
	return p.saveAddress(ctx, a, control.LoadAddress, 0)
}

// saveAddress saves an address that can be used after a time.
func (p *People) saveAddress(ctx context.Context, a WithdrawalAddress, op control.Operation,
	wait time.Duration) (WithdrawalAddress, error) {
	if err := a.check(); err != nil {
		return a, err
	}
	if _, err := p.books.Asset(ctx, a.Asset); err != nil {
		return a, err
	}
	err := p.write(ctx, "save a withdrawal address of "+string(a.Account), func(t db.Tx) error {
		if err := p.books.LockOpenAccount(t, a.Account); err != nil {
			return err
		}
		there, err := db.All(t, scanAddress, addressColumns, addressArgs(a.Account)...)
		if err != nil {
			return err
		}
		for _, other := range there {
			if other.String() == a.String() {
				a = other
				return nil
			}
		}
		if len(there) >= MaxAddresses {
			return ledger.ErrInvalid.In("", "it has %d addresses already", MaxAddresses).Because(ReasonTooManyAddresses)
		}
		now := p.now()
		if err := p.maySave(t, now, a, op); err != nil {
			return err
		}
		a.Added, a.Usable = db.TimeOf(now), db.TimeOf(now).Add(wait)
		return p.insertAddress(t, &a, string(op))
	})
	if err != nil {
		return WithdrawalAddress{}, err
	}
	return p.withdrawalAddress(ctx, a)
}

// maySave asks for what an operation needs that saves an address: the holder's factor, or, for one that can be used at
// once, the approval of a second person.
func (p *People) maySave(t db.Tx, now int64, a WithdrawalAddress, op control.Operation) error {
	if op == control.LoadAddress {
		return p.books.Permit(t, true, op, a, string(a.Account), a.String()+", which can be used at once")
	}
	if err := p.NeedFactor(t, a.Account); err != nil {
		return err
	}
	return UseStepUp(t, p.guard, now, p.books.Actor(), AddressStepUp(a))
}

// insertAddress writes an address, its notice and its line of the log.
func (p *People) insertAddress(t db.Tx, a *WithdrawalAddress, action string) error {
	before, err := db.Count(t, "SELECT count(*) FROM withdrawal_addresses WHERE bucket = $1 AND account = $2",
		addressArgs(a.Account)...)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d %d", a.Account, a, a.Added.UnixMilli(), before))
	a.ID = hex.EncodeToString(sum[:6])
	if _, err := t.Exec(`INSERT INTO withdrawal_addresses
		(bucket, account, id, asset, network, address, tag, label, added, usable, removed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)`,
		int64(a.Account.Bucket()), string(a.Account), a.ID, a.Asset, a.Network, a.Address, a.Tag, a.Label,
		a.Added.UnixMilli(), a.Usable.UnixMilli()); err != nil {
		return err
	}
	if err := p.guard.Sign(t, integrity.WithdrawalAddresses, accountIs+" AND id = $3", append(addressArgs(a.Account),
		a.ID)...); err != nil {
		return err
	}
	if err := p.keepSettings(t, a.Account, before > 0); err != nil {
		return err
	}
	network := a.Network
	if network == "" {
		network = a.Asset
	}
	if err := p.NotifyAll(t, []ledger.Account{a.Account}, NoticeAddress, a.Asset, network, a.Ending()); err != nil {
		return err
	}
	return p.books.Log(t, action, string(a.Account), a.String())
}

// withdrawalAddress reads an address again.
func (p *People) withdrawalAddress(ctx context.Context, a WithdrawalAddress) (WithdrawalAddress, error) {
	all, err := p.WithdrawalAddresses(ctx, a.Account)
	for _, other := range all {
		if other.ID == a.ID {
			return other, nil
		}
	}
	if err == nil {
		err = noAddress(a.ID)
	}
	return WithdrawalAddress{}, err
}

// addressColumns select the live addresses of an account; its time of a reset is a part of when they can be used.
const addressColumns = `SELECT a.id, a.account, a.asset, a.network, a.address, a.tag, a.label, a.added,
	       CASE WHEN coalesce(s.waits, 0) > a.usable THEN s.waits ELSE a.usable END
	  FROM withdrawal_addresses a LEFT JOIN withdrawal_settings s ON s.bucket = a.bucket AND s.account = a.account
	 WHERE a.bucket = $1 AND a.account = $2 AND a.removed = 0 ORDER BY a.added, a.id`

// accountIs is the condition of an account's rows.
const accountIs = "bucket = $1 AND account = $2"

func addressArgs(id ledger.Account) []any { return []any{int64(id.Bucket()), string(id)} }

func scanAddress(r db.Row) (WithdrawalAddress, error) {
	return WithdrawalAddress{
		ID: r.Text(0), Account: ledger.Account(r.Text(1)), Asset: r.Text(2), Network: r.Text(3), Address: r.Text(4),
		Tag: r.Text(5), Label: r.Text(6), Added: db.TimeOf(r.Int(7)), Usable: db.TimeOf(r.Int(8)),
	}, nil
}

// WithdrawalAddresses are the saved addresses of an account, the oldest first; ErrNotFound if it was never opened.
func (r Reader) WithdrawalAddresses(ctx context.Context, id ledger.Account) ([]WithdrawalAddress, error) {
	return ofAccount(ctx, r, "withdrawal addresses of "+string(id), id, scanAddress, addressColumns, addressArgs(id)...)
}

func noAddress(id string) error {
	return ledger.ErrNotFound.In("", "the withdrawal address %q", ledger.Clip(id))
}

// RemoveWithdrawalAddress removes a saved address, at once: saved again, it waits again. Withdrawals that were
// requested stay. Repeating it has no further effect; ErrNotFound if the account never had the address.
func (p *People) RemoveWithdrawalAddress(ctx context.Context, account ledger.Account, id string) error {
	return p.write(ctx, "remove a withdrawal address of "+ledger.Clip(string(account)), func(t db.Tx) error {
		if _, err := p.books.LockAccount(t, account); err != nil {
			return err
		}
		type row struct {
			text    string
			removed bool
		}
		there, found, err := db.First(t, func(r db.Row) (row, error) {
			a := WithdrawalAddress{Asset: r.Text(0), Network: r.Text(1), Address: r.Text(2), Tag: r.Text(3)}
			return row{a.String(), r.Int(4) != 0}, nil
		}, "SELECT asset, network, address, tag, removed FROM withdrawal_addresses "+
			"WHERE bucket = $1 AND account = $2 AND id = $3", int64(account.Bucket()), string(account), id)
		if err == nil && !found {
			err = noAddress(id)
		}
		if err != nil || there.removed {
			return err
		}
		if _, err := t.Exec("UPDATE withdrawal_addresses SET removed = $1 WHERE bucket = $2 AND account = $3 AND id = $4",
			p.now(), int64(account.Bucket()), string(account), id); err != nil {
			return err
		}
		if err := p.guard.Sign(t, integrity.WithdrawalAddresses, accountIs+" AND id = $3", append(addressArgs(account),
			id)...); err != nil {
			return err
		}
		return p.books.Log(t, "withdrawal-address remove", string(account), there.text)
	})
}

// WithdrawalSettings are how a holder withdraws.
type WithdrawalSettings struct {
	Waits   time.Time // nothing is withdrawn until then; zero: it does not wait
	AnyFrom time.Time // from when on it may go to any address; zero: to saved ones only
}

// SavedOnly reports whether at now withdrawals go to saved addresses only.
func (s WithdrawalSettings) SavedOnly(now time.Time) bool {
	return s.AnyFrom.IsZero() || s.AnyFrom.After(now)
}

// WithdrawalSettings are those of an account; ErrNotFound if it was never opened.
func (r Reader) WithdrawalSettings(ctx context.Context, id ledger.Account) (s WithdrawalSettings, err error) {
	rows, err := ofAccount(ctx, r, "withdrawal settings of "+string(id), id, ScanWithdrawalSettings,
		integrity.WithdrawalSettings.Select()+"WHERE "+accountIs, addressArgs(id)...)
	if err == nil && len(rows) > 0 {
		s = rows[0]
	}
	return s, err
}

// ScanWithdrawalSettings reads a row of the columns of integrity.WithdrawalSettings.
func ScanWithdrawalSettings(r db.Row) (WithdrawalSettings, error) {
	return WithdrawalSettings{db.TimeOrZero(r.Int(1)), db.TimeOrZero(r.Int(2))}, nil
}

// findSettings reads the settings of an account; zero where it has none.
func (p *People) findSettings(t db.View, id ledger.Account) (WithdrawalSettings, error) {
	s, _, err := db.First(t, checked(p.guard, integrity.WithdrawalSettings, ScanWithdrawalSettings),
		integrity.WithdrawalSettings.Select()+"WHERE "+accountIs, addressArgs(id)...)
	return s, err
}

// keepSettings gives who has a saved address settings too, so that it is seen where they are removed. had: there was an
// address before. integrity.ErrForged where the settings are not as they were written.
func (p *People) keepSettings(t db.Tx, id ledger.Account, had bool) error {
	n, err := db.Count(t, "SELECT count(*) FROM withdrawal_settings WHERE "+accountIs, addressArgs(id)...)
	switch on, failed := p.guard.On(); {
	case err != nil || failed != nil:
		return cmp.Or(err, failed)
	case n > 0:
		_, err := p.findSettings(t, id)
		return err
	case had && on:
		return p.guard.Disagree(integrity.WithdrawalSettings, string(id))
	}
	return p.writeSettings(t, id, WithdrawalSettings{})
}

// SavedOnlyStepUp is the digest of the step-up that confirms that withdrawals may go to any address.
func SavedOnlyStepUp(id ledger.Account) string {
	return access.StepUp("withdrawal-address any", string(id))
}

// SetSavedOnly lets an account withdraw to saved addresses only, at once, or to any address, after AddressWait. Its
// holder is notified of either. Repeating it has no further effect. ErrNotFound if the account was never opened;
// access.ErrForbidden where a step-up is needed (SavedOnlyStepUp), or because of access.ReasonFactor a factor.
func (p *People) SetSavedOnly(ctx context.Context, id ledger.Account, on bool) error {
	return p.write(ctx, "set where "+ledger.Clip(string(id))+" withdraws to", func(t db.Tx) error {
		if err := p.books.LockOpenAccount(t, id); err != nil {
			return err
		}
		s, err := p.findSettings(t, id)
		if err != nil || on == s.AnyFrom.IsZero() {
			return err
		}
		now := p.now()
		s.AnyFrom = time.Time{}
		action, detail, notice := "withdrawal-address saved-only", "", NoticeSavedOnly
		if !on {
			if err := p.NeedFactor(t, id); err != nil {
				return err
			}
			if err := UseStepUp(t, p.guard, now, p.books.Actor(), SavedOnlyStepUp(id)); err != nil {
				return err
			}
			s.AnyFrom = db.TimeOf(now).Add(AddressWait)
			action, detail, notice = "withdrawal-address any", "from "+ledger.FormatTime(s.AnyFrom), NoticeAnyAddress
		}
		if err := p.writeSettings(t, id, s); err != nil {
			return err
		}
		if err := p.NotifyAll(t, []ledger.Account{id}, notice); err != nil {
			return err
		}
		return p.books.Log(t, action, string(id), detail)
	})
}

// writeSettings writes all of an account's settings, which are locked with it.
func (p *People) writeSettings(t db.Tx, id ledger.Account, s WithdrawalSettings) error {
	_, err := t.Exec(`INSERT INTO withdrawal_settings (bucket, account, waits, any_from) VALUES ($1, $2, $3, $4)
		ON CONFLICT (bucket, account) DO UPDATE SET waits = excluded.waits, any_from = excluded.any_from`,
		int64(id.Bucket()), string(id), db.MillisOf(s.Waits), db.MillisOf(s.AnyFrom))
	if err == nil {
		err = p.guard.Sign(t, integrity.WithdrawalSettings, accountIs, addressArgs(id)...)
	}
	return err
}

// delayWithdrawals lets an account withdraw nothing for ResetWait, in the transaction of what was reset. The account is
// locked.
func (p *People) delayWithdrawals(t db.Tx, id ledger.Account) error {
	s, err := p.findSettings(t, id)
	if errors.Is(err, integrity.ErrForged) {
		s, err = WithdrawalSettings{}, nil // those that allow the least
	}
	if err != nil {
		return fmt.Errorf("read how %s withdraws: %w", id, err)
	}
	s.Waits = db.TimeOf(p.now()).Add(ResetWait)
	return p.writeSettings(t, id, s)
}
