package binance

import "github.com/softstake/softstake/access"

// Changes are the paths of the endpoints that change the books.
func Changes() (paths []string) {
	for _, e := range endpoints() {
		if e.permission == access.Trade {
			paths = append(paths, e.path)
		}
	}
	return paths
}
