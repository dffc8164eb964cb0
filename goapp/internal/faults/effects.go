package faults

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"time"
)

const (
	crashStatus  = 3  // the exit status of a crash
	leaksASecond = 10 // steps of a leak
	mebibyte     = 1 << 20
)

// Hold keeps a request for as long as a delay or a hang says. It returns an error when the request's context ends first.
func (s *Set) Hold(ctx context.Context, probe bool) error {
	if delay, ok := s.meets(Delay, probe); ok {
		if err := sleep(ctx, time.Duration(delay.Duration)); err != nil {
			return err
		}
	}
	if hang, ok := s.meets(Hang, probe); ok {
		s.log.DebugContext(ctx, "request held")
		select {
		case <-hang.life.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Fails decides by chance whether a request fails, and with which status.
func (s *Set) Fails(probe bool) (status int, fails bool) {
	fault, ok := s.meets(Error, probe)
	return fault.Status, ok && rand.Float64() < fault.Rate
}

// Depend takes as much longer as the dependency does.
func (s *Set) Depend(ctx context.Context) error {
	fault, ok := s.active(Dependency)
	if !ok {
		return nil
	}
	return sleep(ctx, time.Duration(fault.Duration))
}

// NotReady says whether the server must not count as ready.
func (s *Set) NotReady() bool {
	_, ok := s.active(NotReady)
	return ok
}

// Crash sets off the crash that was injected. It is apart from Inject so that the answer can be written first.
func (s *Set) Crash() {
	fault, ok := s.active(Crash)
	if !ok {
		return
	}
	go func() {
		if sleep(fault.life, time.Duration(fault.After)) == nil {
			s.log.Error("crash", "status", crashStatus)
			s.exit(crashStatus)
		}
	}()
}

// meets finds a fault that affects a request: probes only when it says so.
func (s *Set) meets(k Kind, probe bool) (lease, bool) {
	fault, ok := s.active(k)
	return fault, ok && (fault.Probes || !probe)
}

// leak takes memory at a steady pace until ctx ends, and gives it back to the system then.
func leak(ctx context.Context, mebibytesPerSecond int) {
	defer debug.FreeOSMemory() // once hoard has let go of it
	hoard(ctx, mebibytesPerSecond*mebibyte/leaksASecond)
}

func hoard(ctx context.Context, bytes int) (held [][]byte) {
	step := time.NewTicker(time.Second / leaksASecond)
	defer step.Stop()
	for {
		select {
		case <-ctx.Done():
			return held
		case <-step.C:
			held = append(held, touched(bytes))
		}
	}
}

// touched makes memory that is really there: the system gives a page only to who writes to it.
func touched(bytes int) []byte {
	memory := make([]byte, bytes)
	for i := 0; i < bytes; i += os.Getpagesize() {
		memory[i] = 1
	}
	return memory
}

// sleep waits for d, or returns ctx's error when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
