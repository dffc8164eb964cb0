package catalog

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"kit.local/goapp/internal/version"
)

// Nothing that is not set is made up.
func TestNoSettings(t *testing.T) {
	t.Parallel()
	boot(t).do("GET", "/settings", "").want(t, http.StatusOK,
		`{"motd":{"env":"","file":null},"api_key":{"set":false,"sha256":null},"version":"`+version.Get().Version+`"}`)
}

// The message of the environment is fixed, the file's is read anew at every request, and the key shows as a fingerprint.
func TestSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "motd")
	p := boot(t, "-motd", "hello", "-motd-file", file, "-api-key", "hunter2")
	expect := func(message string) {
		t.Helper()
		p.do("GET", "/settings", "").want(t, http.StatusOK, `{"motd":{"env":"hello","file":`+message+
			`},"api_key":{"set":true,"sha256":"f52fbd32b2b3"},"version":"`+version.Get().Version+`"}`)
	}

	expect(`null`)
	for _, message := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(message+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(`"` + message + `"`)
	}
}
