package api_test

import (
	"fmt"
	"testing"
)

// TestEndingACampaignNamesTheDay: without a day, a request that is repeated after midnight would mean another one.
func TestEndingACampaignNamesTheDay(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.call("treasurer", post, "/v1/campaigns", fmt.Sprintf(`{"id":"spring","title":"Hold BNB","asset":"SOL",`+
			`"pool":"10","first":%q,"last":%q,"tokens":[{"token":"BNB"}]}`, w.day(2), w.day(9))).is(201)
		w.clock.Set(3, "23:59")
		w.call("treasurer", post, "/v1/campaigns/spring/end", `{}`).refused(400, "invalid", "last")
		end := fmt.Sprintf(`{"last":%q}`, w.day(3))
		w.call("treasurer", post, "/v1/campaigns/spring/end", end).is(200).says("ends", w.day(3))
		w.clock.Set(4, "00:01")
		w.call("treasurer", post, "/v1/campaigns/spring/end", end).is(200).says("ends", w.day(3), "last", w.day(9))
	})
}
