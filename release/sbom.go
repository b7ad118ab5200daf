// Package main writes, for a built program, what "go version -m" reads in it as an SBOM, and the
// licences of all that is in it.
package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run writes the two files. It runs in the tree that the program was built from.
func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: go run ./release PROGRAM SBOM.json LICENSES.txt")
	}
	info, err := buildinfo.ReadFile(args[0])
	if err != nil {
		return err
	}
	modules, err := readModules(info)
	if err != nil {
		return err
	}
	sbom, err := json.MarshalIndent(newBOM(info, modules), "", "  ")
	if err != nil {
		return err
	}
	texts, err := licenceTexts(modules)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(args[1], append(sbom, '\n'), 0o644), os.WriteFile(args[2], texts, 0o644))
}

// module is a module that is in the program, or the standard library.
type module struct {
	path, version string
	sum           string // as in go.sum: "h1:" and a SHA-256 in base64; "" for the standard library and ourselves
	files         []file // its licences and notices
}

// file is a licence or a notice, by its name.
type file struct {
	name string
	text []byte
}

// readModules finds the program's modules with their licences: first ourselves, then the
// standard library, then the others in the order of the record. A module without a licence is an error.
func readModules(info *debug.BuildInfo) ([]module, error) {
	modules := []module{
		{path: info.Main.Path, version: info.Main.Version},
		{path: "std", version: strings.TrimPrefix(strings.Fields(info.GoVersion)[0], "go")},
	}
	query := []string{"list", "-m", "-f", "{{.Path}}\t{{.Version}}\t{{.Dir}}"}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			return nil, fmt.Errorf("%s is replaced by %s; release what go.mod requires", dep.Path, dep.Replace.Path)
		}
		modules = append(modules, module{path: dep.Path, version: dep.Version, sum: dep.Sum})
		query = append(query, dep.Path)
	}
	folders, err := output("go", query...)
	if err != nil {
		return nil, err
	}
	goroot, err := output("go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	dirs := map[string]string{"std": goroot}
	for line := range strings.Lines(folders) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
			dirs[f[0]+"@"+f[1]] = f[2]
		}
	}
	for i := range modules {
		m := &modules[i]
		if i == 0 {
			m.files, err = ownLicences()
		} else {
			m.files, err = licences(cmp.Or(dirs[m.path+"@"+m.version], dirs[m.path]), "*")
		}
		if err == nil && len(m.identifiers()) == 0 {
			err = errors.New("no licence that is known here")
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", m.path, m.version, err)
		}
	}
	return modules, nil
}

// output is what a command prints.
func output(name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	c := exec.Command(name, args...)
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}

// ownLicences are ours, and those of the data of others that is kept in this tree.
func ownLicences() ([]file, error) {
	own, err := licences(".", "LICENSE")
	for _, pattern := range []string{"*/*.LICENSE.txt", "*/*/*/*.LICENSE.txt", "*/*/*/NOTICE.txt"} {
		more, e := licences(".", pattern)
		own, err = append(own, more...), errors.Join(err, e)
	}
	return own, err
}

// licenceName is how files with licences and notices are named.
var licenceName = regexp.MustCompile(`(?i)licen[cs]e|copying|notice|patents`)

// licences are the files of a folder whose names fit a pattern and are those of licences.
func licences(dir, pattern string) ([]file, error) {
	if dir == "" {
		return nil, errors.New("its source is not on this machine; run: go mod download")
	}
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return nil, err
	}
	var found []file
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() || !licenceName.MatchString(filepath.Base(name)) {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		found = append(found, file{filepath.Base(name), text})
	}
	return found, nil
}

// phrases are words of a licence, in lower case and without commas, and its SPDX identifier.
var phrases = []struct{ identifier, phrase string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MIT", "permission is hereby granted free of charge"},
	{"ISC", "provided that the above copyright notice and this permission notice appear in all copies"},
	{"BSD-3-Clause", "neither the name"},
	{"BSD-2-Clause", "redistribution and use in source and binary forms"},
	{"0BSD", "with or without fee is hereby granted."},
}

// between is what stands between the words of a licence, however its lines are broken.
var between = regexp.MustCompile(`[\s,]+`)

// identifiers are the SPDX identifiers of the module's licences. Each holds for a part of it.
func (m module) identifiers() []string {
	var found []string
	for _, f := range m.files {
		text := between.ReplaceAllString(strings.ToLower(string(f.text)), " ")
		for _, p := range phrases {
			if strings.Contains(text, p.phrase) && !(p.identifier == "BSD-2-Clause" && slices.Contains(found, "BSD-3-Clause")) {
				found = append(found, p.identifier)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// licenceTexts are all licences and notices, in one text.
func licenceTexts(modules []module) ([]byte, error) {
	var b bytes.Buffer
	for _, m := range modules {
		for _, f := range m.files {
			fmt.Fprintf(&b, "==== %s %s: %s ====\n\n%s\n\n", m.path, m.version, f.name, bytes.TrimSpace(f.text))
		}
	}
	return b.Bytes(), nil
}

// bom is a software bill of materials, in the JSON of CycloneDX 1.5.
type bom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Timestamp string    `json:"timestamp,omitempty"` // of the revision, so that the same source gives the same file
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licences   []licence  `json:"licenses"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type licence struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// newBOM describes the program, with the compiler's settings, and each module in it.
func newBOM(info *debug.BuildInfo, modules []module) bom {
	b := bom{Format: "CycloneDX", Spec: "1.5", Version: 1}
	b.Metadata.Component = newComponent("application", modules[0])
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			b.Metadata.Timestamp = s.Value
		}
		b.Metadata.Component.Properties = append(b.Metadata.Component.Properties, property{"go:build:" + s.Key, s.Value})
	}
	for _, m := range modules[1:] {
		b.Components = append(b.Components, newComponent("library", m))
	}
	return b
}

func newComponent(kind string, m module) component {
	purl := "pkg:golang/" + m.path + "@" + strings.ReplaceAll(m.version, "+", "%2B")
	c := component{Type: kind, Ref: purl, Name: m.path, Version: m.version, PURL: purl}
	if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.sum, "h1:")); err == nil && len(sum) > 0 {
		c.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum)}}
	}
	for _, id := range m.identifiers() {
		var l licence
		l.License.ID = id
		c.Licences = append(c.Licences, l)
	}
	return c
}
