// Softstake is Soft Staking for spot ledgers: "softstake --help" says what it does.
package main

import (
	"os"

	"github.com/softstake/softstake/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
