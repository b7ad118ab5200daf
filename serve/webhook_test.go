package serve

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/webhook"
)

// TestWithoutAKeyWebhooksAreNotSent: a process that cannot open the secrets of endpoints says so, where there are any.
func TestWithoutAKeyWebhooksAreNotSent(t *testing.T) {
	w := newSite(t)
	var said bytes.Buffer
	send := func(want bool) {
		t.Helper()
		c := Config{Books: w.books, Webhooks: &webhook.Network{}, Log: slog.New(slog.NewTextHandler(&said, nil))}
		w.ok(sendWebhooks(t.Context(), c, &outage{}))
		if strings.Contains(said.String(), "webhooks are not sent by this process") != want {
			t.Errorf("it says %q", said.String())
		}
	}
	send(false)
	w.ok(w.books.AddWebhook(t.Context(), store.NewWebhook{Name: "shop", URL: "https://shop.example.com/", Kinds: "balance",
		Secret: []byte("sealed")}))
	send(true)
}
