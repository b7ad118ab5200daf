package store

import (
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// quietTime is how long a switch event that changes nothing stands for its repetitions:
// without it, whoever may use the switch could fill the books.
const quietTime = time.Hour

// changesNothing reports whether the last change of the switch in quietTime before the
// moment was this one, and nothing else is recorded at the moment itself.
func (s *switching) changesNothing(action string) bool {
	changes := slices.DeleteFunc(slices.Concat(s.earlier, s.recorded), func(a string) bool { return strings.HasPrefix(a, refused) })
	return len(changes) > 0 && changes[len(changes)-1] == action
}

// keepQuiet records a switch event that changes nothing, unless the same is recorded in
// quietTime before it. The account is locked, so that of many at the same time one is.
func (s *switching) keepQuiet(action string, c staking.Client) error {
	if slices.Contains(s.earlier, action) {
		return nil
	}
	return s.keep(action, c)
}

// pressedLater says that a press cannot be dated back to a moment, since the last one is
// after it. Both are in milliseconds.
func pressedLater(last, at int64) error {
	return ledger.ErrInvalid.In("", "the switch was pressed at %s, after %s; a press may be dated back only to after the last one",
		stamp(last), stamp(at))
}

// checkFree refuses an enrollment that would cover a day which another covers. Of those
// that cover no day, and of the one that goes on as the new one, it takes no notice.
func checkFree(all []staking.Enrollment, e, goesOn staking.Enrollment) error {
	for _, other := range all {
		if other.From < other.Until && other.Until > e.From && other != goesOn {
			return ledger.ErrInvalid.In("", "it was on until %s", other.Until)
		}
	}
	return nil
}

// Press is a press of the switch.
type Press struct {
	At      time.Time
	Action  string // "on", "off", "refused: …"; "off: …" and "on: …" where a region or a freeze did it
	Client  string
	Address string
}

// checkClient refuses what cannot be kept of a client, and writes its platform in one
// way and its country in capitals. Its errors are ErrInvalid.
func checkClient(c *staking.Client) error {
	for _, s := range []string{c.Platform, c.Version, c.Address} {
		if err := ledger.CheckText("the client", s); err != nil {
			return err
		}
	}
	c.Platform = staking.Platform(c.Platform)
	if c.Country == "" {
		return nil
	}
	country, err := staking.ParseRegion(string(c.Country))
	c.Country = country
	return ledger.At("country", err)
}

// described is how a client and its address are kept: "ios 3.2.0", "192.0.2.7 DE".
func described(c staking.Client) (client, address string) {
	return strings.TrimSpace(c.Platform + " " + c.Version), strings.TrimSpace(c.Address + " " + string(c.Country))
}
