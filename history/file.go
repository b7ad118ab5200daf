// Package history reads the exchange's Transaction History exports, estimates the rewards of
// Soft Staking on them, and plans their import. It knows no database.
package history

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

// maxRows bounds the rows of one file, and those of all files together, so that what is
// kept of them fits memory.
const maxRows = 5_000_000

// maxReasons is how many rows that cannot be read are kept with their reasons.
const maxReasons = 5

// Options are how files are read.
type Options struct {
	Assets map[string]ledger.Asset // the tokens to read, by symbol; rows of other coins are only counted
	Offset *Offset                 // the zone of the column Time; nil: the file's own
	// Rewards are the operations of the rewards that the exchange paid, in any case; none:
	// those that contain "soft staking".
	Rewards []string
	// Strict refuses a file with a row that cannot be read, instead of leaving the row
	// out. Lines that are no rows of a history, such as a footer, are left out all the same.
	Strict bool
	// Now is until when a year of two digits is one of the exchange; zero: unknown.
	Now time.Time
}

// firstYear is the one in which the exchange began.
const firstYear = 2017

func sum(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

// isReward reports whether the exchange paid a reward of Soft Staking by the operation.
func (o Options) isReward(operation string) bool {
	if len(o.Rewards) == 0 {
		return strings.Contains(strings.ToLower(operation), "soft staking")
	}
	return slices.ContainsFunc(o.Rewards,
		func(r string) bool { return strings.EqualFold(strings.TrimSpace(r), operation) })
}

// File is what is kept of an export: the rows of its Spot account.
type File struct {
	Name    string
	Part    Part
	Zone    Zone
	Columns Found
	Rows    []Row          // of any coin, in order of time and then of lines
	Rounded int            // rows of the tokens asked for that had more decimals than are kept
	Cut     int            // rows whose time had a fraction of a second, which is cut off
	Away    int            // rows of other accounts
	Unknown map[string]int // of these, those of accounts that are not known, by name
	LeftOut int            // lines that could not be read
	// Unreadable counts those of LeftOut that are rows of a history, and not such as a footer.
	Unreadable int
	Skipped    []Skipped // the first of them, in order of lines
	Users      []string  // the user IDs of its rows, up to two

	first        Skipped  // of Unreadable
	spotLeftOut  int      // of Unreadable, those that may be of the Spot account
	firstTime    string   // of the first line left out
	shortYears   bool     // a time has two digits for its year
	otherYears   bool     // one of them is not of the exchange
	decimalComma bool     // an amount has shown that its comma stands for decimals
	maybeGrouped bool     // the point of an amount may group thousands
	thousands    bool     // an amount has shown that commas group thousands
	ambiguous    []record // rows whose amounts can be read in two ways
	options      Options
	texts        map[string]string      // coins and operations, each once in memory
	accounts     map[string]accountKind // what each name of an account is
	rewards      map[string]bool        // whether each operation is a reward
}

// Row is a change of a coin's Spot balance.
type Row struct {
	Line      int
	At        time.Time // in UTC, whole seconds
	Coin      string
	Operation string
	Change    ledger.Amount // in the token's smallest units, or in whole coins of another; rounded half away from zero
	Reward    bool          // of Soft Staking, paid by the exchange
	Other     bool          // of a coin that was not asked for
}

// Skipped is a line that could not be read.
type Skipped struct {
	Line   int
	Reason string
}

// String is the position in the file, for messages.
func (s Skipped) String() string { return fmt.Sprintf("line %d: %s", s.Line, s.Reason) }

// Read reads one export, a CSV file in UTF-8 or UTF-16, to its end. name is the file's,
// for the zone and the part in it. What is no such export is refused, and so is one of
// which no row can be read. The messages are for the person who gave the file.
func Read(r io.Reader, name string, o Options) (*File, error) {
	text, err := newText(r)
	if err != nil {
		return nil, notExport(name, err)
	}
	return readText(text, name, "", o)
}

// readText reads an export; archive is the name of the ZIP file that it lies in, if any.
func readText(text *bufio.Reader, name, archive string, o Options) (*File, error) {
	records := newRecords(text)
	columns, err := readHeader(records)
	if err != nil {
		return nil, notExport(name, err)
	}
	texts := []zoneText{{"the name", name, ByName}}
	if _, found, err := findZone(name); archive != "" && err == nil && !found {
		texts = append(texts, zoneText{"the name", archive, ByName})
	}
	for _, line := range columns.head {
		texts = append(texts, zoneText{"the line", line, ByHead})
	}
	zone, err := zoneOf(columns.timeName, o.Offset, texts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &File{
		Name: name, Part: partOf(name, archive), Zone: zone, Columns: columns.found,
		Unknown: map[string]int{}, options: o,
		texts: map[string]string{}, accounts: map[string]accountKind{}, rewards: map[string]bool{},
	}
	if err := f.readRows(records, columns); err != nil {
		return nil, err
	}
	if err := f.checkReadable(records.separator); err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.Rows, func(a, b Row) int { return a.At.Compare(b.At) })
	return f, nil
}

// notExport is the error of a file that is not an export, unless reading it failed.
func notExport(name string, err error) error {
	var failed readError
	if errors.As(err, &failed) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return fmt.Errorf("%s is not a Transaction History export: %w", name, err)
}

func (f *File) readRows(records *records, c columns) error {
	for n := 1; ; n++ {
		rec, err := records.next()
		if err == io.EOF {
			f.addAmbiguous(c)
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Name, err)
		}
		if n > maxRows {
			return fmt.Errorf("%s has more than %d rows; export a shorter time", f.Name, maxRows)
		}
		reason := f.add(c, rec)
		switch {
		case errors.Is(reason, errTwoWays) && len(f.ambiguous) < maxAmbiguous:
			rec.fields = slices.Clone(rec.fields)
			f.ambiguous = append(f.ambiguous, rec)
		case reason != nil:
			f.leaveOut(c, rec, reason)
		}
	}
}

// maxAmbiguous bounds the rows that are kept until the rest of the file has shown what
// its commas mean.
const maxAmbiguous = 100_000

// addAmbiguous takes in the rows whose amounts can be read in two ways, if another amount
// of the file has shown that its commas group thousands; else they cannot be read.
func (f *File) addAmbiguous(c columns) {
	for _, rec := range f.ambiguous {
		if f.thousands {
			rec.fields[c.change] = strings.ReplaceAll(rec.fields[c.change], ",", "")
		}
		if reason := f.add(c, rec); reason != nil {
			f.leaveOut(c, rec, reason)
		}
	}
	f.ambiguous = nil
	slices.SortStableFunc(f.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Line, b.Line) })
}

// add adds a row, or returns why it cannot be read.
func (f *File) add(c columns, rec record) error {
	if err := c.checkShape(rec); err != nil {
		return err
	}
	text := c.time.of(rec)
	at, cut, err := parseTime(text, f.Zone.Offset)
	if err != nil {
		return err
	}
	if shortYear(text) {
		f.shortYears = true
		if at.Year() < firstYear || (!f.options.Now.IsZero() && at.After(f.options.Now.AddDate(0, 0, 1))) {
			f.otherYears = true
			return fmt.Errorf("its time %q is not one of the exchange, if its year comes first", ledger.Clip(text))
		}
	}
	coin := c.coin.of(rec)
	if coin == "" {
		return errors.New("it has no coin")
	}
	// How many decimals the exchange keeps of another coin is not known, so its
	// amount is only held to 63 bits of whole coins.
	asset, asked := f.options.Assets[coin]
	amount := c.change.of(rec)
	f.thousands = f.thousands || showsThousands(amount)
	f.decimalComma = f.decimalComma || showsDecimalComma(amount)
	f.maybeGrouped = f.maybeGrouped || mayGroupByPoints(amount)
	change, rounded, err := parseAmount(amount, asset.Scale)
	if err != nil {
		return err
	}
	account := c.account.of(rec)
	if account == "" {
		return errors.New("it has no account")
	}
	f.addUser(c, rec)
	if kind := f.kindOf(account); kind != spotAccount {
		f.Away++
		if kind == unknownAccount {
			f.Unknown[f.intern(account)]++
		}
		return nil
	}
	if rounded && asked {
		f.Rounded++
	}
	if cut {
		f.Cut++
	}
	operation := f.intern(c.operation.of(rec))
	reward, judged := f.rewards[operation]
	if !judged {
		reward = f.options.isReward(operation)
		f.rewards[operation] = reward
	}
	f.Rows = append(f.Rows, Row{
		Line: rec.line, At: at, Coin: f.intern(coin), Operation: operation, Change: change,
		Reward: reward, Other: !asked,
	})
	return nil
}

// checkShape refuses a record that is broken, that the file ends in, or whose amount may
// go on after the separator.
func (c columns) checkShape(rec record) error {
	switch {
	case rec.bad != nil:
		return rec.bad
	case rec.open && len(rec.fields) < c.names:
		return errors.New("the file ends in the middle of the row")
	case c.names > 0 && len(rec.fields) > c.names && decimals.MatchString(column(c.change+1).of(rec)):
		return fmt.Errorf("it has %d fields, and the header %d: its amount %q may go on in the next field",
			len(rec.fields), c.names, ledger.Clip(c.change.of(rec)))
	}
	return nil
}

// decimals matches what may be the decimals of an amount that were cut off by a comma.
var decimals = regexp.MustCompile(`^[0-9]+$`)

// intern returns one copy of a text that many rows have.
func (f *File) intern(s string) string {
	if known, found := f.texts[s]; found {
		return known
	}
	s = strings.Clone(s)
	f.texts[s] = s
	return s
}

func (f *File) addUser(c columns, rec record) {
	if c.user < 0 || len(f.Users) > 1 {
		return
	}
	if user := c.user.of(rec); user != "" && !slices.Contains(f.Users, user) {
		f.Users = append(f.Users, strings.Clone(user))
	}
}

// leaveOut counts a line that could not be read. One that has neither a time nor an
// account is no row of a history, such as a footer.
func (f *File) leaveOut(c columns, rec record, reason error) {
	s := Skipped{rec.line, reason.Error()}
	account := c.account.of(rec)
	if f.LeftOut++; f.LeftOut == 1 {
		f.firstTime = strings.Clone(c.time.of(rec))
	}
	if rec.bad != nil || (line{text: strings.Join(rec.fields, ",")}).holdsRow() {
		if f.Unreadable++; f.Unreadable == 1 {
			f.first = s
		}
		if !isAccount(account) || isSpot(account) {
			f.spotLeftOut++
		}
	}
	if len(f.Skipped) < maxReasons {
		f.Skipped = append(f.Skipped, s)
	}
}

// ErrUnreadable means that a row of a history cannot be read.
var ErrUnreadable = errors.New("a row cannot be read")

// unreadable is an ErrUnreadable with the position and the cause.
type unreadable struct{ text string }

func (e unreadable) Error() string        { return e.text }
func (e unreadable) Is(target error) bool { return target == ErrUnreadable }

// checkReadable refuses a file of which nothing could be read: an estimate of nothing
// would say that nothing had been paid. If asked to be strict, it refuses one of which
// a row could not be read.
func (f *File) checkReadable(separator byte) error {
	switch {
	case f.shortYears && f.otherYears:
		return fmt.Errorf("%s: %s; the order of day, month and year in its times is not known; "+
			"download the CSV again, and give it as it came", f.Name, f.first)
	case f.decimalComma && f.maybeGrouped:
		return fmt.Errorf("%s: %s; its points may stand for thousands; download the CSV again, and give it as it came",
			f.Name, f.first)
	case len(f.Rows) == 0 && f.Away > 0 && f.Away == sum(f.Unknown):
		return fmt.Errorf("%s: no row is of an account that is known, such as Spot; download the CSV again, in English",
			f.Name)
	}
	if len(f.Rows) == 0 && f.LeftOut > 0 && (f.Away == 0 || f.spotLeftOut > 0) {
		return f.nothingReadable(separator)
	}
	if !f.options.Strict || f.Unreadable == 0 {
		return nil
	}
	text := fmt.Sprintf("%s, %s", f.Name, f.first)
	if f.Unreadable > 1 {
		text += fmt.Sprintf(" (and %d more rows cannot be read)", f.Unreadable-1)
	}
	return unreadable{text}
}

// nothingReadable is why no row could be read, by the first line that could not.
func (f *File) nothingReadable(separator byte) error {
	what, evidence := "no row", ""
	if f.Away > 0 {
		what = "no row of the Spot account"
	}
	var signs []string
	if separator != ',' {
		signs = append(signs, fmt.Sprintf("columns separated by %q", separator))
	}
	if withoutSeconds.MatchString(f.firstTime) {
		signs = append(signs, "times without seconds")
	}
	if signs != nil {
		evidence = " (" + strings.Join(signs, ", ") + ")"
	}
	return fmt.Errorf("%s: %s could be read; %s; was it saved by a spreadsheet%s? Download the CSV again, "+
		"and give it as it came",
		f.Name, what, f.Skipped[0], evidence)
}
