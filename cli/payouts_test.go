package cli

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/payout"
)

// TestAMessageHasTheFieldsOfTheAPI: a payout has the same fields in a topic and in GET /v1/payouts.
func TestAMessageHasTheFieldsOfTheAPI(t *testing.T) {
	page := payout.Page{Payouts: []payout.Payout{{Number: 1, ID: "i", Day: "d", Asset: "a", Account: "h", Amount: "1"}}}
	messages, err := page.Messages()
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(messages[0].Text, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "type")
	of := reflect.TypeFor[api.PayoutOut]()
	for i := range of.NumField() {
		name := of.Field(i).Tag.Get("json")
		if _, has := fields[name]; !has {
			t.Errorf("a message has no %s", name)
		}
		delete(fields, name)
	}
	if len(fields) > 0 {
		t.Errorf("/v1 does not have %v", fields)
	}
}
