package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/payout"
)

// PayoutsOptions are how many payouts to hand over, and where to.
type PayoutsOptions struct {
	Holders int           // of two tokens each, whose rewards of a day are payouts
	Page    int           // payouts that are read or delivered at once
	Target  payout.Target // empty; nil: payouts are only read
}

// PayoutsMeasured is what was measured of them.
type PayoutsMeasured struct {
	Engine                     string
	Holders, Page              int
	Payouts                    int64
	PollTime, PollUsed         time.Duration // of reading them by GET /v1/payouts, and of the processor
	DeliveryTime, DeliveryUsed time.Duration // of delivering them to the target; 0: there is none
	PeakRSS                    int64         // of this process, client and server, bytes
}

// Payouts fills books with holders, pays them a day, and measures how fast a reader of /v1 gets the payouts, page by
// page, and how fast they are delivered to a target. What is delivered stays there.
func Payouts(ctx context.Context, o Options, p PayoutsOptions, serve Serve) (r PayoutsMeasured, err error) {
	err = on(ctx, o, p.Holders, o.Day-1, func(b *books) error {
		if err := b.settleHistory(ctx, o.Day-1, 1); err != nil {
			return err
		}
		if err := b.SetPayouts(ctx, true); err != nil {
			return err
		}
		if err := b.settleDay(ctx, o.Day); err != nil {
			return err
		}
		about, err := b.Engine().Compact(ctx)
		if err != nil {
			return err
		}
		r = PayoutsMeasured{Engine: about.Engine, Holders: p.Holders, Page: p.Page}
		c, err := b.client(ctx, HTTPOptions{}, serve)
		if err != nil {
			return err
		}
		if err := errors.Join(c.poll(ctx, &r), c.close()); err != nil {
			return fmt.Errorf("read payouts: %w", err)
		}
		if p.Target != nil {
			began, used := time.Now(), processorTime()
			d, err := deliver.Payouts(ctx, deliver.Config{Books: b.DB, Name: "bench", Holder: "bench", Poll: poll,
				Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Batch: p.Page, Random: rand.Int64N, UntilEnd: true}, p.Target)
			r.DeliveryTime, r.DeliveryUsed = time.Since(began), processorTime()-used
			if err == nil && int64(d.Sent) != r.Payouts {
				err = fmt.Errorf("%d of %d payouts were delivered: the target was not empty", d.Sent, r.Payouts)
			}
			if err != nil {
				return err
			}
		}
		r.PeakRSS, err = peakRSS()
		return err
	})
	return r, err
}

// poll reads all payouts as another ledger does: page by page, each after the last number.
func (c *client) poll(ctx context.Context, r *PayoutsMeasured) error {
	began, used := time.Now(), processorTime()
	var page struct {
		Payouts []struct {
			Number             int64  `json:"number"`
			ID                 string `json:"id"`
			Day, Asset, Amount string
			Account            string `json:"account"`
		} `json:"payouts"`
		Next int64 `json:"next"`
		More bool  `json:"more"`
	}
	for page.More = true; page.More; {
		after := page.Next
		page.Payouts = page.Payouts[:0]
		if err := c.get(ctx, fmt.Sprintf("/v1/payouts?after=%d&limit=%d", after, r.Page), &page); err != nil {
			return err
		}
		for _, p := range page.Payouts {
			if after++; p.Number != after {
				return fmt.Errorf("payout %d follows %d", p.Number, after-1)
			}
		}
		r.Payouts += int64(len(page.Payouts))
		c.progress("payouts", int(r.Payouts), r.Holders*len(tokens))
	}
	r.PollTime, r.PollUsed = time.Since(began), processorTime()-used
	if want := int64(r.Holders * len(tokens)); r.Payouts != want {
		return fmt.Errorf("%d payouts were read, of %d", r.Payouts, want)
	}
	return nil
}

// get reads an answer of /v1.
func (c *client) get(ctx context.Context, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	text, err := c.ask(r)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
