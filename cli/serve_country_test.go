package cli

import (
	"net/http"
	"strings"
	"testing"

	"github.com/softstake/softstake/scenario"
)

// TestServeNeedsTheCountry: as the operator starts it, from the flag to the answer.
func TestServeNeedsTheCountry(t *testing.T) {
	url := books(t)
	must(t, "", "accept", "alice", "--db", url)
	token := made(t, "token", "create", "--role", "holder", "--account", "alice", "--json", "--db", url)["token"]
	header := []string{"--country-header", "CF-IPCountry"}
	ours, others := append(header, "--trusted-proxy", "127.0.0.0/8"), append(header, "--trusted-proxy", "10.0.0.0/8")
	for _, c := range []struct {
		name    string
		flags   []string
		country string
		status  int
		has     string
	}{
		{"known", ours, "DE", 200, `"on":true`},
		{"listed", ours, "DE, US", 451, `#region"`},
		{"Tor", ours, "T1", 451, `#unknown-country"`},
		{"missing", ours, "", 451, `#unknown-country"`},
		{"direct", others, "DE", 451, `#unknown-country"`},
		{"allowed", append(ours, "--unknown-country", "allow"), "T1", 200, `"on":true`},
		{"allowed and listed", append(ours, "--unknown-country", "allow"), "US", 451, `#region"`},
		{"allowed and direct", append(others, "--unknown-country", "allow"), "US", 200, `"on":true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServe(t, url, noon, c.flags...)
			turn := func(on string) (int, string) {
				headers := map[string]string{"Authorization": "Bearer " + token}
				if c.country != "" {
					headers["CF-IPCountry"] = c.country
				}
				return ask(t, scenario.Request{Method: http.MethodPut, URL: s.at("/v1/accounts/alice/activation"), Body: `{"on":` + on + `}`, Headers: headers})
			}
			if status, body := turn("true"); status != c.status || !strings.Contains(body, c.has) {
				t.Errorf("on: %d %s", status, body)
			}
			if status, body := turn("false"); status != 200 {
				t.Errorf("switching off always works: %d %s", status, body)
			}
			s.end()
		})
	}
}
