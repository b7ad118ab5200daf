package binance

// elsewhere are what clients ask the exchange for before anything else, and what is
// not here: margin and futures. The answers are empty, in the exchange's shapes.
var elsewhere = []endpoint{
	get("/sapi/v1/margin/allPairs", marketData, 1, noPairs),
	get("/sapi/v1/margin/isolated/allPairs", marketData, 10, noPairs),
	get("/fapi/v1/exchangeInfo", "", 1, noFutures),
	get("/dapi/v1/exchangeInfo", "", 1, noFutures),
}

// noPairs copies GET /sapi/v1/margin/allPairs and /sapi/v1/margin/isolated/allPairs.
func noPairs(*request) (any, error) { return []any{}, nil }

// noFutures copies GET /fapi/v1/exchangeInfo and /dapi/v1/exchangeInfo.
func noFutures(r *request) (any, error) {
	return struct {
		Timezone        string      `json:"timezone"`
		ServerTime      int64       `json:"serverTime"`
		RateLimits      []rateLimit `json:"rateLimits"`
		ExchangeFilters []any       `json:"exchangeFilters"`
		Assets          []any       `json:"assets"`
		Symbols         []any       `json:"symbols"`
	}{"UTC", r.stamp(r.now), []rateLimit{{"REQUEST_WEIGHT", "MINUTE", 1, futureLimit}}, []any{}, []any{}, []any{}}, nil
}
