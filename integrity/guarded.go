package integrity

import (
	"fmt"
	"slices"
	"strings"
)

// Guarded is a kind of row that gives a right to somebody. Such a row carries a MAC of its content, in its column mac:
// see Guard. The columns begin with the row's key, without the bucket.
type Guarded struct {
	Table   string
	keys    int // how many of the columns are the key
	columns []column
	free    []string // columns that give no right, and are in no MAC
	loose   bool     // the table has no bucket
	secret  bool     // the key is not to be shown whole
	only    string   // the condition of the rows that are to have a MAC; "": all
}

// The kinds of row that carry a MAC, and what it is of. A column that is added later, and is zero or empty in the rows
// that are there, leaves their MACs as they are.
var (
	Tokens = guarded("tokens", 1, "id text, hash blob, role text, account text, label text, created int, expires int, "+
		"revoked int, authoritative int, person text, addresses text, subject text, ceilings text, lasts int, opened int")
	Keys = guarded("keys", 1, "key text, account text, type text, permissions text, addresses text, label text, "+
		"secret blob, created int, expires int, revoked int, trade_until int").hidden()
	// factors is how many factors the person has, so that it is seen where one is removed.
	LoginRows = guarded("logins", 1, "email text, account text, password text, created int, changed int, factors int, "+
		"reference text, invitation text, invited_until int")
	Sessions = guarded("sessions", 1, "id text, hash blob, email text, account text, created int, expires int", "seen",
		"client", "address")
	StaffRows = guarded("staff", 1, "email text, role text, source text, subject text, made int, made_by text, "+
		"disabled int, invite_hash blob, invite_until int, factors int")
	StaffSessions = guarded("staff_sessions", 1, "id text, hash blob, email text, client text, address text, "+
		"created int, expires int", "seen")
	Passkeys = guarded("passkeys", 2, "subject text, id text, handle blob, label text, credential text, count int, "+
		"added int, used int")
	TOTPs         = guarded("totps", 1, "subject text, secret blob, step int, added int")
	RecoveryCodes = guarded("recovery_codes", 2, "subject text, hash blob, made int, used int").hidden()
	StepUps       = guarded("step_ups", 2, "subject text, id text, digest text, method text, made int, expires int, "+
		"used int")
	// The columns of an address are those that say where to, and from when on.
	WithdrawalAddresses = guarded("withdrawal_addresses", 2, "account text, id text, asset text, network text, "+
		"address text, tag text, added int, usable int, removed int", "label")
	WithdrawalSettings = guarded("withdrawal_settings", 1, "account text, waits int, any_from int")
	// A withdrawal that has ended gives nobody anything any more.
	Withdrawals = guarded("withdrawals", 2, "account text, id text, requested int, asset text, amount int, address text, "+
		"network text, tag text, client_id text").where("EXISTS (SELECT 1 FROM pending p WHERE p.bucket = " +
		"withdrawals.bucket AND p.account = withdrawals.account AND p.id = withdrawals.id)")
	// Who changes where a holder sends tokens gets them; what a closed account has goes to the target of its sweep.
	DepositAddresses = guarded("deposit_addresses", 3, "account text, asset text, network text, address text, tag text")
	Sweeps           = guarded("sweeps", 1, "account text, target text, begun int", "refused")

	// Who changes where messages go gets what holders have; who changes a secret signs.
	Webhooks = guarded("webhooks", 1, "name text, url text, kinds text, ordered int, secret blob, public text, "+
		"former blob, former_until int, added int").withoutBucket()

	Proposals = guarded("proposals", 1, "id text, operation text, content text, subject text, effect text, reason text, "+
		"proposer text, proposer_role text, proposer_person text, request text, made_at int, expires int, decision text, "+
		"decided_by text, decided_by_role text, decided_by_person text, decided_request text, decided_at int, "+
		"decided_effect text, decided_reason text").withoutBucket()
)

// GuardedKinds are all of them.
var GuardedKinds = []Guarded{Tokens, Keys, LoginRows, Sessions, StaffRows, StaffSessions, Passkeys, TOTPs,
	RecoveryCodes, StepUps, WithdrawalAddresses, WithdrawalSettings, Withdrawals, Proposals, DepositAddresses, Sweeps,
	Webhooks}

func guarded(table string, keys int, columns string, free ...string) Guarded {
	return Guarded{Table: table, keys: keys, columns: columnsOf(columns), free: free}
}

func (k Guarded) hidden() Guarded {
	k.secret = true
	return k
}

func (k Guarded) where(condition string) Guarded {
	k.only = condition
	return k
}

func (k Guarded) withoutBucket() Guarded {
	k.loose = true
	return k
}

// Columns are those of a SELECT that Guard.Check is given the rows of: the kind's, in order, and then the MAC. prefix
// is that of the table, such as "a.", or "".
func (k Guarded) Columns(prefix string) string {
	return selected(k.columns, prefix) + ", " + prefix + "mac"
}

// Select is "SELECT … FROM table ", of Columns.
func (k Guarded) Select() string { return "SELECT " + k.Columns("") + " FROM " + k.Table + " " }

// MAC is the index of the column of the MAC in a row of Columns, and so how many columns are before it.
func (k Guarded) MAC() int { return len(k.columns) }

// Column is the index of a column in a row of Columns.
func (k Guarded) Column(name string) int {
	return slices.IndexFunc(k.columns, func(c column) bool { return c.name == name })
}

// bucket is the column of the bucket, or 0 where there is none.
func (k Guarded) bucket() string {
	if k.loose {
		return "0"
	}
	return "bucket"
}

// named is what a row is called in messages: its key, of which a secret one is cut short.
func (k Guarded) named(v []value) string {
	const shown = 8
	var parts []string
	for i := range k.keys {
		text := v[i].text
		if k.columns[i].kind == "blob" {
			text = fmt.Sprintf("%x", v[i].blob)
		}
		if k.secret && i == k.keys-1 {
			text = fmt.Sprintf("%.*s…", shown, text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}
