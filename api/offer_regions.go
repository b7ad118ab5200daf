package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"softstake/staking"
)

type regionsOut struct {
	Items []string `json:"items" doc:"ISO 3166-1 alpha-2, and ISO 3166-2 where only a part of a country is meant."`
}

type codeIn struct {
	Code string `path:"code" maxLength:"6" example:"UA-43" doc:"ISO 3166-1 alpha-2 (DE), or ISO 3166-2 (UA-43)."`
}

func (s *server) regionRoutes() {
	add(s, huma.Operation{
		OperationID: "list-regions", Method: http.MethodGet, Path: "/v1/regions", Tags: []string{"Offer"}, Summary: "List where the product is not offered",
		Description: "In order. A region lies in another: US means US-CA as well.",
	}, everyone, func(ctx context.Context, _ *struct{}) (*answer[regionsOut], error) {
		regions, err := s.Books.Regions(ctx)
		items := make([]string, len(regions))
		for i, r := range regions {
			items[i] = string(r)
		}
		return say(regionsOut{items}, err)
	})
	add(s, huma.Operation{
		OperationID: "add-region", Method: http.MethodPut, Path: "/v1/regions/{code}", Tags: []string{"Offer"}, Summary: "Stop offering the product in a region",
		Description: "Its residents stop earning from today; what is paid stays paid. The code exists in ISO 3166. Repeating has no further effect.",
	}, operators, func(ctx context.Context, in *codeIn) (*struct{}, error) {
		return nil, inField("code", s.books(ctx).AddRegion(ctx, staking.Region(in.Code)))
	})
	add(s, huma.Operation{
		OperationID: "remove-region", Method: http.MethodDelete, Path: "/v1/regions/{code}", Tags: []string{"Offer"}, Summary: "Offer the product in a region again",
		Description: "Its residents may switch on again. Nobody is switched on by it. A code that does not exist, on the list of older books, is removed like any other.",
		Errors:      []int{http.StatusNotFound},
	}, operators, func(ctx context.Context, in *codeIn) (*struct{}, error) {
		return nil, s.books(ctx).RemoveRegion(ctx, staking.Region(in.Code))
	})
}
