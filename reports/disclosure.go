package reports

import (
	"context"
	"errors"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Disclosed is what holders are to know of a token's rewards before they take part: what
// they earn, what is kept of it, where it comes from, and how it is worked out.
type Disclosed struct {
	Asset   ledger.Asset
	Terms   staking.Terms // of today
	Rate    Rate
	Sources []Source
	Words   store.Disclosure // the operator's, of version 0 where nothing is stated
}

// Disclosures are those of the tokens on offer today, by symbol; without the operator's words.
func (rs *Reports) Disclosures(ctx context.Context) ([]Disclosed, error) {
	terms, err := rs.TermsOn(ctx, staking.DayOf(rs.Now()))
	if err != nil {
		return nil, err
	}
	rates, err := rs.CurrentRates(ctx)
	if err != nil {
		return nil, err
	}
	var all []Disclosed
	for _, t := range terms {
		if !t.Offered {
			continue
		}
		d := Disclosed{Terms: t, Rate: rates[t.Asset]}
		if d.Asset, err = rs.Asset(ctx, t.Asset); err == nil {
			d.Sources, err = rs.Sources(ctx, t.Asset, d.Rate)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// Disclosure is that of a token. ErrNotFound if there is no such token, or it has no terms yet.
func (rs *Reports) Disclosure(ctx context.Context, token string) (Disclosed, error) {
	asset, err := rs.Asset(ctx, token)
	if err != nil {
		return Disclosed{}, err
	}
	d := Disclosed{Asset: asset}
	terms, err := rs.TermsOn(ctx, staking.DayOf(rs.Now()))
	if err != nil {
		return Disclosed{}, err
	}
	for _, t := range terms {
		if t.Asset == token {
			d.Terms = t
		}
	}
	if d.Terms.Asset == "" {
		return Disclosed{}, ledger.ErrNotFound.In("", "%s has no terms yet", token)
	}
	rates, err := rs.CurrentRates(ctx)
	if err != nil {
		return Disclosed{}, err
	}
	d.Rate = rates[token]
	if d.Sources, err = rs.Sources(ctx, token, d.Rate); err != nil {
		return Disclosed{}, err
	}
	d.Words, err = rs.DisclosureVersion(ctx, token, 0)
	if errors.Is(err, ledger.ErrNotFound) {
		err = nil
	}
	return d, err
}

// DisclosureVersion is a version of what the operator says of a token, the current one if it is
// 0; ErrNotFound if there is none.
func (rs *Reports) DisclosureVersion(ctx context.Context, token string, version int) (store.Disclosure, error) {
	found, err := list(ctx, rs, "read the disclosure of "+token, store.ReadDisclosure, "SELECT "+store.DisclosureColumns+
		" FROM disclosures WHERE asset = $1 AND (version = $2 OR $2 = 0) ORDER BY version DESC LIMIT 1", token,
		int64(version))
	if err == nil && len(found) == 0 {
		err = ledger.ErrNotFound.In("", "disclosure of %s version %d", ledger.Clip(token), version)
	}
	if err != nil {
		return store.Disclosure{}, err
	}
	return found[0], nil
}

// DisclosureVersions are all versions, by token and version; without their texts.
func (rs *Reports) DisclosureVersions(ctx context.Context) ([]store.Disclosure, error) {
	return list(ctx, rs, "read the disclosures", store.ReadDisclosure,
		"SELECT asset, version, published, '' FROM disclosures ORDER BY asset, version")
}
