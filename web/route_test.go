package web

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Each page of an error has its texts.
func TestFailuresHaveTexts(t *testing.T) {
	for _, l := range allLocales(t) {
		for _, f := range failures {
			for _, part := range []string{"title", "why", "next"} {
				if key := "refused." + f.Name + "." + part; !l.Has(key) {
					t.Errorf("%s has no text for %q", l.Tag, key)
				}
			}
		}
	}
}

// The page of an error is chosen by its kind: other words choose no other page.
func TestAnErrorsWordsChooseNoPage(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		name   string
	}{
		{ledger.ErrNotFound.In("account", "update the app"), http.StatusNotFound, "not-found"},
		{ledger.ErrFrozen.In("", "not found"), http.StatusConflict, "frozen"},
		{fmt.Errorf("the account is frozen: %w", staking.ErrRegion), http.StatusUnavailableForLegalReasons, "region"},
		{ledger.ErrInvalid.In("amount", "not found"), http.StatusInternalServerError, "failed"},
		{errors.New("not found"), http.StatusInternalServerError, "failed"},
	} {
		for _, err := range []error{
			c.err, fmt.Errorf("post: %w", c.err), errors.Join(errors.New("the account is frozen"), c.err),
		} {
			if status, name := failures.PageOf(err); status != c.status || name != c.name {
				t.Errorf("%v: %d %s", err, status, name)
			}
		}
	}
}
