package console

import (
	"context"
	"net/http"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/simulation"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// paidDay is an office in which a day of alice's 2 BNB is paid.
func paidDay(t *testing.T) *office {
	o := newOffice(t)
	o.deposit("alice", "2 BNB")
	o.enroll("alice")
	o.fund("BNB", 100_000_000)
	o.settle(1)
	o.settle(2)
	return o
}

// blocking are options of a simulation that waits, when it has begun, until go is closed.
func blocking(o *office) (options simulation.Options, began chan struct{}, goOn chan struct{}) {
	began, goOn = make(chan struct{}, 1), make(chan struct{})
	day := staking.DayOf(o.clock.Now()) - 1
	return simulation.Options{From: day, Through: day, Tokens: []string{"BNB"},
		Change: func(_ ledger.Asset, _ staking.Day, t staking.Terms) (staking.Terms, error) {
			select {
			case began <- struct{}{}:
			default:
			}
			<-goOn
			return t, nil
		}}, began, goOn
}

// TestWhatIf: a form begins a simulation beside the page, which then shows what came of it; another member of staff
// sees their own alone.
func TestWhatIf(t *testing.T) {
	o := paidDay(t)
	olga := o.as("olga")
	olga.get("/console/what-if").is(http.StatusOK).has("Nothing is simulated yet")
	for _, c := range [][]string{{"from-fault", "from", "x", "apr", "0.003"}, {"from-fault", "apr", "0.003"},
		{"from-fault", "from", "2026-03-09", "apr", "0.003"}, {"apr-fault", "from", "2026-03-03", "apr", ""}} {
		olga.post("/console/what-if", c[1:]...).is(http.StatusUnprocessableEntity)
	}
	olga.post("/console/what-if", "from", "2026-03-03", "asset", "BNB", "apr", "0.003").is(http.StatusSeeOther)
	o.until("it is simulated", func() bool {
		now, there := o.served.trials.look("staff olga@example.com")
		return there && now.Ended
	})
	olga.get("/console/what-if").has("0.00000821", "0.00001643", "more: 1", `value="0.003"`)
	olga.get("/console/what-if", "Accept-Language", "de").has("0,00001643", "Was wäre wenn", "mehr: 1")
	o.as("anton").get("/console/what-if").has("Nothing is simulated yet")
	o.as("susi").get("/console/what-if").is(http.StatusForbidden)
	olga.post("/console/what-if", "from", "2026-03-03", "asset", "BNB", "apr", "x").is(http.StatusSeeOther)
	o.until("it is refused", func() bool {
		now, _ := o.served.trials.look("staff olga@example.com")
		return now.Ended
	})
	olga.get("/console/what-if").has("The books refuse it")
}

// TestASimulationIsCancelled when asked, and by the end of the server; one runs per person, and few at once.
func TestASimulationIsCancelled(t *testing.T) {
	o := paidDay(t)
	olga, trials := o.as("olga"), o.served.trials
	options, began, goOn := blocking(o)
	o.ok(trials.begin("staff olga@example.com", options, ui.EmptyForm()))
	<-began
	olga.get("/console/what-if").has("<progress", "Cancel", "Look again")
	olga.post("/console/what-if", "from", "2026-03-03", "apr", "0.003").is(http.StatusUnprocessableEntity).
		has("A simulation of yours is running")
	o.ok(trials.begin("staff theo@example.com", options, ui.EmptyForm()))
	o.as("anton").post("/console/what-if", "from", "2026-03-03", "apr", "0.003").is(http.StatusUnprocessableEntity).
		has("Others simulate now")
	olga.post("/console/what-if", "do", "cancel").is(http.StatusSeeOther)
	close(goOn)
	o.until("it has ended", func() bool {
		now, _ := trials.look("staff olga@example.com")
		return now.Ended
	})
	olga.get("/console/what-if").has("It was cancelled")
	o.until("theo's has ended too", func() bool {
		now, _ := trials.look("staff theo@example.com")
		return now.Ended
	})
	ctx, stop := context.WithCancel(t.Context())
	trials.ctx = ctx
	options, began, goOn = blocking(o)
	o.ok(trials.begin("staff olga@example.com", options, ui.EmptyForm()))
	<-began
	stop()
	close(goOn)
	trials.work.Wait()
	if now, _ := trials.look("staff olga@example.com"); now.Err != context.Canceled {
		t.Errorf("the server stops, and the simulation ends with %v", now.Err)
	}
}
