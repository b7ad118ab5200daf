package console

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// approve decides a proposal that a form has led to.
func (d *desk) approve(at string) {
	d.o.Helper()
	page := d.get(at).is(http.StatusOK)
	d.post(at, "do", "approve", "effect", digestOf(page)).is(http.StatusSeeOther)
}

// TestEachRegisterProposes: of each register a form with four eyes becomes a proposal, which takes effect when another
// person approves it, and is then in the table.
func TestEachRegisterProposes(t *testing.T) {
	o := newOffice(t)
	o.income("SOL")
	o.ok(o.books.SetFourEyes(t.Context(), true))
	anton := o.as("anton")
	for _, c := range []struct {
		who, path string
		form      []string
		shows     string
	}{
		{"ada", "limits", []string{"asset", "BNB", "total", "77", "withdrawal", "5", "reason", "new"}, "77 BNB"},
		{"olga", "regions", []string{"do", "add", "region", "fr", "reason", "licence"}, "France"},
		{"olga", "regions", []string{"do", "remove", "region", "CU"}, "Taken off by"},
		{"olga", "documents", []string{"name", "risk-warning", "text", "Prices fall."}, "version=2"},
		{"theo", "fees", []string{"do", "withdraw", "asset", "SOL", "amount", "1.5", "id", "march"}, "taken out"},
		{"theo", "campaigns", []string{"do", "add", "id", "spring", "title", "Hold <BNB>", "asset", "SOL", "pool", "90",
			"first", "2026-03-06", "last", "2026-03-08", "tokens", "BNB=30 TON=60", "members", "100", "multipliers",
			"vip=1.5", "measure", "daily-minimum"}, "BNB (30), TON (60)"},
	} {
		path := Path + "/" + c.path
		d := o.as(c.who)
		d.get(path).is(http.StatusOK).has("Propose").hasNot("<BNB>")
		at := d.post(path, c.form...).is(http.StatusSeeOther).location
		anton.get(path).is(http.StatusOK).hasNot(`<form method="post" action="` + path)
		anton.approve(at)
		d.get(path).is(http.StatusOK).has(c.shows)
	}
	o.as("udo").get("/console/documents?name=risk-warning&version=2").has("<pre", "Prices fall.").hasNot("<textarea")
	o.as("olga").get("/console/documents?name=risk-warning").has("<textarea", "Prices fall.")
	o.as("olga").get("/console/documents?name=risk-warning&version=99").is(http.StatusNotFound)
}

// income gives @fees 3 of a token: 30 % of 10.
func (o *office) income(asset string) {
	o.Helper()
	a, err := o.books.Asset(o.Context(), asset)
	o.ok(err)
	day := staking.DayOf(o.clock.Now())
	all, err := o.served.Reports.TermsOn(o.Context(), day+1)
	o.ok(err)
	for _, terms := range all {
		if terms.Asset == asset {
			fee := "0.3"
			terms.From = day + 1
			terms, err = staking.TermsChange{Fee: &fee}.Apply(a, terms)
			o.ok(err)
			o.ok(o.books.SetTerms(o.Context(), terms))
		}
	}
	o.clock.Set(3, "12:00")
	gross, err := a.Parse("10")
	o.ok(err)
	outcome, err := o.books.PostIncome(o.Context(), staking.Income{Reference: "r1", Chain: "solana", Source: "v1",
		Evidence: "tx", Asset: asset, First: day + 1, Last: day + 1, Gross: gross})
	o.ok(posted(outcome, err))
}

// TestAPriceIsSet at once where it moves little, and else proposed; the page of a token has its days.
func TestAPriceIsSet(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.Prices().Set(t.Context(), []pricing.Price{{Asset: "BNB", Day: staking.DayOf(o.clock.Now()),
		Price: 900_00000000}})
	o.ok(err)
	o.ok(o.books.SetFourEyes(t.Context(), true))
	olga := o.as("olga")
	olga.get("/console/prices").has("not known", "/console/prices?asset=BNB")
	olga.post("/console/prices", "asset", "BNB", "price", "912.35").is(http.StatusSeeOther)
	olga.get("/console/prices?asset=BNB&done=1").has("912.35", "It is done.", "2 Mar 2026")
	at := olga.post("/console/prices", "asset", "BNB", "price", "1912.35", "reason", "a listing").location
	olga.get(at).is(http.StatusOK).has("a listing", "price set", "without it", "912.35", "1,912.35")
	for value, fault := range map[string]string{"": "price-fault", "-1": "price-fault", "0": "price-fault"} {
		olga.post("/console/prices", "asset", "SOL", "price", value).is(http.StatusUnprocessableEntity).has(fault)
	}
	first := olga.post("/console/prices", "asset", "SOL", "price", "150").location
	olga.get(first).is(http.StatusOK).has("price set", "150", "the first one")
	olga.post("/console/prices", "asset", "SOL", "price", "1", "day", "tomorrow").
		is(http.StatusUnprocessableEntity).has("day-fault")
}

// TestAFormOfARegisterSaysWhatIsWrong: at its field, of the form that was posted alone; what was typed is kept.
func TestAFormOfARegisterSaysWhatIsWrong(t *testing.T) {
	o := newOffice(t)
	for _, c := range []struct {
		who, path string
		form      []string
		fault     string
	}{
		{"ada", "limits", []string{"asset", "BNB", "total", "x"}, `id="total-fault"`},
		{"ada", "limits", []string{"asset", "BNB", "change", "0.123", "total", ""}, `id="change-fault"`},
		{"ada", "limits", []string{"asset", "BNB", "total", ""}, `id="total-fault"`},
		{"olga", "regions", []string{"do", "add", "region", "UK"}, `id="region-fault"`},
		{"olga", "regions", []string{"do", "remove", "region", "12"}, `id="remove-region-fault"`},
		{"olga", "documents", []string{"name", "risk-warning", "text", " "}, `id="text-fault"`},
		{"theo", "fees", []string{"do", "return", "asset", "SOL", "amount", "1.", "id", "x"}, `id="return-amount-fault"`},
		{"theo", "fees", []string{"do", "withdraw", "asset", "SOL", "amount", "1", "id", ""}, `id="id-fault"`},
		{"theo", "campaigns", []string{"do", "add", "id", "s", "asset", "SOL", "pool", "9", "first", ""},
			`id="first-fault"`},
		{"theo", "campaigns", []string{"do", "add", "id", "s", "asset", "SOL", "pool", "9", "first", "2026-04-01", "last",
			"2026-04-02", "tokens", "BNB TON=3"}, `id="tokens-fault"`},
		{"theo", "campaigns", []string{"do", "end", "id", "none"}, `id="end-id-fault"`},
	} {
		o.as(c.who).post(Path+"/"+c.path, c.form...).is(http.StatusUnprocessableEntity).has(c.fault)
	}
}

// TestInSingleOperatorModeAFormTakesEffect, and the page says so.
func TestInSingleOperatorModeAFormTakesEffect(t *testing.T) {
	o := newOffice(t)
	ada := o.as("ada")
	ada.get("/console/limits").has("takes effect at once", "No token has limits yet")
	ada.post("/console/limits", "asset", "BNB", "change", "12.5").is(http.StatusSeeOther)
	ada.get("/console/limits").has("12.5 %")
	ada.post("/console/limits", "asset", "BNB", "total", "3").is(http.StatusSeeOther)
	limits, err := o.served.Reports.Limits(t.Context())
	o.ok(err)
	want := staking.Limit{Asset: "BNB", MaxChange: 1250, MaxTotal: ledger.Amount(3_00000000)}
	if len(limits) != 1 || limits[0] != want {
		t.Errorf("%+v", limits)
	}
	ada.get("/console/limits", "Accept-Language", "de").has("12,5 %", "Grenzen")
	o.as("olga").post("/console/limits", "asset", "BNB", "total", "4").is(http.StatusForbidden)
}

// TestARefusalSpeaksGerman where the console chooses the words.
func TestARefusalSpeaksGerman(t *testing.T) {
	o := newOffice(t)
	for _, c := range []struct {
		who, path string
		form      []string
		says      string
	}{
		{"ada", "limits", []string{"asset", "BNB", "total", "x"}, "Schreiben Sie eine Zahl"},
		{"ada", "limits", []string{"asset", "BNB"}, "alles hier ist schon so"},
		{"olga", "prices", []string{"asset", "BNB", "price", "1", "day", "morgen"}, "Schreiben Sie einen Tag"},
		{"theo", "fees", []string{"do", "withdraw", "asset", "SOL", "amount", "1", "id", "x"}, "So viel ist nicht da"},
		{"theo", "campaigns", []string{"do", "end", "id", "none"}, "Das gibt es in den Büchern nicht"},
		{"olga", "what-if", []string{"from", "2026-03-02", "apr", "0.1"}, "Nur bezahlte Tage"},
	} {
		form := url.Values{}
		for i := 0; i < len(c.form); i += 2 {
			form.Set(c.form[i], c.form[i+1])
		}
		o.as(c.who).ask(http.MethodPost, Path+"/"+c.path, form, "Sec-Fetch-Site", "same-origin", "Accept-Language", "de").
			is(http.StatusUnprocessableEntity).has(c.says)
	}
}
