// Package crowd tries a function that asks several servers at once and is to return the first answer.
package crowd

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// Server answers when it can, or when its context ends.
type Server = func(context.Context) string

const (
	calls   = 100
	quick   = "quick"
	patient = 3 * time.Second // for all calls together
	settled = time.Second     // for what goes on after them
)

// Result of all calls.  Serving and Goroutines are what was left of them once the calls had returned.
type Result struct {
	Calls      int `json:"calls"`
	Right      int `json:"right"`
	Serving    int `json:"serving"`
	Goroutines int `json:"goroutines"`
}

// Try calls first again and again, each time with two servers that only answer when they are told to stop, and one that
// answers at once.  It prints the result as JSON.
func Try(first func(context.Context, []Server) string) {
	var serving, right atomic.Int64
	slow := func(ctx context.Context) string {
		serving.Add(1)
		defer serving.Add(-1)
		<-ctx.Done()
		return "late"
	}
	before := runtime.NumGoroutine()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range calls {
			if first(context.Background(), []Server{slow, slow, func(context.Context) string { return quick }}) == quick {
				right.Add(1)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(patient):
	}
	settle(before)
	result := Result{calls, int(right.Load()), int(serving.Load()), runtime.NumGoroutine() - before}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

// settle waits until there are as few goroutines as before, or until nobody can say that they had no time to end.
func settle(before int) {
	for end := time.Now().Add(settled); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
}
