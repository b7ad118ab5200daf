package testkit_test

import (
	"testing"
	"time"

	"github.com/softstake/softstake/testkit"
)

func TestClock(t *testing.T) {
	c := testkit.NewClock(testkit.Noon)
	for _, step := range []struct {
		move func()
		want string
	}{
		{func() {}, "2026-03-02T12:00:00Z"},
		{func() { c.Set(3, "00:06") }, "2026-03-04T00:06:00Z"},
		{func() { c.Set(1, "23:59:59") }, "2026-03-02T23:59:59Z"},
		{func() { c.Set(366, "00:00") }, "2027-03-02T00:00:00Z"},
		{func() { c.Advance(-time.Hour) }, "2027-03-01T23:00:00Z"},
		{func() { c.Forward(testkit.Noon) }, "2027-03-01T23:00:00Z"},
		{func() { c.Forward(testkit.Moment(400, "01:00")) }, "2027-04-05T01:00:00Z"},
	} {
		step.move()
		if got := c.Now().Format(time.RFC3339); got != step.want {
			t.Errorf("the clock stands at %s, not %s", got, step.want)
		}
	}
}
