// Package metrics owns what Prometheus can read from this process.
package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kit.local/goapp/internal/version"
)

// buckets are upper bounds in seconds: an answer from memory takes well under 1 ms, a fault can take seconds.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics is a registry of its own, so that two servers in one process (as in tests) do not share figures.
type Metrics struct {
	Registry *prometheus.Registry
	duration *prometheus.HistogramVec
}

// New registers the Go and process collectors, the build's identity and the request histogram.
func New(build version.Info) *Metrics {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "catalog_build_info",
		Help:        "Always 1; the labels identify the build.",
		ConstLabels: prometheus.Labels{"version": build.Version, "revision": build.Revision, "goversion": build.Go},
	})
	info.Set(1)
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_request_duration_seconds",
		Help:    "Time to answer a request.",
		Buckets: buckets,
	}, []string{"method", "route", "code"})
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		info, duration,
	)
	return &Metrics{Registry: registry, duration: duration}
}

// Expect makes the series of a route's answers exist at zero. Prometheus sees a counter grow only between two scrapes: one
// that is first seen at 20 has, for rate() and every alert on it, never grown. Give the codes that alerts look at, and no more:
// each is a series per bucket.
func (m *Metrics) Expect(method, route string, codes ...int) {
	for _, code := range codes {
		m.duration.WithLabelValues(method, route, strconv.Itoa(code))
	}
}

// Request records one answered request. The route is a pattern, never a path: labels must stay few. The id of a trace,
// if there is one, becomes an exemplar: a request that shows what its bucket is made of.
func (m *Metrics) Request(method, route string, code int, took time.Duration, traceID string) {
	observer := m.duration.WithLabelValues(method, route, strconv.Itoa(code))
	if traceID == "" {
		observer.Observe(took.Seconds())
		return
	}
	observer.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": traceID})
}

// Requests counts what was answered since the start.
func (m *Metrics) Requests() (uint64, error) {
	families, err := m.Registry.Gather()
	var total uint64
	for _, family := range families {
		if family.GetName() != "http_request_duration_seconds" {
			continue
		}
		for _, metric := range family.GetMetric() {
			total += metric.GetHistogram().GetSampleCount()
		}
	}
	return total, err
}
