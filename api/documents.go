package api

import (
	"context"
	"strconv"

	"github.com/softstake/softstake/control"
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
	get(s, "/v1/documents", everyone, reader.listDocuments,
		about("list-documents", "Offer", "List the documents",
			"All versions of the documents that a holder accepts, in the order in which they are shown, "+
				"and the newest of each last."))
	get(s, "/v1/documents/{name}/{version}", everyone, reader.document,
		about("get-document", "Offer", "Read a document",
			"The text of a version, in Markdown. Every version is kept.", 404))
	change(s, "POST /v1/documents", does(control.PublishDocument), writer.publishDocument,
		about("publish-document", "Offer", "Publish a version of a document",
			"Makes a text the current version, which must be accepted before the next activation; "+
				"running enrollments go on. Publishing the current text again has no effect."), upTo(publishLimit))
}

func showDocument(d staking.Document, current bool) DocumentOut {
	return DocumentOut{Name: d.Name, Version: d.Version, Published: instant(d.Published), Current: current}
}

func (rd reader) document(ctx context.Context, in *documentIn) (*answer[wholeDocumentOut], error) {
	current, err := rd.Document(ctx, in.Name, 0)
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
		if d, err = rd.Document(ctx, in.Name, version); err != nil {
			return nil, err
		}
	}
	return reply(wholeDocumentOut{showDocument(d, d.Version == current.Version), d.Text}, nil)
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
	get(s, "/v1/accounts/{account}/acceptances", oneHolder, reader.acceptances,
		about("list-acceptances", "Soft Staking", "List what an account's holder has accepted",
			"The oldest first.", 404))
	change(s, "POST /v1/accounts/{account}/acceptances", does("accept"), writer.acceptDocument,
		about("accept-document", "Soft Staking", "Accept a document",
			"Records that the holder has accepted a version of a document, when, and with which client. "+
				"An exchange calls it for a holder to whom it has shown the document. Repeating has no further effect: "+
				"the first acceptance stays.", 404))
}

func (rd reader) acceptances(ctx context.Context, in *AccountIn) (*answer[list[acceptanceOut]], error) {
	all, err := rd.Acceptances(ctx, in.id())
	if err != nil {
		return nil, err
	}
	items, err := shown(all, func(a reports.Acceptance) (acceptanceOut, error) {
		return acceptanceOut{a.Document, a.Version, instant(a.At), a.Client, a.Address}, nil
	})
	return reply(list[acceptanceOut]{Items: items}, err)
}

func (rd reader) listDocuments(ctx context.Context, _ *struct{}) (*answer[list[DocumentOut]], error) {
	versions, err := rd.DocumentVersions(ctx)
	if err != nil {
		return nil, err
	}
	items := make([]DocumentOut, len(versions))
	for i, d := range versions {
		items[i] = showDocument(d, i+1 == len(versions) || versions[i+1].Name != d.Name)
	}
	return reply(list[DocumentOut]{Items: items}, nil)
}

func (wr writer) publishDocument(ctx context.Context, in *publishIn) (*answer[DocumentOut], error) {
	d, err := wr.books.Documents().Publish(ctx, in.Body.Name, in.Body.Text)
	return reply(showDocument(d, true), err)
}

func (wr writer) acceptDocument(ctx context.Context, in *acceptIn) (*answer[list[acceptanceOut]], error) {
	c, err := wr.client(ctx, in.Body.Client)
	if err != nil {
		return nil, err
	}
	if err := wr.books.Documents().Accept(ctx, in.id(), in.Body.Document, in.Body.Version, c); err != nil {
		return nil, err
	}
	return wr.acceptances(ctx, &in.AccountIn)
}
