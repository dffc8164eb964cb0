// A service that takes orders, and its metrics as a scrape gets them: a counter of orders, and a histogram of durations.
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	service := routes(prometheus.NewRegistry())
	for range 3 {
		service.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/orders", nil))
	}

	scrape := httptest.NewRecorder()
	service.ServeHTTP(scrape, httptest.NewRequest("GET", "/metrics", nil))
	fmt.Print(scrape.Body)
}

// routes counts in a registry of its own, which /metrics shows.
func routes(registry *prometheus.Registry) http.Handler {
	orders := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "shop_orders_total",
		Help: "Orders, by what became of them.",
	}, []string{"outcome"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_request_duration_seconds",
		Help:    "Time to answer a request.",
		Buckets: []float64{.001, .01, .1, 1},
	}, []string{"method", "code"})
	registry.MustRegister(orders, duration)
	accepted := orders.WithLabelValues("accepted")
	orders.WithLabelValues("refused")

	mux := http.NewServeMux()
	mux.Handle("POST /orders", promhttp.InstrumentHandlerDuration(duration,
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			accepted.Inc()
			w.WriteHeader(http.StatusCreated)
		})))
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}
