package evidence

import (
	"context"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/verify"
)

// Why there is no proof: the reasons of a ledger.Error.
const (
	ReasonNoProof   = "no-proof"   // ledger.ErrNotFound: the account had none of the token at the end of that day
	ReasonNotSigned = "not-signed" // ledger.ErrNotFound: no checkpoint has the day yet
)

// Proof is the proof that what an account has of a token at the end of a day is counted in what is owed.
// ledger.ErrNotFound where it has none, or the record of the day is not made or not signed yet; ledger.ErrConflict
// where the books are not those of the record.
func (r Reader) Proof(ctx context.Context, id ledger.Account, d staking.Day, asset string) (verify.Proof, error) {
	p, err := r.proof(ctx, id, d, asset)
	return p, annotate(err, "prove what %s has of %s on %s", ledger.Clip(string(id)), ledger.Clip(asset), d)
}

func (r Reader) proof(ctx context.Context, id ledger.Account, d staking.Day, asset string) (p verify.Proof, err error) {
	texts, err := r.All(ctx)
	if err != nil {
		return p, err
	}
	index := int64(d - r.first)
	if index < 0 || index >= int64(len(texts)) {
		return p, ledger.ErrNotFound.In("day", "%s has no record yet", d).Because(ReasonNoRecords)
	}
	signed, size, err := r.signedWith(ctx, index)
	if err != nil {
		return p, err
	}
	if size > int64(len(texts)) {
		return p, ledger.ErrConflict.In("", "records that were signed are missing").Because(ReasonRecordsChanged)
	}
	p = verify.Proof{Account: string(id), Asset: asset, Day: d.String(), Record: texts[index], Index: index, Size: size,
		Checkpoint: signed}
	if p.Inclusion, err = inclusion(texts[:size], index); err != nil {
		return p, err
	}
	err = r.prove(ctx, &p, id, d)
	return p, err
}

// signedWith is the first checkpoint that has a record, and how many records it is of.
func (r Reader) signedWith(ctx context.Context, index int64) (text string, size int64, err error) {
	var found bool
	err = r.read(ctx, func(t db.View) (err error) {
		text, found, err = db.First(t, func(r db.Row) (string, error) { size = r.Int(0); return r.Text(1), nil },
			"SELECT size, note FROM checkpoints WHERE size > $1 ORDER BY size, signer LIMIT 1", index)
		return err
	})
	if err == nil && !found {
		err = ledger.ErrNotFound.In("day", "its record is not signed yet").Because(ReasonNotSigned)
	}
	return text, size, err
}

// inclusion is the proof that a record is in the tree of the records.
func inclusion(texts []string, index int64) ([]verify.Hash, error) {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(at))
		for i, n := range at {
			found[i] = stored[n]
		}
		return found, nil
	})
	for n, text := range texts {
		more, err := tlog.StoredHashes(int64(n), []byte(text), read)
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	proof, err := tlog.ProveRecord(int64(len(texts)), index, read)
	hashes := make([]verify.Hash, len(proof))
	for i, h := range proof {
		hashes[i] = verify.Hash(h)
	}
	return hashes, err
}

// prove fills in the way from the account's leaf to the root.
func (r Reader) prove(ctx context.Context, p *verify.Proof, id ledger.Account, d staking.Day) error {
	record, err := ParseRecord(p.Record)
	if err != nil {
		return err
	}
	none := ledger.ErrNotFound.In("", "it has none at the end of that day").Because(ReasonNoProof)
	var holders []owed
	var tree tokenTree
	err = r.read(ctx, func(t db.View) (err error) {
		var found bool
		holders = nil
		tree, found, err = readTree(t, d, p.Asset)
		if err != nil {
			return err
		}
		if !found {
			return none
		}
		s := span{from: d, before: map[string]staking.Day{}, settled: []map[string]staking.Day{record.Settled}}
		return readOwed(t, id.Bucket(), s, func(_ int, asset string, of []owed) error {
			if asset == p.Asset {
				holders = of
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	leaves := tree.leaves(id.Bucket(), holders)
	at := slices.IndexFunc(leaves, func(l leaf) bool { return l.of == id && id != "" })
	if at < 0 {
		return none
	}
	p.Amount, p.Nonce = leaves[at].node.Sum, tree.nonce(id)
	_, below, err := fold(nodesOf(leaves), at)
	if err != nil {
		return err
	}
	_, over, err := tree.root(tree.roots, id.Bucket())
	p.Path = append(below, over...)
	if err != nil {
		return err
	}
	root, err := p.Root()
	if err != nil || !slices.Contains(record.Liabilities, Liability{p.Asset, root}) {
		return ledger.ErrConflict.In("", "the balances are not those of the record").Because(ReasonRecordsChanged)
	}
	return nil
}

// readTree reads the salt and the roots of a token's day.
func readTree(t db.View, d staking.Day, asset string) (tree tokenTree, found bool, err error) {
	return db.First(t, func(r db.Row) (tree tokenTree, err error) {
		tree.sumTree = sumTree{asset: asset, day: d, salt: r.Bytes(0)}
		tree.roots, err = decodeRoots(r.Bytes(1))
		return tree, err
	}, "SELECT salt, roots FROM liabilities WHERE day = $1 AND asset = $2", int64(d), asset)
}
