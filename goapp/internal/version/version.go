// Package version says which build is running.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// number is set by the linker: -ldflags "-X kit.local/goapp/internal/version.number=1.2.3".
var number string

// Info identifies a build. Revision is the commit, with "+dirty" when the checkout had changes, or "unknown".
type Info struct {
	Version  string
	Revision string
	Go       string
}

// Get prefers the linker's number and falls back to what the go command recorded in the binary.
func Get() Info {
	info := Info{Version: number, Revision: "unknown", Go: runtime.Version()}
	build, ok := debug.ReadBuildInfo()
	if ok {
		info.Revision = revision(build.Settings)
	}
	if ok && info.Version == "" {
		info.Version = build.Main.Version
	}
	if info.Version == "" {
		info.Version = "(devel)"
	}
	return info
}

func (i Info) String() string {
	return fmt.Sprintf("catalog %s (revision %s, %s)", i.Version, i.Revision, i.Go)
}

// revision reads the commit from the go command's VCS stamp, which a build outside a checkout does not have.
func revision(settings []debug.BuildSetting) string {
	commit, dirty := "unknown", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	return commit + dirty
}
