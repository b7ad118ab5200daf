package main

import (
	"fmt"
	"strings"
)

// operationsFile has a method for each operation, but those that stream events.
func (w *writer) operationsFile() ([]byte, error) {
	for _, ops := range w.operations() {
		for _, op := range ops {
			if op.events() == nil {
				w.operation(op)
			}
		}
	}
	return w.file("context", "iter", "net/http", "net/url", "strconv", "time")
}

// call is how an operation is written in Go.
type call struct {
	name      string
	arguments []string // with their types
	query     string   // the type of the query, or ""
	body      string   // the type of the body, or ""
	answer    string   // the type of the answer, or ""
	item      string   // the type of an item of a list, or ""
	paged     bool     // the list is read page by page
}

func (w *writer) call(op operation) call {
	c := call{name: camel(op.OperationID), body: w.names[op.body()], answer: w.names[op.answer()]}
	for _, p := range op.in("path") {
		c.arguments = append(c.arguments, argument(p.Name)+" "+w.goType(c.name, p.Name, p.Schema))
	}
	if len(op.in("query")) > 0 {
		c.query = c.name + "Query"
		c.arguments = append(c.arguments, "query "+c.query)
	}
	if c.body != "" {
		c.arguments = append(c.arguments, "body "+c.body)
	}
	if item := w.listed(op.answer()); item != "" {
		c.item = w.names[item]
		for _, p := range op.in("query") {
			c.paged = c.paged || p.Name == "cursor"
		}
	}
	return c
}

func (w *writer) operation(op operation) {
	c := w.call(op)
	if c.query != "" {
		w.queryType(op, c)
	}
	about := c.name + ": " + op.Description
	if len(op.Roles) > 0 {
		about += "\n\nFor tokens of the roles " + strings.Join(op.Roles, ", ") + "."
	}
	if _, proposes := op.Responses["202"]; proposes {
		about += "\n\nWhere it needs approval, the error is a *NeedsApproval."
	}
	w.comment("", about)
	arguments := strings.Join(append([]string{"ctx context.Context"}, c.arguments...), ", ")
	request := w.request(op, c)
	switch {
	case c.paged:
		w.printf("func (c *Client) %s(%s, options ...Option) iter.Seq2[%s, error] {\n", c.name, arguments, c.item)
		w.printf("\treturn pages[%s](ctx, c, %s, options)\n}\n\n", c.item, request)
	case c.item != "":
		w.printf("func (c *Client) %s(%s, options ...Option) ([]%s, error) {\n", c.name, arguments, c.item)
		w.printf("\tpage, err := send[page[%s]](ctx, c, %s, options)\n\treturn page.Items, err\n}\n\n", c.item, request)
	case op.export():
		w.printf("func (c *Client) %s(%s, options ...Option) (*Export, error) {\n", c.name, arguments)
		w.printf("\treturn c.export(ctx, %s, options)\n}\n\n", request)
	case c.answer == "":
		w.printf("func (c *Client) %s(%s, options ...Option) error {\n", c.name, arguments)
		w.printf("\t_, err := send[struct{}](ctx, c, %s, options)\n\treturn err\n}\n\n", request)
	default:
		w.printf("func (c *Client) %s(%s, options ...Option) (%s, error) {\n", c.name, arguments, c.answer)
		w.printf("\treturn send[%s](ctx, c, %s, options)\n}\n\n", c.answer, request)
	}
}

// request is the literal of what an operation sends.
func (w *writer) request(op operation, c call) string {
	path := fmt.Sprintf("%q", op.path)
	for _, p := range op.in("path") {
		value := argument(p.Name)
		switch kind := w.goType(c.name, p.Name, p.Schema); kind {
		case "string":
		case "int64":
			value = "strconv.FormatInt(" + value + ", 10)"
		default:
			value = "string(" + value + ")"
		}
		path = strings.Replace(path, "{"+p.Name+"}", `" + url.PathEscape(`+value+`) + "`, 1)
	}
	path = strings.TrimSuffix(path, ` + ""`)
	text := fmt.Sprintf("request{method: http.Method%s, path: %s", method(op.method), path)
	if c.query != "" {
		text += ", query: query.values()"
	}
	if c.body != "" {
		text += ", body: body"
	}
	return text + "}"
}

// method is the end of the name of Go's constant of a method.
func method(name string) string { return name[:1] + strings.ToLower(name[1:]) }

// queryType writes the type of an operation's query, and how it is sent.
func (w *writer) queryType(op operation, c call) {
	w.printf("// %s is what %s may ask for; what is zero is not sent.\ntype %s struct {\n", c.query, c.name, c.query)
	for _, p := range op.in("query") {
		w.comment("\t", p.Description)
		w.printf("\t%s %s\n", camel(p.Name), w.goType(c.name, p.Name, p.Schema))
	}
	w.printf("}\n\nfunc (q %s) values() url.Values {\n\tv := url.Values{}\n", c.query)
	for _, p := range op.in("query") {
		field := "q." + camel(p.Name)
		zero, value := `""`, "string("+field+")"
		switch w.goType(c.name, p.Name, p.Schema) {
		case "string":
			value = field
		case "int64":
			zero, value = "0", "strconv.FormatInt("+field+", 10)"
		case "time.Time":
			w.printf("\tif !%s.IsZero() {\n\t\tv.Set(%q, %s.UTC().Format(time.RFC3339Nano))\n\t}\n", field, p.Name, field)
			continue
		}
		w.printf("\tif %s != %s {\n\t\tv.Set(%q, %s)\n\t}\n", field, zero, p.Name, value)
	}
	w.printf("\treturn v\n}\n\n")
}
