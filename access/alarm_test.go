package access

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestSecurityEvents: each constant is in the list.
func TestSecurityEvents(t *testing.T) {
	source, err := os.ReadFile("alarm.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`SecurityEvent = "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(declared) == 0 || len(declared) != len(SecurityEvents) {
		t.Errorf("%d are declared, and %d are in the list", len(declared), len(SecurityEvents))
	}
	for _, d := range declared {
		if !slices.Contains(SecurityEvents, SecurityEvent(d[1])) {
			t.Errorf("%s is not in the list", d[1])
		}
	}
}
