package cli

import (
	"fmt"
	"runtime/debug"
	"testing"

	"github.com/softstake/softstake/store"
)

func TestVersionFromBuildInfo(t *testing.T) {
	schema := fmt.Sprintf("schema %d\n", store.SchemaVersion())
	release := debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.0"},
		Settings: []debug.BuildSetting{
			{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "0c1d"}, {Key: "vcs.time", Value: "2026-11-26T05:08:31Z"},
			{Key: "vcs.modified", Value: "false"},
		}}
	modified := release
	modified.Settings = append([]debug.BuildSetting{}, release.Settings[:3]...)
	modified.Settings = append(modified.Settings, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for _, c := range []struct {
		info debug.BuildInfo
		want string
	}{
		{release, "softstake v1.2.0\nrevision 0c1d of 2026-11-26T05:08:31Z\ngo1.26.8\n"},
		{modified, "softstake v1.2.0\nrevision 0c1d of 2026-11-26T05:08:31Z (modified)\ngo1.26.8\n"},
		{debug.BuildInfo{}, "softstake (devel)\nrevision unknown\nunknown\n"},
	} {
		if got := newBuild(&c.info).String(); got != c.want+schema {
			t.Errorf("got  %q\nwant %q", got, c.want+schema)
		}
	}
}
