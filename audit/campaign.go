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

// CampaignRows are the rows of campaigns in a bucket's head; an outline has those of all buckets.
type CampaignRows struct {
	Campaigns []Campaign      // of all buckets
	Weights   []Weight        // of the bucket
	Weighed   []Weight        // of all buckets, by the declarations
	Budgets   []Budget        // of all tokens, by day
	Shares    []CampaignShare // of the bucket
	Eligible  int64           // how many rows the bucket has of what is eligible by the other measure
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
	if c.Measure != nil {
		texts = append(texts, "measure", c.Measure.String())
	}
	return hashOf(texts...)
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
	eligible         map[eligibleKey]Eligible // the rows of the span's day
	rows             int64                    // of them in the bucket that were read
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
		a.findPosting(x, "has another hash than the rows of its campaign: its title, days, members, measure, parts or "+
			"multipliers were changed")
	default:
		a.findPosting(x, fmt.Sprintf("does not say what was posted: its digest is %x, derived %x", row.Digest,
			digestOf(s.id, row.At, leaves, c.evidence())))
	}
}
