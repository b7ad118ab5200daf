package reports

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/staking"
)

// TestLateKeys: an event concerns each day from its own until the first that was open; what is held earns nothing.
func TestLateKeys(t *testing.T) {
	on := func(d, dated staking.Day, token string) LateEvent {
		return LateEvent{Day: d, Account: "alice", Asset: token, At: d.Start(), Dated: dated.Start()}
	}
	first := staking.Day(20_000)
	held := on(first, first+3, "BNB")
	held.Account = held.Account.Held()
	keys, events := lateKeys([]LateEvent{on(first, first+3, "BNB"), on(first+2, first+4, "BNB"),
		on(first+2, first+3, "ETH"), held}, first+1)
	want := []lateKey{{first + 1, "alice", "BNB"}, {first + 2, "alice", "BNB"}, {first + 2, "alice", "ETH"},
		{first + 3, "alice", "BNB"}}
	if diff := cmp.Diff(want, keys, cmp.AllowUnexported(lateKey{})); diff != "" {
		t.Error(diff)
	}
	var counts []int
	for _, k := range keys {
		counts = append(counts, len(events[k]))
	}
	if diff := cmp.Diff([]int{1, 2, 1, 1}, counts); diff != "" {
		t.Error(diff)
	}
}
