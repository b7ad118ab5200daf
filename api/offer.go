package api

import (
	"context"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// office are those who look after the product, and those who look at them.
var office = []access.Role{access.Operator, access.Auditor}

// offerRoutes are what is offered, the switch, and what comes of it.
func (s *server) offerRoutes() {
	s.tokenRoutes()
	s.limitRoutes()
	s.termsRoutes()
	s.documentRoutes()
	s.regionRoutes()
	s.activationRoutes()
	s.enrollmentRoutes()
	s.rewardRoutes()
	s.todayRoutes()
	s.runRoutes()
	s.fundRoutes()
	s.priceRoutes()
	s.logRoutes()
	s.exportRoutes()
}

// shown maps a list of the books to what is shown.
func shown[T, U any](all []T, show func(T) (U, error)) ([]U, error) {
	items := make([]U, 0, len(all))
	for _, one := range all {
		item, err := show(one)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

type tokenOut struct {
	Asset       string        `json:"asset" example:"BNB" doc:"Symbol."`
	Scale       int           `json:"scale" example:"8" doc:"How many decimals are kept."`
	MaxSupply   string        `json:"maxSupply" example:"200000000" doc:"The most that there can be, in whole tokens."`
	Offered     bool          `json:"offered" doc:"Whether it earns today."`
	Terms       *TermsOut     `json:"terms,omitempty" doc:"Today's terms. Absent if the token's first terms are in the future."`
	Coming      []comingTerms `json:"coming" doc:"Terms that are set for later days, by day."`
	PaidThrough string        `json:"paidThrough,omitempty" format:"date" example:"2026-11-21" doc:"The last day that is settled. Absent before the first."`
	Waiting     string        `json:"waiting,omitempty" doc:"What its next day waits for, as a sentence. Not for holders."`
}

type comingTerms struct {
	From string `json:"from" format:"date" example:"2026-11-24" doc:"The day from which they hold, until the next."`
	TermsOut
}

type newToken struct {
	Body struct {
		Asset     string `json:"asset" pattern:"^[A-Z0-9]{1,20}$" example:"DOT" doc:"Symbol: 1 to 20 of A-Z and 0-9."`
		Scale     int    `json:"scale" minimum:"0" maximum:"18" example:"8" doc:"How many decimals are kept."`
		MaxSupply string `json:"maxSupply" maxLength:"40" example:"2100000000" doc:"The most that there can be, in whole tokens. In the smallest unit it fits 62 bits."`
		FiguresIn
	}
}

func (s *server) tokenRoutes() {
	get(s, "/v1/tokens", everyone, reader.listTokens, about("list-tokens", "Offer", "List the tokens",
		"All tokens that the books keep, by symbol, with the terms of today and those that come."))
	change(s, "POST /v1/tokens", operators, writer.addToken, about("add-token", "Offer", "Add a token",
		"Adds a token with its first terms, which hold from tomorrow on. "+
			"Repeating has no further effect; other figures for the same symbol are a conflict, "+
			"since those of a token never change: only its terms do.", 409))
}

func (wr writer) addToken(ctx context.Context, in *newToken) (*answer[tokenOut], error) {
	b := in.Body
	token := staking.Token{Asset: ledger.Asset{Symbol: b.Asset, Scale: b.Scale}}
	var err error
	if token.Asset.MaxSupply, err = token.Asset.Parse(b.MaxSupply); err != nil {
		return nil, ledger.At("maxSupply", err)
	}
	if err := token.Asset.Check(); err != nil {
		return nil, err
	}
	tomorrow := staking.DayOf(wr.now()) + 1
	if token.Terms, err = b.terms(token.Asset, tomorrow); err != nil {
		return nil, err
	}
	if err := wr.books.AddAsset(ctx, token); err != nil {
		return nil, err
	}
	tokens, err := wr.tokens(ctx)
	for _, t := range tokens {
		if t.Asset == b.Asset {
			return say(t, err)
		}
	}
	return nil, err
}

// tokens are all tokens as the request's credential may see them.
func (rd reader) tokens(ctx context.Context) ([]tokenOut, error) {
	terms, err := rd.TermsOn(ctx, staking.DayOf(rd.now()))
	if err != nil {
		return nil, err
	}
	today := map[string]staking.Terms{}
	for _, t := range terms {
		today[t.Asset] = t
	}
	later, err := rd.ComingTerms(ctx, staking.DayOf(rd.now()))
	if err != nil {
		return nil, err
	}
	statuses, err := rd.TokenStatus(ctx)
	if err != nil {
		return nil, err
	}
	return shown(statuses, func(st reports.TokenStatus) (tokenOut, error) {
		asset, err := rd.Asset(ctx, st.Asset)
		if err != nil {
			return tokenOut{}, err
		}
		t := tokenOut{
			Asset: asset.Symbol, Scale: asset.Scale, MaxSupply: asset.Format(asset.MaxSupply), Coming: []comingTerms{},
		}
		for _, r := range later {
			if r.Asset == asset.Symbol {
				t.Coming = append(t.Coming, comingTerms{r.From.String(), showTerms(asset, r.Terms)})
			}
		}
		if terms, known := today[asset.Symbol]; known {
			t.Offered, t.Terms = terms.Offered, new(showTerms(asset, terms))
		}
		t.PaidThrough = rd.since(st.PaidThrough)
		if token(ctx).Role != access.Holder {
			t.Waiting = textOf(st.Waiting)
		}
		return t, nil
	})
}

// since is a day's name, or nothing where it lies before the books.
func (rd reader) since(d staking.Day) string {
	if d < rd.FirstDay() {
		return ""
	}
	return d.String()
}

// instant writes a time as all times are written: RFC 3339 in UTC, with milliseconds.
func instant(t time.Time) string { return ledger.FormatTime(t) }

// instantIf writes a time, or nothing for the zero time.
func instantIf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return instant(t)
}

// knownAs is a figure, or null where it is not known.
func knownAs(known bool, figure string) *string {
	if !known {
		return nil
	}
	return &figure
}

func (rd reader) listTokens(ctx context.Context, _ *struct{}) (*answer[list[tokenOut]], error) {
	tokens, err := rd.tokens(ctx)
	return say(list[tokenOut]{Items: tokens}, err)
}
