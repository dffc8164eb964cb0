// Package catalog is the service: its API, its life cycle, and the program that ties them together.
package catalog

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"kit.local/goapp/internal/config"
	"kit.local/goapp/internal/items"
	"kit.local/goapp/internal/metrics"
	"kit.local/goapp/internal/version"
)

// Run is the program without its process: it serves until ctx ends, then leaves in order.
// Everything it says goes to stdout, as JSON lines.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
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
	log := slog.New(slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: cfg.LogLevel}))
	store, err := stocked(cfg.MaxItems)
	if err != nil {
		return err
	}
	measured := metrics.New(build)
	log.Info("starting", "version", build.Version, "revision", build.Revision, "go", build.Go, "config", cfg.File)
	return newServer(cfg, log, store, measured, lastFigures(log, measured)).serve(ctx)
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
