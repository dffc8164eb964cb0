// Package catalog is the service: its API, its life cycle, and the program that ties them together.
package catalog

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"kit.local/goapp/internal/config"
	"kit.local/goapp/internal/downstream"
	"kit.local/goapp/internal/faults"
	"kit.local/goapp/internal/items"
	"kit.local/goapp/internal/metrics"
	"kit.local/goapp/internal/tracing"
	"kit.local/goapp/internal/version"
)

// Run is the program without its process: it serves until ctx ends, then leaves in order.
// Everything it says goes to stdout, as JSON lines. It calls exit only for a crash that it was asked for.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer, exit func(code int)) error {
	cfg, err := config.Load(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		config.Usage(stdout)
		return nil
	}
	if err != nil {
		return err
	}
	build := version.Get()
	if cfg.ShowVersion {
		_, err := fmt.Fprintln(stdout, build)
		return err
	}
	lines := slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: cfg.LogLevel})
	log := slog.New(tracing.Logged(lines)).With("service", cfg.Name)
	log.Info("starting", "version", build.Version, "revision", build.Revision, "go", build.Go, "config", cfg.File)
	all, err := assemble(ctx, cfg, log, build, exit)
	if err != nil {
		return err
	}
	return newServer(all, all.traces.Flush, lastFigures(log, all.metrics)).serve(ctx)
}

// assemble makes the parts that the settings ask for.
func assemble(ctx context.Context, cfg config.Config, log *slog.Logger, build version.Info, exit func(code int)) (parts, error) {
	store, err := stocked(cfg.MaxItems)
	if err != nil {
		return parts{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		return parts{}, fmt.Errorf("host name: %w", err)
	}
	of := tracing.Service{Name: cfg.Name, Version: build.Version, Instance: host, Pod: cfg.PodName}
	traces, err := tracing.New(ctx, log, of, float64(cfg.TraceSampler), cfg.OTLPEndpoint)
	if err != nil {
		return parts{}, err
	}
	p := parts{
		cfg: cfg, log: log, host: host, build: build, life: new(lifecycle), store: store,
		metrics: metrics.New(build), traces: traces,
	}
	if cfg.Faults {
		p.injected = faults.NewSet(log, exit)
	}
	if cfg.Downstream != nil {
		p.next = downstream.New(cfg.Downstream, cfg.DownstreamTimeout, p.injected.Depend, traces)
	}
	return p, nil
}

// stocked makes a store with as much of the starter assortment as fits.
func stocked(capacity int) (*items.Memory, error) {
	store := items.NewMemory(capacity)
	for _, draft := range items.Starter[:min(capacity, len(items.Starter))] {
		if _, err := store.Add(draft); err != nil {
			return nil, fmt.Errorf("starter items: %w", err)
		}
	}
	return store, nil
}

// lastFigures logs the request count at the very end: Prometheus pulls, so what happens after its last scrape is lost to it.
func lastFigures(log *slog.Logger, m *metrics.Metrics) flush {
	return func(ctx context.Context) error {
		requests, err := m.Requests()
		log.InfoContext(ctx, "stopped", "requests", requests)
		return err
	}
}
