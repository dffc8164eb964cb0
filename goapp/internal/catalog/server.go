package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	readHeaderTimeout = 5 * time.Second  // a client that never finishes its header must not hold a connection
	idleTimeout       = 90 * time.Second // longer than the usual 60 s of a proxy, so that the proxy closes first
	flushTimeout      = 2 * time.Second
)

// flush sends what is still buffered once no request runs any more.
type flush func(context.Context) error

// server owns its listener, its phase, and the order of its end.
type server struct {
	parts
	http    *http.Server
	flushes []flush
}

func newServer(p parts, flushes ...flush) *server {
	return &server{parts: p, flushes: flushes, http: &http.Server{
		Handler:           routes(p),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
	}}
}

// serve listens once the start delay is over, marks the server ready, and stays until ctx ends or serving fails.
func (s *server) serve(ctx context.Context) error {
	if pause(ctx, s.cfg.StartDelay); ctx.Err() != nil {
		return s.flush(context.WithoutCancel(ctx))
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(listener) }()
	s.life.enter(serving)
	s.log.Info("ready", "addr", listener.Addr().String())
	select {
	case err := <-failed:
		return fmt.Errorf("cannot serve: %w", err)
	case <-ctx.Done():
	}
	if !s.cfg.Graceful {
		return s.cut()
	}
	s.life.enter(draining)
	s.log.Info("draining", "delay", s.cfg.DrainDelay.String(), "cause", context.Cause(ctx).Error())
	return s.stop(context.WithoutCancel(ctx))
}

// cut ends like a program that knows nothing of signals: nobody is told, and nothing is flushed.
func (s *server) cut() error {
	err := s.http.Close()
	s.log.Info("cut") // not before it is true: who reads it may go on
	s.injected.Close()
	return err
}

// stop lets load balancers notice, then closes the listener and waits for what is in flight, then flushes.
func (s *server) stop(ctx context.Context) error {
	budget, cancel := context.WithTimeout(ctx, s.cfg.ShutdownTimeout)
	defer cancel()
	pause(budget, s.cfg.DrainDelay)
	closed := make(chan struct{})
	s.http.RegisterOnShutdown(func() {
		s.log.Info("listener closed")
		s.injected.Close() // a hang must not use up the time of what would still complete
		close(closed)
	})
	err := s.http.Shutdown(budget)
	<-closed
	if err != nil {
		err = fmt.Errorf("requests in flight were cut after %s: %w", s.cfg.ShutdownTimeout, errors.Join(err, s.http.Close()))
	}
	return errors.Join(err, s.flush(ctx))
}

// flush gets a budget of its own: a request that used up the other one must not cost its own trace.
func (s *server) flush(ctx context.Context) error {
	budget, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	var failures []error
	for _, f := range s.flushes {
		failures = append(failures, f(budget))
	}
	return errors.Join(failures...)
}

// pause waits for d, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
