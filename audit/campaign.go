package audit

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Campaign is the rows of one, and of its parts, multipliers and end.
type Campaign struct {
	staking.Campaign
	Bucket int
	At     int64 // milliseconds since 1970
}

// Weight is the row of what a token's day weighs in a campaign, in a bucket or in all: a decimal
// number of unit-milliseconds in hundredths.
type Weight struct {
	Key
	Campaign string
	Weight   string
}

// Budget is the row of what a campaign had for a day of a token, and paid the day after.
type Budget struct {
	Key                  // the reward token and its day
	Campaign, Token      string
	Left, Budget, Amount staking.Exact // Amount is what was paid
	Weight               string
}

// CampaignShare is the row of what a bucket's accruals of a day have of a budget.
type CampaignShare struct {
	Key
	Campaign, Token string
	Sum             staking.Exact
}

// Member is an account that takes part in a campaign where not all do.
type Member struct {
	Campaign string
	Account  ledger.Account
	At       int64 // when it was enrolled, in milliseconds since 1970
}

// Label is a word that an account has on some days.
type Label struct {
	Account     ledger.Account
	Label       string
	From, Until staking.Day
}

// Switch is a switch event.
type Switch struct {
	Account ledger.Account
	At      int64 // milliseconds since 1970
	Action  string
}

// CampaignRows are the rows of campaigns in a bucket's head; an outline has those of all buckets.
type CampaignRows struct {
	Campaigns []Campaign      // of all buckets
	Weights   []Weight        // of the bucket
	Weighed   []Weight        // of all buckets, by the declarations
	Budgets   []Budget        // of all tokens, by day
	Shares    []CampaignShare // of the bucket
}

// last is the last day that counts.
func (c *Campaign) last() staking.Day { return min(c.Last, c.End) }

func (c *Campaign) entry() string { return "campaign/" + c.ID }

// leaves are those of the move that funds the campaign.
func (c *Campaign) leaves() []byte {
	return leavesOf(ledger.Fund, []ledger.Move{{From: "@custody", To: "@rewards", Asset: c.Asset, Amount: c.Pool}})
}

// evidence is the SHA-256 over what that move does not say.
func (c *Campaign) evidence() []byte {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	texts := []string{"softstake campaign 1", c.Title, c.First.String(), c.Last.String(), number(c.Campaign.Members),
		number(int64(len(c.Parts)))}
	for _, p := range c.Parts {
		texts = append(texts, p.Token, number(int64(p.Amount)))
	}
	for _, m := range c.Multipliers {
		texts = append(texts, m.Label, number(m.Percent))
	}
	return hashOf(texts...)
}

// budgetKey names a budget: the reward token's day, and whose it is.
type budgetKey struct {
	Key
	campaign, token string
}

// budgeted is a budget as it is derived from the campaign, what was paid before, and what the
// day weighs.
type budgeted struct {
	budgetKey
	left, budget big.Int // in parts of a smallest unit
	weight       big.Int
	shares       big.Int // of the bucket's accounts
}

// weightKey names what a token's day weighs in a campaign.
type weightKey struct {
	Key
	campaign string
}

// claim names an account's weight in a campaign.
type claim struct {
	account         ledger.Account
	campaign, token string
}

// campaigns is a worker's state of the campaigns in the current bucket.
type campaigns struct {
	budgets          map[Key][]*budgeted // by the reward token's day
	weights          tally[weightKey]
	today, yesterday map[claim]*big.Int // of the accounts of the span
	labels           map[ledger.Account][]Label
	members          map[ledger.Account][]Member
	made             map[ledger.Account][]Switch // by time
	places           map[string]*places
}

// decimal reads a decimal number; what is none counts as −1, which nothing derives.
func decimal(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return big.NewInt(-1)
	}
	return n
}

// budget derives the budgets of all campaigns from the bucket's snapshot.
func (w *worker) budget() {
	w.campaigns = campaigns{
		budgets: map[Key][]*budgeted{}, weights: tally[weightKey]{}, today: map[claim]*big.Int{},
		yesterday: map[claim]*big.Int{}, places: map[string]*places{},
	}
	d := newBudgeting(&w.head.Campaigns)
	for b := range d.all {
		w.campaigns.budgets[b.Key] = append(w.campaigns.budgets[b.Key], b)
	}
}

// budgeting derives the budgets of campaigns from the rows of one snapshot.
type budgeting struct {
	*CampaignRows
	rows    map[budgetKey]*Budget
	weighed map[weightKey]*Weight
}

func newBudgeting(c *CampaignRows) budgeting {
	d := budgeting{c, map[budgetKey]*Budget{}, map[weightKey]*Weight{}}
	for i := range c.Budgets {
		b := &c.Budgets[i]
		d.rows[budgetKey{b.Key, b.Campaign, b.Token}] = b
	}
	for i := range c.Weighed {
		x := &c.Weighed[i]
		d.weighed[weightKey{x.Key, x.Campaign}] = x
	}
	return d
}

// all yields the budgets that are known: those of days that are weighed, by campaign, token and day.
func (d budgeting) all(yield func(*budgeted) bool) {
	for i := range d.Campaigns {
		c := &d.Campaigns[i]
		for _, part := range c.Parts {
			if !d.part(c, part, yield) {
				return
			}
		}
	}
}

// part yields the budgets of a token's part, day after day, up to the first that is not paid.
func (d budgeting) part(c *Campaign, part staking.Part, yield func(*budgeted) bool) bool {
	left := new(big.Int).Mul(big.NewInt(int64(part.Amount)), year)
	for day := c.First; day <= c.last(); day++ {
		total := d.weighed[weightKey{Key{day, part.Token}, c.ID}]
		if total == nil {
			return true
		}
		b := &budgeted{budgetKey: budgetKey{Key{day + 1, c.Asset}, c.ID, part.Token}}
		b.left.Set(left)
		b.weight.Set(decimal(total.Weight))
		b.budget.Set(left)
		if days := int64(c.Last-day) + 1; days > 1 {
			b.budget.Quo(&b.budget, new(big.Int).Mul(big.NewInt(days), year))
			b.budget.Mul(&b.budget, year)
		}
		row := d.rows[b.budgetKey] // before yield, which may delete it
		if !yield(b) {
			return false
		}
		if row == nil {
			return true
		}
		left.Sub(left, exact(row.Amount))
	}
	return true
}

// compareBudgets compares the rows of what tokens weigh in campaigns, and of the budgets, with those that must be.
func (a *audit) compareBudgets() {
	d := newBudgeting(&a.outline.Campaigns)
	declared := map[Key]bool{}
	for _, x := range a.outline.Declared {
		declared[x.Key] = true
	}
	for i := range d.Campaigns {
		c := &d.Campaigns[i]
		for _, part := range c.Parts {
			for day := c.First; day <= c.last(); day++ {
				k := weightKey{Key{day, part.Token}, c.ID}
				if declared[k.Key] != (d.weighed[k] != nil) {
					a.find(on(day, "", part.Token, "is declared, and what it weighs in the campaign "+c.ID+" is not, or the reverse"))
				}
			}
		}
	}
	for b := range d.all {
		a.compareBudget(b, d.rows[b.budgetKey], declared[b.Key])
		delete(d.rows, b.budgetKey)
		delete(d.weighed, weightKey{Key{b.Day - 1, b.token}, b.campaign})
	}
	for k := range d.rows {
		a.find(on(k.Day, "", k.Asset, "a budget of the campaign "+k.campaign+" for "+k.token+
			" was divided, and there is none"))
	}
	for k := range d.weighed {
		if !a.outline.Campaigns.weighs(k) {
			a.find(on(k.Day, "", k.Asset, "is weighed in the campaign "+k.campaign+", which does not weigh it"))
		}
	}
}

// weighs reports whether a campaign weighs a token's day.
func (r *CampaignRows) weighs(k weightKey) bool {
	for i := range r.Campaigns {
		if c := &r.Campaigns[i]; c.ID == k.campaign && c.Part(k.Asset) > 0 && c.First <= k.Day && k.Day <= c.last() {
			return true
		}
	}
	return false
}

// compareBudget compares a budget's row, which may be missing, with the derived one.
func (a *audit) compareBudget(b *budgeted, row *Budget, declared bool) {
	wrong := func(format string, args ...any) {
		a.find(on(b.Day, "", b.Asset, "the budget of the campaign "+b.campaign+" for "+b.token+" "+
			fmt.Sprintf(format, args...)))
	}
	switch {
	case row == nil && declared:
		wrong("is missing, though the day is declared")
	case row != nil && !declared:
		wrong("is written, though the day is not declared")
	case row == nil:
	case exact(row.Left).Cmp(&b.left) != 0:
		wrong("begins with %s parts of a smallest unit; derived %s", exact(row.Left), &b.left)
	case exact(row.Budget).Cmp(&b.budget) != 0:
		wrong("is %s parts of a smallest unit; derived %s", exact(row.Budget), &b.budget)
	case decimal(row.Weight).Cmp(&b.weight) != 0:
		wrong("is divided by the weight %s; derived %s", row.Weight, &b.weight)
	}
}

// weighing are the campaigns that weigh a token on a day.
func (w *worker) weighing(symbol string, d staking.Day) (all []*Campaign) {
	for i := range w.head.Campaigns.Campaigns {
		c := &w.head.Campaigns.Campaigns[i]
		for _, part := range c.Parts {
			if part.Token == symbol && c.First <= d && d <= c.last() {
				all = append(all, c)
			}
		}
	}
	return all
}

// weigh adds what a position that earns on the day weighs in each campaign.
func (w *worker) weigh(p *position) {
	for _, c := range p.token.weighed {
		weight := new(big.Int).Mul(&w.figures.eligible, dayMillis)
		weight.Add(weight, &w.figures.eligibleRest)
		weight.Mul(weight, big.NewInt(w.counts100(c, p.stored.Account)))
		w.campaigns.weights.add(weightKey{Key{w.day, p.stored.Asset}, c.ID}, weight)
		w.campaigns.today[claim{p.stored.Account, c.ID, p.stored.Asset}] = weight
	}
}

// counts100 is what an account counts in a campaign on the day, in hundredths: zero where it
// does not take part.
func (w *worker) counts100(c *Campaign, account ledger.Account) (highest int64) {
	if c.Campaign.Members > 0 {
		found := false
		for _, m := range w.campaigns.members[account] {
			found = found || m.Campaign == c.ID
		}
		if !found {
			return 0
		}
	}
	for _, l := range w.campaigns.labels[account] {
		for _, m := range c.Multipliers {
			if l.Label == m.Label && l.From <= w.day && w.day < l.Until {
				highest = max(highest, m.Percent)
			}
		}
	}
	if highest == 0 {
		return 100
	}
	return highest
}

// campaignShares adds to f.shared what the position has of the day's budgets.
func (w *worker) campaignShares(p *position, f *figures) {
	for _, b := range w.campaigns.budgets[Key{w.day, p.stored.Asset}] {
		weight := w.campaigns.yesterday[claim{p.stored.Account, b.campaign, b.token}]
		if weight == nil || b.weight.Sign() <= 0 || b.budget.Sign() <= 0 {
			continue
		}
		share := new(big.Int).Mul(&b.budget, weight)
		share.Quo(share, &b.weight)
		f.shared.Add(&f.shared, share)
		b.shares.Add(&b.shares, share)
	}
}

// nextDay makes today's weights yesterday's.
func (x *campaigns) nextDay() {
	x.today, x.yesterday = x.yesterday, x.today
	clear(x.today)
}

// readCampaigns reads what campaigns need of the span's accounts.
func (w *worker) readCampaigns(s Span) error {
	x := &w.campaigns
	clear(x.today)
	clear(x.yesterday)
	if len(w.head.Campaigns.Campaigns) == 0 {
		return nil
	}
	x.labels, x.members = map[ledger.Account][]Label{}, map[ledger.Account][]Member{}
	x.made = map[ledger.Account][]Switch{}
	if err := w.books.Labels(s, func(l Label) { x.labels[l.Account] = append(x.labels[l.Account], l) }); err != nil {
		return err
	}
	if err := w.books.Members(s, func(m Member) { x.members[m.Account] = append(x.members[m.Account], m) }); err != nil {
		return err
	}
	some := false
	for i := range w.head.Campaigns.Campaigns {
		some = some || w.head.Campaigns.Campaigns[i].Campaign.Members > 0
	}
	if !some {
		return nil
	}
	if err := w.books.Switches(s, func(e Switch) { x.made[e.Account] = append(x.made[e.Account], e) }); err != nil {
		return err
	}
	ranked := map[Member]bool{}
	for i := range w.head.Campaigns.Campaigns {
		if c := &w.head.Campaigns.Campaigns[i]; c.Campaign.Members > 0 {
			w.rank(c, ranked)
		}
	}
	for _, members := range x.members {
		for _, m := range members {
			if !ranked[m] {
				w.find(Finding{Account: m.Account, What: "is a member of the campaign " + m.Campaign +
					", and no enrollment of it covers one of its days"})
			}
		}
	}
	return nil
}

// compareWeighed compares what a token's days weigh in campaigns, by the declarations, and what
// budgets paid, with the sums over the buckets.
func (a *audit) compareWeighed() {
	for _, x := range a.outline.Campaigns.Weighed {
		if sum := a.weights.of(weightKey{x.Key, x.Campaign}); decimal(x.Weight).Cmp(sum) != 0 {
			a.find(on(x.Day, "", x.Asset, fmt.Sprintf("declared is a weight of %s in the campaign %s; the buckets have %s",
				x.Weight, x.Campaign, sum)))
		}
	}
	for i := range a.outline.Campaigns.Budgets {
		b := &a.outline.Campaigns.Budgets[i]
		if sum := a.budgets.of(budgetKey{b.Key, b.Campaign, b.Token}); exact(b.Amount).Cmp(sum) != 0 {
			a.find(on(b.Day, "", b.Asset, fmt.Sprintf("the budget of the campaign %s for %s paid %s parts of a smallest unit; "+
				"the buckets have %s", b.Campaign, b.Token, exact(b.Amount), sum)))
		}
	}
}

// compareCampaigns compares what the bucket's accounts weigh in campaigns, and have of their
// budgets, with its rows.
func (w *worker) compareCampaigns() {
	weights := w.campaigns.weights
	for _, x := range w.head.Campaigns.Weights {
		k := weightKey{x.Key, x.Campaign}
		if sum := weights.of(k); decimal(x.Weight).Cmp(sum) != 0 {
			w.find(on(x.Day, "", x.Asset, fmt.Sprintf("bucket %d has a weight of %s in the campaign %s; derived %s", w.number,
				x.Weight, x.Campaign, sum)))
		}
		delete(weights, k)
	}
	for k, sum := range weights {
		if sum.Sign() != 0 {
			w.find(on(k.Day, "", k.Asset, fmt.Sprintf("bucket %d has no weight in the campaign %s; derived %s", w.number,
				k.campaign, sum)))
		}
	}
	rows := tally[budgetKey]{}
	for _, s := range w.head.Campaigns.Shares {
		rows[budgetKey{s.Key, s.Campaign, s.Token}] = exact(s.Sum)
	}
	for _, all := range w.campaigns.budgets {
		for _, b := range all {
			if row := rows.of(b.budgetKey); row.Cmp(&b.shares) != 0 {
				w.find(on(b.Day, "", b.Asset, fmt.Sprintf("bucket %d has %s parts of a smallest unit of the budget of the "+
					"campaign %s for %s; derived %s", w.number, row, b.campaign, b.token, &b.shares)))
			}
			delete(rows, b.budgetKey)
		}
	}
	for k := range rows {
		w.find(on(k.Day, "", k.Asset, fmt.Sprintf(
			"bucket %d has a share of a budget of the campaign %s for %s, and there is none", w.number, k.campaign, k.token)))
	}
}

// mergeCampaigns adds a bucket's rows of the weights, and what its accounts have of budgets.
func (a *audit) mergeCampaigns(w *worker) {
	a.mergePlaces(w)
	for _, x := range w.head.Campaigns.Weights {
		a.weights.add(weightKey{x.Key, x.Campaign}, decimal(x.Weight))
	}
	for _, all := range w.campaigns.budgets {
		for _, b := range all {
			a.budgets.add(b.budgetKey, &b.shares)
		}
	}
}

// countCampaigns subtracts the campaigns whose entries lie in the bucket from the slots of these.
func (w *worker) countCampaigns() {
	for i := range w.head.Campaigns.Campaigns {
		c := &w.head.Campaigns.Campaigns[i]
		if (ledger.Entry{ID: c.entry()}).Bucket() != w.number {
			continue
		}
		if c.Bucket != w.number {
			w.find(on(dayOf(c.At), "", c.Asset, fmt.Sprintf("the campaign %s lies in bucket %d, where it does not belong", c.ID,
				c.Bucket)))
		}
		if dayOf(c.At) <= w.outline.Closed {
			w.slots.goes[w.slot(c.entry())] -= w.hashRequest(c.entry(), c.At, c.leaves(), c.evidence())
		}
	}
}

// explainCampaign compares an entry that funds a campaign with the rows of the campaign. leaves
// are those of its postings.
func (a *audit) explainCampaign(s *suspect, leaves []byte) {
	x, row := s.holders(), s.row
	if len(s.campaigns) != 1 {
		a.findPosting(x, fmt.Sprintf("funds a campaign, and there are %d rows of it", len(s.campaigns)))
		return
	}
	c := &s.campaigns[0]
	switch {
	case row.At != x.At || row.At != c.At:
		a.findPosting(x, fmt.Sprintf("counts at %s by its own row, at %s by its postings, and at %s by the campaign's",
			stamp(row.At), stamp(x.At), stamp(c.At)))
	case !bytes.Equal(c.leaves(), leaves):
		a.findPosting(x, "funds another campaign than the row of it says: another token or pool")
	case bytes.Equal(row.Digest, digestOf(s.id, row.At, leaves, row.Destination)) &&
		!bytes.Equal(row.Destination, c.evidence()):
		a.findPosting(x, "has another hash than the rows of its campaign: its title, days, members, parts or multipliers "+
			"were changed")
	default:
		a.findPosting(x, fmt.Sprintf("does not say what was posted: its digest is %x, derived %x", row.Digest,
			digestOf(s.id, row.At, leaves, c.evidence())))
	}
}
