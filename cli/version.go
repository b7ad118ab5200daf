package cli

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/softstake/softstake/store"
)

// build is what is known of how the program was built.
type build struct {
	version  string // "v1.2.0", a pseudo-version between releases, or "(devel)" outside of a git clone
	revision string // of the source, or "unknown"
	time     string // of the revision, RFC 3339 in UTC, or ""
	modified bool   // the source had changes that no revision has
	golang   string // "go1.26.1"
	schema   int    // of the books that the program works with
}

// readBuild reads what the compiler has recorded in the program: no flag of the linker is needed.
func readBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return newBuild(info)
}

// newBuild is the build that the compiler's record describes.
func newBuild(info *debug.BuildInfo) build {
	recorded := make(map[string]string)
	for _, s := range info.Settings {
		recorded[s.Key] = s.Value
	}
	return build{
		version:  cmp.Or(info.Main.Version, "(devel)"),
		revision: cmp.Or(recorded["vcs.revision"], "unknown"),
		time:     recorded["vcs.time"],
		modified: recorded["vcs.modified"] == "true",
		golang:   cmp.Or(info.GoVersion, "unknown"),
		schema:   store.SchemaVersion(),
	}
}

// String is the build as --version prints it.
func (b build) String() string {
	revision := b.revision
	if b.time != "" {
		revision += " of " + b.time
	}
	if b.modified {
		revision += " (modified)"
	}
	return fmt.Sprintf("softstake %s\nrevision %s\n%s\nschema %d\n", b.version, revision, b.golang, b.schema)
}
