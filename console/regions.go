package console

import (
	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// regions are those in which it is not offered, and those that were removed from the list.
var regions = register{
	Name: "regions", roles: access.StaffRoles, tables: (*visit).regionsTables,
	forms: []registerForm{{"add", control.AddRegion, (*visit).regionsFields, (*submission).addRegion},
		{"remove", control.RemoveRegion, (*visit).listedFields, (*submission).removeRegion}},
}

func (v *visit) regionsTables() ([]table, error) {
	all, err := v.Reports.Listings(v.context(), true)
	p := v.view("")
	now := table{Title: "regions.now", Empty: "regions.none", Columns: []column{{"regions.region", false},
		{"terms.from", false}, {"regions.ended", true}, {"terms.by", false}}}
	before := table{Title: "regions.before", Empty: "regions.before.none", Columns: []column{{"regions.region", false},
		{"terms.from", false}, {"regions.ended", true}, {"regions.restored", true}, {"regions.removed-by", false}}}
	for _, l := range all {
		region, from := text(p.Region(l.Region)), cell{Text: p.Day(l.From), Note: l.Reason}
		ended := text(p.count(l.Ended))
		if l.Removed.IsZero() {
			now.Rows = append(now.Rows, row{region, from, ended, {Text: l.AddedBy, Note: p.Local(l.Added)}})
			continue
		}
		before.Rows = append(before.Rows, row{region, from, ended, text(p.count(l.Restored)),
			{Text: l.RemovedBy, Note: p.Local(l.Removed)}})
	}
	return []table{now, before}, err
}

func (v *visit) regionsFields() ([]field, error) {
	return []field{
		{Name: "region", Key: "regions.region", Hint: "regions.hint", Required: true},
		{Name: "from", Key: "terms.from", Hint: "regions.from.hint"},
		{Name: "reason", Key: "reason"},
	}, nil
}

// listedFields are those of the form that removes a region from the list.
func (v *visit) listedFields() ([]field, error) {
	all, err := v.Reports.Listings(v.context(), false)
	listed := []option{}
	for _, l := range all {
		listed = append(listed, option{Value: string(l.Region)})
	}
	return []field{{Name: "region", Key: "regions.region", Options: listed}, {Name: "reason", Key: "reason"}}, err
}

// addRegion no longer offers it in a region.
func (s *submission) addRegion(f *ui.Form) error {
	region, err := staking.ParseRegion(typed(f, "region"))
	if err != nil {
		return ledger.At("region", err)
	}
	from, err := dayOf(f, "from", 0) // 0: tomorrow
	if err != nil {
		return err
	}
	_, err = s.Books.AddRegion(s.context(), region, from, typed(f, "reason"))
	return err
}

// removeRegion offers it there again.
func (s *submission) removeRegion(f *ui.Form) error {
	region, err := staking.ParseRegionCode(typed(f, "region"))
	if err != nil {
		return ledger.At("region", err)
	}
	_, err = s.Books.RemoveRegion(s.context(), region)
	return err
}
