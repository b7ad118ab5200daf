package download

import "testing"

func TestCellsAreNoFormulas(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "alice": "alice", "@custody": "'@custody", "=1+1": "'=1+1", "-2": "'-2", "+2": "'+2", "\tx": "'\tx",
		"\rx": "'\rx", "a=b": "a=b", "d-1": "d-1",
		"x;=1+1": "x;'=1+1", "x; =1": "x; '=1", `x;"=1`: `x;"'=1`, " @x": " '@x", "x\t+1": "x\t'+1",
		"(X11; Linux x86_64; rv:1)": "(X11; Linux x86_64; rv:1)",
	} {
		if got := Cell(text); got != want {
			t.Errorf("%q becomes %q; %q is wanted", text, got, want)
		}
	}
}

func TestNamesOfFiles(t *testing.T) {
	if got := Name(`rewards-a:b/"c"\d`); got != "rewards-a_b__c__d" {
		t.Errorf("the name is %s", got)
	}
}
