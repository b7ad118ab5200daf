package browser

import (
	"fmt"
	"testing"
)

// consoleSights are the pages of the console, as somebody who has logged in to it, or nobody: "".
var consoleSights = []sight{
	{"console-login", "", "/console/login", 200},
	{"console", "olga@example.com", "/console", 200},
	{"console-search", "olga@example.com", "/console/search?q=nothing", 404},
	{"console-account", "olga@example.com", "/console/accounts/nora", 200},
	{"console-reward", "olga@example.com", "/console/accounts/nora/rewards/2025-10-31/SUI", 200},
	{"console-entry", "olga@example.com", "/console/entries/welcome%2Fwilma%2FSOL", 200},
	{"console-day", "olga@example.com", "/console/days/2025-10-31", 200},
	{"console-withdrawals", "olga@example.com", "/console/withdrawals", 200},
	{"console-withdrawal", "olga@example.com", "/console/withdrawals/wilma/withdrawal%2Fwilma", 200},
	{"console-proposals", "anton@example.com", "/console/proposals", 200},
	{"console-proposal", "anton@example.com", "{proposal}", 200},
	{"console-terms", "olga@example.com", "/console/terms", 200},
	{"console-limits", "ada@example.com", "/console/limits", 200},
	{"console-prices", "olga@example.com", "/console/prices?asset=SOL", 200},
	{"console-regions", "olga@example.com", "/console/regions", 200},
	{"console-documents", "olga@example.com", "/console/documents?name=risk-warning&version=1", 200},
	{"console-fees", "theo@example.com", "/console/fees", 200},
	{"console-campaigns", "theo@example.com", "/console/campaigns", 200},
	{"console-reconciliations", "ada@example.com", "/console/reconciliations", 200},
	{"console-streams", "olga@example.com", "/console/streams", 200},
	{"console-payouts", "olga@example.com", "/console/payouts", 200},
	{"console-webhooks", "ada@example.com", "/console/webhooks", 200},
	{"console-tokens", "ada@example.com", "/console/tokens", 200},
	{"console-staff", "ada@example.com", "/console/staff", 200},
	{"console-what-if", "olga@example.com", "/console/what-if", 200},
	{"console-log", "olga@example.com", "/console/log", 200},
	{"console-me", "ada@example.com", "/console/me", 200},
	{"console-invitation", "", "/console/invitation", 200},
	{"console-settings", "olga@example.com", "/console/settings", 200},
	{"console-not-found", "olga@example.com", "/console/nothing", 404},
}

// logInAtConsole logs a member of the demo's staff in.
func (b *tab) logInAtConsole(email string) {
	b.t.Helper()
	b.visit("/console/login")
	b.press(fmt.Sprintf(`form:has(input[value="%s"]) button`, email))
	b.at("/console")
}

// TestEveryPageOfTheConsole looks at every page as TestEveryPage does, and that nothing of it is cut.
func TestEveryPageOfTheConsole(t *testing.T) {
	lookAtEach(t, consoleSights, (*tab).logInAtConsole, (*tab).lookAtConsole)
}

// lookAtConsole goes to a page of the console: {proposal} is the first that is open.
func (b *tab) lookAtConsole(page sight) {
	b.t.Helper()
	path := page.path
	if path == "{proposal}" {
		b.visit("/console/proposals")
		path = eval[string](b, `document.querySelector('main a[href^="/console/proposals/"]').getAttribute("href")`)
	}
	if status := b.visit(path); status != page.status {
		b.t.Fatalf("%s answers %d and not %d:\n%s", path, status, page.status, b.text())
	}
}
