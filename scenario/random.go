package scenario

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Long reports whether the long tests were asked for: SOFTSTAKE_LONG=1.
func Long() bool { return os.Getenv("SOFTSTAKE_LONG") == "1" }

// Seed is what a test's chance begins with: SOFTSTAKE_SEED, or the time. It is
// logged, so that a failure can be had again.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SOFTSTAKE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("SOFTSTAKE_SEED: %v", err)
		}
	}
	t.Logf("SOFTSTAKE_SEED=%d", seed)
	return seed
}

// Chance is a source of random numbers, the same for the same seed and part.
func Chance(seed, part uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, part)) }

// scriptwriter writes a script in which anything may happen.
type scriptwriter struct {
	*rand.Rand
	b   strings.Builder
	day int
	at  time.Duration // of the day; the clock is about there
	ids []string      // lines with an ID of their own, which may be said again
}

// RandomDays is a script of some days in which anything may happen, much of it
// refused. It expects nothing.
func RandomDays(r *rand.Rand, days int) string {
	s := &scriptwriter{Rand: r}
	s.say("terms BNB 0.0365 min 0.5 cap 1000")
	s.say("terms SOL 0.37 min 0 cap 20 measure %s%s", s.measure(), s.one("", " per-owner"))
	s.say("terms USDT off")
	s.say("fund BNB %s", s.one("0.0003", "1000000"))
	s.say("open fred US")
	for _, h := range holders[:4] {
		s.say("%s deposit %s %s BNB", s.time(), h, s.amount())
		s.say("%s deposit %s %s SOL", s.time(), h, s.amount())
	}
	for s.day = 1; s.day <= days; s.day++ {
		s.say("day %d", s.day)
		s.at = 0
		for range 10 + s.IntN(20) {
			s.event()
		}
		if s.IntN(3) > 0 {
			s.say("settle")
		}
	}
	s.say("fund BNB 1000000")
	s.say("limit BNB total 0")
	s.say("limit SOL total 0")
	s.say("day %d", days+5)
	s.say("run")
	return s.b.String()
}

var holders = []string{"alice", "bob", "carol", "dave", "fred", "nobody"}

func (s *scriptwriter) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if strings.Contains(line, " as ") {
		s.ids = append(s.ids, line)
	}
	s.b.WriteString(line + "\n")
}

func (s *scriptwriter) one(of ...string) string { return of[s.IntN(len(of))] }
func (s *scriptwriter) holder() string          { return holders[s.IntN(len(holders))] }
func (s *scriptwriter) token() string           { return s.one("BNB", "BNB", "SOL", "USDT", "DOGE") }
func (s *scriptwriter) measure() string         { return s.one("average", "daily-minimum") }
func (s *scriptwriter) back() int               { return max(1, s.day-s.IntN(4)) }

// amount is mostly small, sometimes exact to the last unit, and sometimes no amount.
func (s *scriptwriter) amount() string {
	switch s.IntN(10) {
	case 0:
		return s.one("0", "-1", "0.000000001", "1e3", "92233720368.54775808", "200000000000", "0.00000001")
	case 1, 2, 3:
		return fmt.Sprintf("%d.%08d", s.IntN(3), s.IntN(100_000_000))
	}
	return s.one("0.25", "0.5", "1", "2", "7", "1500")
}

// time is a moment of the day, mostly after the one before, or nothing: now.
func (s *scriptwriter) time() string {
	at := s.at
	switch s.IntN(6) {
	case 0:
		return ""
	case 1:
		at = time.Duration(s.Int64N(86_400_000)) * time.Millisecond / 2
	case 2:
		if s.day > 1 && s.IntN(2) == 0 {
			return "yesterday " + clockTime(time.Duration(s.Int64N(86_400_000))*time.Millisecond)
		}
	default:
		s.at += time.Duration(s.Int64N(2*3_600_000)) * time.Millisecond
		s.at = min(s.at, 24*time.Hour-time.Millisecond)
		at = s.at
	}
	if s.IntN(8) == 0 {
		at = at.Truncate(12 * time.Hour)
	}
	return clockTime(at)
}

func clockTime(d time.Duration) string {
	return time.UnixMilli(d.Milliseconds()).UTC().Format("15:04:05.000")
}

// name is mostly nothing, or an ID that may have been used.
func (s *scriptwriter) name() string {
	if s.IntN(3) > 0 {
		return ""
	}
	return fmt.Sprintf("as x-%d", s.IntN(30))
}

func (s *scriptwriter) event() {
	switch s.IntN(42) {
	default:
		s.say("%s %s %s %s %s %s", s.time(), s.one("deposit", "withdraw", "hold", "release", "complete"), s.holder(),
			s.amount(), s.token(), s.name())
	case 0, 1, 2, 3, 4:
		s.say("%s transfer %s %s %s %s %s", s.time(), s.holder(), s.holder(), s.amount(), s.token(), s.name())
	case 5, 6, 7:
		a, b := s.holder(), s.holder()
		s.say("%s trade %s%s %s %s BNB, %s %s%s %s SOL, %s @desk 0.01 BNB %s", s.time(),
			a, s.one("", "/held"), b, s.amount(), s.one(b, b, b, "ghost"), a, s.one("", "/held"), s.amount(),
			s.one(a, b), s.name())
	case 8, 9:
		s.say("%s %s %s", s.time(), s.one("enroll", "switch", "leave"), s.holder())
	case 10:
		s.say("terms %s %s min %s cap 10 measure %s%s", s.one("BNB", "SOL"), s.one("0.01", "0.5", "11"),
			s.one("0", "0.5", "20"), s.measure(), s.one("", " per-owner"))
	case 11:
		s.say("correct %s 0.0%d min 0.5 cap 10 measure %s%s of %d", s.one("BNB", "SOL"), s.IntN(99), s.measure(),
			s.one("", " per-owner"), s.back())
	case 12:
		s.say("limit %s %s", s.one("BNB", "SOL"), s.one("total 0.0001", "change 20", "total 0"))
	case 13:
		s.say("approve %s of %d", s.one("BNB", "SOL"), s.back())
	case 14:
		s.say("fund BNB %s %s", s.one("0.0001", "0.01", "-0.005", "-50"), s.name())
	case 15:
		s.say("region %s %s", s.holder(), s.one("DE", "US", "UA-43", "FR"))
	case 16:
		s.say("run")
	case 17:
		s.say("23:59 deposit %s %s BNB refused future", s.holder(), s.amount())
	case 20:
		from := s.day - 1 + s.IntN(4)
		s.say("exclude %s %s %s from %d until %d", s.holder(), s.one("BNB", "SOL", "all"), s.one("Launchpool", "Locked"),
			from, from+s.IntN(4))
	case 21:
		s.say("include %s %s %s until %d", s.holder(), s.one("BNB", "SOL", "all"), s.one("Launchpool", "Locked"),
			s.day+s.IntN(3))
	case 22:
		s.say("terms %s share min %s cap 10 fee %s", s.one("BNB", "SOL"), s.one("0", "0.5", "20"), s.one("0", "0.3", "1"))
	case 23, 24:
		from := s.back()
		s.say("income %s %s from %d through %d %s", s.one("BNB", "SOL"),
			s.one("0", "0.00000007", "0.0001", "0.001", "-0.0001"), from, from+s.IntN(3), s.name())
	case 27, 28, 29, 30, 31, 32:
		s.campaignEvent()
	case 25, 26:
		s.say("owner %s %s", s.holder(), s.one("c-1", "c-1", "c-2", "none"))
	case 18, 19:
		if len(s.ids) > 0 {
			s.say("%s", s.ids[s.IntN(len(s.ids))])
		}
	}
}

// campaignEvent makes a campaign, much of it again or with another content, ends one early, or labels a holder.
func (s *scriptwriter) campaignEvent() {
	switch s.IntN(6) {
	case 0:
		s.say("end c-%d", s.IntN(12))
	case 1:
		s.say("%s %s %s", s.one("label", "label", "unlabel"), s.holder(), s.one("vip", "new"))
	default:
		from := s.day + s.IntN(3)
		s.say("campaign c-%d %s %s from %d to %d for %s%s%s%s", s.IntN(12), s.one("0.00000007", "0.001", "12.3456789"),
			s.one("BNB", "SOL", "USDT"), from, from+s.IntN(5), s.one("BNB", "SOL", "BNB,SOL", "SOL,USDT"),
			s.one("", "", " first 1", " first 2"), s.one("", " times vip:150", " times vip:333,new:50"),
			[...]string{"", " by average", " by daily-minimum"}[from%3])
	}
}
