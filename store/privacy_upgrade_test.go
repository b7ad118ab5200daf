package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestPersonalDataOfOldBooksMoves: books of the version before have e-mail addresses in the log and with entries, and
// network addresses with events. After the upgrade each is read where it was, and lies in a table of its own.
func TestPersonalDataOfOldBooksMoves(t *testing.T) {
	eachURL(t, movesPersonalData)
}

func movesPersonalData(t *testing.T, url string) {
	ctx, clock := t.Context(), testkit.NewClock(noon)
	at := func(table, columns, values string) string {
		return fmt.Sprintf("INSERT INTO %s (bucket, %s) VALUES (%d, %s)", table, columns, ledger.Account("alice").Bucket(),
			strings.ReplaceAll(values, "{at}", fmt.Sprint(noon.UnixMilli())))
	}
	entry, digest := ledger.Entry{ID: "gift"}, `'\x00'`
	if strings.HasPrefix(url, "sqlite") {
		digest = "x'00'"
	}
	ok(t, store.CreateOld(ctx, url, options(clock), shipped(t, day1), store.Released, "alice",
		fmt.Sprintf("INSERT INTO logins (bucket, email, account, password, created, changed) VALUES (%d, "+
			"'alice@example.com', 'alice', 'hash', 1, 1)", ledger.Account("alice@example.com").Bucket()),
		at("log", "at, actor, role, request, action, subject, detail",
			"{at}, 'operator olga', 'operator', '', 'login add', 'alice', 'alice@example.com'"),
		at("log", "at, actor, role, request, action, subject, detail",
			"{at}, 'operator olga', 'operator', '', 'login remove', 'alice', 'gone@example.com'"),
		at("log", "at, actor, role, request, action, subject, detail",
			"{at}, 'login gone@example.com', 'holder', 'r-1', 'leave', 'alice', 'from tomorrow'"),
		fmt.Sprintf("INSERT INTO entries (bucket, entry, at, posted_at, digest, digest_version, credential, role, "+
			"request) VALUES (%d, 'gift', 1, 1, %s, 2, 'login alice@example.com', 'holder', '')", entry.Bucket(), digest),
		at("pre"+"sses", "account, at, action, client, address", "'alice', {at}, 'off', 'ios 3.2.0', '192.0.2.7 DE'"),
		at("pre"+"sses", "account, at, action, client, address", "'alice', {at} - 1, 'on', '', ''"),
		at("acceptances", "account, document, version, accepted_at, client, address",
			"'alice', 'risk-warning', 1, {at}, 'ios 3.2.1', '192.0.2.8'"),
		at("ac"+"ts", "account, at, nonce, action, detail, client, address",
			"'alice', {at}, 'n1', 'log-in', 'alice@example.com', 'Firefox', '192.0.2.9'"),
	))
	testkit.Must(store.Upgrade(ctx, url, options(clock), nil))(t)
	db := opened(t, url, clock)
	r := reports.New(db.Reader())
	shown := map[string]bool{}
	for _, l := range testkit.Must(r.Log(ctx, time.Time{}, 100))(t) {
		shown[l.Actor.Credential+" "+l.Action+" "+l.Detail] = true
	}
	for _, line := range []string{"operator olga login add alice@example.com",
		"operator olga login remove gone@example.com", "login gone@example.com leave from tomorrow"} {
		if !shown[line] {
			t.Errorf("the log does not have %q: %v", line, shown)
		}
	}
	if p := testkit.Must(r.Posted(ctx, "gift"))(t); p.Actor.Credential != "login alice@example.com" {
		t.Errorf("the entry is posted by %s", p.Actor)
	}
	events := testkit.Must(r.SwitchEvents(ctx, "alice"))(t)
	if len(events) != 2 || events[1].Client != "ios 3.2.0" || events[1].Address != "192.0.2.7 DE" ||
		events[0].Client != "" {
		t.Errorf("the switch events are %+v", events)
	}
	if a := testkit.Must(r.Acceptances(ctx, "alice"))(t); len(a) != 1 || a[0].Address != "192.0.2.8" {
		t.Errorf("the acceptances are %+v", a)
	}
	if e := testkit.Must(db.People().SecurityEvents(ctx, "alice", nil, 10))(t); len(e) != 1 ||
		e[0].Client != "Firefox" || e[0].Detail != "alice@example.com" {
		t.Errorf("the security events are %+v", e)
	}
	for _, table := range strings.Fields("log entries switch_events acceptances security_events accounts") {
		rows := strings.Join(testkit.Must(scenario.Rows(ctx, url, "SELECT * FROM "+table))(t), "\n")
		for _, personal := range []string{"@example.com", "192.0.2.", "Firefox", "ios"} {
			if strings.Contains(rows, personal) {
				t.Errorf("%s has %s:\n%s", table, personal, rows)
			}
		}
	}
	kept := strings.Join(testkit.Must(scenario.Rows(ctx, url, "SELECT email, account, ended FROM emails"))(t), "\n")
	if strings.Count(kept, "alice") != 3 || !strings.Contains(kept, "gone@example.com") {
		t.Errorf("the addresses are %s", kept)
	}
}
