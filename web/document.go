package web

import (
	"strconv"
	"strings"
)

// block is a part of a document: a heading, a paragraph, or a list.
type block struct {
	Heading   string
	Paragraph string
	Items     []string
	Ordered   bool
	Start     int // the number of the first item
}

// blocks reads the text of a document: lines that begin with "#" are headings,
// with "1." and so on or "-" items of lists; the others go on with what stands above
// them, until an empty line. Nothing else is read in it, and nothing of it is HTML.
func blocks(text string) (all []block) {
	open := false // the last block goes on
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		var last *block
		if len(all) > 0 {
			last = &all[len(all)-1]
		}
		heading := strings.TrimLeft(line, "#")
		number, item := listItem(line)
		switch {
		case line == "":
			open = false
		case heading != line && strings.TrimSpace(heading) != "":
			all, open = append(all, block{Heading: strings.TrimSpace(heading)}), false
		case item != "" && last != nil && last.Items != nil && last.Ordered == (number >= 0):
			last.Items, open = append(last.Items, item), true
		case item != "":
			all, open = append(all, block{Items: []string{item}, Ordered: number >= 0, Start: max(number, 0)}), true
		case open && last.Items != nil:
			last.Items[len(last.Items)-1] += " " + line
		case open:
			last.Paragraph += " " + line
		default:
			all, open = append(all, block{Paragraph: line}), true
		}
	}
	return all
}

// listItem is the text of a line that is an item of a list, and its number, -1 where
// it has none; or "".
func listItem(line string) (number int, item string) {
	if rest, is := strings.CutPrefix(line, "- "); is {
		return -1, strings.TrimSpace(rest)
	}
	before, rest, is := strings.Cut(line, ". ")
	n, err := strconv.Atoi(before)
	if !is || err != nil || n < 0 || len(before) > 3 {
		return -1, ""
	}
	return n, strings.TrimSpace(rest)
}
