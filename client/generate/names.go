package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// renamed are the types whose names would say too little, or are wanted twice.
var renamed = map[string]string{
	"AcknowledgedOut":     "AcknowledgementResult",
	"AcknowledgementsOut": "AcknowledgementResults",
	"BatchEntryOut":       "BatchRow",
	"BatchOut":            "BatchResult",
	"CampaignPartIn":      "CampaignToken",
	"ClientIn":            "HolderClient",
	"DayOut":              "DayTotal",
	"DueOut":              "DuePayment",
	"EffectTokenOut":      "TokenEffect",
	"EnrollmentBatchOut":  "EnrollmentResults",
	"EnrollmentOut":       "EnrolledTime",
	"EnrollmentStatusOut": "EnrollmentResult",
	"EntryIn":             "Entry",
	"EntryOut":            "PostedEntry",
	"EntryProblem":        "RowProblem",
	"ExclusionBatchOut":   "ExclusionResults",
	"ExclusionOut":        "ListedExclusion",
	"ExclusionStatusOut":  "ExclusionResult",
	"LeftOut":             "AmountLeft",
	"LineOut":             "JournalLine",
	"ListingOut":          "RegionListing",
	"MissingOut":          "MissingCondition",
	"OpenOut":             "OpenDay",
	"OwnedOut":            "OwnedAccount",
	"PublishedOut":        "PublishedRecord",
	"ReasonedIn":          "Adjustment",
	"SignedOut":           "SignedRecord",
	"TogetherOut":         "JointHolding",
	"WholeDocumentOut":    "DocumentText",
	"WholeEntryOut":       "EntryDetails",
	"WorkingOut":          "Calculation",
}

// initialisms are written in capitals in Go's names.
var initialisms = map[string]string{"id": "ID", "usdt": "USDT", "apr": "APR", "url": "URL", "api": "API"}

var words = regexp.MustCompile(`[A-Z]?[a-z0-9]+|[A-Z]+`)

// camel is a name of the description as an exported name of Go.
func camel(name string) string {
	var b strings.Builder
	for _, word := range words.FindAllString(name, -1) {
		lower := strings.ToLower(word)
		if short, is := initialisms[lower]; is {
			b.WriteString(short)
			continue
		}
		b.WriteString(strings.ToUpper(lower[:1]) + lower[1:])
	}
	return b.String()
}

// argument is the name of a parameter of a method.
func argument(name string) string {
	if name == "id" {
		return name
	}
	long := camel(name)
	return strings.ToLower(long[:1]) + long[1:]
}

// names are the Go types of the schemas. A body that only one operation has is named by it; of all
// others the "In" and "Out" at the end go, where that leaves one schema of a name or several that are equal.
func (d document) names() map[string]string {
	given := map[string]string{}
	for _, ops := range d.operations() {
		for _, op := range ops {
			if body := op.body(); strings.HasSuffix(body, "Body") {
				given[body] = camel(op.OperationID) + "Request"
			}
			for name, s := range op.events() {
				given[s.name()] = camel(name) + "Event"
			}
		}
	}
	maps.Copy(given, renamed)
	taken := map[string]string{}
	for _, name := range given {
		taken[name] = ""
	}
	for _, schema := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		if given[schema] != "" || strings.HasPrefix(schema, "List") && d.listed(schema) != "" {
			continue
		}
		short := strings.TrimSuffix(strings.TrimSuffix(schema, "Out"), "In")
		if first, is := taken[short]; is && (first == "" || !d.equal(first, schema)) {
			short = schema
		}
		taken[short] = schema
		given[schema] = short
	}
	return given
}

// listed is the schema of the items of a page, or "" where the schema is no page.
func (d document) listed(name string) string {
	s := d.Components.Schemas[name]
	items, is := s.Properties["items"]
	if _, paged := s.Properties["next"]; !is || !paged || len(s.Properties) != 2 || items.Items == nil {
		return ""
	}
	return items.Items.name()
}

// equal reports whether two schemas have the same properties.
func (d document) equal(a, b string) bool {
	return maps.EqualFunc(d.Components.Schemas[a].Properties, d.Components.Schemas[b].Properties, func(p, q schema) bool {
		return slices.Equal(p.Type, q.Type) && p.Format == q.Format && p.Ref == q.Ref && p.Items == nil && q.Items == nil
	}) && slices.Equal(d.Components.Schemas[a].Required, d.Components.Schemas[b].Required)
}
