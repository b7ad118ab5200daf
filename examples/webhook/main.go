// Package main receives the payouts of softstake as webhooks, and credits each once:
//
//	go run ./examples/webhook 127.0.0.1:8090 whsec_…
//
// Its second argument is the secret that "softstake webhook add" has shown.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type message struct {
	Type string
	Data struct {
		Payouts []struct{ ID, Account, Asset, Amount string }
	}
}

func main() {
	if len(os.Args) != 3 || !strings.HasPrefix(os.Args[2], "whsec_") {
		log.Fatal("usage: webhook HOST:PORT whsec_SECRET")
	}
	verifier, err := standardwebhooks.NewWebhook(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	var ledger sync.Mutex           // yours is a database,
	credited := map[string]string{} // and this a table in it, whose key is the payout's ID
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if err := verifier.Verify(body, r.Header); err != nil {
			log.Print(r.Header.Get("Webhook-Id"), ": ", err) // another secret, or clocks that differ by minutes
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var m message
		if err := json.Unmarshal(body, &m); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		ledger.Lock() // begin of the transaction
		defer ledger.Unlock()
		for _, p := range m.Data.Payouts { // none where the type is another
			if _, done := credited[p.ID]; !done {
				credited[p.ID] = p.Amount
				fmt.Println("credited", p.ID, p.Amount, p.Asset, "to", p.Account)
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})))
}
