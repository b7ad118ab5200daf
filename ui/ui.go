// Package ui is what the holder's pages and the console have in common: the look, the languages, how amounts and times
// are written and read, forms, and what each response needs. It knows no page, no session and no books.
package ui
