package cli

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/api"
)

// jsonForms are the objects of --json, each with the schemas of /v1 that show the same
// thing, and the fields that it has beside theirs. Whoever adds an object adds it here.
var jsonForms = []struct {
	form    any
	schemas string // none: /v1 does not show it
	own     string
}{
	{accountJSON{}, "AccountOut", ""},
	{freezeJSON{}, "FreezeOut", ""},
	{sweepJSON{}, "ClosedOut", ""},
	{sweptJSON{}, "SweptOut", ""},
	{leftJSON{}, "LeftOut", ""},
	// One command shows what /v1 has at several paths.
	{shownJSON{}, "AccountOut ClosedOut ActivationOut", "balances accepted switchEvents"},
	{enrollmentJSON{}, "EnrollmentOut", ""},
	{balanceJSON{}, "BalanceOut", ""},
	{dailyLimitJSON{}, "DailyLimitOut", ""},
	{acceptedJSON{}, "AcceptanceOut", ""},
	{switchEventJSON{}, "SwitchEventOut", ""},
	{ownerJSON{}, "OwnedOut", ""},
	{labelJSON{}, "LabelOut", "account"},
	{addressJSON{}, "", "asset network address tag"},
	{adjustmentJSON{}, "ReasonedIn", ""},
	{entryJSON{}, "EntryIn", ""},
	{moveJSON{}, "MoveIn", ""},
	{moveJSON{}, "MoveOut", ""},
	{postedJSON{}, "WholeEntryOut", ""},
	{outcomeJSON{}, "BatchEntryOut", "line"}, // of the file, from 1
	{problemJSON{}, "EntryProblem", ""},
	{assetJSON{}, "TokenOut", ""},
	{auditJSON{}, "", "through accounts positions postings rewards tokens findingsTotal findings anchors credentials"},
	{tokenSumJSON{}, "", "asset holders house"},
	{findingJSON{}, "", "day account asset rule what"},
	{anchorsJSON{}, "", "records checkpoints through rows findings"},
	{differentJSON{}, "", "day kind what"},
	{partitionJSON{}, "", "source partition state position part event watermark lagSeconds moved holdsBack stop"},
	{stopJSON{}, "", "at position part event reason"},
	{joinSkipJSON{}, "", "source event at by reason came"},
	{payoutJSON{}, "OpenPayoutOut", ""},
	{webhookJSON{}, "WebhookOut", ""},
	{webhookShownJSON{}, "WebhookShownOut", ""},
	{webhookAttemptJSON{}, "WebhookAttemptOut", ""},
	{webhookMessageJSON{}, "WebhookMessageOut", ""},
	{newWebhookJSON{}, "", "name secret"},
	{comparisonJSON{}, "ComparisonOut", "differences"},
	{comparedJSON{}, "ComparedTokenOut", ""},
	{sideJSON{}, "SideOut", ""},
	{differenceJSON{}, "ComparedDifferenceOut", ""},
	{documentJSON{}, "DocumentOut", ""},
	{effectJSON{}, "EffectOut", "preview"}, // what would be listed, which a path of /v1 names
	{effectTokenJSON{}, "EffectTokenOut", ""},
	// A line of CSV, too: it is flat.
	{enrollRow{}, "EnrollmentIn ClientIn", "accepted"},
	{exclusionJSON{}, "ExclusionOut", ""},
	{earnedJSON{}, "SourcedRewardOut", ""},
	{rewardJSON{}, "SourcedRewardOut", ""},
	{explanationJSON{}, "ExplanationOut", "account"},
	{workingJSON{}, "WorkingOut", ""},
	{togetherJSON{}, "TogetherOut", ""},
	{compensationJSON{}, "CompensationOut", ""},
	{changeJSON{}, "ChangeOut", ""},
	{proposalJSON{}, "ExplanationOut", "rewardWith averageWith difference compensated missing"},
	{newKeyJSON{}, "", "apiKey secretKey"}, // as the exchange names them
	{keyJSON{}, "", "apiKey type permissions addresses label created expires revoked"},
	{decisionJSON{}, "ProposalOut", ""},
	{limitJSON{}, "LimitsOut", "asset maxWithdrawal"},
	{limitRevisionJSON{}, "LimitsOut", "asset maxWithdrawal setAt setBy proposal reason"},
	{disclosureJSON{}, "DisclosureOut", ""},
	{rateJSON{}, "RateOut", ""},
	{shareJSON{}, "ShareOut", ""},
	{campaignShareJSON{}, "CampaignShareOut", ""},
	{weighedJSON{}, "WeighedOut", ""},
	{weighingJSON{}, "WeighingOut", ""},
	{paymentJSON{}, "PaymentOut", ""},
	{incomeJSON{}, "IncomeOut", ""},
	{feeJSON{}, "FeeOut", ""},
	{feeIncomeJSON{}, "FeeIncomeOut", ""},
	{campaignJSON{}, "CampaignOut", "at madeBy"},
	{campaignPartJSON{}, "CampaignPart", ""},
	{multiplierJSON{}, "CampaignMultiplier", ""},
	{campaignDayJSON{}, "CampaignDayOut", ""},
	{currencyRateJSON{}, "CurrencyRateOut", ""},
	{logJSON{}, "LogLineOut", ""},
	{loginJSON{}, "", "email account created passwordSet codeExpires"},
	{newTokenJSON{}, "", "token"},
	{invitationJSON{}, "", "email code"},
	{staffJSON{}, "", "email role source made madeBy disabled invited sessions"},
	{tokenJSON{}, "", "id role account label person created expires revoked authoritative addresses " +
		"clientSubject ceilings"},
	{previewsJSON{}, "PreviewsOut", ""},
	{previewJSON{}, "PreviewOut", ""},
	{openJSON{}, "OpenOut", ""},
	{openTokenJSON{}, "OpenToken", ""},
	{settledJSON{}, "ReportOut", ""},
	{paidJSON{}, "DayOut", ""},
	{waitingJSON{}, "WaitingOut", ""},
	{priceJSON{}, "PriceOut", ""},
	{reconciliationJSON{}, "ReconciliationOut", ""},
	{listingJSON{}, "ListingOut", "addedBy removedBy"}, // /v1 shows it to everyone
	{simulationJSON{}, "", "from through tokens"},
	{simulatedTokenJSON{}, "", "asset before after change declared days holders deciles income pool reserved daysLeft"},
	{simulatedDayJSON{}, "", "day holdersBefore before holdersAfter after"},
	{changedHoldersJSON{}, "", "more less same new lost"},
	{decileJSON{}, "", "decile holders leastAverage mostAverage meanAverage before after rateBefore rateAfter"},
	{simulatedIncomeJSON{}, "", "gross fromEarlier feeBefore feeAfter missing undivided partly"},
	// A line of the file of terms: what a list of terms prints.
	{termsLine{}, "", "asset from apr minimum cap fee mode measure perOwner grossApr offered coming " +
		"revision setAt setBy reason"},
	{daysJSON{}, "DaysOut", ""},
	{statementJSON{}, "LineOut ChangeOut", ""},
	{statusJSON{}, "RunsOut", "engine version bytes firstDay closesAt test accounts enrolled unpricedDays events " +
		"partitions missingRights credentials payouts reconciliation undelivered"},
	{reconciledJSON{}, "", "nightly failingSince fault tokens"},
	{lastComparedOut{}, "", "asset source day number differing stops"},
	{eventsJSON{}, "", "newest unnumbered oldestUnnumbered"},
	{undeliveredJSON{}, "", "kind name reason"},
	{payoutStateJSON{}, "", "asset unanswered oldest refused"},
	{targetJSON{}, "", "name address kinds number moved waiting waitingSince failingSince error lost"},
	{expiringJSON{}, "ExpiringToken", ""},
	{unlimitedJSON{}, "UnlimitedToken", ""},
	{missingJSON{}, "MissingLimits", ""},
	{tokenStatusJSON{}, "RunToken", "lastHolders"},
	{termsJSON{}, "RevisionOut", "asset coming"},
	{withdrawalJSON{}, "WithdrawalOut", ""},
	{withdrawalAddressJSON{}, "AddressOut", ""},
}

// TestJSONHasTheFieldsOfTheAPI compares names and types of the fields that --json and
// /v1 have of one thing.
func TestJSONHasTheFieldsOfTheAPI(t *testing.T) {
	schemas := apiSchemas(t)
	for _, f := range jsonForms {
		known := map[string][]string{} // the types that a field has in /v1
		for _, name := range strings.Fields(f.schemas) {
			if schemas[name].Properties == nil {
				t.Errorf("/v1 has no schema %s", name)
			}
			for field, p := range schemas[name].Properties {
				known[field] = append(known[field], p.kinds()...)
			}
		}
		own := strings.Fields(f.own)
		for field, kind := range jsonFields(reflect.TypeOf(f.form)) {
			i := slices.Index(own, field)
			switch kinds, is := known[field]; {
			case i >= 0:
				own = slices.Delete(own, i, i+1)
				if strings.Contains(field, "_") {
					t.Errorf("%T: the field %s is not spelled as those of /v1", f.form, field)
				}
			case !is:
				t.Errorf("%T: %q of /v1 has no field %s", f.form, f.schemas, field)
			case !slices.Contains(kinds, kind):
				t.Errorf("%T: the field %s is %s, and %v in /v1", f.form, field, kind, kinds)
			}
		}
		if len(own) > 0 {
			t.Errorf("%T has no fields %v: take them off the list", f.form, own)
		}
	}
}

// TestEveryJSONFormIsCompared finds the structs with names for JSON in the sources. What
// a benchmark prints may change, and is not compared.
func TestEveryJSONFormIsCompared(t *testing.T) {
	compared := map[string]bool{"originJSON": true, "totalsJSON": true, "figuresJSON": true} // in those that embed them
	for _, f := range jsonForms {
		compared[reflect.TypeOf(f.form).Name()] = true
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "bench") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		here := 0
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, is := n.(*ast.TypeSpec); is && compared[spec.Name.Name] {
				here += strings.Count(string(text[spec.Pos()-file.FileStart:spec.End()-file.FileStart]), "`json:\"")
			}
			return true
		})
		if all := strings.Count(string(text), "`json:\""); all != here {
			t.Errorf("%s has %d names for JSON; %d of them are in jsonForms", name, all, here)
		}
	}
}

// apiSchema is what is read of a schema of the API's description.
type apiSchema struct {
	Type       any                  `json:"type"` // a name, or several
	Ref        string               `json:"$ref"`
	Properties map[string]apiSchema `json:"properties"`
}

// kinds are the types that a value of the schema may have.
func (s apiSchema) kinds() []string {
	switch kind := s.Type.(type) {
	case string:
		return []string{kind}
	case []any:
		var kinds []string
		for _, k := range kind {
			kinds = append(kinds, k.(string))
		}
		return kinds
	}
	return []string{"object"} // a reference to another
}

func apiSchemas(t *testing.T) map[string]apiSchema {
	t.Helper()
	answer := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
	var document struct {
		Components struct{ Schemas map[string]apiSchema }
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	return document.Components.Schemas
}

// jsonFields are the names that encoding/json gives the fields of a struct, each with the
// JSON type of its value.
func jsonFields(form reflect.Type) map[string]string {
	fields := map[string]string{}
	for _, f := range reflect.VisibleFields(form) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			fields[name] = jsonKind(f.Type)
		}
	}
	return fields
}

func jsonKind(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	text := reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
	switch kind := t.Kind(); {
	case t.Implements(text), kind == reflect.String:
		return "string"
	case kind == reflect.Bool:
		return "boolean"
	case kind == reflect.Slice:
		return "array"
	case kind == reflect.Struct:
		return "object"
	default:
		return "integer"
	}
}
