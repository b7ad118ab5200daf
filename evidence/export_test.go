package evidence

import "golang.org/x/mod/sumdb/tlog"

// Recorded are the columns that are in records, as "table.column", and the tables.
func Recorded() map[string]bool {
	all := map[string]bool{}
	for _, p := range parts {
		for _, f := range p.fields() {
			all[p.table()+"."+f.column()] = true
		}
		all[p.table()] = true
	}
	return all
}

// Kinds are the names of the kinds of row.
func Kinds() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// TreeHash is the hash of the tree over some leaves.
func TreeHash(leaves []tlog.Hash) tlog.Hash {
	var t tree
	for _, leaf := range leaves {
		t.add(leaf)
	}
	return t.hash()
}
