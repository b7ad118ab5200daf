package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/merkle"
	"github.com/softstake/softstake/staking"
)

// Why records are not signed: the reasons of a ledger.Error.
const (
	ReasonNoRecords      = "no-records"      // ledger.ErrNotFound: no day is closed and over since Quiet
	ReasonRecordsChanged = "records-changed" // ledger.ErrConflict: they are not those that were signed before
)

// Checkpoint says what the first records were: how many, and the hash of the Merkle tree (RFC 6962) over them. Its note
// is that of https://c2sp.org/tlog-checkpoint, with the day of the last record as an extension line.
type Checkpoint struct {
	Origin string // the name of the key that signed it
	Size   int64
	Hash   tlog.Hash
	Day    staking.Day
	Note   string // with its signature
}

// text is what is signed.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\nday %s\n", c.Origin, c.Size, c.Hash, c.Day)
}

// openCheckpoint reads a note that one of the verifiers accepts. Its error is ledger.ErrInvalid.
func openCheckpoint(text string, known note.Verifiers) (c Checkpoint, err error) {
	signed, err := note.Open([]byte(text), known)
	if err != nil {
		return c, ledger.ErrInvalid.In("checkpoint", "%v", err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 5 || !strings.HasPrefix(lines[3], "day ") {
		return c, ledger.ErrInvalid.In("checkpoint", "it is not of records of days")
	}
	c.Origin, c.Note = lines[0], text
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err == nil {
		c.Hash, err = tlog.ParseHash(lines[2])
	}
	if err == nil {
		c.Day, err = staking.ParseDay(strings.TrimPrefix(lines[3], "day "))
	}
	if err == nil && (c.text() != signed.Text || c.Origin != signed.Sigs[0].Name || c.Size < 1) {
		err = errors.New("it is not in the form that checkpoints have")
	}
	if err != nil {
		return c, ledger.ErrInvalid.In("checkpoint", "%v", err)
	}
	return c, nil
}

// SplitNotes separates the notes of a file to which one after the other was appended.
func SplitNotes(file []byte) (notes []string) {
	blocks := bytes.Split(bytes.Trim(file, "\n"), []byte("\n\n"))
	for i := 0; i < len(blocks); i += 2 {
		text := string(bytes.TrimLeft(blocks[i], "\n"))
		if i+1 < len(blocks) {
			text += "\n\n" + string(blocks[i+1])
		}
		if text != "" {
			notes = append(notes, text+"\n")
		}
	}
	return notes
}

// hashes are the hashes of the trees over the first records: hashes[n-1] is that over n of them.
func hashes(records []string) []tlog.Hash {
	var t merkle.Tree
	all := make([]tlog.Hash, len(records))
	for i, text := range records {
		t.Add(tlog.RecordHash([]byte(text)))
		all[i] = t.Hash()
	}
	return all
}

// Sign makes the checkpoint of all records, keeps it in the books, and returns it; repeating answers the one that is
// there. It does not sign records that differ from what the same signer has signed before: two checkpoints of one
// signer never contradict each other. Its errors: ledger.ErrNotFound without records, ledger.ErrConflict where signed
// records were changed, and what the signer says.
func (r *Records) Sign(ctx context.Context, s Signer) (c Checkpoint, repeated bool, err error) {
	c, repeated, err = r.sign(ctx, s)
	return c, repeated, annotate(err, "sign the records")
}

func (r *Records) sign(ctx context.Context, s Signer) (c Checkpoint, repeated bool, err error) {
	texts, signed, err := r.state(ctx, s.Name())
	if err != nil {
		return c, false, err
	}
	if len(texts) == 0 {
		return c, false, ledger.ErrNotFound.In("", "no day is closed yet and over for %s", Quiet).Because(ReasonNoRecords)
	}
	all, size := hashes(texts), int64(len(texts))
	for _, text := range signed {
		before, err := openCheckpoint(text, note.VerifierList(s.Verifier))
		if err == nil && (before.Size > size || all[before.Size-1] != before.Hash) {
			err = ledger.ErrConflict.In("", "the records through %s are not those that were signed", before.Day).
				Because(ReasonRecordsChanged)
		}
		if err != nil {
			return c, false, err
		}
		if before.Size == size {
			return before, true, nil
		}
	}
	last, err := ParseRecord(texts[size-1])
	if err != nil {
		return c, false, err
	}
	c = Checkpoint{Origin: s.Name(), Size: size, Hash: all[size-1], Day: last.Day}
	message, err := note.Sign(&note.Note{Text: c.text()}, s)
	if err != nil {
		return c, false, err
	}
	if c, err = openCheckpoint(string(message), note.VerifierList(s.Verifier)); err != nil {
		return c, false, err // a command may have signed something else
	}
	err = r.db.Write(ctx, func(t db.Tx) error {
		n, err := t.Exec("INSERT INTO checkpoints (size, signer, note, signed_at) VALUES ($1, $2, $3, $4) "+
			"ON CONFLICT DO NOTHING", c.Size, c.Origin, c.Note, r.clock().UnixMilli())
		if err != nil || n == 0 {
			return err // another has signed the same: the signature of Ed25519 is too
		}
		return r.books.Log(t, "anchor", c.Origin, fmt.Sprintf("%d records through %s", c.Size, c.Day))
	})
	return c, false, err
}

// state is the records, and the checkpoints of a signer by size.
func (r *Records) state(ctx context.Context, signer string) (texts, signed []string, err error) {
	err = r.db.Read(ctx, func(t db.View) (err error) {
		if texts, err = db.All(t, db.TextOf, "SELECT body FROM records ORDER BY day"); err == nil {
			signed, err = db.All(t, db.TextOf, "SELECT note FROM checkpoints WHERE signer = $1 ORDER BY size", signer)
		}
		return err
	})
	return texts, signed, err
}

// Checkpoints are the notes that the books keep, by size and signer. Who can write to the database can change them:
// what is compared later is kept elsewhere.
func (r Reader) Checkpoints(ctx context.Context) (notes []string, err error) {
	err = r.read(ctx, func(t db.View) (err error) {
		notes, err = db.All(t, db.TextOf, "SELECT note FROM checkpoints ORDER BY size, signer")
		return err
	})
	return notes, annotate(err, "read the checkpoints")
}
