package ledger

import "strings"

const joinPrefix = "join/"

// JoinID is the ID of the entry of an event of another ledger, which is a source under a name.
func JoinID(source, event string) string { return joinPrefix + source + "/" + event }

// IsJoinID reports whether an ID begins as those of JoinID do.
func IsJoinID(id string) bool { return strings.HasPrefix(id, joinPrefix) }
