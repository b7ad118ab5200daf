//go:build !linux

package bench

import "time"

// peakRSS is not known here: 0.
func peakRSS() (int64, error) { return 0, nil }

// processorTime is not known here: 0.
func processorTime() time.Duration { return 0 }
