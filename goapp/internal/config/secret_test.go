package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// However a configuration with a secret is printed, the secret is not in the text.
func TestSecretIsNeverPrinted(t *testing.T) {
	cfg, err := Load([]string{"-api-key", "hunter2"}, env(nil))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", cfg, "key", cfg.APIKey)
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}

	for _, text := range []string{log.String(), string(text), fmt.Sprintf("%v %+v %#v %s %q", cfg, cfg, cfg, cfg.APIKey, cfg.APIKey)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the secret is in %s", text)
		}
	}
}

// Equal secrets have equal fingerprints of twelve hex digits, and no secret has none.
func TestFingerprint(t *testing.T) {
	var key Secret
	if got := key.Fingerprint(); got != "" {
		t.Errorf("fingerprint of nothing = %q", got)
	}
	if err := key.Set("hunter2"); err != nil {
		t.Fatal(err)
	}

	if got := key.Fingerprint(); got != "f52fbd32b2b3" { // printf hunter2 | sha256sum
		t.Errorf("fingerprint = %q", got)
	}
}
