package binance

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/idempotency"
)

// clocks is how far the clocks of several processes may differ: so much longer than
// a request can be accepted its answer is kept.
const clocks = time.Minute

// repeat makes a signed write idempotent: again within its window it is answered as the
// first time and changes nothing, so that an old "true" sent again after a "false"
// does not switch on. It is known by the canonical form of what was signed: a signature
// and what it is over can be written in several ways. Refusals are kept as well; what failed
// here is not, and may be sent again.
func (s *server) repeat(req *request, e endpoint) (idempotency.Response, error) {
	asked := idempotency.Request{
		Owner: "key " + req.key.Key, Key: hex.EncodeToString(req.name[:]), Digest: req.name,
		Until: req.until.Add(clocks),
	}
	books := s.Books.As(req.key.Actor().In(access.CallerOf(req.ctx).Request))
	answer, _, err := books.Requests().Do(req.ctx, asked, func(idempotency.Response) bool { return true },
		func(ctx context.Context) (idempotency.Response, error) {
			req.ctx = ctx
			v, err := e.change(req, books)
			if err == nil {
				return encoded(http.StatusOK, v)
			}
			no := refusalOf(err, access.CallerOf(ctx).Address, s.Accept)
			if no.status >= http.StatusInternalServerError || errors.Is(err, context.Canceled) {
				return idempotency.Response{}, err
			}
			return encoded(no.status, no)
		})
	return answer, err
}
