package join

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Place is where a record is in its partition. Places are ordered by position, and then by part.
type Place struct {
	Position int64 // from 1
	Part     int64 // of records of one position, such as the rows of a transaction: from 1; 0: the position has one record
}

// Compare is below zero if the place is before another, zero if it is the same one, above zero if it is after it.
func (p Place) Compare(other Place) int {
	return cmp.Or(cmp.Compare(p.Position, other.Position), cmp.Compare(p.Part, other.Part))
}

// Before is the place before this one of which nothing else is known: it may have no record.
func (p Place) Before() Place {
	if p.Part > 0 {
		return Place{p.Position, p.Part - 1}
	}
	return Place{p.Position - 1, 0}
}

// After is the next place, where nothing more is known of it.
func (p Place) After() Place {
	if p.Part > 0 {
		return Place{p.Position, p.Part + 1}
	}
	return Place{p.Position + 1, 0}
}

// String is the place as it is shown: POSITION or POSITION.PART.
func (p Place) String() string {
	text := strconv.FormatInt(p.Position, 10)
	if p.Part > 0 {
		text += "." + strconv.FormatInt(p.Part, 10)
	}
	return text
}

// ParsePlace reads what String has written. The error is ledger.ErrInvalid.
func ParsePlace(text string) (p Place, err error) {
	position, part, has := strings.Cut(text, ".")
	if p.Position, err = strconv.ParseInt(position, 10, 64); err == nil && has {
		p.Part, err = strconv.ParseInt(part, 10, 64)
	}
	if err != nil || p.Position < 1 || p.Part < 0 || text != p.String() {
		return Place{}, ledger.ErrInvalid.In("", "%q is not a place; it is POSITION or POSITION.PART", ledger.Clip(text))
	}
	return p, nil
}
