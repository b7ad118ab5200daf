package binance

import (
	"math"
	"time"
)

const day = 24 * time.Hour

// page is which part of a list is asked for: "current" from 1, "size" to 100.
func (r *request) page() (offset, size int, err error) {
	current, err := r.parameters.int("current", 1, 1, math.MaxInt32)
	if err == nil {
		size, err = r.parameters.int("size", 10, 1, 100)
	}
	return min(current-1, math.MaxInt32/100) * size, size, err
}

// span is the range of time that is asked for with "startTime" and "endTime", both
// ends inclusive. Where one is not given it lies as far from the other as is usual,
// and where none is, up to now. -6021: longer than the longest; -1130: the end
// before the start.
func (r *request) span(usual, longest time.Duration) (from, to time.Time, err error) {
	if from, err = r.parameters.time("startTime"); err != nil {
		return from, to, err
	}
	if to, err = r.parameters.time("endTime"); err != nil {
		return from, to, err
	}
	switch {
	case from.IsZero() && to.IsZero():
		from, to = r.now.Add(-usual), r.now
	case from.IsZero():
		from = to.Add(-usual)
	case to.IsZero():
		to = from.Add(usual)
	}
	switch {
	case to.Before(from):
		return from, to, invalid("startTime")
	case to.Sub(from) > longest:
		return from, to, errRange
	}
	return from, to, nil
}
