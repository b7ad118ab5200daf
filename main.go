// Softstake is Soft Staking for spot ledgers: "softstake --help" says what it does.
//
// A command is a struct of the package cli, in a file of its own: cli.Main reads the arguments into its
// fields and calls its Run. "softstake serve" is serveCmd, in cli/serve.go.
package main

import (
	"os"

	"github.com/softstake/softstake/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
