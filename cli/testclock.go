package cli

import (
	"fmt"
	"net/http"
	"time"
)

// testHeader is what every answer from books that are marked for tests has.
const testHeader = "X-Softstake-Test"

// markTest says in every answer that the books are a test.
func markTest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(testHeader, "true")
		next.ServeHTTP(w, r)
	})
}

// testBooks says that the books are a test, and what time it is in them.
func testBooks(w *World) string {
	return fmt.Sprintf("These books are a test. Their clock says %s UTC.", w.Now().UTC().Format(time.DateTime))
}
