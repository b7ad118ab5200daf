// Package scenario writes days as scripts and runs them on every database. It is for tests alone.
package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Script is days written as text, a line an event. "#" begins a comment.
//
//	day 2                                  Day 2 begins: the clock goes to its 00:00
//	terms BNB 0.0365 min 0.5 cap 1000      the first of a token: those of the books; later ones: from tomorrow
//	12:00 deposit alice 2 BNB              at 12:00 of the day; without a time: now
//	settle                                 five minutes past the day's end: the run
//	reward alice BNB 0.0001                what alice was paid for the day
//
// A time that the clock has passed dates the event back ("now 18:00" moves it), and
// so does "yesterday 23:00".
// An entry may end in "as ID", and then in what is expected of it: "again", or
// "refused" and why. The books begin on Day 1. Whoever is named in a deposit or
// transfer and is neither opened nor enrolled by the script lives in DE and is enrolled on
// Day 1; a pool that the script does not fund has a million tokens, unless its token begins in
// the mode share.
type Script struct {
	Name  string
	lines []line
}

// line is one event.
type line struct {
	n       int    // its number, from 1
	text    string // as it was written
	day     int    // of the books, from 1
	at      int64  // milliseconds of the day; below zero: no time was given
	before  int    // days before it: 1 is yesterday
	verb    string
	words   []string // what follows the verb
	id      string   // "as ID"
	refused string   // "refused WHY"
	again   bool
}

// Parse reads a script.
func Parse(name, text string) (*Script, error) {
	s := &Script{Name: name}
	day := 1
	for i, written := range strings.Split(text, "\n") {
		l := line{n: i + 1, text: strings.TrimSpace(written), at: -1}
		written, _, _ = strings.Cut(written, "#")
		words := strings.Fields(written)
		if len(words) == 0 {
			continue
		}
		err := l.read(words)
		if err == nil && l.verb == "day" {
			before := day
			if day, err = strconv.Atoi(l.word(0)); err == nil && day < before {
				err = fmt.Errorf("it comes after day %d", before)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", name, l.n, l.text, err)
		}
		l.day = day
		s.lines = append(s.lines, l)
	}
	return s, nil
}

// read takes the words of a line apart.
func (l *line) read(words []string) error {
	if words[0] == "yesterday" && len(words) > 1 {
		l.before, words = 1, words[1:]
	}
	if clock := words[0]; clock[0] >= '0' && clock[0] <= '9' {
		at, err := parseTime(clock)
		if err != nil {
			return err
		}
		l.at, words = at, words[1:]
	}
	if n := len(words); n >= 2 && words[n-2] == "refused" {
		l.refused, words = words[n-1], words[:n-2]
	} else if n >= 1 && words[n-1] == "again" {
		l.again, words = true, words[:n-1]
	}
	if n := len(words); n >= 2 && words[n-2] == "as" {
		l.id, words = words[n-1], words[:n-2]
	}
	if len(words) == 0 {
		return fmt.Errorf("nothing happens")
	}
	l.verb, l.words = words[0], words[1:]
	if l.id == "" {
		l.id = fmt.Sprintf("line-%d", l.n)
	}
	return nil
}

// parseTime reads 15:04, 15:04:05 or 15:04:05.000 as milliseconds of the day.
func parseTime(s string) (int64, error) {
	layout := "15:04:05"
	if strings.Count(s, ":") == 1 {
		layout = "15:04"
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return 0, err
	}
	return t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)).Milliseconds(), nil
}

// word is one of the words after the verb, or "".
func (l line) word(i int) string {
	if i < len(l.words) {
		return l.words[i]
	}
	return ""
}

// holder is the account that a word names.
func (l line) holder(i int) ledger.Account { return ledger.Account(l.word(i)) }

// option is the word that follows a name among the words: "min 0.5".
func (l line) option(name string) (string, bool) {
	for i, w := range l.words[:max(len(l.words)-1, 0)] {
		if w == name {
			return l.words[i+1], true
		}
	}
	return "", false
}

// Day1 is the first day of a script's books.
const Day1 staking.Day = 20_514 // 2 March 2026

// dayOf is a day of the books, counted from 1.
func dayOf(n int) staking.Day { return Day1 + staking.Day(n-1) }

// moment is when the line's event happens, or zero: now.
func (l line) moment() time.Time {
	if l.at < 0 {
		return time.Time{}
	}
	return dayOf(l.day - l.before).Start().Add(time.Duration(l.at) * time.Millisecond)
}
