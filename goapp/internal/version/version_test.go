package version

import (
	"runtime/debug"
	"testing"
)

// The linker's number wins over what the go command recorded.
func TestLinkerNumberWins(t *testing.T) {
	number = "1.2.3"
	t.Cleanup(func() { number = "" })

	if got := Get().Version; got != "1.2.3" {
		t.Errorf("version = %q, want 1.2.3", got)
	}
}

// Without a linker's number there is still a version, never an empty one.
func TestFallback(t *testing.T) {
	if got := Get().Version; got == "" {
		t.Error("version is empty")
	}
}

// A commit is reported as recorded, a changed checkout is marked, and no VCS stamp reads as unknown.
func TestRevision(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "abc"}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	dirty := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for want, settings := range map[string][]debug.BuildSetting{
		"abc":       {commit, clean},
		"abc+dirty": {commit, dirty},
		"unknown":   nil,
	} {
		if got := revision(settings); got != want {
			t.Errorf("revision(%v) = %q, want %q", settings, got, want)
		}
	}
}
