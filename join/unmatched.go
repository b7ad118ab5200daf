package join

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// shownParts is how many parts of a mapping an error names.
const shownParts = 8

// unmatched is the error of a record that no part of the mapping is for: what the record is, by what the mapping looks
// at, and what the mapping has.
func (m *Mapping) unmatched(record any) error {
	paths := []string{"type"}
	if m.rows {
		paths = []string{"table", "op"}
	}
	m.anyCondition(func(c Condition) bool {
		if !slices.Contains(paths, c.Path) {
			paths = append(paths, c.Path)
		}
		return false
	})
	var is []string
	for _, path := range paths {
		// What has parts of its own, or is not there, does not say what the record is.
		if text, _, err := find(record, path); err == nil && text != "" {
			is = append(is, fmt.Sprintf("%s %q", path, ledger.Clip(text)))
		}
	}
	if is == nil {
		is = []string{"none of " + strings.Join(paths, ", ")}
	}
	var has []string
	for _, r := range m.Records[:min(len(m.Records), shownParts)] {
		has = append(has, r.When.String())
	}
	if more := len(m.Records) - shownParts; more > 0 {
		has = append(has, fmt.Sprintf("and %d more", more))
	}
	return ledger.ErrInvalid.In("", "no part of the mapping is for this record, and it is not to be ignored: it has %s; "+
		"the mapping is for %s", strings.Join(is, ", "), strings.Join(has, "; "))
}

// String is the conditions as a message has them: table "public.postings", op "insert" or "snapshot".
func (c Conditions) String() string {
	var all []string
	for _, one := range c {
		var texts []string
		for _, text := range slices.Concat(one.Is, one.Not) {
			texts = append(texts, fmt.Sprintf("%q", ledger.Clip(text)))
		}
		if one.Is == nil {
			all = append(all, one.Path+" not "+strings.Join(texts, " nor "))
		} else {
			all = append(all, one.Path+" "+strings.Join(texts, " or "))
		}
	}
	return strings.Join(all, ", ")
}
