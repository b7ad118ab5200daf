package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/scenario"
)

func TestMain(m *testing.M) { scenario.Main(m) }

// command runs a command and returns what it prints.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// need skips the test where a tool is missing.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
}

func TestSBOMNamesEveryModule(t *testing.T) {
	program, dir := scenario.Program(t), t.TempDir()
	t.Chdir("..")
	sbom, licences := filepath.Join(dir, "sbom.json"), filepath.Join(dir, "LICENSES.txt")
	if err := run([]string{program, sbom, licences}); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"std"}
	for _, dep := range info.Deps {
		want = append(want, dep.Path)
	}
	var b bom
	if err := json.Unmarshal(read(t, sbom), &b); err != nil {
		t.Fatal(err)
	}
	var got []string
	text := string(read(t, licences))
	for _, c := range append(b.Components, b.Metadata.Component) {
		got = append(got, c.Name)
		if len(c.Licences) == 0 || !strings.Contains(text, "==== "+c.Name+" "+c.Version+": ") {
			t.Errorf("%s has no licence", c.Name)
		}
		if third := c.Name != "std" && c.Name != info.Main.Path; third && len(c.Hashes) != 1 {
			t.Errorf("%s has no hash", c.Name)
		}
	}
	if diff := cmp.Diff(append(want, info.Main.Path), got); diff != "" {
		t.Error(diff)
	}
	for _, phrase := range []string{"iso3166.LICENSE.txt", "common_passwords.LICENSE.txt", "htmx.LICENSE.txt",
		"uplot.LICENSE.txt", "NOTICE.txt"} {
		if !strings.Contains(text, phrase) {
			t.Errorf("the licences lack %s", phrase)
		}
	}
}

func TestLicencesAreRecognised(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n   Version 2.0, January 2004":                        "[Apache-2.0]",
		"Permission is hereby granted, free of\n// charge":                    "[]",
		"Permission is hereby granted,\nfree of charge, to any person":        "[MIT]",
		"Redistribution and use in source and binary forms":                   "[BSD-2-Clause]",
		"Redistribution and use in source and binary forms\nNeither the name": "[BSD-3-Clause]",
		"all rights reserved": "[]",
	} {
		if got := fmt.Sprint(module{files: []file{{"LICENSE", []byte(text)}}}.identifiers()); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestContainerfileBuildsWithOurGo keeps the version of Go in the Containerfile the one of go.mod.
func TestContainerfileBuildsWithOurGo(t *testing.T) {
	want := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(read(t, "../go.mod"))
	got := regexp.MustCompile(`(?m)^FROM golang:(\S+) AS build$`).FindSubmatch(read(t, "../Containerfile"))
	if want == nil || got == nil || !bytes.Equal(want[1], got[1]) {
		t.Errorf("the Containerfile builds with %q, go.mod names %q", got, want)
	}
}

// TestReproducible builds a release of this tree in two folders, and compares every byte.
// The second build of the long test shares nothing with the first, not even the compiler's cache.
func TestReproducible(t *testing.T) {
	if !scenario.Long() && os.Getenv("SOFTSTAKE_RELEASE") == "" {
		t.Skip("compiles the program again; set SOFTSTAKE_RELEASE=1 (one target) or SOFTSTAKE_LONG=1 (all, without a cache)")
	}
	need(t, "git", "tar", "gzip", "sha256sum", "dpkg-deb")
	targets := []string{"linux/" + runtime.GOARCH}
	if scenario.Long() {
		targets = nil
	}
	first, second := t.TempDir(), filepath.Join(t.TempDir(), "a folder of another name")
	copyTree(t, first)
	command(t, "git", "clone", "--quiet", first, second)
	a := buildRelease(t, first, targets)
	if scenario.Long() {
		t.Setenv("GOCACHE", t.TempDir())
	}
	b := buildRelease(t, second, targets)
	if len(a) < 4 {
		t.Errorf("a release of %d files", len(a))
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("the same source gives other bytes (SHA-256):\n%s", diff)
	}
}

// buildRelease builds a release of a clone, and returns the SHA-256 of each file.
func buildRelease(t *testing.T, folder string, targets []string) map[string]string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "dist")
	command(t, "sh", append([]string{filepath.Join(folder, "release/build.sh"), out}, targets...)...)
	command(t, "sh", "-c", `cd "$1" && sha256sum --check --quiet SHA256SUMS`, "sh", out)
	sums := make(map[string]string)
	files, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		sums[f.Name()] = fmt.Sprintf("%x", sha256.Sum256(read(t, filepath.Join(out, f.Name()))))
	}
	return sums
}

// copyTree copies the files of the tree that git knows, changed ones as they are, into a
// repository of their own with one commit.
func copyTree(t *testing.T, folder string) {
	t.Helper()
	names := command(t, "git", "-C", "..", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for name := range strings.SplitSeq(strings.TrimRight(names, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("..", name))
		if errors.Is(err, fs.ErrNotExist) { // removed, and not committed
			continue
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	command(t, "git", "-C", folder, "init", "--quiet")
	command(t, "git", "-C", folder, "add", "--all")
	command(t, "git", "-C", folder, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m",
		"a release")
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
