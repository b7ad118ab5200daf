package verify

// Result is what a proof shows.
type Result struct {
	Origin, Day, Asset string
	Total              uint64 // what is owed to all holders
	Root               Hash   // of the sum tree
	Size               int64  // of the tree of records
	Tree               Hash
}

// Contradicts reports whether two results cannot both be true: two totals or roots of a token's day, or two trees of
// one size. The operator then gives different answers to different people.
func (r Result) Contradicts(o Result) bool {
	return r.Origin == o.Origin && (r.Size == o.Size && r.Tree != o.Tree ||
		r.Day == o.Day && r.Asset == o.Asset && (r.Total != o.Total || r.Root != o.Root))
}
