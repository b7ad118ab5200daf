package scenario

import "github.com/softstake/softstake/access"

// Key is the key outside the database of the books of tests, whose rows so carry MACs.
const Key = "c29mdHN0YWtlIHNjZW5hcmlvIGtleSBvZiAzMiBieXQ="

// Sealer is made with Key.
func Sealer() (*access.Sealer, error) { return access.NewSealer(Key) }
