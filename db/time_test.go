package db

import "testing"

func TestStampsGrow(t *testing.T) {
	var s Stamps
	var last int64
	var before string
	for _, now := range []int64{1000, 1000, 1001, 999, 1001, 1002} { // the clock stands, and is put back
		at, nonce := s.Next(now)
		if at < last || at == last && nonce <= before || at < now {
			t.Errorf("%d %s comes after %d %s at %d", at, nonce, last, before, now)
		}
		last, before = at, nonce
	}
	if at, _ := s.Next(1_000_000); at != 1_000_000 {
		t.Errorf("the stamp is %d", at)
	}
	if at, _ := s.Next(5000); at != 5000 {
		t.Errorf("a clock that was put back for good is at 5000, and the stamp is %d", at)
	}
}
