package evidence

import (
	"fmt"
	"math"
	"time"

	"github.com/softstake/softstake/db"
)

// moments is in which column of a part's query the moment is at which its rows were written, for those that have one.
var moments = map[written]int{atMoment: 1, withSettlementOrLater: 3, withFirstSettlementOrLater: 2}

// Later visits the kinds of row that are dated when they are written, and of which some are dated at a moment or later:
// how many, and the first moment. Such rows are in no record until then.
func Later(t db.View, from time.Time, visit func(kind string, rows int64, first time.Time)) error {
	for _, p := range parts {
		column := moments[p.written]
		if column == 0 || p.through > 0 {
			continue
		}
		rows, first := int64(0), int64(math.MaxInt64)
		err := p.eachBetween(t, from.UnixMilli(), math.MaxInt64, func(r db.Row) error {
			if at := r.Int(column); at >= from.UnixMilli() {
				rows, first = rows+1, min(first, at)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read the %s of %s and later: %w", p.name, from, err)
		}
		if rows > 0 {
			visit(p.name, rows, db.TimeOf(first))
		}
	}
	return nil
}
