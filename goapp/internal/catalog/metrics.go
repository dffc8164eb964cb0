package catalog

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kit.local/goapp/internal/metrics"
)

// exposition answers a scrape from the server's own registry; OpenMetrics, to who asks for it, has exemplars too.
func exposition(log *slog.Logger, m *metrics.Metrics) http.Handler {
	return promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelError),
		EnableOpenMetrics: true,
	})
}
