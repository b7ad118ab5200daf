package cli

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/softstake/softstake/store"
)

// version is set when a release is built, see the Makefile. Else it is the module's.
var version string

// build is what is known of how the program was built.
type build struct {
	version  string // "v1.2.0", or "(devel)"
	revision string // of the source, or "unknown"
	modified bool   // the source had changes that no revision has
	golang   string // "go1.26.1"
	schema   int    // of the books that the program works with
}

// readBuild reads what the compiler has kept of the build.
func readBuild() build {
	b := build{version: version, revision: "unknown", golang: "unknown", schema: store.SchemaVersion()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		b.version = cmp.Or(b.version, "(devel)")
		return b
	}
	b.version, b.golang = cmp.Or(b.version, info.Main.Version, "(devel)"), info.GoVersion
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.modified":
			b.modified = s.Value == "true"
		}
	}
	return b
}

// String is the build as --version prints it.
func (b build) String() string {
	changed := ""
	if b.modified {
		changed = " (modified)"
	}
	return fmt.Sprintf("softstake %s\nrevision %s%s\n%s\nschema %d\n", b.version, b.revision, changed, b.golang, b.schema)
}
