package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/config"
	"kit.local/goapp/internal/downstream"
	"kit.local/goapp/internal/faults"
	"kit.local/goapp/internal/items"
	"kit.local/goapp/internal/metrics"
	"kit.local/goapp/internal/tracing"
	"kit.local/goapp/internal/version"
)

// parts is what the API is made of; Run puts them together.
type parts struct {
	cfg      config.Config
	log      *slog.Logger
	host     string
	build    version.Info
	life     *lifecycle
	store    *items.Memory
	metrics  *metrics.Metrics
	traces   *tracing.Tracing
	next     *downstream.Client // nil: this instance answers for the items itself
	injected *faults.Set        // nil: there are no fault endpoints
}

// routes is the whole API. Faults never affect what is for looking at them, or for ending them.
func routes(p parts) http.Handler {
	mux := http.NewServeMux()

	mux.Handle("GET /items", p.api(p.item(listItems(p.log, p.store))))
	mux.Handle("GET /items/{id}", p.api(p.item(getItem(p.log, p.store))))
	mux.Handle("POST /items", p.api(p.item(createItem(p.log, p.store))))
	mux.Handle("GET /settings", p.api(settings(p.log, p.cfg, p.build.Version)))

	mux.Handle("GET /health", p.probe(health(p.log, p.dependency())))
	mux.Handle("GET /ready", p.probe(ready(p.log, p.life, p.injected)))
	mux.Handle("GET /startup", p.probe(startup(p.log, p.life)))
	mux.Handle("GET /metrics", exposition(p.log, p.metrics))

	if p.injected != nil {
		mux.Handle("GET /faults", listFaults(p.log, p.injected))
		mux.Handle("PUT /faults/{kind}", injectFault(p.log, p.injected))
		mux.Handle("DELETE /faults/{kind}", healFault(p.log, p.injected))
	}

	p.expect()
	return identify(p.host, p.build.Version, traced(p.traces, observe(p.log, p.metrics, unmatched(p.log, mux))))
}

// expect makes the series that the alerts look at exist before the first request: successes, and failures of the server.
func (p parts) expect() {
	failures := []int{http.StatusInternalServerError, http.StatusServiceUnavailable}
	asked := failures // of a route that is passed on
	if p.next != nil {
		asked = append(asked, http.StatusBadGateway, http.StatusGatewayTimeout)
	}
	p.metrics.Expect(http.MethodGet, "/items", append(asked, http.StatusOK)...)
	p.metrics.Expect(http.MethodGet, "/items/{id}", append(asked, http.StatusOK)...)
	p.metrics.Expect(http.MethodPost, "/items", append(asked, http.StatusCreated, http.StatusInsufficientStorage)...)
	p.metrics.Expect(http.MethodGet, "/settings", append(failures, http.StatusOK)...)
}

func (p parts) api(h http.Handler) http.Handler   { return faulty(p.log, p.injected, false, h) }
func (p parts) probe(h http.Handler) http.Handler { return faulty(p.log, p.injected, true, h) }

// item answers from the store here, or lets the downstream answer.
func (p parts) item(here http.Handler) http.Handler {
	if p.next != nil {
		return relay(p.log, p.next)
	}
	return dependent(p.log, p.injected, here)
}

// dependency is what /health asks, or nil.
func (p parts) dependency() *downstream.Client {
	if p.cfg.HealthDepends {
		return p.next
	}
	return nil
}
