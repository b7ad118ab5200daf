package console

import (
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// campaigns are all that were ever made.
var campaigns = register{
	Name: "campaigns", roles: access.StaffRoles, tables: (*visit).campaignsTables,
	forms: []registerForm{{"add", control.AddCampaign, (*visit).campaignsFields, (*submission).addCampaign},
		{"end", "campaign end", (*visit).runningFields, (*submission).endCampaign}},
}

func (v *visit) campaignsTables() ([]table, error) {
	all, err := v.Reports.Campaigns(v.context())
	if err != nil {
		return nil, err
	}
	assets, err := v.assets()
	columns := []column{{"campaigns.id", false}, {"campaigns.pool", true}, {"campaigns.left", true},
		{"campaigns.tokens", false}, {"campaigns.days", false}, {"campaigns.members", false}, {"terms.by", false}}
	now := table{Title: "campaigns.now", Empty: "campaigns.none", Columns: columns}
	coming := table{Title: "terms.coming", Empty: "campaigns.coming.none", Columns: columns}
	over := table{Title: "campaigns.over", Empty: "campaigns.over.none", Columns: columns}
	p, today := v.view(""), staking.DayOf(v.Books.Now())
	for _, c := range all {
		at := &now
		switch {
		case c.Over():
			at = &over
		case c.First > today:
			at = &coming
		}
		at.Rows = append(at.Rows, p.campaignRow(assets[c.Asset], c))
	}
	return []table{now, coming, over}, err
}

func (p *view) campaignRow(a ledger.Asset, c reports.Campaign) row {
	var tokens []string
	for _, part := range c.Parts {
		token := part.Token
		if len(c.Parts) > 1 {
			token += " (" + p.Plain(a, part.Amount) + ")"
		}
		tokens = append(tokens, token)
	}
	members := text(p.T("campaigns.all"))
	if most := c.Campaign.Members; most > 0 {
		members = text(p.T("campaigns.first-ones", "n", p.count(c.Enlisted), "of", p.count(most)))
	}
	days := cell{Text: p.Day(c.First) + " – " + p.Day(min(c.Last, c.End))}
	if c.EndedEarly() {
		days.Note = p.T("campaigns.early", "day", p.Day(c.Last))
	}
	return row{{Text: c.ID, Note: c.Title}, text(p.amount(a, c.Pool).of(c.Asset)), text(p.amount(a, c.Left)),
		text(strings.Join(tokens, ", ")), days, members, {Text: c.Credential, Note: p.Local(c.At)}}
}

func (v *visit) campaignsFields() ([]field, error) {
	tokens, err := v.tokenOptions()
	return []field{
		{Name: "id", Key: "campaigns.id", Hint: "campaigns.id.hint", Required: true},
		{Name: "title", Key: "campaigns.title-of", Hint: "campaigns.title.hint", Required: true},
		{Name: "asset", Key: "campaigns.pays", Options: tokens},
		{Name: "pool", Key: "campaigns.pool", Hint: "fees.hint", Required: true},
		{Name: "first", Key: "campaigns.first", Hint: "campaigns.first.hint", Required: true},
		{Name: "last", Key: "campaigns.last", Hint: "campaigns.day.hint", Required: true},
		{Name: "tokens", Key: "campaigns.tokens", Hint: "campaigns.tokens.hint", Required: true},
		{Name: "members", Key: "campaigns.members", Hint: "campaigns.members.hint"},
		{Name: "multipliers", Key: "campaigns.multipliers", Hint: "campaigns.multipliers.hint"},
		{Name: "measure", Key: "campaigns.measure", Options: []option{{"", "campaigns.by-terms"},
			{staking.Average.String(), "campaigns.average"}, {staking.Lowest.String(), "terms.lowest"}}},
		{Name: "reason", Key: "reason"},
	}, err
}

// runningFields are those of the form that ends a campaign early.
func (v *visit) runningFields() ([]field, error) {
	all, err := v.Reports.Campaigns(v.context())
	running := []option{}
	for _, c := range all {
		if !c.Over() && !c.EndedEarly() {
			running = append(running, option{Value: c.ID})
		}
	}
	return []field{{Name: "id", Key: "campaigns.id", Options: running},
		{Name: "last", Key: "campaigns.last", Hint: "campaigns.end.hint"}}, err
}

// addCampaign makes a campaign, and funds it.
func (s *submission) addCampaign(f *ui.Form) error {
	asset, err := s.Books.Asset(s.context(), f.Value("asset"))
	if err != nil {
		return err
	}
	c := staking.Campaign{ID: typed(f, "id"), Title: typed(f, "title"), Asset: asset.Symbol}
	if c.Pool, err = amountOf(asset, f, "pool"); err != nil {
		return err
	}
	if c.First, err = neededDay(f, "first"); err != nil {
		return err
	}
	if c.Last, err = neededDay(f, "last"); err != nil {
		return err
	}
	if c.Parts, err = staking.ParseParts(asset, c.Pool, strings.Fields(f.Value("tokens"))); err != nil {
		return ledger.At("tokens", err)
	}
	if members := typed(f, "members"); members != "" {
		if c.Members, err = ledger.ParseDecimal(members, 0); err != nil {
			return ledger.At("members", err)
		}
	}
	if c.Multipliers, err = staking.ParseMultipliers(strings.Fields(f.Value("multipliers"))); err != nil {
		return ledger.At("multipliers", err)
	}
	if by := f.Value("measure"); by != "" {
		measure, err := staking.ParseMeasure(by)
		if err != nil {
			return ledger.At("measure", err)
		}
		c.Measure = &measure
	}
	return posted(s.Books.PostCampaign(s.context(), c))
}

// neededDay is the day that a field says; one must be given.
func neededDay(f *ui.Form, name string) (staking.Day, error) {
	if typed(f, name) == "" {
		return 0, ledger.ErrInvalid.In(name, "the day is missing").Because(reasonNoDay)
	}
	return dayOf(f, name, 0)
}

// endCampaign ends a campaign early.
func (s *submission) endCampaign(f *ui.Form) error {
	last, err := dayOf(f, "last", staking.DayOf(s.visit.Books.Now()))
	if err != nil {
		return err
	}
	_, err = s.Books.EndCampaign(s.context(), f.Value("id"), last)
	return err
}
