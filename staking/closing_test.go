package staking_test

import (
	"errors"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// A day may be closed so long after its end, and not a moment sooner, by what holds for that day.
func TestLastOver(t *testing.T) {
	const first = staking.Day(20_000)
	closings := staking.Closings{
		{From: 20_780, After: 2 * time.Hour}, {From: 20_000, After: 5 * time.Minute}, {From: 20_781, After: 0},
		{From: 20_782, After: 24*time.Hour - time.Millisecond},
	}
	for _, c := range []struct {
		day         staking.Day
		after, by   time.Duration // from the day's end
		opens, over time.Duration // the last moment before it may be closed, and the first at which it may
	}{
		{20_779, 5 * time.Minute, 8 * time.Hour, 5*time.Minute - 1, 5 * time.Minute},
		{20_780, 2 * time.Hour, 8 * time.Hour, 2*time.Hour - 1, 2 * time.Hour},
		{20_781, 0, 8 * time.Hour, -1, 0},
		{20_783, 24*time.Hour - time.Millisecond, 25*time.Hour - time.Millisecond, 24*time.Hour - time.Millisecond - 1,
			24*time.Hour - time.Millisecond},
	} {
		end := (c.day + 1).Start()
		if got := closings.ClosesAt(c.day); !got.Equal(end.Add(c.after)) {
			t.Errorf("%s closes at %s", c.day, got)
		}
		if got := closings.PaidBy(c.day); !got.Equal(end.Add(c.by)) {
			t.Errorf("%s is paid by %s", c.day, got)
		}
		if got := closings.LastOver(end.Add(c.opens)); got != c.day-1 {
			t.Errorf("%s after the end of %s the last day over is %s", c.opens, c.day, got)
		}
		if got := closings.LastOver(end.Add(c.over)); got != c.day {
			t.Errorf("%s after the end of %s the last day over is %s", c.over, c.day, got)
		}
	}
	if got := closings.After(first - 1); got != 0 {
		t.Errorf("before the first: %s", got)
	}
}

func TestCloseAfterIsLessThanADay(t *testing.T) {
	for after, fine := range map[time.Duration]bool{
		0: true, time.Millisecond: true, 24*time.Hour - time.Millisecond: true, -1: false, 24 * time.Hour: false,
		time.Nanosecond: false,
	} {
		if err := staking.CheckCloseAfter(after); (err == nil) != fine ||
			err != nil && !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: %v", after, err)
		}
	}
}
