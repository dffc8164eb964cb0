package faults

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"kit.local/goapp/internal/problem"
)

// Why a fault ended before its lease.
var (
	errHealed   = errors.New("healed")
	errReplaced = errors.New("replaced")
	errShutdown = errors.New("shutdown")
	errLeaseEnd = errors.New("lease over")
)

// Set holds the faults that are active, at most one of a kind. A nil Set has none. It is safe for concurrent use.
type Set struct {
	log  *slog.Logger
	exit func(code int)

	mu      sync.RWMutex
	leases  map[Kind]lease // those that have ended stay: their context says so
	all     context.Context
	end     context.CancelCauseFunc
	running sync.WaitGroup
}

// lease is a fault and its life: its context ends with it.
type lease struct {
	Fault
	life   context.Context
	cancel context.CancelCauseFunc
}

// NewSet makes a set without faults; exit is what a crash calls.
func NewSet(log *slog.Logger, exit func(code int)) *Set {
	all, end := context.WithCancelCause(context.Background())
	return &Set{log: log, exit: exit, leases: map[Kind]lease{}, all: all, end: end}
}

// Inject makes a fault active until its lease is over, instead of one of its kind that there may be.
func (s *Set) Inject(ctx context.Context, f Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all.Err() != nil {
		return problem.New(problem.Unavailable, "shutting down")
	}
	if last, ok := s.leases[f.Kind]; ok {
		last.cancel(errReplaced)
	}
	began := time.Now()
	healable, cancel := context.WithCancelCause(s.all)
	life, release := context.WithTimeoutCause(healable, time.Duration(f.Lease), errLeaseEnd)
	s.leases[f.Kind] = lease{f, life, cancel}
	s.log.InfoContext(ctx, "fault injected", "fault", f.settings())
	s.running.Go(func() {
		defer release()
		s.last(life, began, f)
	})
	return nil
}

// last stays as long as the fault does.
func (s *Set) last(life context.Context, began time.Time, f Fault) {
	if f.Kind == Leak {
		leak(life, f.MiBPerSecond)
	}
	<-life.Done()
	s.log.Info("fault ended", "kind", f.Kind, "cause", context.Cause(life).Error(), "seconds", time.Since(began).Seconds())
}

// Heal ends the fault of a kind; that there is none is fine, for it may have ended by itself.
func (s *Set) Heal(name string) error {
	if _, err := find(name); err != nil {
		return err
	}
	if active, ok := s.active(Kind(name)); ok {
		active.cancel(errHealed)
	}
	return nil
}

// Close ends all faults and returns when they have let go of what they held; none can be injected any more.
func (s *Set) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.end(errShutdown)
	s.mu.Unlock()
	s.running.Wait()
}

// Active lists the faults that have not ended, by kind, each with its settings and the seconds left.
func (s *Set) Active() []map[string]any {
	list := []map[string]any{}
	for _, kind := range Kinds() {
		if active, ok := s.active(kind); ok {
			until, _ := active.life.Deadline()
			shown := active.settings()
			shown["left"] = time.Until(until).Seconds()
			list = append(list, shown)
		}
	}
	return list
}

func (s *Set) active(k Kind) (lease, bool) {
	if s == nil {
		return lease{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, ok := s.leases[k]
	return found, ok && found.life.Err() == nil
}
