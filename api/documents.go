package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type DocumentOut struct {
	Name      string `json:"name" example:"risk-warning" doc:"Which of the documents."`
	Version   int    `json:"version" example:"1" doc:"From 1."`
	Published string `json:"published" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was published."`
	Current   bool   `json:"current" doc:"Whether it is the version that is to be accepted before activation."`
}

type wholeDocumentOut struct {
	DocumentOut
	Text string `json:"text" doc:"The document, in Markdown."`
}

type documentIn struct {
	Name    string `path:"name" maxLength:"40" example:"risk-warning" doc:"Which of the documents."`
	Version string `path:"version" pattern:"^([1-9][0-9]{0,8}|current)$" example:"current" doc:"A number, or current."`
}

type publishIn struct {
	Body struct {
		Name string `json:"name" maxLength:"40" example:"risk-warning" doc:"Which of the documents."`
		Text string `json:"text" minLength:"1" maxLength:"1048576" doc:"The document, in Markdown: at most 1 MiB of UTF-8."`
	}
}

// publishLimit is how long the body of a document is at most: its text, in which each byte may be written as six.
const publishLimit = 7 << 20

func (s *server) documentRoutes() {
	add(s, huma.Operation{
		OperationID: "list-documents", Method: http.MethodGet, Path: "/v1/documents", Tags: []string{"Offer"},
		Summary: "List the documents",
		Description: "All versions of the documents that a holder accepts, in the order in which they are shown, " +
			"and the newest of each last.",
	}, everyone, func(ctx context.Context, _ *struct{}) (*answer[list[DocumentOut]], error) {
		versions, err := s.Reports.DocumentVersions(ctx)
		if err != nil {
			return nil, err
		}
		items := make([]DocumentOut, len(versions))
		for i, d := range versions {
			items[i] = showDocument(d, i+1 == len(versions) || versions[i+1].Name != d.Name)
		}
		return say(list[DocumentOut]{Items: items}, nil)
	})
	add(s, huma.Operation{
		OperationID: "get-document", Method: http.MethodGet, Path: "/v1/documents/{name}/{version}",
		Tags: []string{"Offer"}, Summary: "Read a document",
		Description: "The text of a version, in Markdown. Every version is kept.",
		Errors:      []int{http.StatusNotFound},
	}, everyone, s.document)
	add(s, huma.Operation{
		OperationID: "publish-document", Method: http.MethodPost, Path: "/v1/documents", Tags: []string{"Offer"},
		Summary: "Publish a version of a document",
		Description: "Makes a text the current version, which must be accepted before the next activation; " +
			"running enrollments go on. Publishing the current text again has no effect.",
		MaxBodyBytes: publishLimit,
	}, operators, func(ctx context.Context, in *publishIn) (*answer[DocumentOut], error) {
		d, err := s.books(ctx).PublishDocument(ctx, in.Body.Name, in.Body.Text)
		return say(showDocument(d, true), err)
	})
	s.acceptanceRoutes()
}

func showDocument(d staking.Document, current bool) DocumentOut {
	return DocumentOut{Name: d.Name, Version: d.Version, Published: instant(d.Published), Current: current}
}

func (s *server) document(ctx context.Context, in *documentIn) (*answer[wholeDocumentOut], error) {
	current, err := s.Reports.Document(ctx, in.Name, 0)
	if err != nil {
		return nil, err
	}
	d := current
	if in.Version != "current" {
		version, err := strconv.Atoi(in.Version)
		if err != nil {
			return nil, ledger.ErrInvalid.In("version", "version: expected a whole number or current, got %q",
				ledger.Clip(in.Version))
		}
		if d, err = s.Reports.Document(ctx, in.Name, version); err != nil {
			return nil, err
		}
	}
	return say(wholeDocumentOut{showDocument(d, d.Version == current.Version), d.Text}, nil)
}

type acceptanceOut struct {
	Document string `json:"document" example:"risk-warning" doc:"Which of the documents."`
	Version  int    `json:"version" example:"1" doc:"Which version."`
	At       string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was accepted."`
	Client   string `json:"client,omitempty" example:"ios 3.2.0" doc:"With what: platform and version."`
	Address  string `json:"address,omitempty" example:"192.0.2.7 DE" doc:"From where: address and country, as far as they were known."`
}

type acceptIn struct {
	AccountIn
	Body struct {
		Document string    `json:"document" maxLength:"40" example:"risk-warning" doc:"Which of the documents."`
		Version  int       `json:"version" minimum:"1" example:"1" doc:"The version that the holder was shown."`
		Client   *clientIn `json:"client,omitempty" doc:"The holder's own client. Only for an exchange that relays its holder; a holder's own client is known from the request."`
	}
}

func (s *server) acceptanceRoutes() {
	add(s, huma.Operation{
		OperationID: "list-acceptances", Method: http.MethodGet, Path: "/v1/accounts/{account}/acceptances",
		Tags: []string{"Soft Staking"}, Summary: "List what an account's holder has accepted",
		Description: "The oldest first.",
		Errors:      []int{http.StatusNotFound},
	}, everyone, func(ctx context.Context, in *AccountIn) (*answer[list[acceptanceOut]], error) {
		return s.acceptances(ctx, in.id())
	})
	add(s, huma.Operation{
		OperationID: "accept-document", Method: http.MethodPost, Path: "/v1/accounts/{account}/acceptances",
		Tags: []string{"Soft Staking"}, Summary: "Accept a document",
		Description: "Records that the holder has accepted a version of a document, when, and with which client. " +
			"An exchange calls it for a holder to whom it has shown the document. Repeating has no further effect: " +
			"the first acceptance stays.",
		Errors: []int{http.StatusNotFound},
	}, owners, func(ctx context.Context, in *acceptIn) (*answer[list[acceptanceOut]], error) {
		c, err := s.client(ctx, in.Body.Client)
		if err != nil {
			return nil, err
		}
		if err := s.books(ctx).Accept(ctx, in.id(), in.Body.Document, in.Body.Version, c); err != nil {
			return nil, err
		}
		return s.acceptances(ctx, in.id())
	})
}

func (s *server) acceptances(ctx context.Context, id ledger.Account) (*answer[list[acceptanceOut]], error) {
	all, err := s.Reports.Acceptances(ctx, id)
	if err != nil {
		return nil, err
	}
	items, err := shown(all, func(a reports.Acceptance) (acceptanceOut, error) {
		return acceptanceOut{a.Document, a.Version, instant(a.At), a.Client, a.Address}, nil
	})
	return say(list[acceptanceOut]{Items: items}, err)
}
