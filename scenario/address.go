package scenario

import (
	"testing"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// AnyAddress makes an account one that has long withdrawn to any address, as its holder would have set two days before.
func AnyAddress(t testing.TB, books *store.DB, id ledger.Account) {
	t.Helper()
	err := books.Engine().Write(t.Context(), func(t db.Tx) error {
		_, err := t.Exec("INSERT INTO withdrawal_settings (bucket, account, waits, any_from) VALUES ($1, $2, 0, 1) "+
			"ON CONFLICT DO NOTHING", int64(id.Bucket()), string(id))
		if err == nil {
			err = books.Guard().Sign(t, integrity.WithdrawalSettings, "bucket = $1 AND account = $2", int64(id.Bucket()),
				string(id))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// SavedAddress saves an address 0x0 of BNB under an ID that a test knows.
func SavedAddress(t testing.TB, books *store.DB, account ledger.Account, id string) {
	t.Helper()
	err := books.Engine().Write(t.Context(), func(t db.Tx) error {
		_, err := t.Exec("INSERT INTO withdrawal_addresses "+
			"(bucket, account, id, asset, network, address, tag, label, added, usable, removed) "+
			"VALUES ($1, $2, $3, 'BNB', '', '0x0', '', '', 1, 1, 0)", int64(account.Bucket()), string(account), id)
		if err == nil {
			err = books.Guard().Sign(t, integrity.WithdrawalAddresses, "bucket = $1 AND account = $2 AND id = $3",
				int64(account.Bucket()), string(account), id)
		}
		if err == nil {
			_, err = t.Exec("INSERT INTO withdrawal_settings (bucket, account, waits, any_from) VALUES ($1, $2, 0, 0) "+
				"ON CONFLICT DO NOTHING", int64(account.Bucket()), string(account))
		}
		if err == nil {
			err = books.Guard().Sign(t, integrity.WithdrawalSettings, "bucket = $1 AND account = $2",
				int64(account.Bucket()), string(account))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
