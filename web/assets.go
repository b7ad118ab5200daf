package web

import (
	"context"

	"github.com/softstake/softstake/ledger"
)

// assets are all that the books keep, by symbol.
func (s *server) assets(ctx context.Context) (map[string]ledger.Asset, error) {
	all, err := s.Books.Assets(ctx)
	return bySymbol(all), err
}

func bySymbol(all []ledger.Asset) map[string]ledger.Asset {
	assets := make(map[string]ledger.Asset, len(all))
	for _, a := range all {
		assets[a.Symbol] = a
	}
	return assets
}

// asset is the asset of a symbol: also one that was added since the others were read.
func (s *server) asset(ctx context.Context, assets map[string]ledger.Asset, symbol string) (ledger.Asset, error) {
	a, known := assets[symbol]
	if known {
		return a, nil
	}
	a, err := s.Books.Asset(ctx, symbol)
	if err == nil {
		assets[symbol] = a
	}
	return a, err
}
