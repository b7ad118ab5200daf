package serve

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

const monitoring = "../monitoring"

// served are the names of our metrics as Prometheus stores them.
func served() (names []string) {
	m, descriptions := NewMetrics(), make(chan *prometheus.Desc, 100)
	for _, c := range []prometheus.Collector{collector{}, m.requests, m.refused, m.times, m.commits, m.alarms,
		m.webhooks} {
		c.Describe(descriptions)
	}
	close(descriptions)
	for d := range descriptions {
		name := regexp.MustCompile(`fqName: "([a-z_]+)"`).FindStringSubmatch(d.String())[1]
		names = append(names, name)
		if name == "softstake_request_duration_seconds" || name == "softstake_commit_entries" {
			names = append(names, name+"_bucket", name+"_sum", name+"_count")
		}
	}
	return names
}

// TestMonitoringNamesWhatIsServed: the rules, their tests and the dashboard ask for metrics that there are.
func TestMonitoringNamesWhatIsServed(t *testing.T) {
	known := served()
	for _, file := range []string{"rules.yml", "rules_test.yml", "dashboard.json"} {
		asked := regexp.MustCompile(`softstake_[a-z_]+`).FindAllString(readMonitoring(t, file), -1)
		if len(asked) == 0 {
			t.Errorf("%s asks for nothing", file)
		}
		for _, name := range asked {
			if !slices.Contains(known, name) {
				t.Errorf("%s asks for %s, which is not served", file, name)
			}
		}
	}
}

// TestMonitoringIsDocumented: docs/operations.md names each alert, each alert is tested, and each panel of the
// dashboard has a query.
func TestMonitoringIsDocumented(t *testing.T) {
	docs, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	alerts := regexp.MustCompile(`(?m)- alert: (\w+)`).FindAllStringSubmatch(readMonitoring(t, "rules.yml"), -1)
	if len(alerts) == 0 {
		t.Error("there are no alerts")
	}
	tests := readMonitoring(t, "rules_test.yml")
	for _, a := range alerts {
		if !strings.Contains(string(docs), "`"+a[1]+"`") {
			t.Errorf("docs/operations.md does not name %s", a[1])
		}
		if strings.Count(tests, "alertname: "+a[1]) < 2 {
			t.Errorf("nothing tests when %s fires, and when it is silent", a[1])
		}
	}
	for _, name := range regexp.MustCompile("`(Softstake\\w+)`").FindAllStringSubmatch(string(docs), -1) {
		if !slices.ContainsFunc(alerts, func(a []string) bool { return a[1] == name[1] }) {
			t.Errorf("docs/operations.md names %s, which is no alert", name[1])
		}
	}
	var dashboard struct {
		Panels []struct {
			ID          int
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(readMonitoring(t, "dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		if p.Type != "row" && (len(p.Targets) == 0 || p.Targets[0].Expr == "") || ids[p.ID] {
			t.Errorf("the panel %d, %q, has no query, or the number of another", p.ID, p.Title)
		}
		ids[p.ID] = true
	}
}

// TestRulesFire runs the rules and the queries of the dashboard through promtool, which is in Debian's package
// prometheus.
func TestRulesFire(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("SOFTSTAKE_REQUIRE_PROMTOOL") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed")
	}
	queries := regexp.MustCompile(`"expr": ("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(readMonitoring(t, "dashboard.json"), -1)
	rules := &strings.Builder{}
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for _, q := range queries { // promtool reads rules only
		rules.WriteString("  - record: query\n    expr: " + q[1] + "\n    labels: {n: \"" + q[1][1:len(q[1])-1] + "\"}\n")
	}
	dashboard := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(dashboard, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "rules", "rules.yml", dashboard}, {"test", "rules", "rules_test.yml"}} {
		c := exec.CommandContext(t.Context(), promtool, args...)
		c.Dir = monitoring
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func readMonitoring(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
