package evidence

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/verify"
)

// Why there is no proof: the reasons of a ledger.Error.
const (
	// ledger.ErrNotFound: the account had none of the token at the end of that day, or all together had more than a sum
	// can be.
	ReasonNoProof   = "no-proof"
	ReasonNotSigned = "not-signed" // ledger.ErrNotFound: no checkpoint has the day yet
)

// Proof is the proof that what an account has of a token at the end of a day is counted in what is owed.
// ledger.ErrNotFound where it has none, or the record of the day is not made or not signed yet; ledger.ErrConflict
// where the books are not those of the record.
func (r Reader) Proof(ctx context.Context, id ledger.Account, d staking.Day, asset string) (verify.Proof, error) {
	all, err := r.prove(ctx, id, d, asset)
	if err == nil && len(all) == 0 {
		err = ledger.ErrNotFound.In("", "it has none at the end of that day").Because(ReasonNoProof)
	}
	if err != nil {
		return verify.Proof{}, annotate(err, "prove what %s has of %s on %s", ledger.Clip(string(id)), ledger.Clip(asset), d)
	}
	return all[0], nil
}

// Proofs are the proofs of all tokens that an account has at the end of a day, by token. Its errors are those of Proof;
// where the account has nothing there is no proof and no error.
func (r Reader) Proofs(ctx context.Context, id ledger.Account, d staking.Day) ([]verify.Proof, error) {
	all, err := r.prove(ctx, id, d, "")
	return all, annotate(err, "prove what %s has on %s", ledger.Clip(string(id)), d)
}

// prove makes the proofs of a token or, where none is named, of all.
func (r Reader) prove(ctx context.Context, id ledger.Account, d staking.Day, asset string) ([]verify.Proof, error) {
	signed, err := r.Signed(ctx, d)
	if err != nil {
		return nil, err
	}
	record, err := ParseRecord(signed.Record)
	if err == nil && slices.Contains(record.OutOfRange, asset) {
		err = ledger.ErrNotFound.In("", "holders have more of it together than can be proved").Because(ReasonNoProof)
	}
	if err != nil {
		return nil, err
	}
	trees, holders, err := r.readBucket(ctx, id, record)
	if err != nil {
		return nil, err
	}
	var all []verify.Proof
	for _, of := range slices.Sorted(maps.Keys(trees)) {
		if asset != "" && of != asset {
			continue
		}
		if slices.Contains(record.OutOfRange, of) {
			continue
		}
		p := verify.Proof{Account: string(id), Asset: of, Day: d.String(), Record: signed.Record, Index: signed.Index,
			Size: signed.Size, Inclusion: signed.Inclusion, Checkpoint: signed.Checkpoint}
		found, err := lead(&p, trees[of], id, holders[of], record)
		if err != nil {
			return nil, err
		}
		if found {
			all = append(all, p)
		}
	}
	return all, nil
}

// SignedRecord is the record of a day, and that it is one of those that a checkpoint is of.
type SignedRecord struct {
	Record     string
	Index      int64 // of the record among all, from 0
	Size       int64 // how many the checkpoint is of
	Inclusion  []verify.Hash
	Checkpoint string
}

// Signed is the record of a day with the first checkpoint that has it. ledger.ErrNotFound where it is not made or not
// signed yet; ledger.ErrConflict where records that were signed are missing.
func (r Reader) Signed(ctx context.Context, d staking.Day) (s SignedRecord, err error) {
	texts, err := r.All(ctx)
	if err != nil {
		return s, err
	}
	s.Index = int64(d - r.first)
	if s.Index < 0 || s.Index >= int64(len(texts)) {
		return s, ledger.ErrNotFound.In("day", "%s has no record yet", d).Because(ReasonNoRecords)
	}
	s.Record = texts[s.Index]
	if s.Checkpoint, s.Size, err = r.signedWith(ctx, s.Index); err != nil {
		return s, err
	}
	if s.Size > int64(len(texts)) {
		return s, ledger.ErrConflict.In("", "records that were signed are missing").Because(ReasonRecordsChanged)
	}
	s.Inclusion, err = inclusion(texts[:s.Size], s.Index)
	return s, err
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

// readBucket reads the trees of a day, and what is owed of each token in the bucket of an account.
func (r Reader) readBucket(ctx context.Context, id ledger.Account, record Record) (trees map[string]tokenTree,
	holders map[string][]owed, err error) {
	err = r.read(ctx, func(t db.View) (err error) {
		holders = map[string][]owed{}
		if trees, err = readTrees(t, record.Day); err != nil {
			return err
		}
		s := span{from: record.Day, layout: record.Layout, before: record.Settled,
			settled: []map[string]staking.Day{record.Settled}}
		return readOwed(t, id.Bucket(), s, func(_ int, asset string, of []owed) error {
			holders[asset] = of
			return nil
		})
	})
	return trees, holders, err
}

// lead fills in the way from the account's leaf to the root, or reports that it has none.
func lead(p *verify.Proof, tree tokenTree, id ledger.Account, holders []owed, record Record) (found bool, err error) {
	if !slices.ContainsFunc(holders, func(h owed) bool { return h.account == id }) {
		return false, nil
	}
	leaves := tree.leaves(id.Bucket(), holders)
	at := slices.IndexFunc(leaves, func(l leaf) bool { return l.of == id })
	p.Amount, p.Nonce = leaves[at].node.Sum, tree.nonce(id)
	_, below, err := fold(nodesOf(leaves), at)
	if err != nil {
		return false, err
	}
	_, over, err := tree.root(tree.roots, id.Bucket())
	p.Path = append(below, over...)
	if err != nil {
		return false, err
	}
	root, err := p.Root()
	if err != nil || !slices.Contains(record.Liabilities, Liability{p.Asset, root}) {
		return false, ledger.ErrConflict.In("", "the balances are not those of the record").Because(ReasonRecordsChanged)
	}
	return true, nil
}

// readTrees reads the salts and the roots of a day, by token.
func readTrees(t db.View, d staking.Day) (trees map[string]tokenTree, err error) {
	trees = map[string]tokenTree{}
	err = t.Query(func(r db.Row) (err error) {
		tree := tokenTree{sumTree: sumTree{asset: r.Text(0), day: d, salt: r.Bytes(1)}}
		tree.roots, err = decodeRoots(r.Bytes(2))
		trees[tree.asset] = tree
		return err
	}, "SELECT asset, salt, roots FROM liabilities WHERE day = $1", int64(d))
	return trees, err
}
