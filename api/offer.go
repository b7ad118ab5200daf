package api

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type tokenOut struct {
	Asset       string        `json:"asset" example:"BNB" doc:"Symbol."`
	Scale       int           `json:"scale" example:"8" doc:"How many decimals are kept."`
	MaxSupply   string        `json:"maxSupply" example:"200000000" doc:"The most that there can be, in whole tokens."`
	Offered     bool          `json:"offered" doc:"Whether it earns today."`
	Terms       *TermsOut     `json:"terms,omitempty" doc:"Today's terms. Absent if the token's first terms are in the future."`
	Rate        *rateOut      `json:"rate,omitempty" doc:"What its holders earn a year, by today's terms. Absent if the token's first terms are in the future."`
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
	change(s, "POST /v1/tokens", does(control.AddAsset), writer.addToken, about("add-token", "Offer", "Add a token",
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
	if token.Terms, err = b.change().First(token.Asset, tomorrow); err != nil {
		return nil, err
	}
	if err := wr.books.AddAsset(ctx, token); err != nil {
		return nil, err
	}
	tokens, err := wr.tokens(ctx)
	for _, t := range tokens {
		if t.Asset == b.Asset {
			return reply(t, err)
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
	rates, err := rd.CurrentRates(ctx)
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
			t.Rate = new(showRate(rates[asset.Symbol]))
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

// knownAs is a figure, or null where it is not known.
func knownAs(known bool, figure string) *string {
	if !known {
		return nil
	}
	return &figure
}

func (rd reader) listTokens(ctx context.Context, _ *struct{}) (*answer[list[tokenOut]], error) {
	tokens, err := rd.tokens(ctx)
	return reply(list[tokenOut]{Items: tokens}, err)
}

type TermsOut struct {
	Offered  bool   `json:"offered" doc:"Whether it earns."`
	APR      string `json:"apr" example:"0.0015" doc:"Rate a year as a fraction: 0.0015 is 0.15 %. In the mode share 0: what is earned follows from the income."`
	Min      string `json:"minimum" example:"0.5" doc:"The holding of a day, by the measure, below which nothing is earned, in whole tokens."`
	Cap      string `json:"cap" example:"1000" doc:"What of a day's holding, by the measure, earns at most, in whole tokens."`
	Fee      string `json:"fee" example:"0.3" doc:"The part of staking income that the operator keeps: 0.3 is 30 %."`
	Mode     string `json:"mode" enum:"fixed,share" example:"fixed" doc:"Where rewards come from. fixed: the APR on the day's holding; share: the staking income less the fee, in proportion to the holdings of the income's days."`
	Measure  string `json:"measure" enum:"average,daily-minimum" example:"average" doc:"What of a day earns. average: the exact time-weighted average of the free balance; daily-minimum: its smallest free balance."`
	PerOwner bool   `json:"perOwner" doc:"Whether minimum and cap are those of an owner's accounts together."`
	GrossAPR string `json:"grossApr,omitempty" example:"0.0021" doc:"Rate a year before the fee, as the operator states it; less the fee it is the APR. Absent: it is not stated."`
}

func showTerms(a ledger.Asset, t staking.Terms) TermsOut {
	out := TermsOut{
		Offered: t.Offered, APR: t.APR.String(), Min: a.Format(t.Min), Cap: a.Format(t.Cap), Fee: t.Fee.String(),
		Mode: t.Mode.String(), Measure: t.Measure.String(), PerOwner: t.PerOwner,
	}
	if t.GrossAPR != 0 {
		out.GrossAPR = t.GrossAPR.String()
	}
	return out
}

type revisionOut struct {
	From     string `json:"from" format:"date" example:"2026-11-23" doc:"The day from which they hold, until the next."`
	Revision int    `json:"revision" example:"1" doc:"Of one day the highest counts; none is ever edited."`
	TermsOut
	SetAt  string `json:"setAt" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When they were set."`
	SetBy  string `json:"setBy,omitempty" doc:"The actor who set them. Not for holders."`
	Reason string `json:"reason,omitempty" doc:"Why, where a reason was given."`
}

// FiguresIn are terms as they are asked for. What may be absent stays as it is on the day, or, of a token's first
// terms, is as it is documented.
type FiguresIn struct {
	Offered  bool    `json:"offered" doc:"Whether it is to earn."`
	APR      *string `json:"apr,omitempty" nullable:"false" maxLength:"20" example:"0.0015" doc:"Rate a year as a fraction, of at most 8 decimals: 0.0015 is 0.15 %. Absent: as it is on that day, and 0 in the mode share; where fee and grossApr are both given, what the fee leaves of it, rounded down. The mode fixed needs it, or these two, after the mode share and in a token's first terms."`
	Min      string  `json:"minimum" maxLength:"40" example:"0.5" doc:"The holding of a day, by the measure, below which nothing is earned, in whole tokens."`
	Cap      string  `json:"cap" maxLength:"40" example:"1000" doc:"What of a day's holding, by the measure, earns at most, in whole tokens."`
	Fee      *string `json:"fee,omitempty" nullable:"false" maxLength:"20" example:"0.3" doc:"The part of staking income, and of a stated gross rate, that the operator keeps: 0.3 is 30 %. Absent: as it is on that day, at first 0."`
	Mode     *string `json:"mode,omitempty" nullable:"false" enum:"fixed,share" example:"fixed" doc:"Where rewards come from: fixed, the APR; share, the staking income less the fee. Absent: as it is on that day, at first fixed."`
	Measure  *string `json:"measure,omitempty" nullable:"false" enum:"average,daily-minimum" example:"average" doc:"What of a day earns: average, the exact average of the free balance; daily-minimum, its smallest free balance. Absent: as it is on that day, at first average."`
	PerOwner *bool   `json:"perOwner,omitempty" nullable:"false" doc:"Whether minimum and cap are those of an owner's accounts together. Absent: as it is on that day, at first false."`
	GrossAPR *string `json:"grossApr,omitempty" nullable:"false" maxLength:"20" example:"0.0021" doc:"Rate a year before the fee, as it is shown beside the APR; only in the mode fixed. Less the fee, and rounded down to 8 decimals, it is the APR. 0: it is not stated. Absent: as it is on that day, at first 0."`
}

// change is what is asked for of terms.
func (f FiguresIn) change() staking.TermsChange {
	return staking.TermsChange{
		APR: f.APR, Min: &f.Min, Cap: &f.Cap, Fee: f.Fee, Offered: &f.Offered, Mode: f.Mode, Measure: f.Measure,
		PerOwner: f.PerOwner, GrossAPR: f.GrossAPR,
	}
}

type setTermsIn struct {
	AssetIn
	Body struct {
		From string `json:"from" format:"date" example:"2026-11-24" doc:"The first day for which they hold, at the earliest tomorrow."`
		FiguresIn
	}
}

type correctTermsIn struct {
	AssetIn
	Body struct {
		Day    string `json:"day" format:"date" example:"2026-11-21" doc:"The day that they are corrected for, and that alone: it is over, and not paid."`
		Reason string `json:"reason" minLength:"1" maxLength:"200" example:"The rate had a digit too many." doc:"Why. It is kept, with who corrected."`
		FiguresIn
	}
}

type termsPageIn struct {
	AssetIn
	Paging
}

func (s *server) termsRoutes() {
	get(s, "/v1/tokens/{asset}/terms", everyone, reader.termsHistory,
		about("list-terms", "Offer", "List a token's terms",
			"All terms that were ever set for a token, those of the latest day first. "+
				"Terms hold from a day on, until the next; the past is never edited.", 404))
	get(s, "/v1/tokens/{asset}/delisting", staff, reader.previewDelisting,
		about("preview-delisting", "Offer", "Preview that a token is taken off offer",
			"Who would not earn with it any more from tomorrow on. Nothing is written. "+
				"It reads every account, and takes its time with many.", 404), slow)
	change(s, "POST /v1/tokens/{asset}/terms", does(control.SetTerms), writer.setTerms,
		about("set-terms", "Offer", "Set a token's terms",
			"Sets terms from a day on, at the earliest tomorrow. Terms that were set for that day before "+
				"are kept in the history, and are not used any more. Repeating has no further effect.", 404))
	change(s, "POST /v1/tokens/{asset}/corrections", does(control.CorrectTerms), writer.correctTerms,
		about("correct-terms", "Offer", "Correct a token's terms of one day",
			"Corrects the terms of a day that is over and not declared, and of that day alone. "+
				"The next run accrues it again, and its approval is revoked. After a day is paid, "+
				"only adjustments and compensations correct it.", 404))
}

// putTerms reads terms of a day, and gives them to set.
func (rd reader) putTerms(
	ctx context.Context, symbol, field, day string, f FiguresIn, set func(context.Context, staking.Terms) error,
) (*answer[TermsOut], error) {
	asset, err := rd.Asset(ctx, symbol)
	if err != nil {
		return nil, err
	}
	d, err := staking.ParseDay(day)
	if err != nil {
		return nil, ledger.At(field, err)
	}
	all, err := rd.TermsOn(ctx, d)
	if err != nil {
		return nil, err
	}
	terms := staking.Terms{Asset: asset.Symbol}
	if i := slices.IndexFunc(all, func(t staking.Terms) bool { return t.Asset == symbol }); i >= 0 {
		terms = all[i]
	}
	if terms, err = f.change().Apply(asset, terms); err != nil {
		return nil, err
	}
	terms.From = d
	return reply(showTerms(asset, terms), set(ctx, terms))
}

func (rd reader) termsHistory(ctx context.Context, in *termsPageIn) (*answer[list[revisionOut]], error) {
	asset, err := rd.Asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	type key struct {
		from     staking.Day
		revision int
	}
	keys := keyset[store.TermsRevision, key]{
		2, func(r store.TermsRevision) []string { return []string{r.From.String(), strconv.Itoa(r.Revision)} },
		func(parts []string) (key, error) {
			day, badDay := staking.ParseDay(parts[0])
			revision, badNumber := strconv.Atoi(parts[1])
			return key{day, revision}, errors.Join(badDay, badNumber)
		},
	}
	return pageOf(in.Paging, keys, func(after *key, _ int) ([]store.TermsRevision, error) {
		history, err := rd.TermsHistory(ctx, asset.Symbol)
		slices.Reverse(history)
		return slices.DeleteFunc(history, func(r store.TermsRevision) bool {
			return after != nil && (r.From > after.from || r.From == after.from && r.Revision >= after.revision)
		}), err
	}, func(r store.TermsRevision) (revisionOut, error) {
		shown := revisionOut{
			From: r.From.String(), Revision: r.Revision, TermsOut: showTerms(asset, r.Terms), SetAt: instant(r.SetAt),
			SetBy: r.SetBy, Reason: r.Reason,
		}
		if token(ctx).Role == access.Holder {
			shown.SetBy = ""
		}
		return shown, nil
	})
}

func (rd reader) previewDelisting(ctx context.Context, in *AssetIn) (*answer[effectOut], error) {
	return showEffect(rd.PreviewDelisting(ctx, in.Asset, staking.DayOf(rd.now())+1))
}

func (wr writer) setTerms(ctx context.Context, in *setTermsIn) (*answer[TermsOut], error) {
	return wr.putTerms(ctx, in.Asset, "from", in.Body.From, in.Body.FiguresIn, wr.books.SetTerms)
}

func (wr writer) correctTerms(ctx context.Context, in *correctTermsIn) (*answer[TermsOut], error) {
	return wr.putTerms(ctx, in.Asset, "day", in.Body.Day, in.Body.FiguresIn,
		func(ctx context.Context, t staking.Terms) error {
			return wr.books.CorrectTerms(ctx, t.From, t, in.Body.Reason)
		})
}
