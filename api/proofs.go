package api

import (
	"context"
	"strconv"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/verify"
)

type proofIn struct {
	AccountIn
	Day   string `path:"day" format:"date" example:"2026-11-21" doc:"The balance is that of the end of this UTC day, which is recorded and signed."`
	Asset string `path:"asset" maxLength:"20" example:"BNB" doc:"Symbol."`
}

// proofOut is a verify.Proof, described.
type proofOut struct {
	Account    string      `json:"account" example:"alice" doc:"The account's ID."`
	Asset      string      `json:"asset" example:"BNB" doc:"Symbol."`
	Day        string      `json:"day" format:"date" example:"2026-11-21" doc:"The day at whose end the balance is counted."`
	Amount     string      `json:"amount" example:"300000000" doc:"What the account has, free and held, in smallest units."`
	Nonce      string      `json:"nonce" doc:"What nobody else knows of the leaf, in base64."`
	Path       []proofNode `json:"path" doc:"The other node at each level, from the leaf to the root."`
	Record     string      `json:"record" doc:"The record of the day, which has the root."`
	Index      int64       `json:"index" example:"3" doc:"The number of the record, from 0."`
	Size       int64       `json:"size" example:"5" doc:"How many records the checkpoint is of."`
	Inclusion  []string    `json:"inclusion" doc:"That the record is one of these: hashes in base64, as RFC 9162, 2.1.3, has them."`
	Checkpoint string      `json:"checkpoint" doc:"The signed note of the records."`
}

type proofNode struct {
	Left bool   `json:"left" doc:"Whether it is the left one of the two."`
	Sum  string `json:"sum" example:"1200000000" doc:"What is owed below it, in smallest units."`
	Hash string `json:"hash" doc:"Its hash, in base64."`
}

// publishedOut is what is owed to all holders at the end of a day.
type publishedOut struct {
	Day    string          `json:"day" format:"date" example:"2026-11-21" doc:"The day at whose end it is owed."`
	Signed bool            `json:"signed" doc:"Whether a checkpoint has the record of the day."`
	Size   int64           `json:"size,omitempty" example:"5" doc:"How many records the first such checkpoint is of. Absent: it is not signed yet."`
	Tokens []publishedRoot `json:"tokens" doc:"Those that holders have, by symbol."`

	OutOfRange []string `json:"outOfRange,omitempty" doc:"Symbols of the tokens of which holders have more together than can be proved, 2^63 - 1 smallest units. Absent: there are none."`
}

type publishedRoot struct {
	Asset string `json:"asset" example:"BNB" doc:"Symbol."`
	Total string `json:"total" example:"1200000000" doc:"What is owed to all holders, free and held, in smallest units."`
	Root  string `json:"root" doc:"The hash of the root of the sum tree, in base64: proofs of balances lead to it."`
}

type dayPath struct {
	Day string `path:"day" format:"date" example:"2026-11-21" doc:"The day."`
}

// signedOut is an evidence.SignedRecord, described.
type signedOut struct {
	Day        string   `json:"day" format:"date" example:"2026-11-21" doc:"The day."`
	Record     string   `json:"record" doc:"The record of the day, with the root of each token."`
	Index      int64    `json:"index" example:"3" doc:"The number of the record, from 0."`
	Size       int64    `json:"size" example:"5" doc:"How many records the checkpoint is of."`
	Inclusion  []string `json:"inclusion" doc:"That the record is one of these: hashes in base64, as RFC 9162, 2.1.3, has them."`
	Checkpoint string   `json:"checkpoint" doc:"The signed note of the records."`
}

func (s *server) proofRoutes() {
	get(s, "/v1/proofs", everyone, reader.published, about("list-proofs", "Operation", "List what is owed on days",
		"The sum of what all holders have of each token, with the root of the tree that proofs of balances lead to, "+
			"the newest day first. The same is on the page /proofs, for everybody."))
	get(s, "/v1/proofs/{day}", everyone, reader.signed, about("get-record", "Operation", "Read the signed record of a day",
		"The record with the roots, that it is one of the records, and the first checkpoint of them, which is signed "+
			"with a key outside the books. A day has it from the moment on at which its record is signed.", 404, 409))
	get(s, "/v1/accounts/{account}/proofs/{day}/{asset}", oneHolder, reader.proof,
		about("get-proof", "Accounts", "Read the proof that a balance is counted",
			"It leads from what the account has of a token at the end of a day to the sum of what is owed to all holders, "+
				"and to a checkpoint that is signed with a key outside the books. The answer is the file that "+
				"softstake verify checks offline, with the operator's public key. A day is proved from the moment on at "+
				"which its record is signed.", 404, 409))
}

func (rd reader) proof(ctx context.Context, in *proofIn) (*answer[proofOut], error) {
	day, err := staking.ParseDay(in.Day)
	if err != nil {
		return nil, err
	}
	if _, err := rd.Asset(ctx, in.Asset); err != nil {
		return nil, err
	}
	p, err := rd.source.Evidence().Proof(ctx, in.id(), day, in.Asset)
	return reply(showProof(p), err)
}

func (rd reader) published(ctx context.Context, in *Paging) (*answer[list[publishedOut]], error) {
	keys := keyset[evidence.Published, staking.Day]{
		1, func(p evidence.Published) []string { return []string{p.Day.String()} },
		func(parts []string) (staking.Day, error) { return staking.ParseDay(parts[0]) },
	}
	return pageOf(*in, keys, func(after *staking.Day, limit int) ([]evidence.Published, error) {
		before := staking.Forever
		if after != nil {
			before = *after
		}
		return rd.source.Evidence().Published(ctx, before, limit)
	}, func(p evidence.Published) (publishedOut, error) {
		out := publishedOut{Day: p.Day.String(), Signed: p.Signed > 0, Size: p.Signed, Tokens: []publishedRoot{},
			OutOfRange: p.OutOfRange}
		for _, l := range p.Liabilities {
			out.Tokens = append(out.Tokens, publishedRoot{l.Asset, strconv.FormatUint(l.Root.Sum, 10), l.Root.Hash.String()})
		}
		return out, nil
	})
}

func (rd reader) signed(ctx context.Context, in *dayPath) (*answer[signedOut], error) {
	day, err := staking.ParseDay(in.Day)
	if err != nil {
		return nil, err
	}
	s, err := rd.source.Evidence().Signed(ctx, day)
	return reply(signedOut{Day: day.String(), Record: s.Record, Index: s.Index, Size: s.Size,
		Inclusion: hashTexts(s.Inclusion), Checkpoint: s.Checkpoint}, err)
}

// hashTexts are hashes in base64.
func hashTexts(hashes []verify.Hash) []string {
	texts := make([]string, len(hashes))
	for i, h := range hashes {
		texts[i] = h.String()
	}
	return texts
}

func showProof(p verify.Proof) proofOut {
	out := proofOut{Account: p.Account, Asset: p.Asset, Day: p.Day, Amount: strconv.FormatUint(p.Amount, 10),
		Nonce: p.Nonce.String(), Path: []proofNode{}, Record: p.Record, Index: p.Index,
		Size: p.Size, Inclusion: hashTexts(p.Inclusion), Checkpoint: p.Checkpoint}
	for _, n := range p.Path {
		out.Path = append(out.Path, proofNode{n.Left, strconv.FormatUint(n.Sum, 10), n.Hash.String()})
	}
	return out
}
