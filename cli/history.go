package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/ledger"
)

// historyFlags are which exports of another exchange make up a history, and how they are read.
type historyFlags struct {
	Files           []string        `arg:"" name:"file" help:"The exchange's Transaction History exports, CSV or ZIP files, in any order: parts of one export, years, overlapping times, single coins; - is the standard input."`
	UTCOffset       *history.Offset `name:"utc-offset" placeholder:"+01:00" help:"Zone of the column Time in all files; write --utc-offset=-06:00 behind UTC. Without it: the zone in each file's name or above its header, else UTC. A column UTC_Time is always UTC."`
	RewardOperation []string        `name:"reward-operation" sep:"none" placeholder:"TEXT" help:"Operation of the rewards of Soft Staking that the exchange paid, in any case; may be repeated. Without it: each operation that contains \"Soft Staking\"."`
}

// read reads the files as one history. strict refuses a row that cannot be read.
func (c *historyFlags) read(env *Env, assets map[string]ledger.Asset, strict bool) ([]*history.File, error) {
	if stdin := slices.Index(c.Files, "-"); stdin >= 0 && slices.Contains(c.Files[stdin+1:], "-") {
		return nil, usage("the standard input can be read only once; give - once")
	}
	o := history.Options{Assets: assets, Offset: c.UTCOffset, Rewards: c.RewardOperation, Strict: strict, Now: env.Now()}
	var files []*history.File
	var notes notes
	for _, name := range c.Files {
		read, ignored, err := c.readFile(env, name, o)
		if err != nil {
			return nil, err
		}
		files = append(files, read...)
		for _, other := range ignored {
			notes.addf("%s: %s is not a CSV file, and is ignored.", baseName(name), other)
		}
	}
	for _, f := range files {
		notes.addFile(f, len(files) > 1)
	}
	for _, sentence := range history.MissingParts(files) {
		notes.addf("%s", sentence)
	}
	notes.addUsers(files)
	if c.UTCOffset != nil && !slices.ContainsFunc(files,
		func(f *history.File) bool { return f.Zone.Source == history.ByCaller }) {
		notes.addf("--utc-offset was not needed and is ignored.")
	}
	return files, notes.write(env)
}

func (c *historyFlags) readFile(env *Env, name string, o history.Options) (files []*history.File, ignored []string,
	err error) {
	in, _, err := env.file(name)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return history.ReadAll(in, baseName(name), o)
}

// name is what messages about the whole history call it.
func (c *historyFlags) name() string {
	if len(c.Files) == 1 {
		return baseName(c.Files[0])
	}
	return "the files together"
}

func baseName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return filepath.Base(file)
}

// notes are sentences for the person who gave the files. What comes from a file is
// escaped where it cannot be shown.
type notes []string

func (n *notes) addf(format string, args ...any) { *n = append(*n, fmt.Sprintf(format, args...)) }

func (n *notes) write(env *Env) error {
	for _, sentence := range *n {
		if err := env.warnf("%s", printable(sentence)); err != nil {
			return err
		}
	}
	return nil
}

// addFile reports what was made of a file's rows; its name stands before it if there are several.
func (n *notes) addFile(f *history.File, named bool) {
	prefix := ""
	if named {
		prefix = f.Name + ": "
	}
	for _, s := range f.Skipped {
		n.addf("%s%s; the row is left out", prefix, s)
	}
	if f.LeftOut > len(f.Skipped) {
		n.addf("%s%s left out in all; the reasons of the others are not shown.", prefix,
			count(f.LeftOut, "row is", "rows are"))
	}
	n.addf("%sTimes are read as %s: %s.", prefix, f.Zone.Offset, f.Zone.Source)
	if f.Columns != history.ByNames {
		found := string(f.Columns)
		n.addf("%s%s.", prefix, strings.ToUpper(found[:1])+found[1:])
	}
	if f.Cut > 0 {
		n.addf("%s%s a fraction of a second, which is cut off.", prefix, count(f.Cut, "row has", "rows have"))
	}
	if len(f.Unknown) > 0 {
		n.addf("%sRows of accounts that are not known are not counted: %s.", prefix, listCounts(f.Unknown))
	}
	if f.Rounded > 0 {
		n.addf("%s%s more decimals than the token keeps: each is rounded, half away from zero.", prefix,
			count(f.Rounded, "row has", "rows have"))
	}
}

// addUsers reports that the files are of several users, who may be one.
func (n *notes) addUsers(files []*history.File) {
	users := map[string]bool{}
	for _, f := range files {
		for _, user := range f.Users {
			users[user] = true
		}
	}
	if len(users) > 1 {
		n.addf("The rows name several user IDs; they are read as one account.")
	}
}

// addRewards reports which operations of rewards no row has.
func (n *notes) addRewards(h *history.History, operations []string) {
	if len(operations) == 0 {
		if len(h.Rows) > 0 && !slices.ContainsFunc(h.Rows, func(r history.Row) bool { return r.Reward }) {
			n.addf("No operation contains \"Soft Staking\". If the exchange paid rewards, they count as deposits here; " +
				"name their operation with --reward-operation.")
		}
		return
	}
	for _, operation := range operations {
		if !slices.ContainsFunc(h.Rows, func(r history.Row) bool {
			return strings.EqualFold(r.Operation,
				strings.TrimSpace(operation))
		}) {
			n.addf("No Spot row has the operation %q.", operation)
		}
	}
}

// listCounts names what has most rows. The names come from a file, so what cannot be
// shown in them is escaped.
func listCounts(counts map[string]int) string {
	const most = 8
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var list []string
	for i, name := range names {
		if i == most {
			list = append(list, fmt.Sprintf("and %d more", len(counts)-most))
			break
		}
		shown := strconv.Quote(ledger.Clip(name))
		list = append(list, fmt.Sprintf("%s %d", shown[1:len(shown)-1], counts[name]))
	}
	return strings.Join(list, ", ")
}

// otherRows is how many Spot rows are of coins that were not asked for.
func otherRows(h *history.History) (n int) {
	for _, rows := range h.Others {
		n += rows
	}
	return n
}

// unreadable is how many rows of the files could not be read.
func unreadable(files []*history.File) (n int) {
	for _, f := range files {
		n += f.Unreadable
	}
	return n
}
