// Package main writes the types and the methods of package client, from the OpenAPI description that the
// server answers with. It is run by "go generate ./client"; a test says when that is needed.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: generate FOLDER"))
	}
	files, err := generate()
	if err != nil {
		fail(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), text, 0o644); err != nil { //nolint:gosec // source code
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "generate:", err)
	os.Exit(1)
}

// generate is the text of each file, by name.
func generate() (map[string][]byte, error) {
	d, err := described()
	if err != nil {
		return nil, err
	}
	w := &writer{document: d, names: d.names(), enums: map[string][]any{}}
	operations, err := w.operationsFile()
	if err != nil {
		return nil, err
	}
	types, err := w.typesFile()
	return map[string][]byte{"operations.gen.go": operations, "types.gen.go": types}, err
}
