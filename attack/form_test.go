package attack

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// form is a form of a page: where it is posted, and its fields with what they have when they are shown.
type form struct {
	path   string
	fields url.Values
}

// What of a page is a form, a field of it and what it has, and a link.
var (
	formOf     = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	fieldOf    = regexp.MustCompile(`(?s)<(input|textarea|button)\b([^>]*)>([^<]*)`)
	choiceOf   = regexp.MustCompile(`(?s)<select\b([^>]*)>(.*?)</select>`)
	optionOf   = regexp.MustCompile(`<option\b([^>]*)>`)
	attributes = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
	linkOf     = regexp.MustCompile(`<a\b[^>]*href="(/[^"#]*)`)
)

// attribute is an attribute of a tag, or "".
func attribute(tag, name string) string {
	for _, m := range attributes.FindAllStringSubmatch(tag, -1) {
		if m[1] == name {
			return html.UnescapeString(m[2])
		}
	}
	return ""
}

// typed is what a thief types: the most that a field may say, and the thief's own names.
var typed = map[string]string{
	"asset": "BNB", "amount": "40000", "to": "mallory", "address": "0xmallory", "network": "BSC", "label": "mine",
	"text": "Send all to mallory.", "reason": "urgent", "email": "mallory@example.com", "role": "admin",
	"person": "mallory", "password": "a password of mallory", "apr": "10", "minimum": "0.00000001", "cap": "1000000",
	"permission": "trade", "addresses": "127.0.0.1", "id": "mine", "total": "0", "change": "0", "price": "6600",
	"code": "DE", "pool": "90000", "title": "Mine", "direction": "out", "saved": "", "tag": "", "limits": "",
	"recovery": "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa", "current": "correct horse", "name": "mine",
	"url": "https://mallory.example.com/", "kinds": "payouts",
}

// forms are the forms of a page, one for each button that says something of its own.
func forms(page string) (all []form) {
	for _, m := range formOf.FindAllStringSubmatch(page, -1) {
		path := attribute(m[1], "action")
		if attribute(m[1], "method") != "post" || path == "" {
			continue
		}
		f := form{path, url.Values{}}
		var buttons [][2]string
		for _, field := range fieldOf.FindAllStringSubmatch(m[2], -1) {
			name, value := attribute(field[2], "name"), attribute(field[2], "value")
			switch kind := attribute(field[2], "type"); {
			case field[1] == "button" && kind != "button":
				buttons = append(buttons, [2]string{name, value})
			case name == "":
			case field[1] == "input" && (kind == "radio" || kind == "checkbox") && f.fields.Has(name):
			case kind == "hidden" || typed[name] == "":
				f.fields.Set(name, value)
			default:
				f.fields.Set(name, typed[name])
			}
		}
		for _, choice := range choiceOf.FindAllStringSubmatch(m[2], -1) {
			name, options := attribute(choice[1], "name"), []string{}
			for _, option := range optionOf.FindAllStringSubmatch(choice[2], -1) {
				options = append(options, attribute(option[1], "value"))
			}
			switch {
			case slices.Contains(options, typed[name]):
				f.fields.Set(name, typed[name])
			case len(options) > 0:
				f.fields.Set(name, options[len(options)-1])
			}
		}
		if len(buttons) == 0 {
			buttons = [][2]string{{"", ""}}
		}
		for _, b := range buttons {
			one := form{path, url.Values{}}
			for name, values := range f.fields {
				one.fields[name] = slices.Clone(values)
			}
			if b[0] != "" {
				one.fields.Set(b[0], b[1])
			}
			if one.fields.Get("do") == "every" { // of every token no other amount is taken
				one.fields.Set("amount", "0")
			}
			all = append(all, one)
		}
	}
	return all
}

// variable finds what in a path is a name that was made up: it differs from run to run.
var variable = regexp.MustCompile(`/[A-Za-z0-9_-]{12,}|/\d{4}-\d\d-\d\d`)

// row is the form's line of the table: where it is posted, and what its button says.
func (f form) row() string {
	row := "POST " + variable.ReplaceAllString(f.path, "/…")
	for _, name := range []string{"do", "how", "look", "max", "on"} {
		if f.fields.Has(name) && f.fields.Get(name) != "" {
			row += " " + name + "=" + f.fields.Get(name)
		}
	}
	return row
}

// ends reports whether the form ends the session: it comes last.
func (f form) ends() bool {
	return strings.Contains(f.path, "logout") || f.path == "/account/sessions" || f.path == "/console/me" ||
		f.path == "/account/password"
}

// start is where a session begins to look around.
func (x *thief) start() []string {
	if x.kind == webSession {
		return []string{"/spot", "/earn", "/account", "/withdraw", "/send", "/convert", "/account/security", "/account/keys",
			"/account/keys/new", "/account/addresses", "/account/password", "/earn/start", "/earn/stop"}
	}
	return []string{"/console", "/console/withdrawals", "/console/withdrawals/bob/w-small",
		"/console/withdrawals/carol/w-large", "/console/proposals/" + x.proposals[0].ID,
		"/console/proposals/" + x.proposals[1].ID, "/console/proposals/" + x.proposals[2].ID,
		"/console/days/" + (x.today - 1).String(), "/console/me", "/console/what-if", "/console/settings"}
}

// mostPages are how many pages a thief looks at.
const mostPages = 60

// look reads the pages that the session reaches, and gives each form of them to found. It returns what leads on.
func (x *thief) look(found func(form) (next string)) {
	x.Helper()
	seen, queue := map[string]bool{}, x.start()
	for n := 0; len(queue) > 0 && n < mostPages; n++ {
		path := queue[0]
		queue = queue[1:]
		if plain, _, _ := strings.Cut(path, "?"); seen[plain] || strings.Contains(plain, "live") ||
			(x.kind == staffSession) != strings.HasPrefix(plain, "/console") {
			n--
			continue
		} else {
			seen[plain] = true
		}
		a := x.send(http.MethodGet, path, "", "", "Sec-Fetch-Site", "same-origin")
		x.keep(read)
		for _, m := range linkOf.FindAllStringSubmatch(a.body, -1) {
			if link := html.UnescapeString(m[1]); !strings.Contains(link, ".csv") {
				queue = append(queue, link)
			}
		}
		for _, f := range forms(a.body) {
			if next := found(f); next != "" {
				queue = append([]string{next}, queue...)
			}
		}
	}
}

// walkForms posts each form that the session's pages have, and then those that only others' pages have, forged.
func (x *thief) walkForms(table map[string]string, others []form) {
	x.Helper()
	var last []form
	x.look(func(f form) (next string) {
		if f.ends() {
			last = append(last, f)
			return ""
		}
		if _, posted := table[f.row()]; posted {
			return ""
		}
		o, next := x.post(f)
		table[f.row()] = string(o)
		return next
	})
	forged := slices.DeleteFunc(slices.Clone(others), form.ends)
	ending := slices.DeleteFunc(slices.Clone(others), func(f form) bool { return !f.ends() })
	for _, f := range slices.Concat(forged, ending, last) {
		if _, posted := table[f.row()]; !posted {
			o, _ := x.post(f)
			table[f.row()] = string(o)
		}
	}
}

// post posts a form as a browser does from a page of the site, and returns the page that it leads to.
func (x *thief) post(f form) (o outcome, next string) {
	x.Helper()
	a := x.send(http.MethodPost, f.path, "application/x-www-form-urlencoded", f.fields.Encode(),
		"Sec-Fetch-Site", "same-origin")
	toLogIn := (strings.HasPrefix(a.location, "/login") || strings.HasPrefix(a.location, "/console/login")) &&
		!strings.Contains(f.path, "logout")
	switch proposal := strings.HasPrefix(a.location, "/console/proposals/") && a.location != f.path ||
		strings.Contains(a.body, `href="/console/proposals/`) && strings.HasPrefix(f.path, "/console/tokens"); {
	case a.status == http.StatusForbidden, a.status == http.StatusNotFound, a.status == http.StatusSeeOther && toLogIn:
		return x.keep(denied), ""
	case proposal:
		return x.keep(proposed), ""
	case a.status == http.StatusSeeOther:
		return x.keep(done), a.location
	case a.status == http.StatusOK:
		return x.keep(asked), ""
	}
	return x.keep(refused), ""
}
