// Command counter lets goroutines add to one counter, by a channel, a mutex or an atomic, and prints as JSON how often they did.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// Result of one run.  Waited is the time that goroutines and threads waited for locks, the runtime's own included, all added up.
type Result struct {
	Operations int     `json:"operations"`
	Counted    int     `json:"counted"`
	Seconds    float64 `json:"seconds"`
	Waited     float64 `json:"waited"`
}

func main() {
	way := flag.String("way", "mutex", "channel, buffered, mutex or atomic")
	goroutines := flag.Int("goroutines", 1, "how many add")
	work := flag.Duration("work", 0, "what each does on its own before it adds")
	span := flag.Duration("span", 200*time.Millisecond, "how long to go on")
	profile := flag.String("profile", "", "mutex or block: what to profile, into -to")
	to := flag.String("to", "", "file for the profile")
	flag.Parse()
	counter := ways[*way]
	if counter == nil {
		log.Fatalf("there is no way %q", *way)
	}
	switch *profile {
	case "mutex":
		runtime.SetMutexProfileFraction(1)
	case "block":
		runtime.SetBlockProfileRate(1)
	}
	result := run(counter(), *goroutines, rounds(*work), *span)
	if *profile != "" {
		save(*profile, *to)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

// Counter is added to by many; total is asked when they have ended.
type Counter interface {
	Add()
	Total() int
}

var ways = map[string]func() Counter{
	"channel":  func() Counter { return newOwner(0) },
	"buffered": func() Counter { return newOwner(128) },
	"mutex":    func() Counter { return new(locked) },
	"atomic":   func() Counter { return new(hardware) },
}

type locked struct {
	mutex sync.Mutex
	total int
}

func (c *locked) Add() {
	c.mutex.Lock()
	c.total++
	c.mutex.Unlock()
}

func (c *locked) Total() int { return c.total }

type hardware struct{ total atomic.Int64 }

func (c *hardware) Add()       { c.total.Add(1) }
func (c *hardware) Total() int { return int(c.total.Load()) }

// owner is a goroutine that nobody shares the counter with: the others send to it.
type owner struct {
	additions chan int
	total     chan int
}

func newOwner(room int) *owner {
	c := &owner{make(chan int, room), make(chan int)}
	go func() {
		total := 0
		for addition := range c.additions {
			total += addition
		}
		c.total <- total
	}()
	return c
}

func (c *owner) Add() { c.additions <- 1 }

func (c *owner) Total() int {
	close(c.additions)
	return <-c.total
}

func run(counter Counter, goroutines, rounds int, span time.Duration) Result {
	var stop atomic.Bool
	var operations atomic.Int64
	var workers sync.WaitGroup
	before, began := waited(), time.Now()
	for range goroutines {
		workers.Go(func() {
			mine := 0
			for ; !stop.Load(); mine++ {
				spin(rounds)
				counter.Add()
			}
			operations.Add(int64(mine))
		})
	}
	time.Sleep(span)
	stop.Store(true)
	workers.Wait()
	took, after := time.Since(began), waited()
	return Result{int(operations.Load()), counter.Total(), took.Seconds(), after - before}
}

// rounds of spin that take so long on this machine, when nobody else is at work.
func rounds(work time.Duration) int {
	if work == 0 {
		return 0
	}
	const many = 2_000_000
	best := time.Hour
	for range 5 {
		began := time.Now()
		spin(many)
		best = min(best, time.Since(began))
	}
	return int(many * work / best)
}

var sink atomic.Uint64

// spin is work that touches nothing that is shared.
func spin(rounds int) {
	x := uint64(rounds)
	for range rounds {
		x = x*6364136223846793005 + 1442695040888963407
	}
	if x == 1 {
		sink.Store(x) // so that the compiler keeps the loop
	}
}

func waited() float64 {
	sample := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64()
}

// save what the runtime has gathered so far.
func save(profile, to string) {
	file, err := os.Create(to)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	if err := pprof.Lookup(profile).WriteTo(file, 0); err != nil {
		log.Fatal(err)
	}
}
