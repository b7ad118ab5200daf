package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestTheClientIsOfTheDescription: the files of package client are those of today's description.
func TestTheClientIsOfTheDescription(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		have, err := os.ReadFile(filepath.Join("..", name))
		if err != nil || !bytes.Equal(have, text) {
			t.Errorf("%s is of another description (%v): run go generate ./client", name, err)
		}
	}
}
