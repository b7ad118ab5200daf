package evidence

import (
	"context"
	"encoding/json"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// deliveryMark names the row of meta that has the last Delivery.
const deliveryMark = "anchor"

// Delivery is what became of the checkpoints that were sent to where they are kept.
type Delivery struct {
	Sent   time.Time `json:"sent"`   // when one was last accepted there; zero: never
	Size   int64     `json:"size"`   // of how many records that one is
	Failed time.Time `json:"failed"` // since when sending fails; zero: the last one was accepted
	Fault  string    `json:"fault"`  // why it fails
}

// Delivered writes down that a checkpoint of some records was sent, or the fault that kept it from being. The first of
// faults that follow one another counts. Repeating has no further effect.
func (r *Records) Delivered(ctx context.Context, size int64, fault error) error {
	err := r.db.Write(ctx, func(t db.Tx) error {
		last, err := LastDelivery(t)
		if err != nil {
			return err
		}
		next := Delivery{Sent: r.clock().UTC(), Size: size}
		switch {
		case fault != nil:
			next = last
			next.Fault = ledger.Clip(fault.Error())
			if next.Failed.IsZero() {
				next.Failed = r.clock().UTC()
			}
		case last.Size == size && last.Failed.IsZero():
			next = last
		}
		if next == last {
			return nil
		}
		text, err := json.Marshal(next)
		if err == nil {
			_, err = t.Exec(`INSERT INTO meta (name, value) VALUES ($1, $2)
			    ON CONFLICT (name) DO UPDATE SET value = excluded.value`, deliveryMark, string(text))
		}
		return err
	})
	return annotate(err, "write down what became of the checkpoint")
}

// LastDelivery is what became of the last checkpoint that was to be sent; zero where none was.
func LastDelivery(t db.View) (d Delivery, err error) {
	text, found, err := db.First(t, db.TextOf, "SELECT value FROM meta WHERE name = $1", deliveryMark)
	if err != nil || !found {
		return d, err
	}
	return d, json.Unmarshal([]byte(text), &d)
}
