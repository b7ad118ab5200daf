package console

import (
	"errors"
	"strconv"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// documents are all versions of what holders accept.
var documents = register{
	Name: "documents", roles: access.StaffRoles, tables: (*visit).documentsTables, body: (*visit).documentText,
	forms: []registerForm{{"do", control.PublishDocument, (*visit).documentsFields, (*submission).publish}},
}

func (v *visit) documentsTables() ([]table, error) {
	all, err := v.Reports.DocumentVersions(v.context())
	p := v.view("")
	t := table{Title: "documents.versions", Empty: "documents.none", Columns: []column{{"documents.name", false},
		{"documents.version", true}, {"documents.published", false}}}
	for _, d := range all {
		version := strconv.Itoa(d.Version)
		t.Rows = append(t.Rows, row{link(p.T("document."+d.Name), ui.Address(Path+"/documents", "name", d.Name, "version",
			version)+"#text"), text(version), text(p.Local(d.Published))})
	}
	return []table{t}, err
}

// documentText is the text of the version that is asked for, or "".
func (v *visit) documentText() (string, error) {
	version, err := strconv.Atoi(v.value("version"))
	if err != nil || version < 1 {
		return "", nil
	}
	d, err := v.Reports.Document(v.context(), v.value("name"), version)
	return d.Text, err
}

// documentsFields begin with the current text of the document that is asked for.
func (v *visit) documentsFields() ([]field, error) {
	var names []option
	for _, name := range staking.DocumentNames {
		names = append(names, option{name, "document." + name})
	}
	current, err := v.Reports.Document(v.context(), v.value("name"), 0)
	if errors.Is(err, ledger.ErrNotFound) || errors.Is(err, ledger.ErrInvalid) {
		err = nil // none is asked for
	}
	return []field{
		{Name: "name", Key: "documents.name", Options: names},
		{Name: "text", Key: "documents.text", Hint: "documents.hint", Long: true, Initial: current.Text, Required: true},
		{Name: "reason", Key: "reason"},
	}, err
}

// publish makes a text the current version of a document.
func (s *submission) publish(f *ui.Form) error {
	_, err := s.Books.Documents().Publish(s.context(), f.Value("name"), f.Value("text"))
	return err
}
