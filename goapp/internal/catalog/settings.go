package catalog

import (
	"log/slog"
	"net/http"
	"os"
	"strings"

	"kit.local/goapp/internal/config"
)

// shownSettings is the body of GET /settings; null stands for what there is not.
type shownSettings struct {
	Motd struct {
		Env  string  `json:"env"`
		File *string `json:"file"`
	} `json:"motd"`
	APIKey struct {
		Set    bool    `json:"set"`
		SHA256 *string `json:"sha256"`
	} `json:"api_key"`
	Version string `json:"version"`
}

// settings shows what was fixed at the start beside what a file says now, and that there is a secret without showing it.
func settings(log *slog.Logger, cfg config.Config, version string) http.Handler {
	fixed := shownSettings{Version: version}
	fixed.Motd.Env = cfg.Motd
	if mark := cfg.APIKey.Fingerprint(); mark != "" {
		fixed.APIKey.Set, fixed.APIKey.SHA256 = true, &mark
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := fixed
		if cfg.MotdFile != "" {
			text, err := os.ReadFile(cfg.MotdFile)
			if err != nil {
				log.WarnContext(r.Context(), "no message from the file", "error", err.Error())
			} else {
				message := strings.TrimRight(string(text), "\n")
				now.Motd.File = &message
			}
		}
		respond(log, w, r, http.StatusOK, now)
	})
}
